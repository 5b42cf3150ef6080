//! Every type against JSON in the form that the services document.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::dotenv_cloud::api_key::{ApiKey, ApiKeyCreated, RotatedApiKey};
use super::dotenv_cloud::audit::AuditLog;
use super::dotenv_cloud::current_user::CurrentUser;
use super::dotenv_cloud::envelope::{Done, List, Resource, Single};
use super::dotenv_cloud::environment::Environment;
use super::dotenv_cloud::error::{ErrorBody, VersionLock};
use super::dotenv_cloud::key::{
    ClientRotated, CustodyChanged, KeyDescriptor, KeyDocument, KeyEntry, Pending, Reencrypted, Rotated,
};
use super::dotenv_cloud::member::{Invitation, Member};

use super::dotenv_cloud::oauth::OAuthError;
use super::dotenv_cloud::organization::Organization;
use super::dotenv_cloud::project::Project;
use super::dotenv_cloud::secret::{Merged, Restoration, Secrets, Stored};
use super::dotenv_cloud::target::Target;
use super::dotenv_cloud::version::{Purged, VersionAttributes, VersionWithContent};
use super::word::Word;
use super::{ioenv, seconds, stashbase};
use crate::core::clock::Timestamp;
use crate::core::custody::Custody;

/// Reads a text as a type and writes that again.
type RoundTrip = fn(&str) -> serde_json::Result<Value>;

fn round_trip<T: DeserializeOwned + Serialize>(text: &str) -> serde_json::Result<Value> {
    serde_json::to_value(serde_json::from_str::<T>(text)?)
}

macro_rules! types {
    ($($example:literal: $type:ty,)*) => {
        &[$(($example, round_trip::<$type>),)*]
    };
}

/// The examples of a service, and the type that each of them is one of.
struct Service {
    examples: &'static str,
    types: &'static [(&'static str, RoundTrip)],
}

const IOENV: Service = Service {
    examples: include_str!("golden/ioenv.json"),
    types: types! {
        "audit": ioenv::AuditPage,
        "environment": ioenv::EnvironmentResponse,
        "environments": ioenv::EnvironmentList,
        "error": ioenv::ErrorResponse,
        "token": ioenv::TokenResponse,
        "tokens": ioenv::TokenList,
        "variable": ioenv::VariableResponse,
        "variables": ioenv::VariableList,
        "variables of the service": ioenv::VariableList,
    },
};

const DOTENV_CLOUD: Service = Service {
    examples: include_str!("golden/dotenv_cloud.json"),
    types: types! {
        "API key": Single<ApiKey>,
        "API key created": ApiKeyCreated,
        "API key rotated": Done<RotatedApiKey>,
        "API keys": List<ApiKey>,
        "API token": CurrentUser,
        "OAuth error": OAuthError,
        "audit log": AuditLog,
        "client key rotated": ClientRotated,
        "custody changed": Done<CustodyChanged>,
        "encryption key": Single<Resource<KeyDocument>>,
        "environment": Single<Resource<Environment>>,
        "error": ErrorBody,
        "error, validation": ErrorBody,
        "invitation": Single<Resource<Invitation>>,
        "key descriptor, client": KeyDescriptor,
        "key descriptor, server": KeyDescriptor,
        "key history": Single<Vec<KeyEntry>>,
        "key rotated": Done<Rotated>,
        "members": List<Resource<Member>>,
        "organization": Single<Resource<Organization>>,
        "organizations": List<Resource<Organization>>,
        "pending": Pending,
        "project": Single<Resource<Project>>,
        "purged": Done<Purged>,
        "re-encrypted": Single<Reencrypted>,
        "restored": Done<Restoration>,
        "secrets": Secrets,
        "secrets of the service": Secrets,
        "secrets, merged": Secrets,
        "secrets, retrieved": Single<Merged>,
        "stored": Done<Stored>,
        "target": Single<Resource<Target>>,
        "user": CurrentUser,
        "version": Single<VersionWithContent>,
        "version lock": VersionLock,
        "versions": List<Resource<VersionAttributes>>,
    },
};

