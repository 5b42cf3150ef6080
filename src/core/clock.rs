use std::fmt::Debug;
use std::time::SystemTime;

/// Where the time of day comes from.
///
/// The real one is [`SystemClock`](crate::SystemClock); a test hands in its own, so that what it makes is the same
/// every time.
pub trait Clock: Debug + Send + Sync {
    /// The time now, UTC.
    fn now(&self) -> SystemTime;
}
