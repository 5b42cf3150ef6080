use std::process::ExitCode;

use ioenv::vault::{At, IntegrityReport, LevelScope, Organization, SealedRecordKind};
use ioenv::{Document, ErrorKind};

use crate::levels::Levels as _;
use crate::levels::access::Access;
use crate::levels::vault::VaultLevels;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

/// Looks for damage in the store, and opens every level and every sealed record as far as the vault can; fails if one cannot
/// be opened.
pub(crate) fn run(project: &Project) -> Result<ExitCode> {
    let access = Access::open(project)?;
    access.trusted_only()?;
    access.vault.store().check()?;
    terminal::note("the store is sound");
    // First, because it goes on where a damaged record hides what is below it.
    let checked = access.vault.check()?;
    let mut failed = !checked.damaged.is_empty();
    let organizations = match access.session().organizations() {
        Err(error) if error.kind() == ErrorKind::Corrupt => Vec::new(),
        found => found?,
    };
    if let Some(first) = organizations.first().map(|first| first.id) {
        let levels = VaultLevels::of(project, access, first);
        check_levels(levels, organizations, &mut failed)?;
    }
    report(&checked);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Opens each level of each organization, and shows what came of it.
fn check_levels(mut levels: VaultLevels<'_>, organizations: Vec<Organization>, failed: &mut bool) -> Result {
    let is_one = organizations.len() == 1;
    let mut rows = Vec::new();
    for Organization { id, slug, .. } in organizations {
        levels.organization = id;
        let tree = match levels.tree() {
            Ok(tree) => tree,
            Err(error) => {
                terminal::warning(format!("the levels of {slug} cannot be listed: {error}"));
                *failed = true;
                continue;
            }
        };
        for (path, _) in tree {
            let session = levels.session();
            let what = match session.read_level(At::Path(id, &path), LevelScope::Own) {
                Ok(content) => match content.document().map(Document::len) {
                    None => "says nothing".to_owned(),
                    Some(1) => "opens, 1 entry".to_owned(),
                    Some(count) => format!("opens, {count} entries"),
                },
                Err(error) if error.kind() == ErrorKind::ClientManaged => match session.blobs(At::Path(id, &path)) {
                    Ok(_) => "is whole; its key is not in the vault".to_owned(),
                    Err(error) => fail(failed, &error),
                },
                Err(error) => match session.opened_blobs(At::Path(id, &path)) {
                    // A client of a service stored it, and reads it.
                    Ok(blobs) if blobs.levels.last().is_some_and(|level| level.text.is_some()) => {
                        "opens, and is no dotenv text".to_owned()
                    }
                    _ => fail(failed, &error),
                },
            };
            let path = if is_one { path.to_string() } else { format!("{slug}: {path}") };
            rows.push([path, what]);
        }
    }
    terminal::table(["LEVEL", "RESULT"], &rows)
}

/// Shows what is damaged, and how much was looked at.
fn report(checked: &IntegrityReport) {
    for damage in &checked.damaged {
        let level = damage.path.as_ref().map(|path| format!(" of {path}")).unwrap_or_default();
        let what = match (damage.kind, damage.webhook, damage.integration) {
            (SealedRecordKind::Content, ..) => format!("content {}", damage.id),
            (kind, Some(id), _) => format!("{kind} of the webhook {id}"),
            (kind, None, Some(id)) => format!("{kind} of the integration {id}"),
            (kind, None, None) => match damage.token {
                Some(id) => format!("{kind} {id} at {}", damage.key),
                None => format!("{kind} at {}", damage.key),
            },
        };
        let problem = if damage.kind.is_authenticated() { "is refused" } else { "does not open" };
        terminal::warning(format!("the {what}{level} {problem}: {}", damage.error));
    }
    terminal::note(format!("{} records that decide who may do what were verified", checked.authenticated_records));
    terminal::note(format!(
        "{} sealed records: {} signing secrets, {} credentials, {} contents, present and former, and {} of them damaged",
        checked.records,
        checked.signing_secrets,
        checked.credentials,
        checked.contents,
        checked.damaged.len()
    ));
}

fn fail(failed: &mut bool, error: &ioenv::Error) -> String {
    *failed = true;
    error.to_string()
}
