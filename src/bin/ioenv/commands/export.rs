use std::fs::{Metadata, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use ioenv::{Resolved, SecretString, expand, write_private};
use serde_json::{Map, Value};

use super::warn_of_unresolved;
use crate::args::{ExportArgs, ExportFormat, usage};
use crate::levels::chosen::{levels, own_or_all};
use crate::project::Project;
use crate::result::Result;

pub(crate) fn run(project: &Project, args: ExportArgs) -> Result {
    let text = match args.format {
        ExportFormat::Document if args.expand => {
            usage("--format document prints references as they are: leave --expand out, or choose another format")
        }
        ExportFormat::Document => levels(project)?.own(&project.path()?)?.to_text(),
        ExportFormat::Env => resolved(project, &args)?.to_document().to_export(),
        ExportFormat::Shell => resolved(project, &args)?.to_document().to_shell()?,
        ExportFormat::Json => json(&resolved(project, &args)?)?,
    };
    match args.output {
        Some(file) if file != Path::new("-") => write(&file, &text, args.force),
        _ => {
            let mut out = std::io::stdout().lock();
            out.write_all(text.expose_secret().as_bytes())?;
            Ok(out.flush()?)
        }
    }
}

/// The values that a program would get.
fn resolved(project: &Project, args: &ExportArgs) -> Result<Resolved> {
    let mut resolved = own_or_all(project, args.own)?;
    if args.expand || project.configuration.expand()? {
        warn_of_unresolved(&expand(&mut resolved)?);
    }
    Ok(resolved)
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

/// Over another file only by force.
fn write(file: &Path, text: &SecretString, force: bool) -> Result {
    if !force && file.symlink_metadata().is_ok() {
        return Err(format!("{} is there already; use --force to replace it", file.display()).into());
    }
    // Through links: a pipe or a device takes the text, and the file that a link names is replaced, not the link.
    match std::fs::metadata(file) {
        Ok(there) if is_written_into(file, &there) => {
            let mut opened = OpenOptions::new()
                .write(true)
                .open(file)
                .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
            opened
                .write_all(text.expose_secret().as_bytes())
                .and_then(|()| opened.flush())
                .map_err(|error| format!("cannot write {}: {error}", file.display()).into())
        }
        Ok(_) => {
            let real = file.canonicalize().map_err(|error| format!("cannot write {}: {error}", file.display()))?;
            Ok(write_private(&real, text)?)
        }
        Err(_) if file.symlink_metadata().is_ok() => {
            Err(format!("{} is a link to what is not there: name that file", file.display()).into())
        }
        Err(_) => Ok(write_private(file, text)?),
    }
}

/// Returns whether a file takes what is written, rather than being replaced: what is no regular file, or one that somebody has
/// opened and that `/dev/stdout` and its like lead to.
fn is_written_into(file: &Path, there: &Metadata) -> bool {
    let is_handle = ["/dev", "/proc"].iter().any(|above| file.starts_with(above));
    !there.is_dir() && (!there.is_file() || is_handle)
}
