//! Names and slugs of what a hierarchy is made of.

use super::slug::{SlugRule, check_slug, looks_like_id, slug_of};
use crate::core::name::Slug;
use crate::core::refusal::Refusal;
use crate::error::{Error, ErrorKind, Result};

/// Longest name, in characters.
const MAX_NAME: usize = 255;
/// Longest name of a team or a role, in characters: in lower case it is a part of a record's key.
const MAX_SHORT_NAME: usize = 100;
/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 1000;

/// A name for people: 1 to 255 characters, none of them a control character, without white space around it. It never
/// looks like an id, so that either can stand for the thing.
pub(super) fn check_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(char::is_control) {
        let message = "a name has 1 to 255 characters, and no control characters";
        return Err(Error::new(ErrorKind::InvalidName, message));
    }
    if looks_like_id(name) {
        return Err(Error::new(ErrorKind::InvalidName, "a name must not look like an id: choose another one"));
    }
    Ok(name.to_owned())
}

/// The name of a team or a role, of which there is one in an organization, however it is written.
pub(super) fn check_short_name(name: &str) -> Result<String> {
    let name = check_name(name)?;
    if name.chars().count() > MAX_SHORT_NAME {
        return Err(Error::new(ErrorKind::InvalidName, "the name of a team or a role has at most 100 characters"));
    }
    Ok(name)
}

/// A name as it is compared with others.
pub(super) fn fold(name: &str) -> String {
    name.to_lowercase()
}

#[cold]
pub(super) fn name_taken() -> Error {
    Error::new(ErrorKind::Conflict, "there is one of that name already: choose another name")
}

pub(super) fn check_description(description: Option<&str>) -> Result<Option<String>> {
    if description.is_some_and(|text| text.chars().count() > MAX_DESCRIPTION || text.contains('\0')) {
        let message = "a description has at most 1000 characters, and no NUL";
        return Err(Error::new(ErrorKind::InvalidValue, message));
    }
    Ok(description.filter(|text| !text.is_empty()).map(str::to_owned))
}

/// The slug that was asked for, or else the first one made of the name that is free.
pub(super) fn choose_slug(
    name: &str,
    given: Option<&Slug>,
    reserved: &[&str],
    rule: SlugRule,
    mut is_taken: impl FnMut(&str) -> Result<bool>,
) -> Result<String> {
    if let Some(slug) = given {
        check_slug(slug.as_str(), reserved, rule)?;
        if is_taken(slug.as_str())? {
            return Err(slug_taken());
        }
        return Ok(slug.as_str().to_owned());
    }
    let made = slug_of(name);
    if made.is_empty() {
        let message = "no slug can be made of this name: give one, of a-z, 0-9 and -";
        return Err(Error::new(ErrorKind::InvalidName, message));
    }
    let stem = made[..made.len().min(90)].trim_end_matches('-');
    let numbered = (2_u32..).map(|number| format!("{stem}-{number}"));
    for slug in [made.clone()].into_iter().chain(numbered) {
        if check_slug(&slug, reserved, rule).is_ok() && !is_taken(&slug)? {
            return Ok(slug);
        }
    }
    Err(slug_taken())
}

#[cold]
pub(super) fn slug_taken() -> Error {
    Error::new(ErrorKind::Conflict, "the slug is taken: choose another one").with_refusal(Refusal::Slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(name: &str, taken: &[&str]) -> String {
        choose_slug(name, None, &["projects"], SlugRule::Addressable, |slug| Ok(taken.contains(&slug))).unwrap()
    }

    #[test]
    fn a_slug_is_made_of_the_name() {
        assert_eq!(choose("  Orbit Shop! ", &[]), "orbit-shop");
        assert_eq!(choose("Orbit_Shop", &["orbit-shop", "orbit-shop-2"]), "orbit-shop-3");
        assert_eq!(choose("Projects", &[]), "projects-2");
        assert_eq!(choose(&"x".repeat(150), &[]).len(), 100);
        assert_eq!(
            choose_slug("!", None, &[], SlugRule::Any, |_| Ok(false)).unwrap_err().kind(),
            ErrorKind::InvalidName
        );
    }

    #[test]
    fn names_are_for_people() {
        assert_eq!(check_name(" Über-Shop ").unwrap(), "Über-Shop");
        for bad in ["", "  ", "a\nb", &"n".repeat(256)] {
            assert_eq!(check_name(bad).unwrap_err().kind(), ErrorKind::InvalidName, "{bad:?}");
        }
    }
}
