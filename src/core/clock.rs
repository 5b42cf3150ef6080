use std::fmt::{self, Debug};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::serde_text::serde_text;
use crate::error::{Error, ErrorKind, Result};

/// Where the time of day comes from.
///
/// A trait, so that the core has no clock of its own and a test can have the same time every time. The real one is
/// [`SystemClock`](crate::vault::SystemClock).
///
/// ```
/// use ioenv::vault::{Clock, Timestamp};
///
/// /// Always the same time.
/// #[derive(Debug)]
/// struct Stopped(Timestamp);
///
/// impl Clock for Stopped {
///     fn now(&self) -> Timestamp {
///         self.0
///     }
/// }
///
/// # fn main() -> Result<(), ioenv::Error> {
/// let clock = Stopped("2031-02-03T04:05:06.789Z".parse()?);
/// assert_eq!(clock.now().as_millis(), 1_927_857_906_789);
/// # Ok(())
/// # }
/// ```
pub trait Clock: Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// A moment in UTC, to the millisecond, from the start of 1970 to the end of the year 9999.
///
/// Its text, which is also what serde reads and writes, is RFC 3339 with milliseconds and a `Z`. Reading takes any
/// number of fractional digits, of which those beyond the third are cut off, and any offset from UTC.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::vault::Timestamp;
///
/// let time: Timestamp = "2031-02-03T06:05:06.7+02:00".parse()?;
/// assert_eq!(time.to_string(), "2031-02-03T04:05:06.700Z");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The start of 1970.
    pub const MIN: Self = Self(0);
    /// The last millisecond of the year 9999, the last that RFC 3339 can write.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// The moment so many milliseconds after the start of 1970, if a timestamp goes that far.
    ///
    /// ```
    /// use ioenv::vault::Timestamp;
    ///
    /// assert_eq!(Timestamp::from_millis(0), Some(Timestamp::MIN));
    /// assert_eq!(Timestamp::from_millis(-1), None);
    /// ```
    pub const fn from_millis(millis: i64) -> Option<Self> {
        if millis < Self::MIN.0 || millis > Self::MAX.0 { None } else { Some(Self(millis)) }
    }

    /// Milliseconds since the start of 1970.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment `duration` later, if a timestamp goes that far. What is below a millisecond is cut off.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use std::time::Duration;
    ///
    /// use ioenv::vault::Timestamp;
    ///
    /// let time: Timestamp = "2031-02-03T04:05:06.789Z".parse()?;
    /// let later = time.checked_add(Duration::from_millis(1));
    /// assert_eq!(later.map(|later| later.to_string()).as_deref(), Some("2031-02-03T04:05:06.790Z"));
    /// assert_eq!(Timestamp::MAX.checked_add(Duration::from_millis(1)), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        Self::from_millis(self.0.checked_add(i64::try_from(duration.as_millis()).ok()?)?)
    }

    /// The moment `duration` earlier, if a timestamp goes that far. What is below a millisecond is cut off.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use ioenv::vault::Timestamp;
    /// assert_eq!(Timestamp::MIN.checked_sub(Duration::from_millis(1)), None);
    /// ```
    pub fn checked_sub(self, duration: Duration) -> Option<Self> {
        Self::from_millis(self.0.checked_sub(i64::try_from(duration.as_millis()).ok()?)?)
    }

    /// How long ago `earlier` was; nothing, when it lies in the future.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use ioenv::vault::Timestamp;
    /// let second = Duration::from_secs(1);
    /// assert_eq!(Timestamp::MIN.checked_add(second).map(|time| time.since(Timestamp::MIN)), Some(second));
    /// assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
    /// ```
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

impl From<SystemTime> for Timestamp {
    /// A time before 1970 becomes [`MIN`](Timestamp::MIN), one behind 9999 [`MAX`](Timestamp::MAX).
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::MIN.checked_add(since).unwrap_or(Self::MAX)
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        UNIX_EPOCH + time.since(Timestamp::MIN)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&humantime::format_rfc3339_millis((*self).into()), f)
    }
}

