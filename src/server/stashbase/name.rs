//! Names and identifiers, as the service has them.

use super::problem::Problem;
use crate::core::id::WebhookId;
use crate::core::id::WebhookLogId;
use crate::core::name::{Slug, VarName};
use crate::vault::{EnvironmentName, Id, IdOrSlug};

const PROJECT_NAMES: [&str; 3] = ["my-app", "super_app", "App2"];
const BAD_PROJECT_NAMES: [&str; 3] = ["a", "#app", "app.v2"];
const PROJECT_ID: &str = "proj_Zz9Yy8Xx7Ww6Vv5Uu4Tt3S";
const ENVIRONMENT_NAMES: [&str; 3] = ["dev", "dev_2", "api-production"];
const BAD_ENVIRONMENT_NAMES: [&str; 3] = ["dev env", "api/dev", "api.dev"];
const ENVIRONMENT_ID: &str = "env_Kk1Ll2Mm3Nn4Oo5Pp6Qq7R";

/// Characters of the name of a project, and of what is searched for in names.
const NAME_CHARS: std::ops::RangeInclusive<usize> = 2..=40;
/// Characters of the name of a secret.
const SECRET_NAME_CHARS: std::ops::RangeInclusive<usize> = 2..=255;
/// Longest description, in units of UTF-16.
const MAX_DESCRIPTION: usize = 255;

