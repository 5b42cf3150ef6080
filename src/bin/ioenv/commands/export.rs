use std::fs;
use std::io::{ErrorKind, Write as _};
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
        Some(file) => write(&file, text.expose_secret(), args.force),
        None => {
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

fn write(file: &Path, text: &str, force: bool) -> Result {
    let written = match create_private(file) {
        // Removed first, so that the new file has our mode and not that of the old one.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && force => {
            fs::remove_file(file).and_then(|()| create_private(file))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(format!("{} is there already; use --force to replace it", file.display()).into());
        }
        created => created,
    };
    let result = written.and_then(|mut file| file.write_all(text.as_bytes()));
    result.map_err(|error| format!("cannot write {}: {error}", file.display()).into())
}
