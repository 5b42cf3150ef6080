use ioenv::VarName;

use crate::Result;
use crate::project::Project;

pub(crate) fn run(project: &Project, names: &[VarName]) -> Result {
    project.levels()?.unset(&project.path()?, names)
}

pub(crate) fn remove_level(project: &Project) -> Result {
    project.levels()?.remove(&project.path()?)
}
