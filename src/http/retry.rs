//! When a request is repeated: decisions by value, without a clock or a sleep of their own.

use std::time::{Duration, SystemTime};

/// The longest wait that the standard has a number for; longer ones mean the same.
const FOREVER: Duration = Duration::from_secs(u64::MAX);

/// Returns how long a response asks the client to wait, by the value of its `Retry-After` header: seconds or a date
/// (RFC 9110, section 10.2.3). Only 429 and 503 say that the same request may succeed later.
pub(crate) fn retry_after(status: u16, header: Option<&str>, now: SystemTime) -> Option<Duration> {
    if !matches!(status, 429 | 503) {
        return None;
    }
    let text = header?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // What does not fit is longer than anybody waits.
        return Some(text.parse().map_or(FOREVER, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    // A date in the past is no reason to wait.
    Some(date.duration_since(now).unwrap_or_default())
}

/// A series of attempts and the waits between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    delays: &'static [Duration],
    max_retry_after: Duration,
}

impl Schedule {
    /// Creates a schedule of one attempt more than there are delays. A longer wait that a service asks for is respected
    /// up to `max_retry_after`.
    pub(crate) const fn new(delays: &'static [Duration], max_retry_after: Duration) -> Self {
        Self { delays, max_retry_after }
    }

    /// Returns how long to wait after attempt number `failed`, counted from 1, and before the next one; `None` after the
    /// last one.
    pub(crate) fn next(&self, failed: u32, retry_after: Option<Duration>) -> Option<Duration> {
        let index = usize::try_from(failed).ok()?.checked_sub(1)?;
        let delay = *self.delays.get(index)?;
        Some(delay.max(retry_after.unwrap_or_default().min(self.max_retry_after)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const SCHEDULE: Schedule = Schedule::new(&[seconds(10), seconds(60)], seconds(1800));
    const CAP_BELOW: Schedule = Schedule::new(&[seconds(10)], seconds(5));

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        for (text, expected) in [("0", 0), ("7", 7), (" 120 ", 120), ("99999999999999999999999", u64::MAX)] {
            for status in [429, 503] {
                assert_eq!(retry_after(status, Some(text), UNIX_EPOCH), Some(seconds(expected)), "{text}");
            }
        }
    }

    #[test]
    fn retry_after_is_read_as_a_date() {
        // 1994-11-06 08:49:37 UTC, in the three forms that HTTP has for it.
        let date = UNIX_EPOCH + seconds(784_111_777);
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(retry_after(429, Some(text), date - seconds(90)), Some(seconds(90)), "{text}");
            assert_eq!(retry_after(503, Some(text), date + seconds(90)), Some(seconds(0)), "{text} has passed");
        }
    }

    #[test]
    fn retry_after_is_ignored_where_it_says_nothing() {
        for text in ["", " ", "-1", "+1", "1.5", "soon", "1 second", "1, 2", "Sun, 06 Nov 1994 25:49:37 GMT", "٣"] {
            assert_eq!(retry_after(429, Some(text), UNIX_EPOCH), None, "{text}");
        }
        assert_eq!(retry_after(429, None, UNIX_EPOCH), None);
        for status in [200, 301, 400, 401, 403, 404, 409, 500, 502, 504] {
            assert_eq!(retry_after(status, Some("7"), UNIX_EPOCH), None, "{status}");
        }
    }

    #[test]
    fn a_schedule_waits_and_then_stops() {
        assert_eq!(SCHEDULE.next(1, None), Some(seconds(10)));
        assert_eq!(SCHEDULE.next(2, None), Some(seconds(60)));
        for stop in [0, 3, u32::MAX] {
            assert_eq!(SCHEDULE.next(stop, None), None);
            assert_eq!(SCHEDULE.next(stop, Some(seconds(5))), None, "a service cannot ask for more attempts");
        }
    }

    #[test]
    fn a_schedule_respects_retry_after_up_to_its_cap() {
        assert_eq!(SCHEDULE.next(1, Some(seconds(0))), Some(seconds(10)), "never sooner");
        assert_eq!(SCHEDULE.next(1, Some(seconds(45))), Some(seconds(45)));
        assert_eq!(SCHEDULE.next(2, Some(seconds(45))), Some(seconds(60)));
        assert_eq!(SCHEDULE.next(1, Some(seconds(1801))), Some(seconds(1800)));
        assert_eq!(SCHEDULE.next(1, Some(FOREVER)), Some(seconds(1800)));
        assert_eq!(CAP_BELOW.next(1, Some(FOREVER)), Some(seconds(10)), "a cap shortens no delay");
    }
}
