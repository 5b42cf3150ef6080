use ioenv::vault::{Declaration, Step, StepAction};
use ioenv::{Error, ErrorKind, SecretString};
use serde_json::{Value, json};

use crate::args::ApplyArgs;
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, args: &ApplyArgs) -> Result {
    let text = terminal::read_file(&args.file)?;
    let declaration = Declaration::parse(text.expose_secret()).map_err(|error| named(args, &error))?;
    drop(text);
    let access = Access::open(project)?.with_outbound(&args.outbound);
    let session = access.session();
    let mut told = Told { is_json: args.json, created: 0, updated: Vec::new(), unchanged: 0 };
    if args.json {
        terminal::write_raw("{\"created\":[")?;
    }
    // What nobody hears of must not be made: its credential would be lost.
    let mut report = |step: Step| {
        told.tell(&step)
            .map_err(|_| Error::new(ErrorKind::Io, "what was made cannot be printed; nothing more was made"))
    };
    let applied =
        if args.dry_run { session.plan(&declaration, &mut report) } else { session.apply(&declaration, &mut report) };
    told.finish(args.dry_run, applied.is_err())?;
    applied.map_err(|error| named(args, &error))
}

pub(crate) fn dump(project: &Project) -> Result {
    let access = Access::open(project)?;
    let organization = match &project.chosen_organization {
        Some(_) => Some(access.organization()?),
        None => None,
    };
    let declaration = access.session().dump(organization)?;
    terminal::write_raw(declaration.to_text().expose_secret())
}

/// Errors have the place in the file, and this is the file.
fn named(args: &ApplyArgs, error: &Error) -> Box<dyn std::error::Error> {
    match error.position() {
        Some(_) => format!("{}: {error}", args.file.display()).into(),
        None => error.to_string().into(),
    }
}

/// What was done so far. Each thing is printed when it is made, so that no credential is lost when the program is.
struct Told {
    is_json: bool,
    created: usize,
    updated: Vec<Value>,
    unchanged: usize,
}

impl Told {
    fn tell(&mut self, step: &Step) -> Result {
        match (step.action, self.is_json) {
            (StepAction::Unchanged, _) => {
                self.unchanged += 1;
                return Ok(());
            }
            (StepAction::Updated, true) => self.updated.push(as_json(step)),
            (StepAction::Created, true) => {
                let comma = if self.created == 0 { "\n" } else { ",\n" };
                self.created += 1;
                let thing = as_json(step).to_string();
                match &step.credential {
                    None => terminal::write_raw(&format!("{comma}{thing}"))?,
                    Some(credential) => {
                        let open = thing.strip_suffix('}').unwrap_or(&thing);
                        let quoted = SecretString::from(json!(credential.expose_secret()).to_string());
                        let before = format!("{comma}{open},\"credential\":");
                        terminal::write_credential(quoted.expose_secret(), &before, "}")?;
                    }
                }
            }
            (action, false) => {
                let line = line(step);
                match &step.credential {
                    None => terminal::write_raw(&format!("{line}\n"))?,
                    Some(credential) => {
                        terminal::write_credential(credential.expose_secret(), &format!("{line}  "), "\n")?;
                    }
                }
                if action == StepAction::Created {
                    self.created += 1;
                } else {
                    self.updated.push(Value::Null);
                }
            }
        }
        Ok(())
    }

    fn finish(&self, is_plan: bool, has_failed: bool) -> Result {
        let Self { is_json, created, updated, unchanged } = self;
        if *is_json {
            let updated: Vec<String> = updated.iter().map(ToString::to_string).collect();
            let updated = updated.join(",\n");
            terminal::write_raw(&format!("],\"updated\":[{updated}],\"unchanged\":{unchanged}}}\n"))?;
        }
        if has_failed {
            terminal::note(format!("{created} created and {} updated before it failed", updated.len()));
            return Ok(());
        }
        let would = if is_plan { "nothing was done; it would be: " } else { "" };
        if *created == 0 && updated.is_empty() {
            terminal::note(format!("nothing to do: {unchanged} are as declared"));
        } else {
            terminal::note(format!("{would}{created} created, {} updated, {unchanged} unchanged", updated.len()));
        }
        Ok(())
    }
}

fn as_json(step: &Step) -> Value {
    let mut thing = json!({
        "kind": step.kind.as_str(),
        "organization": step.organization,
        "name": step.name,
    });
    if let Some(path) = &step.path {
        thing["path"] = json!(path);
    }
    if let Some(id) = &step.id {
        thing["id"] = json!(id);
    }
    if step.lacks_value() {
        thing["lacks_value"] = json!(true);
    } else if !step.fields.is_empty() {
        thing["changed"] = json!(step.fields);
    }
    thing
}

fn line(step: &Step) -> String {
    let action = if step.action == StepAction::Created { "created" } else { "updated" };
    let place = match &step.path {
        Some(path) => format!("{}: {path}", step.organization),
        None => step.organization.clone(),
    };
    let what = if step.lacks_value() {
        "  has no value yet: set it with `ioenv set`".to_owned()
    } else if step.fields.is_empty() {
        String::new()
    } else {
        format!("  ({})", step.fields.join(", "))
    };
    let name = terminal::printable(&step.name);
    format!("{action}  {:15}  {place:36}  {name}{what}", step.kind.as_str())
}
