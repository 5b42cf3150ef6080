use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::clock::Timestamp;
use super::document::Kind;
use super::id::{AuditRecordId, Id, LevelId, OrganizationId, ProjectId, TargetId};
use super::name::VarName;
use super::path::LevelPath;
use super::serde_text::serde_text;
use super::words::words;
use crate::error::{Error, ErrorKind, Result};

/// Most bytes of a variable's value that a record repeats.
const MAX_VALUE_BYTES: usize = 4096;
/// Most names that a record of a list repeats.
const MAX_NAMES: usize = 200;
/// The members of details that hold values of variables.
const VALUES: [&str; 2] = ["oldValue", "newValue"];

/// The member of details that holds the names of a list.
const NAMES: &str = "keys";
/// The member that stands there instead, where the names are stored apart.
const LIST: &str = "list";
/// The member beside it that says which names of the list these are: base64 of one bit for each.
const SELECTION: &str = "selection";

/// What was done, by whom, from where and when.
///
/// Its JSON has the members of these fields in camel case. It never holds the value of a secret, a token or a key.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ioenv::vault::{Action, AuditActor, AuditRecord, OrganizationId, Resource, ResourceKind};
///
/// let organization: OrganizationId = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse()?;
/// let record = AuditRecord {
///     id: "01ARZ3NDEKTSV4RRFFQ69G5FAW".parse()?,
///     timestamp: "2031-02-03T04:05:06.789Z".parse()?,
///     actor: AuditActor::SYSTEM,
///     ip: None,
///     action: Action::Update,
///     resource: Resource::new(ResourceKind::Key, organization),
///     details: serde_json::from_str(r#"{"version":2}"#)?,
/// };
/// let text = serde_json::to_string(&record)?;
/// assert!(text.ends_with(r#""resource":{"type":"key","orgId":"01ARZ3NDEKTSV4RRFFQ69G5FAV"},"details":{"version":2}}"#));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "a record has these facts and no others")]
pub struct AuditRecord {
    /// The record's own id; records are in the order of these.
    pub id: AuditRecordId,
    /// When.
    pub timestamp: Timestamp,
    /// By whom.
    pub actor: AuditActor,
    /// From where; nothing for a call inside of the process.
    pub ip: Option<IpAddr>,
    /// What was done.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// What else there is to say.
    pub details: Details,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_structs, reason = "these three say who it is")]
pub struct AuditActor {
    /// What kind of actor it is.
    #[serde(rename = "type")]
    pub kind: ActorKind,
    /// The id of the user or of the token's record, never the token.
    pub id: Option<Id>,
    /// The name a person gave.
    pub name: Option<String>,
}

impl AuditActor {
    /// A trusted program that nobody has named.
    pub const SYSTEM: Self = Self { kind: ActorKind::System, id: None, name: None };
}

words! {
    /// A kind of [`AuditActor`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum ActorKind: "a kind of actor" {
        /// A person.
        User = "user",
        /// A program with a token.
        Token = "token",
        /// The store itself.
        System = "system",
    }
}

serde_text!(ActorKind, "a kind of actor");

words! {
    /// What can be done.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[expect(clippy::exhaustive_enums, reason = "nothing else is recorded")]
    pub enum Action: "an action" {
        /// Something was made.
        Create = "create",
        /// Something was read.
        Read = "read",
        /// Something was changed.
        Update = "update",
        /// Something was removed.
        Delete = "delete",
    }
}

serde_text!(Action, "an action");

