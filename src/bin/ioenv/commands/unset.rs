use ioenv::VarName;

use crate::levels::chosen::levels;
use crate::project::Project;
use crate::result::Result;

pub(crate) fn run(project: &Project, names: &[VarName]) -> Result {
    levels(project)?.unset(&project.path()?, names)
}

pub(crate) fn remove_level(project: &Project, force: bool) -> Result {
    levels(project)?.remove(&project.path()?, force)
}
