//! What is stored, as it is stored. These shapes are a format: a field may be added with a default, none may change.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::grantee::Grantee;
use super::integration_run::IntegrationRun;
use crate::core::audit::{ActorKind, AuditActor, AuditRecord, Tier};
use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::core::delivery_error::DeliveryError;
use crate::core::id::EnvironmentId;
use crate::core::id::EventId;
use crate::core::id::Id;
use crate::core::id::IntegrationId;
use crate::core::id::InvitationId;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::id::RoleId;
use crate::core::id::ServiceAccountId;
use crate::core::id::TargetId;
use crate::core::id::TeamId;
use crate::core::id::UserId;
use crate::core::id::WebhookId;
use crate::core::id::WebhookLogId;
use crate::core::ip_range::IpRange;
use crate::core::organization_status::OrganizationStatus;
use crate::core::path::LevelPath;
use crate::core::permission::PermissionSet;
use crate::core::role::{GrantRole, MemberRole, PersonalKeyLevel};
use crate::core::secret_format::SecretFormat;
use crate::core::serde_text::serde_text;
use crate::core::token::TokenFormat;
use crate::core::version_action::VersionAction;
use crate::core::words::words;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Precondition, Transaction};
use crate::vault::provider::Provider;

#[derive(Serialize, Deserialize)]
pub(super) struct VaultRecord {
    /// Of these shapes.
    pub(super) schema: u32,
    pub(super) id: Id,
    pub(super) created_at: Timestamp,
    /// A known text under the root key.
    pub(super) check: Wrapped,
}

/// Bytes that were wrapped, as base64.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Wrapped(pub(super) Vec<u8>);

impl Serialize for Wrapped {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Wrapped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        BASE64.decode(&*text).map(Self).map_err(|_| serde::de::Error::custom("not base64"))
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct OrganizationRecord {
    pub(super) id: OrganizationId,
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) tier: Tier,
    pub(super) status: OrganizationStatus,
    /// Days that a version can be opened; 0 for ever.
    pub(super) version_retention_days: u32,
    /// Whether it was made with a user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_personal: bool,
    pub(super) key_version: u32,
    /// The number of the next project.
    pub(super) next_project: u32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

#[derive(Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each says a thing of its own")]
pub(super) struct ProjectRecord {
    pub(super) id: ProjectId,
    pub(super) organization: OrganizationId,
    /// Unique in the organization; upper half of the ids of versions.
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) description: Option<String>,
    /// A JSON object, as text: what a store makes of numbers and of the order of members is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) metadata: Option<String>,
    pub(super) secret_format: SecretFormat,
    /// Whether the previous content is kept when a level is written.
    pub(super) versioning: bool,
    /// Whether `_base`, `dev`, `staging` and `prod` are built in.
    pub(super) has_base: bool,
    pub(super) custody: Custody,
    /// The level key that is in use.
    pub(super) key_version: u32,
    /// The project DEK that new rows are wrapped with.
    pub(super) dek_version: u32,
    pub(super) rotation: Option<RotationRecord>,
    /// How often the level key has changed hands.
    #[serde(default)]
    pub(super) custody_changes: u32,
    /// Whether it may have webhooks; where it has none, a change looks for none.
    #[serde(default)]
    pub(super) has_webhooks: bool,
    /// Whether it may have integrations, likewise.
    #[serde(default)]
    pub(super) has_integrations: bool,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// A rotation that has not reached everything yet.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum RotationRecord {
    /// Versions are being sealed anew under the level key in use.
    History {
        /// The number of the last one that was looked at.
        after: u32,
        /// How many of these could not be opened.
        skipped: u64,
    },
    /// Rows are being wrapped anew under the project DEK in use.
    Dek {
        /// The key of the last one that was looked at.
        after: String,
    },
}

words! {
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(super) enum NodeKind: "a kind of level" {
        Target = "target",
        Environment = "environment",
    }
}

serde_text!(NodeKind, "a kind of level");

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct NodeRecord {
    pub(super) id: LevelId,
    pub(super) kind: NodeKind,
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) description: Option<String>,
    /// Of an environment: `production`, `staging`, `development`, `local` or a word of one's own.
    pub(super) status: Option<String>,
    pub(super) is_production: bool,
    pub(super) is_builtin: bool,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl NodeRecord {
    /// The id of the target that this is.
    pub(super) fn target_id(&self) -> TargetId {
        Id::from(self.id).into()
    }

    /// The id of the environment that this is.
    pub(super) fn environment_id(&self) -> EnvironmentId {
        Id::from(self.id).into()
    }
}

