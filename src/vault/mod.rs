//! The engine: an in-process secrets service over a [`Store`](crate::store::Store).
//!
//! ```
//! # fn main() -> ioenv::Result<()> {
//! use ioenv::vault::{Actor, At, LevelScope, NewOrganization, NewProject, RootKey, Vault};
//! use ioenv::{Document, SystemRandom, store::Memory};
//!
//! let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
//! let session = vault.session(Actor::system("setup"));
//! let acme = session.create_organization(&NewOrganization::new("Acme"))?.id;
//! session.create_project(acme, &NewProject::new("acme-store"))?;
//! session.set_document(At::Path(acme, &"acme-store".parse()?), &Document::parse("PORT=8080\n")?)?;
//! let env = session.read_level(At::Path(acme, &"acme-store".parse()?), LevelScope::Chain)?.resolve();
//! assert_eq!(env.get("PORT").unwrap().value().expose_secret(), "8080");
//! # Ok(())
//! # }
//! ```
//!
//! A [`Vault`] is shared between threads and used through [`Session`]s, one for each actor. Every call is one
//! transaction: it finds out who asks, whether that actor may, finds what is meant, checks what is asked, changes it and
//! records it in the audit log, or does nothing at all. `docs/vault.md` has the whole model.

mod access;
mod account;
mod audit;
mod audit_index;
mod audit_names;
mod authenticate;
mod authenticated_record;
mod check;
mod confirmation;
mod content;
#[cfg(feature = "server")]
mod counts;
mod created_by;
#[cfg(feature = "sealed")]
mod declare;
mod delegation;
mod deleted;
mod diff;
pub(crate) mod engine;
mod entries;
mod entry;
mod envelope;
mod environment;
mod given_id;
mod grant;
mod grantee;
mod identity;
mod index_check;
pub(crate) mod integration;
pub(crate) mod integration_run;
mod invitation;
mod iv_index;
mod job_kind;
mod key;
mod key_cache;
mod keys;
mod level;
#[cfg(feature = "server")]
mod listing;
mod locate;
#[cfg(feature = "server")]
mod lookup;
#[cfg(test)]
#[cfg(all(feature = "sealed", feature = "server"))]
mod lookup_tests;
mod member;
mod name;
mod node;
mod operation;
mod organization;
pub(crate) mod outbound_limit;
#[cfg(feature = "server")]
mod own_key;
mod page;
mod pending;
mod personal_key;
pub(crate) mod place;
mod principal;
mod project;
pub(crate) mod provider;
pub(crate) mod queue;
mod read_level;
mod records;
mod rights;
mod role;
mod scan;
mod sealed_record_kind;
mod sealed_records;
mod service_account;
mod service_key;
pub(crate) mod session;
pub(crate) mod setters;
mod slug;
pub(crate) mod source;
mod statistics;
pub(crate) mod sync_target;
mod target;
mod team;
mod token;
mod use_case;
mod user;
mod version;
pub(crate) mod webhook;
mod write_level;

// The vault, and who does what in it.
pub use self::engine::{Vault, VaultOptions};
pub use self::session::{Actor, Session};
pub use self::source::VaultSource;
pub use self::use_case::UseCase;
pub use crate::core::refusal::Refusal;
pub use crate::core::wrap::RootKey;

// Ids.
pub use crate::core::id::{
    AccountId, AuditRecordId, EnvironmentId, EventId, Id, IntegrationId, IntegrationRunId, InvitationId, LevelId,
    OrganizationId, PersonalKeyId, ProjectId, RoleId, ServiceAccountId, ServiceKeyId, TargetId, TeamId, TokenId,
    UserId, WebhookId, WebhookLogId,
};

// Organizations, projects, targets and environments.
pub use self::confirmation::Confirmation;
pub use self::environment::{Environment, EnvironmentUpdate, NewEnvironment};
pub use self::organization::{NewOrganization, Organization, OrganizationUpdate};
pub use self::page::{Page, Paging};
pub use self::place::At;
pub use self::project::{NewProject, Project, ProjectUpdate};
pub use self::slug::SlugRule;
pub use self::statistics::Statistics;
pub use self::target::{NewTarget, Target, TargetUpdate};
pub use crate::core::audit::Tier;
pub use crate::core::custody::Custody;
pub use crate::core::environment_name::EnvironmentName;
pub use crate::core::metadata::Metadata;
pub use crate::core::organization_status::OrganizationStatus;
pub use crate::core::secret_format::SecretFormat;

