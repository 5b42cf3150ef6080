//! Tags of what an environment amounts to. They are made of its revision and not of what it holds, which could be guessed
//! by whoever sees a hash of it.

use axum::http::HeaderMap;
use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderName, HeaderValue, StatusCode};

use crate::server::reply::{self, Reply};
use crate::vault::EntryPrecondition;

/// The answer to a read: what `write` makes, or nothing for whoever has that already.
pub(super) fn answer(headers: &HeaderMap, revision: u64, write: impl FnOnce() -> Reply) -> Reply {
    let is_known =
        tags(headers, &IF_NONE_MATCH).any(|tag| tag == "*" || revision_in(without_weakness(tag)) == Some(revision));
    let mut reply = if is_known { reply::empty(StatusCode::NOT_MODIFIED) } else { write() };
    if let Ok(tag) = HeaderValue::try_from(format!("\"r{revision}\"")) {
        reply.headers_mut().insert(ETAG, tag);
    }
    reply
}

/// Returns what the headers require of a change of one variable. The tags are those of its environment, and `*` is the
/// variable itself.
pub(super) fn precondition(headers: &HeaderMap) -> EntryPrecondition {
    let is_any = |name| tags(headers, name).any(|tag| tag == "*");
    let (is_there, is_new) = (is_any(&IF_MATCH), is_any(&IF_NONE_MATCH));
    let mut precondition = EntryPrecondition::new();
    if headers.contains_key(IF_MATCH) && !is_there {
        precondition = precondition.revisions(tags(headers, &IF_MATCH).filter_map(revision_in));
    }
    if !is_new {
        let other = tags(headers, &IF_NONE_MATCH).filter_map(|tag| revision_in(without_weakness(tag)));
        precondition = precondition.other_revisions(other);
    }
    match (is_there, is_new) {
        (false, false) => precondition,
        // It never holds.
        (true, true) => precondition.revisions([]),
        _ => precondition.is_there(is_there),
    }
}

fn without_weakness(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
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
        let required = |values: &[&str]| precondition(&headers(&IF_MATCH, values));
        let new = EntryPrecondition::new;
        assert_eq!(required(&[]), new());
        for there in [&["*"][..], &["\"r5\", *"], &["\"r5\"", "*"]] {
            assert_eq!(required(there), new().is_there(true));
        }
        assert_eq!(required(&["\"r5\", \"r7\"", "\"r9\""]), new().revisions([5, 7, 9]));
        let mut both = headers(&IF_MATCH, &["*"]);
        both.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        assert_eq!(precondition(&both), new().revisions([]));
        // What is no tag of ours, and what is weak, is never right.
        for never in ["", "nonsense", "W/\"r5\"", "\"5\"", "\"*\"", "**"] {
            assert_eq!(required(&[never]), new().revisions([]), "{never}");
        }
    }

    #[test]
    fn a_change_may_refuse_a_revision() {
        let refused = |values: &[&str]| precondition(&headers(&IF_NONE_MATCH, values));
        let new = EntryPrecondition::new;
        for absent in [&["*"][..], &[" * "], &["\"r5\", *"], &["\"r5\"", "*"]] {
            assert_eq!(refused(absent), new().is_there(false), "{absent:?}");
        }
        assert_eq!(refused(&["\"r5\", W/\"r7\"", "\"r9\""]), new().other_revisions([5, 7, 9]));
        for other in [&[][..], &[""], &["nonsense"], &["\"5\""], &["\"*\""]] {
            assert_eq!(refused(other), new(), "{other:?}");
        }
    }
}