/// Where a project, target or environment of an id stands.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PlaceRecord {
    pub(super) organization: OrganizationId,
    pub(super) project: ProjectId,
    /// Of a project: its slug. Of a node: what follows the project's slug.
    pub(super) path: String,
}

/// What a level holds now.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct LevelRecord {
    /// The number of the content.
    pub(super) number: u32,
    /// When all of it was last read, as far as that is written down.
    pub(super) accessed_at: Option<Timestamp>,
    /// In server custody, the values of variables, in plaintext.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) variables: BTreeMap<String, String>,
}

/// One content of a level, present or former. It is written once, and stays as it is when it is displaced.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ContentRecord {
    pub(super) node: LevelId,
    pub(super) number: u32,
    /// The level key the blob is sealed with.
    pub(super) key_version: u32,
    /// The project DEK that both are wrapped with.
    pub(super) dek_version: u32,
    /// The blob's bytes.
    pub(super) blob: Wrapped,
    /// What is known of each entry beside its value, as JSON; in client custody none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) entries: Option<Wrapped>,
    pub(super) written_at: Timestamp,
    pub(super) written_by: AuditActor,
}

/// What is told of a version without opening it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct VersionRecord {
    pub(super) number: u32,
    /// What displaced it.
    pub(super) action: VersionAction,
    pub(super) key_version: u32,
    /// Of that key.
    pub(super) custody: Custody,
    /// Length of the blob's text.
    pub(super) bytes: u32,
    pub(super) written_at: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) created_by: AuditActor,
    /// The number of the state without any content that came after it, if the level was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) emptied_by: Option<u32>,
}

/// How many contents a project has had, and how often its level key was used. It is written with each content.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct CounterRecord {
    /// The number of the last content.
    pub(super) number: u32,
    /// The level key that `seals` counts for: the one that sealed last.
    pub(super) key_version: u32,
    /// How many blobs that key has sealed, as far as they were stored here.
    pub(super) seals: u64,
}

/// What an initialization vector was used for.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IvRecord {
    /// The level that got the blob.
    pub(super) node: LevelId,
    /// SHA-256 of the blob's bytes, in hexadecimal.
    pub(super) blob: String,
}

/// How many versions a project has, and how many of them are not under a former key.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct VersionCountRecord {
    pub(super) all: u64,
    /// The newest level key that a version is or was sealed with. A rotation does not change it: the key in use may be a
    /// newer one, with which no version is sealed then.
    pub(super) newest_key: u32,
    pub(super) under_newest_key: u64,
}

/// A key that blobs are or were sealed with.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeyRecord {
    pub(super) version: u32,
    pub(super) custody: Custody,
    /// None, for a key of the random scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) derivation: Option<DerivationRecord>,
    /// The text of the proof; wrapped, because for a key string of 32 bytes it is the level key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) check: Option<Wrapped>,
    pub(super) hint: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) rotated_at: Option<Timestamp>,
    /// In server custody, the key's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Wrapped>,
    /// In server custody, what was derived from it, so that it is derived once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Wrapped>,
    /// How many blobs it has sealed, once another key has taken its place.
    #[serde(default)]
    pub(super) seals: u64,
    pub(super) dek_version: u32,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct DerivationRecord {
    /// Base64.
    pub(super) salt: String,
    pub(super) iterations: u32,
}

/// A key that wraps others or rows, itself wrapped.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct WrappedKeyRecord {
    pub(super) version: u32,
    /// Of the key it is wrapped with.
    pub(super) wrapped_by: u32,
    pub(super) key: Wrapped,
    pub(super) created_at: Timestamp,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct TokenRecord {
    pub(super) id: Id,
    pub(super) organization: OrganizationId,
    pub(super) name: String,
    pub(super) format: TokenFormat,
    pub(super) hint: String,
    pub(super) permissions: PermissionSet,
    pub(super) scope: Option<ScopeRecord>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) revoked_at: Option<Timestamp>,
    pub(super) last_used_at: Option<Timestamp>,
    /// What was deleted and took the place along that the token is bound to. It works again once that is restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deleted_with: Option<LevelId>,
    #[serde(default)]
    pub(super) holder: HolderRecord,
    /// From where it may be used; from everywhere, where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) allow_list: Vec<IpRange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_by: Option<AuditActor>,
    /// Who rotated it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rotated_by: Option<AuditActor>,
}

