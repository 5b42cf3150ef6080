//! Keeps what is in the memory of the process out of core dumps.

use std::io;

/// Turns core dumps off for this process, which holds keys and secrets in memory, and says so where it fails.
pub(crate) fn disable() {
    if let Err(error) = try_disable() {
        crate::terminal::warning(format!("core dumps could not be turned off: {error}"));
    }
}

#[cfg(unix)]
fn try_disable() -> io::Result<()> {
    use nix::sys::resource::{Resource, setrlimit};

    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    // A program that the kernel pipes core dumps to gets them without regard to the limit.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    nix::sys::prctl::set_dumpable(false)?;
    Ok(())
}

#[cfg(not(unix))]
fn try_disable() -> io::Result<()> {
    Ok(())
}