impl Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// # Errors
    /// `InvalidValue`, for what is not RFC 3339 or lies outside of the years 1970 to 9999.
    fn from_str(text: &str) -> Result<Self> {
        parse(text).ok_or_else(|| {
            Error::new(ErrorKind::InvalidValue, "this is not a time: write it like 2031-02-03T04:05:06.789Z")
        })
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let (local, sign, offset) = match text.strip_suffix('Z') {
        Some(local) => (local, b'-', Duration::ZERO),
        None => split_offset(text)?,
    };
    // `humantime` looks at the first 19 characters closely, and not at what is behind them.
    let fraction = local.get("2031-02-03T04:05:06".len()..)?;
    let is_fraction = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !fraction.is_empty() && !fraction.strip_prefix('.').is_some_and(is_fraction) {
        return None;
    }
    let local = Timestamp::from(humantime::parse_rfc3339(&format!("{local}Z")).ok()?);
    if sign == b'+' { local.checked_sub(offset) } else { local.checked_add(offset) }
}

/// Splits `+02:00` off, sign and size.
fn split_offset(text: &str) -> Option<(&str, u8, Duration)> {
    let (local, offset) = text.split_at_checked(text.len().checked_sub("+02:00".len())?)?;
    let &[sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = offset.as_bytes() else {
        return None;
    };
    let number = |tens: u8, ones: u8| {
        let is_number = tens.is_ascii_digit() && ones.is_ascii_digit();
        is_number.then(|| u64::from(tens - b'0') * 10 + u64::from(ones - b'0'))
    };
    let (hours, minutes) = (number(h1, h2)?, number(m1, m2)?);
    (hours < 24 && minutes < 60).then(|| (local, sign, Duration::from_secs((hours * 60 + minutes) * 60)))
}

serde_text!(Timestamp, "a time like 2031-02-03T04:05:06.789Z");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_read_with_any_fraction_and_any_offset() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
            ("2031-02-03T04:05:06.789Z", "2031-02-03T04:05:06.789Z"),
            ("2031-02-03T04:05:06.7899999Z", "2031-02-03T04:05:06.789Z"),
            ("2031-02-03T04:05:06+00:00", "2031-02-03T04:05:06.000Z"),
            ("2031-02-03T01:05:06.5-03:30", "2031-02-03T04:35:06.500Z"),
            ("2031-01-01T01:00:00+02:00", "2030-12-31T23:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), expected, "{text}");
        }
        for bad in [
            "",
            "planted",
            "2031-02-03",
            "2031-02-03T04:05:06",
            "2031-02-30T04:05:06Z",
            "2031-02-03T04:05:06+2:00",
            "2031-02-03T04:05:06+24:00",
            "2031-02-03T04:05:06Z+02:00",
            "2031-02-03T04:05:06ZZ",
            "2031-02-03T04:05:06.Z",
            "2031-02-03T04:05:06,5Z",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "ü031-02-03T04:05:06Z",
        ] {
            let error = bad.parse::<Timestamp>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue, "{bad}");
            assert!(!error.to_string().contains("planted"));
        }
    }

    #[test]
    fn a_clock_that_is_far_off_is_held_at_the_ends() {
        assert_eq!(Timestamp::from(UNIX_EPOCH - Duration::from_secs(9)), Timestamp::MIN);
        assert_eq!(Timestamp::from(UNIX_EPOCH + Duration::from_secs(300_000_000_000)), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::MAX.checked_add(Duration::MAX), None);
    }

    proptest! {
        #[test]
        fn text_and_json_go_there_and_back(millis in 0..=Timestamp::MAX.0) {
            let time = Timestamp(millis);
            prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
            let json = serde_json::to_string(&time).unwrap();
            prop_assert_eq!(&json, &format!("\"{time}\""));
            prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
            prop_assert_eq!(Timestamp::from(SystemTime::from(time)), time);
        }

        #[test]
        fn anything_may_be_offered(text in ".*") {
            let _ = text.parse::<Timestamp>();
        }
    }
}
