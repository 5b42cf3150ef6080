//! Where a loaded environment goes: into the process, or over it.

#[cfg(feature = "inject")]
mod census;
#[cfg_attr(feature = "inject", path = "process.rs")]
#[cfg_attr(not(feature = "inject"), path = "process_disabled.rs")]
pub(crate) mod process;
pub(crate) mod withheld;

pub use withheld::is_withheld;

/// What [`Loader::load`](crate::Loader::load) does with what it resolved.
///
/// ```no_run
/// // Called by `#[tokio::main] async fn main`: the threads of the runtime are running, so `Inject::Process` is refused.
/// async fn start() -> Result<(), ioenv::Error> {
///     ioenv::Loader::new().inject(ioenv::Inject::Overlay).load()?;
///     let url = ioenv::var("DATABASE_URL")?;
/// #   drop(url);
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Inject {
    /// Write it into the process environment, where `std::env::var` and every library see it. Refused unless exactly
    /// one thread is running.
    #[default]
    Process,
    /// Write nothing: [`ioenv::var`](crate::var) sees it, before the process environment. For programs that run
    /// threads already.
    Overlay,
}
