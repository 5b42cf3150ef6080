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
