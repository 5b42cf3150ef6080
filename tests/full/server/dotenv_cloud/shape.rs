//! A client that looks at every answer as a strict one does: what has the wrong type fails there.

use ioenv::vault::{Id, Permission, PermissionSet, Timestamp};
use serde_json::{Value, json};

use super::super::stage::{Answer, Client, Stage};

/// Asks, and checks what is common to all answers.
pub(super) struct Cloud(Client);

impl Cloud {
    pub(super) fn new(client: Client) -> Self {
        Self(client)
    }

    /// One that may do everything in Acme.
    pub(super) fn admin(stage: &Stage) -> Self {
        Self(stage.admin())
    }

    /// One with these permissions, bound to that place.
    pub(super) fn with(stage: &Stage, permissions: &[Permission], scope: Option<&str>) -> Self {
        Self(stage.client(&stage.token(PermissionSet::of(permissions), scope)))
    }

    #[track_caller]
    pub(super) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    #[track_caller]
    pub(super) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    #[track_caller]
    pub(super) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(&body.to_string()))
    }

    #[track_caller]
    pub(super) fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some(&body.to_string()))
    }

    #[track_caller]
    pub(super) fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(&body.to_string()))
    }

    #[track_caller]
    pub(super) fn send(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        let answer = self.0.send(method, path, body);
        check(&answer);
        answer
    }
}

/// What every answer has.
#[track_caller]
pub(super) fn check(answer: &Answer) {
    for (name, value) in [
        ("x-api-version", "1"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("x-xss-protection", "1; mode=block"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let [limit, remaining, reset] = ["limit", "remaining", "reset"].map(|name| {
        let header = answer.header(&format!("x-ratelimit-{name}"));
        header.unwrap_or_else(|| panic!("{}: no x-ratelimit-{name}", answer.status)).parse::<u64>().unwrap()
    });
    assert!(remaining < limit && reset > 1_700_000_000, "{remaining} of {limit} until {reset}");
    match answer.status {
        204 => answer.empty(204),
        200 | 201 => walk("", &answer.json(answer.status)),
        status => {
            let problem = answer.json(status);
            assert!(problem["error"].is_string() && problem["message"].is_string(), "{problem}");
            assert_eq!(problem["error"] == "validation_failed", problem["errors"].is_object(), "{problem}");
        }
    }
}

/// Looks at every member by its name.
#[track_caller]
fn walk(name: &str, value: &Value) {
    let is_right = match name {
        "id" | "ulid" | "organization_id" | "project_id" | "target_id" => {
            value.as_str().is_some_and(|id| id.parse::<Id>().is_ok() && id == id.to_uppercase())
        }
        "created_at" | "updated_at" | "at" => is_time(value),
        "expires_at" | "last_used_at" => value.is_null() || is_time(value),
        "name" | "slug" | "type" | "status" | "plan_name" | "role" | "email" | "secret_format" | "encryption_type"
        | "message" | "token_prefix" => value.is_string(),
        "description" => value.is_null() || value.is_string(),
        "abilities" => value.as_array().is_some_and(|words| words.iter().all(Value::is_string)),
        "attributes" | "meta" | "details" | "scope" | "relationships" => value.is_object(),
        "has_secrets" | "is_production" | "is_verified" | "success" => value.is_boolean(),
        name if name.ends_with("_count") => value.is_u64(),
        "current_page" | "per_page" | "last_page" | "total" => value.is_u64(),
        _ => true,
    };
    assert!(is_right, "{name}: {value}");
    // Records of the audit log say what there is to say.
    if ["actor", "resource", "details"].contains(&name) {
        return;
    }
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| walk(name, value)),
        Value::Array(items) => items.iter().for_each(|value| walk("", value)),
        _ => {}
    }
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|time| time.ends_with('Z') && time.parse::<Timestamp>().is_ok())
}

/// What is said of fields.
pub(super) fn invalid(fields: &[(&str, &str)]) -> Value {
    let message = match fields {
        [(_, one)] => (*one).to_owned(),
        [(_, first), _] => format!("{first} (and 1 more error)"),
        [(_, first), more @ ..] => format!("{first} (and {} more errors)", more.len()),
        [] => unreachable!("there is an error"),
    };
    let mut errors = json!({});
    for (field, message) in fields {
        errors[*field] = json!([message]);
    }
    json!({ "error": "validation_failed", "message": message, "errors": errors })
}

/// What is said where there is nothing, or nothing to know of.
pub(super) fn not_found() -> Value {
    let message = "There is nothing of that name here, or it is outside of what this token may see.";
    json!({ "error": "not_found", "message": message })
}

/// The code of a problem of that status.
#[track_caller]
pub(super) fn code(answer: &Answer, status: u16) -> String {
    answer.json(status)["error"].as_str().unwrap().to_owned()
}
