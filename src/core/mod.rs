//! The pure core: names, documents, inheritance, blobs and keys.
//!
//! Nothing here touches a file, a socket, the process environment, a clock, a thread or a random source of its own;
//! what it needs of those comes in through the traits `Clock` and [`Random`]. So every rule can be tested by value.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub(crate) mod aes_key;
#[cfg(feature = "vault")]
pub(crate) mod audit;
pub(crate) mod blob;
pub(crate) mod cipher;
#[cfg(feature = "vault")]
pub(crate) mod clock;
#[cfg(feature = "vault")]
pub(crate) mod custody;
#[cfg(any(feature = "http", feature = "vault"))]
pub(crate) mod delivery_error;
pub(crate) mod document;
pub(crate) mod dotenv;
pub(crate) mod dotenv_cloud;
#[cfg(feature = "vault")]
pub(crate) mod environment_name;
#[cfg(feature = "vault")]
pub(crate) mod id;
#[cfg(feature = "vault")]
pub(crate) mod ip_range;
pub(crate) mod key;
pub(crate) mod key_ring;
pub(crate) mod limits;
pub(crate) mod merge;
#[cfg(feature = "vault")]
pub(crate) mod metadata;
pub(crate) mod name;
#[cfg(any(feature = "sealed", feature = "vault"))]
pub(crate) mod opening;
#[cfg(feature = "vault")]
pub(crate) mod organization_status;
pub(crate) mod path;
#[cfg(feature = "vault")]
pub(crate) mod permission;
pub(crate) mod random;
#[cfg(feature = "vault")]
pub(crate) mod refusal;
#[cfg(feature = "vault")]
pub(crate) mod role;
pub(crate) mod secret;
#[cfg(feature = "vault")]
pub(crate) mod secret_format;
pub(crate) mod secret_text;
pub(crate) mod serde_text;
pub(crate) mod source;
#[cfg(feature = "vault")]
pub(crate) mod token;
#[cfg(feature = "vault")]
pub(crate) mod version_action;
#[cfg(feature = "vault")]
pub(crate) mod webhook;
pub(crate) mod words;
#[cfg(feature = "vault")]
pub(crate) mod wrap;

#[cfg(feature = "vault")]
pub(crate) use aes_key::AesKey;
#[cfg(feature = "vault")]
pub use audit::{Action, ActorKind, AuditActor, AuditRecord, Details, Resource, ResourceKind, Retention, Tier};
pub use blob::SealedBlob;
pub use cipher::{Aes256Gcm, Cipher};
#[cfg(feature = "vault")]
pub use clock::{Clock, Timestamp};
#[cfg(feature = "vault")]
pub use custody::Custody;
#[cfg(any(feature = "http", feature = "vault"))]
pub use delivery_error::DeliveryError;
pub use document::{Changes, Document, Entry, Kind};
#[cfg(feature = "server")]
pub(crate) use dotenv::expand::References;
pub use dotenv::expand::{Dialect, Expansion, Unresolved, expand};
#[cfg(feature = "vault")]
pub use environment_name::EnvironmentName;
#[cfg(feature = "vault")]
pub use id::{
    AccountId, AuditRecordId, EnvironmentId, EventId, Id, IntegrationId, IntegrationRunId, InvitationId, LevelId,
    OrganizationId, PersonalKeyId, ProjectId, RoleId, ServiceAccountId, ServiceKeyId, TargetId, TeamId, TokenId,
    UserId, WebhookId, WebhookLogId,
};
#[cfg(feature = "vault")]
pub use ip_range::IpRange;
pub use key::{KeyDerivation, KeyString, LevelKey, Pbkdf2};
pub use key_ring::KeyRing;
pub use limits::{MAX_FILE_BYTES, MAX_VALUE_BYTES};
pub use merge::{Layer, Origin, Resolved, Variable, merge};
#[cfg(feature = "vault")]
pub use metadata::Metadata;
pub use name::{Slug, VarName};
#[cfg(feature = "vault")]
pub use organization_status::OrganizationStatus;
pub use path::LevelPath;
#[cfg(feature = "vault")]
pub use permission::{Permission, PermissionSet, Vocabulary};
pub use random::Random;
#[cfg(feature = "vault")]
pub use refusal::Refusal;
#[cfg(feature = "vault")]
pub use role::{
    CloudRole, EnvironmentRole, GrantRole, MemberRole, OrganizationRole, PersonalKeyLevel, ProjectRole, TokenPreset,
    WorkspaceRole,
};
pub use secret::{SecretBytes, SecretString};
#[cfg(feature = "vault")]
pub use secret_format::SecretFormat;
#[cfg(feature = "vault")]
pub(crate) use serde_text::serde_text;
#[cfg(feature = "vault")]
pub use token::{Sha256Hasher, Token, TokenFormat, TokenHash, TokenHasher, TokenStyle};
#[cfg(feature = "vault")]
pub use version_action::VersionAction;
#[cfg(feature = "vault")]
pub(crate) use webhook::{
    Environment as EventEnvironment, EventBody, EventData, Project as EventProject, Workspace as EventWorkspace,
    new_signing_secret,
};
#[cfg(feature = "vault")]
pub use webhook::{Event, VerifyError, sign, verify};
#[cfg(feature = "vault")]
pub use wrap::RootKey;
#[cfg(feature = "vault")]
pub(crate) use wrap::{Context, Sealed, unwrap, unwrap_key, wrap, wrap_key};
