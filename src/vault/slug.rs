//! Which slugs projects, targets and environments may have.

use crate::core::refusal::Refusal;
use crate::error::{Error, ErrorKind, Result};

/// The name of the level of a project itself, where its dialect has one.
pub(super) const BASE: &str = "_base";

/// Which slugs a project or an environment may be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a slug can be reached by the addresses of all services or it cannot")]
pub enum SlugRule {
    /// Those that can be told from the other words in the addresses of all services.
    #[default]
    Addressable,
    /// All but `_base` and what looks like an id. Stashbase takes them; at another service it may be that what is called
    /// so, such as `billing`, cannot be addressed by its slug.
    Any,
}

/// Refuses a slug that has a fixed meaning in its place.
pub(super) fn check_slug(slug: &str, reserved: &[&str], rule: SlugRule) -> Result<()> {
    let is_word = || slug.starts_with('_') || reserved.contains(&slug) || EVERYWHERE.contains(&slug);
    if slug == BASE || looks_like_id(slug) || rule == SlugRule::Addressable && is_word() {
        let message = "this slug has a fixed meaning here: choose another one";
        return Err(Error::new(ErrorKind::InvalidName, message).with_refusal(Refusal::Slug));
    }
    Ok(())
}

/// Whether a name could be taken for an id, where either is understood.
pub(super) fn looks_like_id(name: &str) -> bool {
    let is_digits = |rest: &str| rest.len() == 22 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    name.split_once('_').is_some_and(|(prefix, rest)| ID_PREFIXES.contains(&prefix) && is_digits(rest))
}

const ID_PREFIXES: &[&str] = &["org", "usr", "proj", "env", "tok", "aud"];

/// What the paths of the services' interfaces use, or may come to use, at any place.
const EVERYWHERE: &[&str] = &[
    "organizations",
    "organization",
    "api-keys",
    "members",
    "billing",
    "user",
    "plans",
    "cli",
    "audit-log",
    "versions",
];

/// A slug made of a name: lower case, with one `-` for each run of other characters than letters and digits.
pub(super) fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(MAX_SLUG);
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

const MAX_SLUG: usize = 100;
