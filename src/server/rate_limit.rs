//! How many requests are taken in which time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Most buckets that are remembered.
const MAX_BUCKETS: usize = 10_000;

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);

/// Counts requests in windows that begin with the first one.
#[derive(Debug, Default)]
pub(super) struct RateLimiter {
    buckets: Mutex<HashMap<String, Window>>,
}

#[derive(Clone, Copy, Debug)]
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
        self.count_at(bucket, limit, window, Instant::now())
    }

    fn count_at(&self, bucket: String, limit: u32, window: Duration, now: Instant) -> Quota {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let there = buckets.get(&bucket).filter(|window| window.ends > now);
        let Window { ends, used } = there.copied().unwrap_or(Window { ends: now + window, used: 0 });
        let (is_exceeded, used) = (used >= limit, used.saturating_add(1));
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&bucket) {
            forget(&mut buckets, now);
        }
        buckets.insert(bucket, Window { ends, used });
        let left = ends - now;
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        Quota { limit, remaining: limit.saturating_sub(used), seconds, is_exceeded }
    }
}

/// Forgets the windows that are over, and if that is too little, those that are over soonest, up to half of all: so it is
/// rarely done, and whoever comes from ever new addresses can neither fill the memory nor have others refused.
fn forget(buckets: &mut HashMap<String, Window>, now: Instant) {
    buckets.retain(|_, window| window.ends > now);
    if buckets.len() > MAX_BUCKETS / 2 {
        let mut ends: Vec<Instant> = buckets.values().map(|window| window.ends).collect();
        let middle = ends.len() / 2;
        let (_, middle, _) = ends.select_nth_unstable(middle);
        let middle = *middle;
        buckets.retain(|_, window| window.ends > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_taken_and_then_none_until_the_window_ends() {
        let (limiter, start) = (RateLimiter::default(), Instant::now());
        let count = |bucket: &str, after| limiter.count_at(bucket.to_owned(), 2, MINUTE, start + after);
        let second = Duration::from_secs(1);
        assert_eq!(count("a", Duration::ZERO), Quota { limit: 2, remaining: 1, seconds: 60, is_exceeded: false });
        assert_eq!(count("a", second / 2), Quota { limit: 2, remaining: 0, seconds: 60, is_exceeded: false });
        assert_eq!(count("a", second * 59), Quota { limit: 2, remaining: 0, seconds: 1, is_exceeded: true });
        assert!(!count("b", second * 59).is_exceeded, "each bucket for itself");
        assert_eq!(count("a", MINUTE), Quota { limit: 2, remaining: 1, seconds: 60, is_exceeded: false });
    }

    #[test]
    fn ever_new_buckets_take_no_more_room() {
        let (limiter, start) = (RateLimiter::default(), Instant::now());
        let millis = Duration::from_millis;
        for number in 0..50_000_u32 {
            limiter.count_at(number.to_string(), 1, MINUTE, start + millis(1) * number / 1000);
        }
        assert!(limiter.buckets.lock().unwrap().len() <= MAX_BUCKETS);
        let newest = limiter.count_at("49999".to_owned(), 1, MINUTE, start + millis(50));
        assert!(newest.is_exceeded, "the newest are remembered");
        assert!(!limiter.count_at("0".to_owned(), 1, MINUTE, start + MINUTE * 2).is_exceeded);
    }
}
