//! Tags of what an environment amounts to. They are made of its revision and not of what it holds, which could be guessed
//! by whoever sees a hash of it.

use axum::http::HeaderMap;
use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderName, HeaderValue, StatusCode};

use crate::server::reply::{self, Reply};

/// The answer to a read: what `write` makes, or nothing for whoever has that already.
pub(super) fn answer(headers: &HeaderMap, revision: u64, write: impl FnOnce() -> Reply) -> Reply {
    let is_known = tags(headers, &IF_NONE_MATCH).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || revision_in(tag) == Some(revision)
    });
    let mut reply = if is_known { reply::empty(StatusCode::NOT_MODIFIED) } else { write() };
    if let Ok(tag) = HeaderValue::try_from(format!("\"r{revision}\"")) {
        reply.headers_mut().insert(ETAG, tag);
    }
    reply
}

/// The revisions of which a change requires one; none, if it does not.
pub(super) fn required(headers: &HeaderMap) -> Option<Vec<u64>> {
    if !headers.contains_key(IF_MATCH) || tags(headers, &IF_MATCH).any(|tag| tag == "*") {
        return None;
    }
    Some(tags(headers, &IF_MATCH).filter_map(revision_in).collect())
}

fn tags<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

fn revision_in(tag: &str) -> Option<u64> {
    let digits = tag.strip_prefix("\"r")?.strip_suffix('"')?;
    digits.parse().ok().filter(|revision: &u64| revision.to_string() == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let status =
            |values: &[&str]| answer(&headers(&IF_NONE_MATCH, values), 5, || reply::empty(StatusCode::OK)).status();
        for known in [&["\"r5\""][..], &["W/\"r5\""], &["*"], &["\"r4\" , \"r5\""], &["\"r4\"", "\"x\", \"r5\""]] {
            assert_eq!(status(known), StatusCode::NOT_MODIFIED, "{known:?}");
        }
        for other in [&[][..], &[""], &["r5"], &["\"5\""], &["\"r05\""], &["\"r+5\""], &["\"r55\""], &["w/\"r5\""]] {
            assert_eq!(status(other), StatusCode::OK, "{other:?}");
        }
    }

    #[test]
    fn a_change_may_require_a_revision() {
        let required = |values: &[&str]| required(&headers(&IF_MATCH, values));
        assert_eq!((required(&[]), required(&["*"])), (None, None));
        assert_eq!(required(&["\"r5\", \"r7\"", "\"r9\""]), Some(vec![5, 7, 9]));
        // What is no tag of ours, and what is weak, is never right.
        for never in ["", "nonsense", "W/\"r5\"", "\"5\""] {
            assert_eq!(required(&[never]), Some(vec![]), "{never}");
        }
    }
}
