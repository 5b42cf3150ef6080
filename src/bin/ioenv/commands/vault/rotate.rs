use ioenv::vault::{At, HistoryPolicy, RotationStep};
use ioenv::{ErrorKind, LevelPath, Slug};

use crate::args::usage;
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

/// How many contents are sealed anew at a time.
const STEP: usize = 100;

pub(crate) fn project(project: &Project, name: &Slug, history: bool, storage: bool) -> Result {
    let access = Access::open(project)?;
    let (session, organization) = (access.session(), access.organization()?);
    let rotated = if storage {
        session
            .rotate_project_dek(At::Path(organization, &LevelPath::from(name)))
            .map(|()| format!("the project DEK of {name} is a new one"))
    } else {
        let policy = if history { HistoryPolicy::Reencrypt } else { HistoryPolicy::Keep };
        let rotated = session.rotate_key(At::Path(organization, &LevelPath::from(name)), policy);
        rotated.map(|key| format!("the key of {name} is a new one, its version {}", key.version))
    };
    let was_cut_short = match rotated {
        Ok(message) => {
            terminal::note(message);
            false
        }
        Err(error) if error.kind() == ErrorKind::RotationInProgress => true,
        Err(error) => return Err(error.into()),
    };
    let mut updated = 0;
    let skipped = loop {
        let step: RotationStep = session.continue_rotation(At::Path(organization, &LevelPath::from(name)), STEP)?;
        updated += step.updated;
        if step.is_done {
            // Of the whole rotation.
            break step.skipped;
        }
    };
    if updated + skipped > 0 {
        terminal::note(format!("{updated} were sealed anew, {skipped} could not be opened and stay as they are"));
    }
    if was_cut_short {
        terminal::note(format!(
            "that was a rotation of {name} which had been cut short, and there is no newer key: run the command again for one"
        ));
    }
    Ok(())
}

pub(crate) fn organization(project: &Project) -> Result {
    if project.chosen_organization.is_none() {
        usage("name the project whose key is to be rotated, or with --organization the organization");
    }
    let access = Access::open(project)?;
    access.session().rotate_organization_kek(access.organization()?)?;
    terminal::note("the key of the organization is a new one; nothing of its projects had to be sealed anew");
    Ok(())
}