/// What something was done to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Resource {
    /// What kind of thing it is.
    #[serde(rename = "type")]
    pub kind: ResourceKind,
    /// Its own id, where it has one that does not stand in one of the following members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// The organization.
    #[serde(rename = "orgId")]
    pub organization: OrganizationId,
    /// The project.
    #[serde(rename = "projectId", default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// The target that the level stands below.
    #[serde(rename = "targetId", default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetId>,
    /// The level: an environment, a target, or the project's own.
    #[serde(rename = "envId", default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<LevelId>,
    /// The path of the level, as it was then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<LevelPath>,
    /// The name of the variable or secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<VarName>,
    /// The name of anything else, as it was then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Resource {
    /// Something of an organization. The other fields are empty, and can be set.
    pub fn new(kind: ResourceKind, organization: OrganizationId) -> Self {
        Self {
            kind,
            id: None,
            organization,
            project: None,
            target: None,
            environment: None,
            path: None,
            key: None,
            name: None,
        }
    }
}

words! {
    /// A kind of [`Resource`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum ResourceKind: "a kind of resource" {
        /// An entry that is shown.
        Variable = "variable",
        /// An entry that is not.
        Secret = "secret",
        /// The document of a level as a whole.
        Level = "level",
        /// A version of a level's document.
        Version = "version",
        /// An environment.
        Environment = "environment",
        /// A target.
        Target = "target",
        /// A project.
        Project = "project",
        /// An organization.
        Organization = "organization",
        /// A token.
        Token = "token",
        /// An account of an environment.
        Account = "account",
        /// A service account.
        ServiceAccount = "service_account",
        /// A member of an organization or of a project.
        Member = "member",
        /// A team.
        Team = "team",
        /// A role that an organization made.
        Role = "role",
        /// An invitation to an organization.
        Invitation = "invitation",
        /// An integration.
        Integration = "integration",
        /// A webhook.
        Webhook = "webhook",
        /// A key: of an organization or of a project.
        Key = "key",
    }
}

serde_text!(ResourceKind, "a kind of resource");

impl From<Kind> for ResourceKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Variable => Self::Variable,
            Kind::Secret => Self::Secret,
        }
    }
}

/// What a record says about an operation, as a JSON object: serialize it to read it.
///
/// The values of variables are repeated up to 4,096 bytes, those of secrets never.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Details(Map<String, Value>);

impl Details {
    /// Returns the word for the operation, such as `list`, `export` or `restore`, where the action alone does not say it.
    pub fn operation(&self) -> Option<&str> {
        self.0.get("op").and_then(Value::as_str)
    }

    /// A variable was made.
    pub(crate) fn variable_created(value: &str) -> Self {
        Self::default().with_value("newValue", value)
    }

    /// A variable was given a value, which may be the one it had.
    pub(crate) fn variable_updated(old: &str, new: &str) -> Self {
        let details = Self::changed(if old == new { &[] } else { &["value"] });
        details.with_value("oldValue", old).with_value("newValue", new)
    }

    /// A variable was removed.
    pub(crate) fn variable_deleted(value: &str) -> Self {
        Self::default().with_value("oldValue", value)
    }

    /// A secret was created or deleted; its value is not repeated.
    pub(crate) fn secret_changed() -> Self {
        Self::changed(&["value"])
    }

    /// A variable became a secret, or a secret a variable.
    pub(crate) fn kind_changed(from: Kind, to: Kind) -> Self {
        Self::changed(&["kind", "value"]).with("kind", json!({ "from": from.as_str(), "to": to.as_str() }))
    }

    /// Variables were read; `operation` is such as `list` or `export`. The first 200 names are repeated.
    pub(crate) fn read(operation: &'static str, names: impl IntoIterator<Item: AsRef<str>>) -> Self {
        let mut names = names.into_iter().map(|name| name.as_ref().to_owned());
        let keys: Vec<_> = names.by_ref().take(MAX_NAMES).collect();
        let count = keys.len() + names.count();
        let is_truncated = count > keys.len();
        let details = Self::default().with("op", operation).with("count", count).with(NAMES, keys);
        if is_truncated { details.with("truncated", true) } else { details }
    }

    /// Returns the names that were read.
    pub(crate) fn names(&self) -> Option<&Value> {
        self.0.get(NAMES).filter(|names| names.is_array())
    }

