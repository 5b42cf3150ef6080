//! The pure core: names, documents, inheritance, blobs and keys.
//!
//! Nothing here touches a file, a socket, the process environment, a clock, a thread or a random source of its own;
//! what it needs of those comes in through the traits `Clock` and [`Random`]. So every rule can be tested by value.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod aes_key;
#[cfg(feature = "vault")]
mod audit;
mod blob;
mod cipher;
#[cfg(feature = "vault")]
mod clock;
#[cfg(feature = "vault")]
mod custody;
#[cfg(feature = "vault")]
mod delivery_error;
mod document;
mod dotenv;
#[cfg(feature = "vault")]
mod environment_name;
#[cfg(feature = "vault")]
mod id;
#[cfg(feature = "vault")]
mod ip_range;
mod key;
mod key_ring;
mod merge;
mod name;
#[cfg(feature = "vault")]
mod organization_status;
mod path;
#[cfg(feature = "vault")]
mod permission;
mod random;
#[cfg(feature = "vault")]
mod role;
mod secret;
#[cfg(feature = "vault")]
mod secret_format;
#[cfg(feature = "vault")]
mod serde_text;
#[cfg(feature = "vault")]
mod token;
#[cfg(feature = "vault")]
mod version_action;
#[cfg(feature = "vault")]
mod webhook;
#[cfg(feature = "vault")]
mod wrap;

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
#[cfg(feature = "vault")]
pub use delivery_error::DeliveryError;
pub use document::{Changes, Document, Entry, Kind};
pub use dotenv::{Unresolved, expand};
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
pub use key::{KeyDerivation, KeyProof, KeyString, LevelKey, Padded, Pbkdf2};
pub use key_ring::KeyRing;
pub use merge::{Layer, Origin, Resolved, Variable, merge};
pub use name::{Slug, VarName};
#[cfg(feature = "vault")]
pub use organization_status::OrganizationStatus;
pub use path::LevelPath;
#[cfg(feature = "vault")]
pub use permission::{Permission, PermissionSet, Vocabulary};
pub use random::Random;
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
pub use token::{Sha256Hasher, Token, TokenFormat, TokenHash, TokenHasher};
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

/// Largest value of a variable, in bytes of UTF-8. Linux holds `NAME=value` to 128 KiB.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

/// Largest document or sealed file, in bytes.
pub const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;
