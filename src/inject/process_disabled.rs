use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};

pub(crate) fn write_process(_env: &Env) -> Result<()> {
    Err(Error::new(
        ErrorKind::CrateFeature,
        "writing into the process environment needs the feature `inject` of ioenv: enable it, or use \
         `ioenv::resolve()` or `Inject::Overlay`",
    ))
}
