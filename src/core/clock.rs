use std::fmt::Debug;
use std::time::SystemTime;

/// Where the time of day comes from.
///
/// The real one is [`SystemClock`](crate::SystemClock); a test hands in its own, so that what it makes is the same
/// every time.
///
/// ```
/// use std::time::{Duration, SystemTime, UNIX_EPOCH};
///
/// #[derive(Debug)]
/// struct Noon;
///
/// impl ioenv::Clock for Noon {
///     fn now(&self) -> SystemTime {
///         UNIX_EPOCH + Duration::from_secs(12 * 3_600)
///     }
/// }
/// ```
pub trait Clock: Debug + Send + Sync {
    /// The time now, UTC.
    fn now(&self) -> SystemTime;
}
