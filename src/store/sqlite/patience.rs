//! How long a connection waits for other processes.

use std::time::Duration;

/// How often one looks whether another process is done.
pub(super) const PAUSE: Duration = Duration::from_millis(1);
pub(super) const ATTEMPTS: i32 = 10_000;
pub(super) const PATIENCE: Duration = PAUSE.saturating_mul(ATTEMPTS.unsigned_abs());
