use std::io::Write as _;

use ioenv::VaultLocation;

use super::time::shown;
use super::token;
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;

/// The operator sees the whole vault, a token itself and its organization.
pub(crate) fn run(project: &Project) -> Result {
    let access = Access::open(project)?;
    let session = access.session();
    let mut rows = vec![match project.configuration.vault_location()? {
        VaultLocation::File(file) => ("store", format!("SQLite, {}", file.display())),
        // The URL stays where it is: it may hold a password.
        VaultLocation::Postgres(_) => ("store", "PostgreSQL".to_owned()),
        _ => ("store", "another".to_owned()),
    }];
    if access.is_trusted() {
        let statistics = access.vault.statistics()?;
        let organizations = session.organizations()?;
        let slugs: Vec<&str> = organizations.iter().map(|one| one.slug.as_str()).collect();
        let sweep = if statistics.is_sweep_due { "due: run `ioenv vault sweep`" } else { "not due" };
        rows.extend([
            ("schema", statistics.schema.to_string()),
            ("made", shown(statistics.created_at)),
            ("organizations", format!("{} ({})", statistics.organizations, slugs.join(", "))),
            ("projects", statistics.projects.to_string()),
            ("levels", statistics.levels.to_string()),
            ("versions", statistics.versions.to_string()),
            ("sweep", sweep.to_owned()),
        ]);
        for (organization, project) in &statistics.rotation_advised {
            let slug = organizations.iter().find(|one| one.id == *organization).map_or("", |one| one.slug.as_str());
            let advice = format!("advised: run `ioenv vault rotate {project} --organization {slug}`");
            rows.push(("rotation", advice));
        }
    } else {
        let info = session.own_token()?;
        rows.push(("token", format!("{} ({})", info.name, info.id)));
        rows.push(("permissions", token::words(info.permissions)));
        rows.push(("bound to", info.scope.map_or_else(|| "-".to_owned(), |path| path.to_string())));
        rows.push(("expires", info.expires_at.map_or_else(|| "-".to_owned(), shown)));
    }
    let mut out = std::io::stdout().lock();
    for (name, value) in rows {
        writeln!(out, "{name:13}  {value}")?;
    }
    Ok(())
}
