//! How many requests are taken in which time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Most buckets that are remembered before those that are over are forgotten.
const MAX_BUCKETS: usize = 10_000;

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);

/// Counts requests in windows that begin with the first one.
#[derive(Debug, Default)]
pub(super) struct RateLimiter {
    buckets: Mutex<HashMap<String, Window>>,
}

#[derive(Debug)]
struct Window {
    ends: Instant,
    used: u32,
}

/// What became of a request that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quota {
    /// How many are taken in a window.
    pub(super) limit: u32,
    /// How many more are taken in this one.
    pub(super) remaining: u32,
    /// How many seconds this one still goes on, rounded up.
    pub(super) seconds: u64,
    /// Whether this one is not taken.
    pub(super) is_exceeded: bool,
}

impl Quota {
    /// When the window ends, in seconds since 1970.
    pub(super) fn resets_at(&self) -> u64 {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now.as_secs().saturating_add(self.seconds)
    }
}

impl RateLimiter {
    /// Counts one more request of a bucket.
    pub(super) fn count(&self, bucket: String, limit: u32, window: Duration) -> Quota {
        self.look(bucket, limit, window, 1, Instant::now())
    }

    /// Whether one more would be taken, without counting it.
    pub(super) fn peek(&self, bucket: String, limit: u32, window: Duration) -> Quota {
        self.look(bucket, limit, window, 0, Instant::now())
    }

    fn look(&self, bucket: String, limit: u32, window: Duration, count: u32, now: Instant) -> Quota {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS {
            buckets.retain(|_, window| window.ends > now);
        }
        let entry = buckets.entry(bucket).or_insert(Window { ends: now + window, used: 0 });
        if entry.ends <= now {
            *entry = Window { ends: now + window, used: 0 };
        }
        let is_exceeded = entry.used >= limit;
        entry.used = entry.used.saturating_add(count);
        let left = entry.ends - now;
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        Quota { limit, remaining: limit.saturating_sub(entry.used), seconds, is_exceeded }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_taken_and_then_none_until_the_window_ends() {
        let (limiter, start) = (RateLimiter::default(), Instant::now());
        let look = |bucket: &str, count, after| limiter.look(bucket.to_owned(), 2, MINUTE, count, start + after);
        let second = Duration::from_secs(1);
        assert_eq!(look("a", 1, Duration::ZERO), Quota { limit: 2, remaining: 1, seconds: 60, is_exceeded: false });
        assert_eq!(look("a", 1, second / 2), Quota { limit: 2, remaining: 0, seconds: 60, is_exceeded: false });
        assert!(look("a", 0, second).is_exceeded);
        assert_eq!(look("a", 1, second * 59), Quota { limit: 2, remaining: 0, seconds: 1, is_exceeded: true });
        assert!(!look("b", 1, second * 59).is_exceeded, "each bucket for itself");
        assert_eq!(look("a", 1, MINUTE), Quota { limit: 2, remaining: 1, seconds: 60, is_exceeded: false });
    }
}
