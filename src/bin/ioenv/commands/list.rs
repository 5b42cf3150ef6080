use std::io::Write as _;

use ioenv::{Kind, Resolved, merge};
use serde_json::{Value, json};

use crate::args::{ListArgs, ListFormat};
use crate::project::Project;
use crate::{Result, terminal};

pub(crate) fn run(project: &Project, args: &ListArgs) -> Result {
    let resolved = merge(project.own_or_all_layers(args.own)?);
    match args.format {
        ListFormat::Table if resolved.is_empty() => Ok(()),
        ListFormat::Table => {
            let rows: Vec<[String; 3]> = resolved
                .iter()
                .map(|variable| {
                    let value = terminal::shown(variable, args.show);
                    [variable.name().to_string(), value, variable.origin().to_string()]
                })
                .collect();
            terminal::table(["NAME", "VALUE", "LEVEL"], &rows)
        }
        ListFormat::Json => {
            let mut out = std::io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, &json(&resolved, args.show))?;
            Ok(writeln!(out)?)
        }
    }
}

/// A masked value is left out, so that nobody takes a mask for one.
fn json(resolved: &Resolved, show: bool) -> Vec<Value> {
    let object = |variable: ioenv::Variable<'_>| {
        let origin = variable.origin();
        let overrides: Vec<&str> = origin.overrode().iter().map(ioenv::LevelPath::as_str).collect();
        let mut object = json!({
            "name": variable.name().as_str(),
            "kind": if variable.kind() == Kind::Variable { "variable" } else { "secret" },
            "level": origin.level().map(ioenv::LevelPath::as_str),
            "overrides": overrides,
        });
        if show || variable.is_public() {
            object["value"] = variable.value().expose_secret().into();
        }
        object
    };
    resolved.iter().map(object).collect()
}