/// Whose key a token is.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HolderRecord {
    /// Its own: an API token.
    #[default]
    Token,
    /// That of an account of the environment it is bound to, which has the same id.
    Account,
    /// A user's.
    User { user: UserId, level: PersonalKeyLevel },
    /// That of a service account, which says what it may do.
    ServiceAccount { account: ServiceAccountId },
}

/// A service account, which has keys.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ServiceAccountRecord {
    pub(super) id: ServiceAccountId,
    pub(super) organization: OrganizationId,
    pub(super) name: String,
    pub(super) permissions: PermissionSet,
    pub(super) allow_list: Vec<IpRange>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) created_by: AuditActor,
}

impl ServiceAccountRecord {
    pub(super) fn actor(&self) -> AuditActor {
        AuditActor { kind: ActorKind::Token, id: Some(self.id.into()), name: Some(self.name.clone()) }
    }
}

/// A person.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct UserRecord {
    pub(super) id: UserId,
    pub(super) name: String,
    pub(super) email: String,
    /// Those the user is a member of: never none.
    pub(super) organizations: Vec<OrganizationId>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl UserRecord {
    pub(super) fn actor(&self) -> AuditActor {
        AuditActor { kind: ActorKind::User, id: Some(self.id.into()), name: Some(self.name.clone()) }
    }
}

/// What a user is in an organization.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct MemberRecord {
    pub(super) user: UserId,
    pub(super) role: MemberRole,
    pub(super) teams: Vec<TeamId>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// A role that an organization made.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct RoleRecord {
    pub(super) id: RoleId,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) permissions: PermissionSet,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// A part of the members of an organization.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct TeamRecord {
    pub(super) id: TeamId,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// What is offered to whoever has an email address.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct InvitationRecord {
    pub(super) id: InvitationId,
    pub(super) organization: OrganizationId,
    pub(super) email: String,
    pub(super) role: MemberRole,
    pub(super) teams: Vec<TeamId>,
    pub(super) created_at: Timestamp,
    pub(super) created_by: AuditActor,
    pub(super) expires_at: Timestamp,
}

/// What was granted to a user or a team in a project.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct GrantRecord {
    pub(super) grantee: Grantee,
    pub(super) roles: Vec<GrantedRecord>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct GrantedRecord {
    /// An environment; none, for all of the project.
    pub(super) node: Option<LevelId>,
    pub(super) role: GrantRole,
    pub(super) created_at: Timestamp,
    pub(super) created_by: AuditActor,
}

/// What a token is bound to inside its organization.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ScopeRecord {
    pub(super) project: ProjectId,
    /// A target or an environment of it.
    pub(super) node: Option<LevelId>,
}

/// What was deleted and can be restored. What it holds stays where it is, under the ids it has.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct DeletedRecord {
    pub(super) id: LevelId,
    pub(super) organization: OrganizationId,
    pub(super) name: String,
    /// The path it had.
    pub(super) path: LevelPath,
    pub(super) what: DeletedThing,
    pub(super) deleted_at: Timestamp,
    pub(super) deleted_by: AuditActor,
    /// Whether it is being removed for good, step by step.
    #[serde(default)]
    pub(super) is_purged: bool,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DeletedThing {
    Project(Box<ProjectRecord>),
    Node {
        kind: NodeKind,
        project: ProjectId,
        /// What an environment stood below, if that was a target.
        target: Option<LevelId>,
    },
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct WebhookRecord {
    pub(super) id: WebhookId,
    pub(super) url: String,
    pub(super) enabled: bool,
    pub(super) description: Option<String>,
    /// The text of the signing secret.
    pub(super) secret: Wrapped,
    pub(super) dek_version: u32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// What became of one attempt to deliver to a webhook.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct WebhookLogRecord {
    pub(super) id: WebhookLogId,
    pub(super) event: EventId,
    pub(super) attempt: u32,
    pub(super) status: Option<u16>,
    pub(super) error: Option<DeliveryError>,
    pub(super) response_body: Option<String>,
    pub(super) processed_at: Timestamp,
}

/// A link of a project to another service.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct IntegrationRecord {
    pub(super) id: IntegrationId,
    pub(super) name: String,
    pub(super) provider: Provider,
    pub(super) settings: BTreeMap<String, String>,
    /// What the service calls each environment that is copied.
    pub(super) environments: BTreeMap<LevelId, String>,
    pub(super) enabled: bool,
    /// Why it was disabled, if nobody asked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) paused: Option<String>,
    pub(super) credentials: Wrapped,
    pub(super) dek_version: u32,
    pub(super) created_at: Timestamp,
    pub(super) created_by: AuditActor,
    pub(super) updated_at: Timestamp,
}

