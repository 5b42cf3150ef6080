//! How many requests a key makes in a day: it is warned, then slowed, and never keeps others waiting.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderValue;

use crate::core::id::Id;
use crate::server::log::Warning;
use crate::server::rate_limit::{Bucket, HOUR, Quota, RateLimiter};
use crate::server::reply::Reply;
use crate::vault::OwnKey;

/// The requests of a key in a day where limits are on and nothing else is said: somewhat more than one a second.
pub(super) const DEFAULT: u32 = 100_000;
/// How far apart the requests of a key are that has made more.
const SPACING: Duration = Duration::from_secs(1);
/// Longest that a request waits for that. Beyond it, it is refused.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// How many turns are kept before those that are over are removed.
const MAX_TURNS: usize = 1024;
/// The header that warns.
const HEADER: &str = "x-ioenv-daily-requests";

/// Counts the requests of each key in windows of a day.
#[derive(Debug)]
pub(super) struct DailyQuota {
    limit: u32,
    limiter: RateLimiter,
    /// When the next request of a key may begin that has made too many.
    turns: Mutex<HashMap<Id, Instant>>,
}

/// What became of a request of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Daily {
    key: Id,
    quota: Quota,
}

impl DailyQuota {
    pub(super) fn new(limit: u32) -> Self {
        Self { limit, limiter: RateLimiter::default(), turns: Mutex::default() }
    }

    /// Counts one more request of a key.
    pub(super) fn count(&self, key: &OwnKey) -> Daily {
        let bucket =
            Bucket::of_caller("requests of a day", key.id.to_string(), key.organization, self.limit, 24 * HOUR);
        Daily { key: key.id, quota: self.limiter.count(bucket) }
    }

    /// Returns how long a request has to wait; an error, if too many of its key wait already.
    pub(super) fn wait(&self, daily: Daily) -> Result<Option<Duration>, Quota> {
        if daily.quota.is_exceeded { self.turn(daily.key, Instant::now()).map(Some) } else { Ok(None) }
    }

    fn turn(&self, key: Id, now: Instant) -> Result<Duration, Quota> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= MAX_TURNS {
            turns.retain(|_, turn| *turn > now);
        }
        let turn = turns.get(&key).copied().filter(|turn| *turn > now).unwrap_or(now);
        let wait = turn - now;
        if wait > MAX_WAIT {
            return Err(Quota::exceeded(Some(wait)));
        }
        turns.insert(key, turn + SPACING);
        Ok(wait)
    }
}

impl Daily {
    /// Says in a reply and in the log that most of the requests are made, or all of them.
    pub(super) fn warn(self, reply: &mut Reply) {
        let Quota { limit, remaining, is_exceeded, .. } = self.quota;
        if remaining > limit / 5 {
            return;
        }
        let (key, used) = (self.key, limit - remaining);
        if let Ok(value) = HeaderValue::try_from(format!("{used}/{limit}")) {
            reply.headers_mut().insert(HEADER, value);
        }
        reply.extensions_mut().insert(Warning::new(if is_exceeded {
            format!("the key {key} has made its {limit} requests of the day, and is slowed to one a second")
        } else {
            format!("the key {key} has made {used} of its {limit} requests of the day")
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> Id {
        Id::parse(&format!("{number:026}")).unwrap()
    }

    #[test]
    fn requests_of_a_key_that_made_too_many_are_a_second_apart() {
        let (quota, now) = (DailyQuota::new(1), Instant::now());
        let second = Duration::from_secs(1);
        for wait in 0..=30 {
            assert_eq!(quota.turn(id(1), now), Ok(second * wait));
        }
        let refused = quota.turn(id(1), now).unwrap_err();
        assert_eq!((refused.seconds, refused.is_exceeded), (31, true));
        assert_eq!(quota.turn(id(2), now), Ok(Duration::ZERO), "others do not wait");
        assert_eq!(quota.turn(id(1), now + second), Ok(second * 30));
        assert_eq!(quota.turn(id(1), now + second * 60), Ok(Duration::ZERO));
    }

    #[test]
    fn turns_that_are_over_are_forgotten() {
        let (quota, now) = (DailyQuota::new(1), Instant::now());
        for number in 0..=MAX_TURNS {
            let id = Id::parse(&format!("{number:026}")).unwrap();
            quota.turn(id, now + SPACING * 2 * u32::try_from(number).unwrap()).unwrap();
        }
        assert!(quota.turns.lock().unwrap().len() < MAX_TURNS);
    }
}