/// Whether a text is a prefix and 22 letters and digits. Some of these are no id that was ever given.
fn is_id(prefix: &str, text: &str) -> bool {
    let rest = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
    rest.is_some_and(|rest| rest.len() == 22 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Whether a text could be the name of a project, or a part of a name.
pub(super) fn is_name(text: &str) -> bool {
    NAME_CHARS.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// An id, if it has the form of one.
fn designation(prefix: &str, text: &str) -> Option<IdOrSlug> {
    match Id::parse_prefixed(prefix, text) {
        Ok(id) => Some(IdOrSlug::Id(id)),
        // Nothing is called like an id that is none.
        Err(_) => Slug::new(text).ok().map(IdOrSlug::Slug),
    }
}

/// What a project is addressed by: its name or its id.
pub(super) fn project_identifier(text: &str) -> Result<IdOrSlug, Problem> {
    let found = if is_name(text) { designation("proj", text) } else { None };
    found.ok_or_else(|| {
        Problem::invalid("validation.invalid_project_identifier", "This is neither the name nor the id of a project.")
            .with("name_examples", PROJECT_NAMES)
            .with("id_example", PROJECT_ID)
    })
}

/// What an environment is addressed by: its name or its id.
pub(super) fn environment_identifier(text: &str) -> Result<IdOrSlug, Problem> {
    let found = EnvironmentName::identifier(text).ok().and_then(|name| designation("env", name.as_str()));
    found.ok_or_else(|| {
        let message = "This is neither the name nor the id of an environment.";
        Problem::invalid("validation.invalid_environment_identifier", message)
            .with("name_examples", ENVIRONMENT_NAMES)
            .with("id_example", ENVIRONMENT_ID)
    })
}

/// The name that a project is to have.
pub(super) fn project_name(text: &str) -> Result<Slug, Problem> {
    if is_id("proj", text) {
        let message = "A project cannot be named like the id of one.";
        return Err(project_name_problem("validation.project_name_uses_id_format", message));
    }
    let slug = if is_name(text) { Slug::new(text).ok() } else { None };
    slug.ok_or_else(invalid_project_name)
}

pub(super) fn invalid_project_name() -> Problem {
    let message = "A project cannot have this name: take 2 to 40 letters, digits, _ and -, none of the reserved words.";
    project_name_problem("validation.invalid_project_name", message)
}

fn project_name_problem(code: &'static str, message: &'static str) -> Problem {
    Problem::invalid(code, message)
        .with("valid_name_examples", PROJECT_NAMES)
        .with("invalid_name_examples", BAD_PROJECT_NAMES)
}

/// The name that an environment is to have.
pub(super) fn environment_name(text: &str) -> Result<Slug, Problem> {
    if EnvironmentName::is_id(text) {
        let message = "An environment cannot be named like the id of one.";
        return Err(environment_name_problem("validation.environment_name_uses_id_format", message));
    }
    let slug = EnvironmentName::new(text).ok().and_then(|name| Slug::new(name.as_str()).ok());
    slug.ok_or_else(invalid_environment_name)
}

pub(super) fn invalid_environment_name() -> Problem {
    let message = "An environment cannot have this name: take 2 to 32 letters, digits and _, and one - at most between \
                   them, none of the reserved words.";
    environment_name_problem("validation.invalid_environment_name", message)
}

fn environment_name_problem(code: &'static str, message: &'static str) -> Problem {
    Problem::invalid(code, message)
        .with("valid_name_examples", ENVIRONMENT_NAMES)
        .with("invalid_name_examples", BAD_ENVIRONMENT_NAMES)
}

/// What names of projects are searched for.
pub(super) fn project_search(text: &str) -> Result<(), Problem> {
    search(text, PROJECT_NAMES, BAD_PROJECT_NAMES)
}

/// What names of environments are searched for.
pub(super) fn environment_search(text: &str) -> Result<(), Problem> {
    search(text, ENVIRONMENT_NAMES, BAD_ENVIRONMENT_NAMES)
}

fn search(text: &str, valid: [&str; 3], invalid: [&str; 3]) -> Result<(), Problem> {
    if is_name(text) {
        return Ok(());
    }
    let message = "Search for 2 to 40 characters that stand in names.";
    Err(Problem::invalid("validation.invalid_search", message)
        .with("valid_search_examples", valid)
        .with("invalid_search_examples", invalid))
}

/// The name of a secret: upper case only, where the vault takes more.
pub(super) fn secret_name(text: &str) -> Option<VarName> {
    let is_secret_name = SECRET_NAME_CHARS.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if is_secret_name { VarName::new(text).ok() } else { None }
}

/// The id of a webhook in an address; none, for one that was never given.
pub(super) fn webhook_id(text: &str) -> Result<Option<WebhookId>, Problem> {
    if is_id("whk", text) {
        return Ok(WebhookId::parse_prefixed("whk", text).ok());
    }
    Err(Problem::invalid("validation.invalid_webhook_id", "This is not the id of a webhook.")
        .with("example_webhook_id", "whk_Aa1Bb2Cc3Dd4Ee5Ff6Gg7H"))
}

/// The id of a log record in an address; none, for one that was never given.
pub(super) fn webhook_log_id(text: &str) -> Result<Option<WebhookLogId>, Problem> {
    if is_id("whlog", text) {
        return Ok(WebhookLogId::parse_prefixed("whlog", text).ok());
    }
    Err(Problem::invalid("validation.invalid_webhook_log_id", "This is not the id of a record of a webhook's log.")
        .with("example_webhook_log_id", "whlog_Aa1Bb2Cc3Dd4Ee5Ff6Gg7H"))
}

/// The id of a change in an address; none, for one that was never given.
pub(super) fn change_id(text: &str) -> Result<Option<u64>, Problem> {
    if !is_id("chng", text) {
        return Err(Problem::invalid("validation.invalid_change_id", "This is not the id of a change."));
    }
    let id = Id::parse_prefixed("chng", text).ok().filter(|id| id.timestamp().as_millis() == 0);
    Ok(id.and_then(|id| {
        let [0, 0, rest @ ..] = id.random() else {
            return None;
        };
        Some(u64::from_be_bytes(rest))
    }))
}

/// The id of a change: its number, as wide as other ids.
pub(super) fn change_id_text(id: u64) -> String {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&id.to_be_bytes());
    Id::from_parts(crate::vault::Timestamp::MIN, random).to_prefixed("chng")
}

/// Refuses a description that is too long.
pub(super) fn check_description(text: Option<&str>, code: &'static str) -> Result<(), Problem> {
    let Some(text) = text else {
        return Ok(());
    };
    if text.encode_utf16().count() > MAX_DESCRIPTION {
        let message = "A description has at most 255 characters.";
        return Err(Problem::invalid(code, message).with("max_length", MAX_DESCRIPTION));
    }
    if text.contains('\0') {
        return Err(Problem::bad_request("A description has no NUL."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn vectors(group: &str) -> Vec<Value> {
        let vectors: Value = serde_json::from_str(include_str!("../../../tests/vectors/stashbase.json")).unwrap();
        let cases = vectors[group].as_array().unwrap().clone();
        assert!(!cases.is_empty());
        cases
    }

    #[test]
    fn names_of_secrets_are_those_of_the_service() {
        for case in vectors("secret_name") {
            let name = case["name"].as_str().unwrap();
            assert_eq!(secret_name(name).is_some(), case["valid"] == true, "{case}");
        }
    }

    #[test]
    fn names_of_projects_are_those_of_the_service() {
        for case in vectors("project_name") {
            let name = case["name"].as_str().unwrap();
            assert_eq!(project_name(name).is_ok(), case["valid_new"] == true, "{case}");
            assert_eq!(project_identifier(name).is_ok(), case["valid_identifier"] == true, "{case}");
            assert_eq!(is_id("proj", name), case["id_format"] == true, "{case}");
        }
    }

    #[test]
    fn ids_have_a_prefix_and_22_letters_and_digits() {
        for case in vectors("resource_id") {
            let prefix = match case["resource"].as_str().unwrap() {
                "webhook" => "whk",
                "webhook_log" => "whlog",
                "project" => "proj",
                _ => "env",
            };
            assert_eq!(is_id(prefix, case["value"].as_str().unwrap()), case["valid"] == true, "{case}");
        }
        assert_eq!(webhook_id("whk_zzzzzzzzzzzzzzzzzzzzzz").ok(), Some(None), "well-formed, and of nothing");
    }

    #[test]
    fn changes_have_ids_like_others() {
        for id in [0, 1, 7 << 32 | 3, u64::MAX] {
            let text = change_id_text(id);
            assert_eq!((text.len(), change_id(&text).ok()), (27, Some(Some(id))), "{text}");
        }
        assert_eq!(change_id("chng_7n42DGM5Tflk9n8mt7Fhc7").ok(), Some(None));
        assert!(change_id("chng_1").is_err());
    }
}
