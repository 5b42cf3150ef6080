use ioenv::vault::{HistoryPolicy, RotationStep};
use ioenv::{ErrorKind, Slug};

use crate::args::usage;
use crate::levels::Access;
use crate::project::Project;
use crate::{Result, terminal};

/// How many contents are sealed anew at a time.
const STEP: usize = 100;

pub(crate) fn project(project: &Project, name: &Slug, history: bool, storage: bool) -> Result {
    let access = Access::open(project)?;
    let (session, organization) = (access.session(), access.organization()?);
    let rotated = if storage {
        session.rotate_storage_key(organization, name).map(|()| format!("the storage key of {name} is a new one"))
    } else {
        let policy = if history { HistoryPolicy::Reencrypt } else { HistoryPolicy::Keep };
        let rotated = session.rotate_key(organization, name, policy);
        rotated.map(|key| format!("the key of {name} is a new one, its version {}", key.version))
    };
    match rotated {
        Ok(message) => terminal::note(message),
        Err(error) if error.kind() == ErrorKind::RotationInProgress => {
            terminal::note(format!("a rotation of {name} was cut short: going on with that one"));
        }
        Err(error) => return Err(error.into()),
    }
    let (mut updated, mut skipped) = (0, 0);
    loop {
        let step: RotationStep = session.continue_rotation(organization, name, STEP)?;
        updated += step.updated;
        skipped += step.skipped;
        if step.is_done {
            break;
        }
    }
    if updated + skipped > 0 {
        terminal::note(format!("{updated} were sealed anew, {skipped} could not be opened and stay as they are"));
    }
    Ok(())
}

pub(crate) fn organization(project: &Project) -> Result {
    if project.chosen_organization.is_none() {
        usage("name the project whose key is to be rotated, or with --organization the organization");
    }
    let access = Access::open(project)?;
    access.session().rotate_organization_key(access.organization()?)?;
    terminal::note("the key of the organization is a new one; nothing of its projects had to be sealed anew");
    Ok(())
}
