use ioenv::vault::{At, ChangedEntry, Paging, Restore};
use ioenv::{ErrorKind, LevelPath, SecretString};

use super::audit::actor;
use super::time::shown;
use crate::args::Typed;
use crate::levels::vault::{VaultLevels, hint};
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, level: Option<&Typed>, show: bool, limit: usize) -> Result {
    let path: LevelPath = level.map(Typed::get).map_or_else(|| project.path(), Ok)?;
    let vault = VaultLevels::open(project)?;
    let (session, organization) = (vault.session(), vault.organization);
    let paging = Paging::new().limit(limit);
    let versions = session.versions(At::Path(organization, &path), &paging).map_err(|error| hint(&path, error))?.items;
    let changes = match session.changes(At::Path(organization, &path), &paging) {
        // The vault cannot look into these: it knows when, and by whom.
        Err(error) if error.kind() == ErrorKind::ClientManaged => {
            let rows: Vec<[String; 4]> = versions
                .iter()
                .map(|version| {
                    let bytes = format!("{} bytes, until {}", version.bytes, shown(version.created_at));
                    [version.id.to_string(), shown(version.written_at), actor(&version.created_by), bytes]
                })
                .collect();
            return terminal::table(["VERSION", "WRITTEN", "REPLACED BY", "CONTENT"], &rows);
        }
        changes => changes?.items,
    };
    let mut rows = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        // What the level says now has no version yet, and what it was without any content never has one.
        let is_former = versions.iter().any(|version| version.id == change.id);
        let id = match index {
            _ if is_former => change.id.to_string(),
            0 => "now".to_owned(),
            _ => "-".to_owned(),
        };
        for entry in &change.entries {
            let [what, name] = described(entry);
            let value = |value: &Option<SecretString>| match value {
                Some(value) if show => terminal::printable(value.expose_secret()),
                Some(_) => terminal::MASK.to_owned(),
                None => "-".to_owned(),
            };
            rows.push([
                id.clone(),
                shown(change.at),
                actor(&change.by),
                what,
                name,
                value(&entry.old_value),
                value(&entry.new_value),
            ]);
        }
    }
    terminal::table(["VERSION", "TIME", "ACTOR", "CHANGE", "NAME", "BEFORE", "AFTER"], &rows)
}

/// What became of an entry, and its name.
fn described(entry: &ChangedEntry) -> [String; 2] {
    match (&entry.old_name, &entry.new_name) {
        (None, Some(new)) => ["added".to_owned(), new.to_string()],
        (Some(old), None) => ["removed".to_owned(), old.to_string()],
        (Some(old), Some(new)) if old != new => [format!("renamed from {old}"), new.to_string()],
        (_, new) => ["changed".to_owned(), new.as_ref().map(ToString::to_string).unwrap_or_default()],
    }
}

pub(crate) fn restore(project: &Project, what: &Typed) -> Result {
    let vault = VaultLevels::open(project)?;
    let (session, organization) = (vault.session(), vault.organization);
    // No project is called by digits alone and meant here: versions are.
    let id: u64 = match what.text().parse() {
        Ok(id) => id,
        Err(_) => {
            let path: LevelPath = what.get();
            let newest = session
                .versions(At::Path(organization, &path), &Paging::new().limit(1))
                .map_err(|error| hint(&path, error))?;
            newest.items.first().ok_or_else(|| format!("{path} has no former content to bring back"))?.id
        }
    };
    session.restore_version(organization, id, &Restore::new())?;
    terminal::note(format!("restored the version {id}"));
    Ok(())
}