// What was deleted.
pub use self::deleted::Deleted;

// Levels and their entries.
pub use self::check::{DamagedRecord, IntegrityReport};
pub use self::content::MAX_BLOB_BYTES;
pub use self::entry::{
    CreatedEntries, DeletedEntries, Entries, EntryMetadata, EntryPrecondition, EntryScope, EntryUpdate, FoundEntry,
    NewEntry, Search, SetEntries, SetEntry, StoredEntry, UpdatedEntries,
};
pub use self::level::{Blob, Blobs, NewBlob};
pub use self::read_level::{LevelContent, LevelScope};
pub use self::sealed_record_kind::SealedRecordKind;
pub use crate::core::custody::OpenedLevel;

// Versions.
pub use self::version::{Change, ChangedEntry, PurgeScope, Restore, Version, VersionContent};
pub use crate::core::version_action::VersionAction;

// Keys.
pub use self::key::{
    ClientRotation, HistoryPolicy, KeyInfo, NewKey, PendingVersion, PendingVersions, ProjectKey, Reencrypted,
    RotationStep,
};

// Tokens.
pub use self::token::{IssuedToken, NewToken, TokenInfo, TokenUpdate};
pub use crate::core::token::{Sha256Hasher, Token, TokenFormat, TokenHash, TokenHasher, TokenStyle};

// Accounts and keys.
pub use self::account::{Account, IssuedAccount, NewAccount};
pub use self::identity::{
    AccountIdentity, Identity, MembershipIdentity, Named, ServiceAccountIdentity, TokenIdentity, UserIdentity,
};
pub use self::personal_key::{IssuedPersonalKey, NewPersonalKey, PersonalKey};
pub use self::service_account::{NewServiceAccount, ServiceAccount, ServiceAccountUpdate};
pub use self::service_key::{IssuedServiceKey, NewServiceKey, ServiceKey};
pub use crate::core::ip_range::IpRange;

// Users and members.
pub use self::grant::Grant;
pub use self::grantee::Grantee;
pub use self::invitation::{Invitation, IssuedInvitation, NewInvitation};
pub use self::member::{Member, MemberUpdate, NewMember};
pub use self::role::{NewRole, Role, RoleUpdate};
pub use self::team::{NewTeam, Team, TeamUpdate};
pub use self::user::{NewUser, User, UserUpdate};

// Webhooks.
pub use self::webhook::{CreatedWebhook, NewWebhook, Webhook, WebhookLog, WebhookUpdate};

// Copies of secrets at other services.
pub use self::integration::{Integration, IntegrationUpdate, Mapping, NewIntegration};
pub use self::integration_run::IntegrationRun;
pub use self::provider::Provider;
pub use self::sync_target::{Applied, Desired, DesiredEntry, SyncAction, SyncChange, SyncPlace, SyncPlan, SyncTarget};

// Permissions and roles.
pub use crate::core::permission::{Permission, PermissionSet, Vocabulary};
pub use crate::core::role::{
    CloudRole, EnvironmentRole, GrantRole, MemberRole, OrganizationRole, PersonalKeyLevel, ProjectRole, TokenPreset,
    WorkspaceRole,
};

// The audit log.
pub use self::audit::AuditFilter;
pub use crate::core::audit::{Action, ActorKind, AuditActor, AuditRecord, Details, Resource, ResourceKind, Retention};

// Declarations.
#[cfg(feature = "sealed")]
pub use self::declare::{Declaration, Step, StepAction, StepKind};

// Time.
pub use crate::core::clock::{Clock, Timestamp};
pub use crate::system::SystemClock;

// For the server.
#[cfg(feature = "server")]
pub(crate) use self::counts::{Counts, LevelSummary, ProjectSummary};
#[cfg(feature = "server")]
pub(crate) use self::lookup::{IdOrSlug, LocatedEnvironment, LocatedProject};
#[cfg(feature = "server")]
pub(crate) use self::own_key::{KeyOwner, OwnKey};
