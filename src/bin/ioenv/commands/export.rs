use std::fs;
use std::io::Write as _;
use std::path::Path;

use ioenv::{Resolved, SecretString, expand, merge};
use serde_json::{Map, Value};

use super::{create_private, warn_of_unresolved};
use crate::Result;
use crate::args::{ExportArgs, ExportFormat};
use crate::project::Project;

pub(crate) fn run(project: &Project, args: ExportArgs) -> Result {
    let mut resolved = merge(project.own_or_all_layers(args.own)?);
    if args.expand {
        warn_of_unresolved(&expand(&mut resolved)?);
    }
    let text = match args.format {
        ExportFormat::Env => resolved.to_document().to_export(),
        ExportFormat::Json => json(&resolved)?,
    };
    match args.output {
        Some(file) if file != Path::new("-") => write(&file, text.expose_secret(), args.force),
        _ => {
            let mut out = std::io::stdout().lock();
            out.write_all(text.expose_secret().as_bytes())?;
            Ok(out.flush()?)
        }
    }
}

fn json(resolved: &Resolved) -> Result<SecretString> {
    let values: Map<String, Value> = resolved
        .iter()
        .map(|variable| (variable.name().to_string(), variable.value().expose_secret().into()))
        .collect();
    let mut text = serde_json::to_string_pretty(&values)?;
    text.push('\n');
    Ok(text.into())
}

/// All of it or nothing, and over another file only by force: written beside, synced, then given its name.
fn write(file: &Path, text: &str, force: bool) -> Result {
    if !force && file.symlink_metadata().is_ok() {
        return Err(format!("{} is there already; use --force to replace it", file.display()).into());
    }
    let mut beside = file.file_name().unwrap_or_default().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = file.with_file_name(beside);
    let written = create_private(&beside).and_then(|mut new| {
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        fs::rename(&beside, file)
    });
    written.map_err(|error| {
        // Best effort; what it holds is only half of what was asked for.
        let _ = fs::remove_file(&beside);
        format!("cannot write {}: {error}", file.display()).into()
    })
}