/// What an integration has done, and is doing.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct IntegrationStateRecord {
    /// Who is at work, and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) busy: Option<(Id, Timestamp)>,
    /// The last runs, oldest first.
    pub(super) runs: Vec<IntegrationRun>,
}

/// What an integration has written for an environment.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct WrittenRecord {
    pub(super) dek_version: u32,
    pub(super) written: Wrapped,
}

/// The value of a record that says everything with its key.
pub(super) const MARK: &str = "0";

/// What is stored without a MAC, because nothing in it decides who may do what. What does is an
/// [`AuthenticatedRecord`](super::authenticated_record::AuthenticatedRecord), which the functions below do not take.
pub(super) trait PlainRecord: Serialize + DeserializeOwned {}

macro_rules! plain_records {
    ($($record:ty),+ $(,)?) => { $(impl PlainRecord for $record {})+ };
}

plain_records! {
    AccessRecord, AuditRecord, ContentRecord, CounterRecord, IntegrationStateRecord, IvRecord, KeyRecord, LevelRecord,
    VaultRecord, VersionCountRecord, VersionRecord, WebhookLogRecord, WebhookRecord, WrappedKeyRecord, WrittenRecord,
    // The values of indexes, counters and marks.
    LevelId, OrganizationId, ProjectId, RoleId, String, TeamId, UserId, u32, usize, (),
}

/// Reads a record.
pub(super) fn get<T: PlainRecord>(tx: &mut dyn Transaction, key: &str) -> Result<Option<T>> {
    tx.get(key)?.map(|value| decode(&value)).transpose()
}

/// Reads a record that must be there, because another one says so.
pub(super) fn require<T: PlainRecord>(tx: &mut dyn Transaction, key: &str) -> Result<T> {
    get(tx, key)?.ok_or_else(damaged)
}

/// Writes a record.
pub(super) fn put<T: PlainRecord>(tx: &mut dyn Transaction, key: &str, record: &T, when: Precondition) -> Result<()> {
    tx.put(key, &encode(record)?, when)
}

pub(super) fn decode<T: PlainRecord>(value: &str) -> Result<T> {
    // The cause is left out: it would quote what it found.
    serde_json::from_str(value).map_err(|_| damaged())
}

pub(super) fn encode<T: PlainRecord>(record: &T) -> Result<String> {
    serde_json::to_string(record).map_err(|_| Error::new(ErrorKind::InvalidValue, "this cannot be stored as JSON"))
}

#[cold]
pub(super) fn damaged() -> Error {
    Error::new(
        ErrorKind::Corrupt,
        "a record of the vault is damaged or missing: run `ioenv vault check`, and restore a backup if it finds damage",
    )
}

/// When the entries of a level were last read one by one.
#[derive(Serialize, Deserialize)]
pub(super) struct AccessRecord {
    pub(super) dek_version: u32,
    pub(super) times: Wrapped,
}

/// The number in the last part of a key.
pub(super) fn number_in(key: &str) -> Result<u32> {
    key.rsplit('/').next().unwrap_or_default().parse().map_err(|_| damaged())
}

/// The ids in the last two parts of a key.
pub(super) fn last_two_ids<A: From<Id>, B: From<Id>>(key: &str) -> Result<(A, B)> {
    let above = key.rsplit_once('/').map_or("", |(above, _)| above);
    Ok((id_in(above)?, id_in(key)?))
}

/// The id in the last part of a key.
pub(super) fn id_in<T: From<Id>>(key: &str) -> Result<T> {
    Id::parse(key.rsplit('/').next().unwrap_or_default()).map(T::from).map_err(|_| damaged())
}
