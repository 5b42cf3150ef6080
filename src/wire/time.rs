use serde::{Serialize, Serializer};

use crate::vault::Timestamp;

/// A time to the second, such as `2031-02-03T04:05:06Z`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds(pub(crate) Timestamp);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_rfc3339_seconds(self.0.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_second_is_cut_off() {
        let text = |millis| serde_json::to_string(&Seconds(Timestamp::from_millis(millis).unwrap())).unwrap();
        assert_eq!(text(0), r#""1970-01-01T00:00:00Z""#);
        assert_eq!(text(999), r#""1970-01-01T00:00:00Z""#);
        assert_eq!(text(Timestamp::MAX.as_millis()), r#""9999-12-31T23:59:59Z""#);
    }
}
