use std::path::{Path, PathBuf};

use ioenv::store::{self, Sqlite};

use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, file: &Path) -> Result {
    let access = Access::open(project)?;
    access.trusted_only()?;
    let copy = Sqlite::create(file)?;
    let copied = store::copy(access.vault.store(), &copy);
    // Closed, the copy is one file.
    drop(copy);
    match copied {
        Ok(count) => {
            terminal::note(format!("{}: {count} records; the root key is not among them", file.display()));
            Ok(())
        }
        Err(error) => {
            for end in ["", "-wal", "-shm"] {
                let mut name = file.as_os_str().to_owned();
                name.push(end);
                // Best effort; half a backup is none.
                let _ = std::fs::remove_file(PathBuf::from(name));
            }
            Err(error.into())
        }
    }
}