    /// Puts a reference to a list in the place of the names that were read.
    pub(crate) fn refer_to_names(&mut self, hash: &str) {
        self.0.insert(NAMES.to_owned(), json!({ LIST: hash }));
    }

    /// Puts a reference to some names of a list in the place of the names that were read. `selection` has one bit for each
    /// name of the list, the lowest bit of a byte first.
    pub(crate) fn refer_to_selection(&mut self, hash: &str, selection: &[u8]) {
        self.0.insert(NAMES.to_owned(), json!({ LIST: hash, SELECTION: BASE64.encode(selection) }));
    }

    /// Returns the list to which these details refer in the place of names.
    pub(crate) fn names_reference(&self) -> Option<&str> {
        self.0.get(NAMES)?.get(LIST)?.as_str()
    }

    /// Puts the names of the list, or those that were selected, in the place of the reference.
    pub(crate) fn fill_names(&mut self, names: &[String]) {
        let selection = self.0.get(NAMES).and_then(|names| names.get(SELECTION)?.as_str());
        let names = match selection.map(|text| BASE64.decode(text).unwrap_or_default()) {
            None => names.to_vec(),
            Some(bits) => {
                let is_selected = |at: usize| bits.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1);
                let selected = names.iter().enumerate().filter(|(at, _)| is_selected(*at));
                selected.map(|(_, name)| name.clone()).collect()
            }
        };
        self.0.insert(NAMES.to_owned(), names.into());
    }

    /// Something was changed, of which only the names of the members are said.
    pub(crate) fn changed(members: &[&'static str]) -> Self {
        Self::default().with("changed", members)
    }

    /// The same details and one more, which must not be secret.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// The member of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Replaces the values of a variable by `{"redacted": true}`, because it has become a secret; `false`, when there
    /// are none.
    pub(crate) fn scrub(&mut self) -> bool {
        let mut is_changed = false;
        for name in VALUES {
            if let Some(value) = self.0.get_mut(name).filter(|value| value.is_string()) {
                *value = json!({ "redacted": true });
                is_changed = true;
            }
        }
        is_changed
    }

    /// Returns the details as JSON.
    #[cfg(feature = "server")]
    pub(crate) fn into_json(self) -> Value {
        Value::Object(self.0)
    }

    fn with_value(self, name: &'static str, value: &str) -> Self {
        let mut end = value.len().min(MAX_VALUE_BYTES);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        let details = self.with(name, &value[..end]);
        if end < value.len() { details.with("truncated", true) } else { details }
    }
}

/// What an organization has subscribed to. All it decides is how long audit records are kept.
///
/// It is read in any case and written with a capital.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// assert_eq!("pro".parse::<ioenv::vault::Tier>()?.to_string(), "Pro");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tier {
    /// 7 days.
    Free,
    /// 90 days.
    Pro,
    /// 365 days. The default, so that nobody who runs a store of his own loses history by surprise.
    #[default]
    Team,
}

impl Tier {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Free, Self::Pro, Self::Team];

    /// The plan as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "Free",
            Self::Pro => "Pro",
            Self::Team => "Team",
        }
    }

    /// How long its audit records can be read.
    pub const fn retention(self) -> Retention {
        match self {
            Self::Free => Retention::days(7),
            Self::Pro => Retention::days(90),
            Self::Team => Retention::days(365),
        }
    }
}

impl FromStr for Tier {
    type Err = Error;

    /// # Errors
    /// `InvalidValue`.
    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|tier| tier.as_str().eq_ignore_ascii_case(text));
        found.copied().ok_or_else(|| Error::new(ErrorKind::InvalidValue, "a plan is one of Free, Pro and Team"))
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

serde_text!(Tier, "Free, Pro or Team");

/// How long audit records can be read.
///
/// ```
/// assert_eq!(ioenv::vault::Tier::Free.retention().period().as_secs(), 7 * 24 * 60 * 60);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Retention(Duration);

