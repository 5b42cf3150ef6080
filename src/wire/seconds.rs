//! Times to the second, such as `2031-02-03T04:05:06Z`, for `#[serde(default, with = "seconds")]`.
//!
//! The services disagree with themselves about such members, and nothing that a client must do depends on one. So a
//! time of another form, or none at all, is read as `None` instead of failing the whole response.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serializer};

use crate::core::clock::Timestamp;

#[expect(clippy::ref_option, reason = "serde calls it so")]
pub(super) fn serialize<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => {
            let text = time.to_string();
            let (seconds, _millis) = text.split_once('.').unwrap_or((&text, ""));
            serializer.collect_str(&format_args!("{seconds}Z"))
        }
        None => serializer.serialize_none(),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Time {
        Text(String),
        Other(IgnoredAny),
    }

    Ok(match Time::deserialize(deserializer)? {
        Time::Text(text) => parse(&text),
        Time::Other(_) => None,
    })
}

/// Reads RFC 3339, or that without an offset, or a date alone.
fn parse(text: &str) -> Option<Timestamp> {
    let forms = [text, &format!("{text}Z"), &format!("{text}T00:00:00Z")];
    forms.into_iter().find_map(|form| form.parse().ok())
}