const STASHBASE: Service = Service {
    examples: include_str!("golden/stashbase.json"),
    types: types! {
        "all deleted": stashbase::secret::DeletedAll,
        "change": stashbase::change::Change,
        "changes": stashbase::page::Page<stashbase::change::Change>,
        "compared": Vec<stashbase::secret::Compared>,
        "created": stashbase::secret::Created,
        "deleted": stashbase::secret::Deletions,
        "environment": stashbase::environment::Environment,
        "environment account": stashbase::identity::Identity,
        "environment of the key": stashbase::environment::KeyEnvironment,
        "environment update": stashbase::environment::EnvironmentUpdate,
        "environment update of nothing": stashbase::environment::EnvironmentUpdate,
        "error": stashbase::error::ErrorResponse,
        "found by name": Vec<stashbase::secret::FoundByName>,
        "found by value": Vec<stashbase::secret::FoundByValue>,
        "loaded": stashbase::secret::Loaded,
        "loaded with everything": stashbase::secret::Loaded,
        "metadata": stashbase::secret::MetadataList,
        "new environment": stashbase::environment::NewEnvironment,
        "new project": stashbase::project::NewProject,
        "new secrets": Vec<stashbase::secret::NewSecret>,
        "new webhook": stashbase::webhook::NewWebhook,
        "project of a personal key": stashbase::project::Project,
        "project update": stashbase::project::ProjectUpdate,
        "project update of nothing": stashbase::project::ProjectUpdate,
        "projects": stashbase::page::Page<stashbase::project::Project>,
        "reverted": stashbase::change::Reverted,
        "secret updates": Vec<stashbase::secret::SecretUpdate>,
        "secrets": Vec<stashbase::secret::Secret>,
        "service account": stashbase::identity::Identity,
        "service account without access": stashbase::identity::Identity,
        "set": stashbase::secret::Set,
        "signing secret": stashbase::webhook::SigningSecret,
        "updated": stashbase::secret::Updates,
        "user": stashbase::identity::Identity,
        "webhook": stashbase::webhook::Webhook,
        "webhook created": stashbase::webhook::Webhook,
        "webhook log": stashbase::webhook::Log,
        "webhook logs": stashbase::page::Page<stashbase::webhook::Log>,
        "webhook status": stashbase::webhook::Status,
        "webhook tested": stashbase::webhook::Tested,
        "webhook update": stashbase::webhook::WebhookUpdate,
        "webhooks": Vec<stashbase::webhook::Listed>,
    },
};

impl Service {
    /// Calls `check` with the name of each example, the example and its type.
    fn each(&self, mut check: impl FnMut(&str, Value, RoundTrip)) {
        let examples: Map<String, Value> = serde_json::from_str(self.examples).unwrap();
        let named: BTreeSet<&str> = self.types.iter().map(|(name, _)| *name).collect();
        assert_eq!(examples.keys().map(String::as_str).collect::<BTreeSet<_>>(), named);
        for (name, round_trip) in self.types {
            check(name, examples[*name].clone(), *round_trip);
        }
    }

    /// Reads an example with something else at a pointer, and writes it again.
    fn round_trip(&self, name: &str, pointer: &str, replacement: Option<Value>) -> serde_json::Result<Value> {
        let examples: Value = serde_json::from_str(self.examples).unwrap();
        let (_, round_trip) = self.types.iter().find(|(known, _)| *known == name).unwrap();
        round_trip(&replaced(&examples[name], pointer, replacement).to_string())
    }
}