impl Retention {
    /// A number of days of 24 hours.
    pub const fn days(days: u32) -> Self {
        Self(Duration::from_secs(days as u64 * 86_400))
    }

    /// How long it is.
    pub const fn period(self) -> Duration {
        self.0
    }

    /// Whether a record of that time can be read now: up to the period's last millisecond, and also when it is from
    /// the future, because a clock went back.
    pub(crate) fn is_visible(self, timestamp: Timestamp, now: Timestamp) -> bool {
        timestamp >= self.oldest_visible(now)
    }

    /// The earliest time of a record that can be read now; what is older can be removed for good.
    pub(crate) fn oldest_visible(self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.0).unwrap_or(Timestamp::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(details: Details) -> Value {
        serde_json::to_value(details).unwrap()
    }

    #[test]
    fn a_record_is_visible_up_to_the_last_millisecond() {
        let written: Timestamp = "2031-02-03T04:05:06.789Z".parse().unwrap();
        for (tier, seconds) in [(Tier::Free, 604_800), (Tier::Pro, 7_776_000), (Tier::Team, 31_536_000)] {
            let retention = tier.retention();
            assert_eq!(retention.period().as_secs(), seconds);
            let end = written.as_millis() + seconds.cast_signed() * 1000;
            for (now, is_visible) in [(end - 1, true), (end, true), (end + 1, false)] {
                let now = Timestamp::from_millis(now).unwrap();
                assert_eq!(retention.is_visible(written, now), is_visible, "{tier} at {now}");
            }
            assert!(retention.is_visible(written, Timestamp::MIN), "from the future");
            assert!(retention.is_visible(Timestamp::MIN, Timestamp::MIN));
        }
    }

    #[test]
    fn plans_are_read_in_any_case() {
        assert_eq!(Tier::default(), Tier::Team);
        for (text, tier) in [("free", Tier::Free), ("PRO", Tier::Pro), ("Team", Tier::Team)] {
            assert_eq!(text.parse::<Tier>().unwrap(), tier);
            assert_eq!(serde_json::from_str::<Tier>(&format!("\"{text}\"")).unwrap(), tier);
        }
        assert_eq!(serde_json::to_string(&Tier::Pro).unwrap(), "\"Pro\"");
        for bad in ["", "Free ", "enterprise"] {
            assert_eq!(bad.parse::<Tier>().unwrap_err().kind(), ErrorKind::InvalidValue);
        }
    }

    #[test]
    fn a_record_has_the_members_that_are_promised() {
        let id = |text: &str| Id::parse(text).unwrap();
        let organization = id("01ARZ3NDEKTSV4RRFFQ69G5FAV");
        let mut resource = Resource::new(ResourceKind::Secret, organization.into());
        resource.project = Some(id("01BX5ZZKBKACTAV9WEVGEMMVRY").into());
        resource.environment = Some(id("01BX5ZZKBKACTAV9WEVGEMMVRZ").into());
        resource.path = Some(LevelPath::new("acme-store/production").unwrap());
        resource.key = Some(VarName::new("DB_PASSWORD").unwrap());
        let record = AuditRecord {
            id: id("01BX5ZZKBKACTAV9WEVGEMMVS0").into(),
            timestamp: "2031-02-03T04:05:06.789Z".parse().unwrap(),
            actor: AuditActor {
                kind: ActorKind::Token,
                id: Some(id("01BX5ZZKBKACTAV9WEVGEMMVS1")),
                name: Some("ci deploy".to_owned()),
            },
            ip: Some("203.0.113.7".parse().unwrap()),
            action: Action::Update,
            resource,
            details: Details::secret_changed(),
        };
        let written = serde_json::to_value(&record).unwrap();
        let expected = json!({
            "id": "01BX5ZZKBKACTAV9WEVGEMMVS0",
            "timestamp": "2031-02-03T04:05:06.789Z",
            "actor": { "type": "token", "id": "01BX5ZZKBKACTAV9WEVGEMMVS1", "name": "ci deploy" },
            "ip": "203.0.113.7",
            "action": "update",
            "resource": {
                "type": "secret",
                "orgId": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
                "projectId": "01BX5ZZKBKACTAV9WEVGEMMVRY",
                "envId": "01BX5ZZKBKACTAV9WEVGEMMVRZ",
                "path": "acme-store/production",
                "key": "DB_PASSWORD"
            },
            "details": { "changed": ["value"] }
        });
        assert_eq!(written, expected);
        assert_eq!(serde_json::from_value::<AuditRecord>(written).unwrap(), record);

        let system = AuditRecord { actor: AuditActor::SYSTEM, ip: Some("2001:db8:0:0::7".parse().unwrap()), ..record };
        let written = serde_json::to_value(&system).unwrap();
        assert_eq!(written["actor"], json!({ "type": "system", "id": null, "name": null }));
        assert_eq!(written["ip"], "2001:db8::7");
        assert_eq!(serde_json::to_value(AuditRecord { ip: None, ..system }).unwrap()["ip"], Value::Null);
    }

    #[test]
    fn details_say_what_each_operation_may_say() {
        for (details, expected) in [
            (Details::variable_created("a"), json!({ "newValue": "a" })),
            (Details::variable_created(""), json!({ "newValue": "" })),
            (Details::variable_updated("a", "b"), json!({ "oldValue": "a", "newValue": "b", "changed": ["value"] })),
            (Details::variable_updated("a", "a"), json!({ "oldValue": "a", "newValue": "a", "changed": [] })),
            (Details::variable_deleted("a"), json!({ "oldValue": "a" })),
            (Details::secret_changed(), json!({ "changed": ["value"] })),
            (
                Details::kind_changed(Kind::Secret, Kind::Variable),
                json!({ "kind": { "from": "secret", "to": "variable" }, "changed": ["kind", "value"] }),
            ),
        ] {
            assert_eq!(json(details), expected);
        }
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let cut = |value: &str| json(Details::variable_created(value));
        assert_eq!(cut(&"a".repeat(4096)), json!({ "newValue": "a".repeat(4096) }));
        assert_eq!(cut(&"a".repeat(4097)), json!({ "newValue": "a".repeat(4096), "truncated": true }));
        let value = format!("{}€€", "a".repeat(4094));
        assert_eq!(cut(&value), json!({ "newValue": "a".repeat(4094), "truncated": true }));
        // Only one of the two is too long.
        let details = json(Details::variable_updated(&value, "b"));
        assert_eq!((&details["truncated"], &details["newValue"]), (&json!(true), &json!("b")));
    }

    #[test]
    fn two_hundred_names_are_repeated() {
        let names: Vec<VarName> = (0..201).map(|at| VarName::new(&format!("N{at}")).unwrap()).collect();
        let listed = json(Details::read("list", &names[..200]));
        assert_eq!((&listed["op"], &listed["count"]), (&json!("list"), &json!(200)));
        assert_eq!((listed["keys"].as_array().unwrap().len(), listed.get("truncated")), (200, None));
        let listed = json(Details::read("export", &names));
        assert_eq!((&listed["op"], &listed["count"]), (&json!("export"), &json!(201)));
        assert_eq!((listed["keys"].as_array().unwrap().len(), &listed["truncated"]), (200, &json!(true)));
        assert_eq!(json(Details::read("list", &[] as &[VarName])), json!({ "op": "list", "count": 0, "keys": [] }));
    }

    #[test]
    fn scrubbing_takes_every_value_and_nothing_else() {
        let mut details = Details::variable_updated("planted", &"planted".repeat(1000));
        assert!(details.scrub());
        assert!(!details.scrub());
        let redacted = json!({ "redacted": true });
        assert_eq!(
            json(details),
            json!({ "oldValue": redacted, "newValue": redacted, "changed": ["value"], "truncated": true })
        );
        let mut details = Details::secret_changed();
        assert!(!details.scrub());
    }
}
