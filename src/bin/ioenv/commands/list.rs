use std::io::Write as _;

use ioenv::{LevelPath, Resolved, Variable, is_withheld};
use serde_json::{Value, json};

use super::as_configured;
use crate::args::{ListArgs, ListFormat};
use crate::levels::chosen::own_or_all;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, args: &ListArgs) -> Result {
    let resolved = own_or_all(project, args.own)?;
    // A level by itself may refer to what is above it.
    let resolved = if args.own { resolved } else { as_configured(project, resolved)? };
    match args.format {
        ListFormat::Table if resolved.is_empty() => Ok(()),
        ListFormat::Table => {
            let rows: Vec<[String; 3]> = resolved
                .iter()
                .map(|variable| {
                    let value = terminal::shown(variable, args.show);
                    [variable.name().to_string(), value, level(variable)]
                })
                .collect();
            terminal::table(["NAME", "VALUE", "LEVEL"], &rows)
        }
        ListFormat::Json => {
            let text = serde_json::to_string_pretty(&json(&resolved, args.show))?;
            Ok(writeln!(std::io::stdout().lock(), "{text}")?)
        }
    }
}

fn level(variable: Variable<'_>) -> String {
    let withheld = if is_withheld(variable.name()) { " (withheld)" } else { "" };
    format!("{}{withheld}", variable.origin())
}

/// A masked value is left out, so that nobody takes a mask for one.
fn json(resolved: &Resolved, show: bool) -> Vec<Value> {
    let object = |variable: Variable<'_>| {
        let origin = variable.origin();
        let overrides: Vec<&str> = origin.overrode().iter().map(LevelPath::as_str).collect();
        let mut object = json!({
            "name": variable.name().as_str(),
            "kind": variable.kind().as_str(),
            "level": origin.level().map(LevelPath::as_str),
            "overrides": overrides,
        });
        if show || variable.is_public() {
            object["value"] = variable.value().expose_secret().into();
        }
        object
    };
    resolved.iter().map(object).collect()
}
