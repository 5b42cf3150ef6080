use crate::args::ServeArgs;
use crate::project::Project;
use crate::result::Result;

pub(super) fn run(_project: &Project, _args: &ServeArgs) -> Result {
    Err("serving a vault needs the feature `server` of ioenv: enable it".into())
}
