//! Stashbase: `/v1/…`.

#![expect(clippy::option_option, reason = "what is `null` is something else than what is absent")]

mod change;
mod environment;
mod identity;
mod project;
mod secret;
mod webhook;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

pub(crate) use self::change::{Change, Changes, Deleted, New, Renamed, Reverted, Updated, User};
pub(crate) use self::environment::{
    Environment, EnvironmentUpdate, IncludedEnvironment, KeyEnvironment, NamedProject, NewEnvironment,
};
pub(crate) use self::identity::{
    AccountIdentity, EnvironmentName, Identity, ProjectName, ServiceAccess, ServiceIdentity, UserIdentity, Workspace,
    WorkspaceAccess, WorkspaceOfUser,
};
pub(crate) use self::project::{NewProject, Project, ProjectUpdate};
pub(crate) use self::secret::{
    Compared, Created, DeletedAll, Deletions, FoundByName, FoundByValue, FoundIn, Loaded, Metadata, MetadataList,
    NewSecret, Secret, SecretUpdate, Set, Updates,
};
pub(crate) use self::webhook::{Listed, Log, NewWebhook, SigningSecret, Status, Tested, Webhook, WebhookUpdate};

/// The body of every refusal.
#[derive(Serialize)]
pub(crate) struct Refusal<'a> {
    pub(crate) error: Error<'a>,
}

#[derive(Serialize)]
pub(crate) struct Error<'a> {
    pub(crate) code: &'a str,
    pub(crate) message: &'a str,
    pub(crate) details: &'a Map<String, Value>,
}

/// A part of a long list.
#[derive(Serialize)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    pub(crate) pagination: Pagination,
}

#[derive(Serialize)]
pub(crate) struct Pagination {
    pub(crate) page: usize,
    pub(crate) page_size: usize,
    pub(crate) total_items: usize,
    pub(crate) total_pages: usize,
    pub(crate) next_page: Option<usize>,
    pub(crate) prev_page: Option<usize>,
}

/// Tells a member that is `null` from one that is not there.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
