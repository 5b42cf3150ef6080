use std::fmt::Debug;
use std::time::SystemTime;

/// Where the time of day comes from.
///
/// A trait, so that the core has no clock of its own and a test can have the same time every time.
pub(crate) trait Clock: Debug + Send + Sync {
    /// The time now, UTC.
    fn now(&self) -> SystemTime;
}
