use std::thread;
use std::time::Duration;

use super::census;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::inject::withheld::HANDOVER;

/// A thread that was joined is listed for up to some 50 µs more; twenty times that is waited before a refusal.
const RETRIES: usize = 10;
const PAUSE: Duration = Duration::from_micros(200);

/// Writes into the process environment, if exactly one thread is running.
pub(crate) fn write_process(env: &Env) -> Result<()> {
    let variables = prepared(env);
    let mut threads = census::threads();
    for _ in 0..RETRIES {
        if threads == Some(1) || threads.is_none() {
            break;
        }
        thread::sleep(PAUSE);
        threads = census::threads();
    }
    match threads {
        Some(1) => {
            write(&variables);
            Ok(())
        }
        Some(threads) => Err(multi_threaded(threads)),
        None => Err(unknown()),
    }
}

impl Env {
    /// Writes into the process environment without counting threads; [`Loader::load`](crate::Loader::load) counts.
    ///
    /// What the process had itself, when this snapshot was taken, is left alone.
    ///
    /// # Safety
    /// The contract of [`std::env::set_var`]: while this runs, no other thread of the process may read or write the
    /// environment, in Rust, in C or in a library's depths. On Windows it is always safe.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ioenv::Error> {
    /// let env = ioenv::resolve()?;
    /// // SAFETY: this is the first statement of `main`, and nothing before it starts threads.
    /// unsafe { env.inject_unchecked() };
    /// # Ok(())
    /// # }
    /// ```
    #[expect(unsafe_code, reason = "declares a contract that only the caller can keep")]
    pub unsafe fn inject_unchecked(&self) {
        write(&prepared(self));
    }
}

/// What is to be written. What the process has itself is left alone.
fn prepared(env: &Env) -> Vec<(&str, &str)> {
    let mut variables: Vec<_> = env
        .iter()
        .filter(|variable| !variable.is_process())
        .map(|variable| (variable.name().as_str(), variable.value().expose_secret()))
        .collect();
    // The values that it is about may be others after this.
    if !variables.is_empty() && std::env::var_os(HANDOVER).is_some() {
        variables.push((HANDOVER, ""));
    }
    variables
}

/// To be called with no other thread running, which both callers above see to.
#[expect(unsafe_code, reason = "the process environment can be written in no other way")]
fn write(variables: &[(&str, &str)]) {
    for (name, value) in variables {
        // SAFETY: `set_var` asks that no other thread reads or writes the environment meanwhile.
        // - `inject_unchecked`: that is its contract with its caller.
        // - `write_process`: exactly one thread existed a moment ago, and it is the one that runs this function. It
        //   starts no other before the loop ends: between the count and the last `set_var` there is only this code
        //   and std's, no code of a user's, no logging and no callback; names and values were made ready before, and
        //   the source was dropped. A thread that ended before the count is ordered before it by the kernel.
        // - On Windows, std guarantees the call to be safe in multi-threaded programs too.
        // Not covered, and said in the docs: another process that shares this memory (raw `CLONE_VM`), code that a
        // debugger injects, an allocator that starts threads which read the environment, and signal handlers.
        //
        // But for lack of memory it does not panic: a `VarName` is not empty and holds neither `=` nor NUL, and no
        // value holds NUL.
        unsafe { std::env::set_var(name, value) };
    }
}

#[cold]
fn multi_threaded(threads: usize) -> Error {
    Error::new(
        ErrorKind::MultiThreaded,
        format!(
            "{threads} threads are running, so the process environment cannot be written safely: call `ioenv::load()` \
             as the first statement of `main`, before a runtime is built, or use `ioenv::resolve()` or \
             `Inject::Overlay`"
        ),
    )
}

#[cold]
fn unknown() -> Error {
    Error::new(
        ErrorKind::UnknownThreadCount,
        "the number of running threads cannot be told here, so the process environment is not written: use \
         `ioenv::resolve()` or `Inject::Overlay`",
    )
}