/// Writes JSON with the members of every object from last to first.
fn reversed(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(reversed).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let members = members.iter().rev().map(|(name, value)| format!("{}:{}", json!(name), reversed(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        _ => value.to_string(),
    }
}

/// The pointers to a value and to everything in it, with what stands there.
fn walk(value: &Value) -> Vec<(String, Value)> {
    let mut found = vec![(String::new(), value.clone())];
    let children: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
        _ => Vec::new(),
    };
    for (step, child) in children {
        found.extend(walk(child).into_iter().map(|(pointer, value)| (format!("/{step}{pointer}"), value)));
    }
    found
}

/// The same value with something else at a pointer; nothing, for `None`.
fn replaced(value: &Value, pointer: &str, replacement: Option<Value>) -> Value {
    let mut value = value.clone();
    match replacement {
        Some(replacement) => *value.pointer_mut(pointer).unwrap() = replacement,
        None => {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        }
    }
    value
}

const SERVICES: [Service; 3] = [IOENV, DOTENV_CLOUD, STASHBASE];

#[test]
fn every_example_comes_back_as_it_was() {
    for service in SERVICES {
        service.each(|name, example, round_trip| {
            for text in [example.to_string(), reversed(&example)] {
                assert_eq!(round_trip(&text).unwrap(), example, "{name}");
            }
        });
    }
}

#[test]
fn unknown_members_are_ignored() {
    // The members of a map are data.
    let is_map = |pointer: &str| {
        let maps = ["/secrets", "permissions", "/errors"];
        maps.iter().any(|map| pointer.ends_with(map)) || pointer.contains("/details")
    };
    let mut count = 0;
    for service in SERVICES {
        service.each(|name, example, round_trip| {
            for (pointer, value) in walk(&example) {
                let Value::Object(mut members) = value else { continue };
                if is_map(&pointer) {
                    continue;
                }
                members.insert("unheard of".to_owned(), json!({ "a": [1, null] }));
                let changed = replaced(&example, &pointer, Some(members.into()));
                assert_eq!(round_trip(&changed.to_string()).unwrap(), example, "{name} at {pointer}");
                count += 1;
            }
        });
    }
    assert!(count > 150, "{count}");
}

#[test]
fn any_text_but_a_time_or_an_address_may_be_an_unknown_word() {
    let mut count = 0;
    for service in SERVICES {
        service.each(|name, example, round_trip| {
            for (pointer, value) in walk(&example) {
                let member = pointer.rsplit('/').next().unwrap();
                let is_time =
                    ["at", "timestamp"].contains(&member) || member.ends_with("_at") || member.ends_with("At");
                let has_form = is_time || member == "ip";
                if !value.is_string() || has_form && !pointer.contains("/details/") {
                    continue;
                }
                let changed = replaced(&example, &pointer, Some(json!("unheard_of")));
                assert_eq!(round_trip(&changed.to_string()).unwrap(), changed, "{name} at {pointer}");
                count += 1;
            }
        });
    }
    assert!(count > 250, "{count}");
}

#[test]
fn what_is_null_may_be_absent() {
    let mut count = 0;
    for service in SERVICES {
        service.each(|name, example, round_trip| {
            for (pointer, _) in walk(&example).iter().filter(|(_, value)| value.is_null()) {
                let is_item = pointer.ends_with(|last: char| last.is_ascii_digit());
                if is_item || pointer.contains("/details/") {
                    continue;
                }
                let changed = replaced(&example, pointer, None);
                let written = round_trip(&changed.to_string()).unwrap();
                assert!([&example, &changed].contains(&&written), "{name} at {pointer}: {written}");
                count += 1;
            }
        });
    }
    assert!(count > 30, "{count}");
}

#[test]
fn what_services_write_in_other_ways_is_read() {
    let key = "/data/0/key_check_iterations";
    let levels = "/data/attributes/levels";
    for (service, name, pointer, other, expected) in [
        (&DOTENV_CLOUD, "organization", "/data/id", Some(json!(7)), Some(json!("7"))),
        (&DOTENV_CLOUD, "key descriptor, client", "/key/version", Some(json!("2")), Some(json!(2))),
        (&DOTENV_CLOUD, "key descriptor, server", "/key/managed", None, Some(json!("server"))),
        (&DOTENV_CLOUD, "key history", "/data/0/version", Some(json!(2)), Some(json!("2"))),
        (&DOTENV_CLOUD, "key history", key, Some(json!("600000")), Some(json!(600_000))),
        (&DOTENV_CLOUD, "key history", key, Some(json!(-1)), Some(json!(-1))),
        (&DOTENV_CLOUD, "key history", key, Some(Value::Null), None),
        (&DOTENV_CLOUD, "pending", "/data/0/id", Some(json!("42")), Some(json!(42))),
        (&DOTENV_CLOUD, "restored", "/data/secret_id", Some(json!(9)), Some(json!("9"))),
        (&DOTENV_CLOUD, "secrets", levels, Some(json!([])), None),
        (&DOTENV_CLOUD, "secrets", levels, Some(Value::Null), None),
        (&DOTENV_CLOUD, "secrets", &format!("{levels}/target"), Some(Value::Null), None),
        (&DOTENV_CLOUD, "secrets", &format!("{levels}/target/content"), Some(Value::Null), Some(json!(""))),
        (&DOTENV_CLOUD, "secrets", &format!("{levels}/target/content"), None, Some(json!(""))),
        (&DOTENV_CLOUD, "secrets, retrieved", "/data/secrets", Some(json!([])), Some(json!({}))),
        (&DOTENV_CLOUD, "versions", "/data/1/attributes/metadata", Some(json!([])), Some(json!({}))),
        (&DOTENV_CLOUD, "versions", "/data/1/attributes/metadata", None, Some(json!({}))),
        (&DOTENV_CLOUD, "versions", "/data/0/attributes/created_by", Some(json!([])), Some(Value::Null)),
        (&DOTENV_CLOUD, "versions", "/data/0/attributes/locked", None, Some(json!(false))),
        (&DOTENV_CLOUD, "versions", "/meta", None, None),
        (&DOTENV_CLOUD, "API key", "/data/abilities", Some(Value::Null), Some(json!([]))),
        (&DOTENV_CLOUD, "API key created", "/api_key", None, None),
        (&DOTENV_CLOUD, "API keys", "/data/0/scope", Some(json!([])), None),
        (&DOTENV_CLOUD, "error, validation", "/errors/slug", Some(json!("Taken.")), Some(json!(["Taken."]))),
        (&DOTENV_CLOUD, "error, validation", "/errors", Some(json!([])), None),
        (&DOTENV_CLOUD, "error, validation", "/message", None, Some(json!(""))),
        (&DOTENV_CLOUD, "user", "/data/relationships", None, Some(json!({ "organizations": { "data": [] } }))),
        (&DOTENV_CLOUD, "user", "/included", Some(Value::Null), Some(json!([]))),
        (&IOENV, "variables", "/variables/0/value", Some(Value::Null), None),
        (&IOENV, "variables", "/variables/0/value", None, None),
        (&IOENV, "variables", "/variables/0/updatedAt", None, Some(Value::Null)),
        (&STASHBASE, "error", "/error/message", None, Some(json!(""))),
        (&STASHBASE, "error", "/error/details", None, Some(json!({}))),
        (&STASHBASE, "error", "/error/details", Some(json!([])), Some(json!({}))),
        (&STASHBASE, "environment account", "/data/permissions", Some(Value::Null), Some(json!({}))),
        (&STASHBASE, "service account", "/data/access/workspace", Some(Value::Null), Some(Value::Null)),
    ] {
        let mut written = service.round_trip(name, pointer, other).unwrap();
        let found = written.pointer_mut(pointer).map(Value::take);
        assert_eq!(found, expected, "{name} at {pointer}");
    }
}

#[test]
fn values_of_another_form_are_errors_that_do_not_repeat_them() {
    for (service, name, pointer, other) in [
        (&DOTENV_CLOUD, "secrets", "/data/attributes/levels", json!(["planted"])),
        (&DOTENV_CLOUD, "secrets", "/data/attributes/levels/project/content", json!(7_311_217)),
        (&DOTENV_CLOUD, "key descriptor, client", "/key/version", json!("planted")),
        (&DOTENV_CLOUD, "key descriptor, client", "/key/version", Value::Null),
        (&DOTENV_CLOUD, "key descriptor, client", "/key/key_check_iterations", json!("planted")),
        (&DOTENV_CLOUD, "key descriptor, client", "/key/managed", json!(7_311_217)),
        (&DOTENV_CLOUD, "key descriptor, server", "/key/key", json!(7_311_217)),
        (&STASHBASE, "secrets", "/0/value", json!(7_311_217)),
        (&STASHBASE, "new secrets", "/0/value", Value::Null),
        (&IOENV, "variables", "/variables/0/value", json!(7_311_217)),
    ] {
        let error = service.round_trip(name, pointer, Some(other)).unwrap_err().to_string();
        assert!(!error.contains("planted") && !error.contains("7311217"), "{name} at {pointer}: {error}");
    }
}

#[test]
fn secrets_are_shown_to_nobody() {
    let secrets: Secrets = serde_json::from_value(dotenv_cloud_example("secrets, merged")).unwrap();
    assert!(!format!("{secrets:?}").contains("8080"));
    let key: KeyDescriptor = serde_json::from_value(dotenv_cloud_example("key descriptor, server")).unwrap();
    assert!(!format!("{key:?}").contains("tide-pool"));
}

fn dotenv_cloud_example(name: &str) -> Value {
    let mut examples: Value = serde_json::from_str(DOTENV_CLOUD.examples).unwrap();
    examples[name].take()
}

#[derive(Debug, PartialEq, serde::Deserialize, Serialize)]
struct At {
    #[serde(default, with = "seconds")]
    at: Option<Timestamp>,
}

#[test]
fn times_are_read_in_the_forms_that_services_write() {
    for (text, expected) in [
        (r#""2031-02-03T04:05:06Z""#, Some("2031-02-03T04:05:06Z")),
        (r#""2031-02-03T06:05:06.789+02:00""#, Some("2031-02-03T04:05:06Z")),
        (r#""2031-02-03T04:05:06""#, Some("2031-02-03T04:05:06Z")),
        (r#""2031-02-03""#, Some("2031-02-03T00:00:00Z")),
        (r#""last week""#, None),
        (r#""""#, None),
        ("null", None),
        ("1927857906", None),
        ("[]", None),
    ] {
        let read: At = serde_json::from_str(&format!(r#"{{"at":{text}}}"#)).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), json!({ "at": expected }), "{text}");
    }
    assert_eq!(serde_json::from_str::<At>("{}").unwrap(), At { at: None });
}

proptest! {
    #[test]
    fn times_keep_their_seconds(millis in 0..=Timestamp::MAX.as_millis()) {
        let time = |millis| At { at: Timestamp::from_millis(millis) };
        let text = serde_json::to_string(&time(millis)).unwrap();
        prop_assert!(text.len() == r#"{"at":"2031-02-03T04:05:06Z"}"#.len(), "{}", text);
        prop_assert_eq!(serde_json::from_str::<At>(&text).unwrap(), time(millis / 1000 * 1000));
    }

    #[test]
    fn words_come_back_as_they_were(word in "client|server|.*") {
        let json = json!(word);
        let read: Word<Custody> = serde_json::from_value(json.clone()).unwrap();
        let known = match word.as_str() {
            "client" => Some(Custody::Client),
            "server" => Some(Custody::Server),
            _ => None,
        };
        prop_assert_eq!(&read, &known.map_or(Word::Unknown(word.clone()), Word::Known));
        prop_assert_eq!(read.to_string(), word);
        prop_assert_eq!(serde_json::to_value(&read).unwrap(), json);
    }
}

/// The code of each file here but this one, without comments, which may refer to anything.
fn sources() -> Vec<(PathBuf, String)> {
    fn collect(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("wire/tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let lines: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap()).collect();
                found.push((path, lines.join("\n")));
            }
        }
    }

    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wire"), &mut found);
    found
}

#[test]
fn nothing_but_the_core_is_imported() {
    let mut count = 0;
    for (path, code) in sources() {
        for line in code.lines() {
            for inside in line.split("crate::").skip(1) {
                let is_allowed = ["core", "wire"].iter().any(|module| inside.starts_with(module));
                assert!(is_allowed, "{}: {line}", path.display());
            }
            if let Some(import) = line.strip_prefix("use ") {
                let first = import.split([':', ';']).next().unwrap();
                let allowed = ["std", "serde", "serde_json", "crate", "super"];
                assert!(allowed.contains(&first), "{}: {line}", path.display());
                count += 1;
            }
        }
    }
    assert!(count > 50, "{count}");
}

#[test]
fn each_type_has_an_example_or_is_part_of_another_type() {
    let (sources, here) = (sources(), include_str!("tests.rs"));
    let is_named_here = |name: &str| here.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
    let mut count = 0;
    for (path, code) in &sources {
        for kind in ["pub(crate) struct ", "pub(crate) enum "] {
            for definition in code.split(kind).skip(1) {
                let name = definition.split(|c: char| !c.is_alphanumeric()).next().unwrap();
                // A field, a variant or a collection names it between these.
                let is_part = sources.iter().any(|(_, code)| {
                    [": ", "<", "::", "(", ", "].iter().any(|before| {
                        code.match_indices(&format!("{before}{name}")).any(|(at, found)| {
                            let rest = &code[at + found.len()..];
                            !code[..at].ends_with("for ") && rest.starts_with([',', '>', ')', ';', '<'])
                        })
                    })
                });
                assert!(is_part || is_named_here(name), "{}: {name} has no example", path.display());
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count}");
}
