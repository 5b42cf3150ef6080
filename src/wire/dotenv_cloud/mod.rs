//! dotenv.cloud: `/api/v1/…`. Members stand in the order in which the service sends them.

mod api_key;
mod audit;
mod environment;
mod key;
mod member;
mod organization;
mod project;
mod secret;
mod target;
mod user;
mod version;

use serde::Serialize;

pub(crate) use self::api_key::{ApiKey, ApiKeyCreated, ApiKeyRotated, NewApiKey, RotatedApiKey, Scope};
pub(crate) use self::audit::{AuditActor, AuditLog, AuditRecord, AuditResource, CursorMeta};
pub(crate) use self::environment::Environment;
pub(crate) use self::key::{
    ClientRotated, Count, CustodyChanged, Derivation, DescribedKey, KeyDescriptor, KeyDocument, KeyEntry, Pending,
    PendingVersion, Reencrypted, Remaining, Rotated, RotatedKey,
};
pub(crate) use self::member::{Invitation, Member};
pub(crate) use self::organization::Organization;
pub(crate) use self::project::Project;
pub(crate) use self::secret::{
    Hierarchy, Merged, Restoration, SecretLevel, SecretLevels, Secrets, SecretsAttributes, SecretsData, SecretsMeta,
    Stored,
};
pub(crate) use self::target::Target;
pub(crate) use self::user::{Me, OwnOrganization, Principal};
pub(crate) use self::version::{Purged, VersionAttributes, VersionAuthor, VersionMetadata, VersionWithContent};

/// Something of a kind, with an id.
#[derive(Debug, Serialize)]
pub(crate) struct Resource<A> {
    pub(crate) r#type: &'static str,
    pub(crate) id: String,
    pub(crate) attributes: A,
}

/// One of something.
#[derive(Debug, Serialize)]
pub(crate) struct Single<T> {
    pub(crate) data: T,
}

/// The same, with a sentence about what was done.
#[derive(Debug, Serialize)]
pub(crate) struct Done<T> {
    pub(crate) data: T,
    pub(crate) message: &'static str,
}

/// Several of something, perhaps a page of them.
#[derive(Debug, Serialize)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
    pub(crate) meta: PageMeta,
}

/// Which part of a list this is.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct PageMeta {
    pub(crate) current_page: usize,
    pub(crate) last_page: usize,
    pub(crate) per_page: usize,
    pub(crate) total: usize,
}
