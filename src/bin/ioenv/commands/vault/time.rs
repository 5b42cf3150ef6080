//! Times, as people write and read them.

use std::time::{Duration, SystemTime};

use ioenv::vault::Timestamp;

use crate::args::{ExpiresArgs, Typed, usage};

/// A time as it is written, or as a number of days and hours from now.
pub(super) fn moment(typed: &Typed, from_now: impl Fn(Timestamp, Duration) -> Option<Timestamp>) -> Timestamp {
    let now = Timestamp::from(SystemTime::now());
    let text = typed.text();
    if let Ok(duration) = humantime::parse_duration(text) {
        return from_now(now, duration).unwrap_or_else(|| usage("this is beyond the years that there are"));
    }
    text.parse().unwrap_or_else(|_| usage("this is no time: write it like 2031-02-03T04:05:06Z, or like 30d"))
}

/// From when on something no longer works that is made now.
pub(super) fn end(expires: &ExpiresArgs) -> Option<Timestamp> {
    expires.expires.as_ref().map(|expires| moment(expires, Timestamp::checked_add))
}

/// To the second, in UTC.
pub(super) fn shown(time: Timestamp) -> String {
    humantime::format_rfc3339_seconds(time.into()).to_string()
}
