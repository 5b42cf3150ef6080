//! Under which key each record lies. Keys are readable, so that an operator can find a record; ids in them are ULIDs,
//! so that what was made later stands later.

use crate::core::Id;
use crate::store::KeyRange;

/// What kind of vault this is, and the check of its root key.
pub(super) const VAULT: &str = "vault";

pub(super) fn organization(id: Id) -> String {
    format!("organization/{id}")
}

pub(super) fn organizations() -> KeyRange {
    KeyRange::prefix("organization/")
}

pub(super) fn organization_slug(slug: &str) -> String {
    format!("organization-slug/{slug}")
}

pub(super) fn organization_key(id: Id, version: u32) -> String {
    format!("organization-key/{id}/{version:010}")
}

pub(super) fn project(organization: Id, slug: &str) -> String {
    format!("project/{organization}/{slug}")
}

pub(super) fn projects(organization: Id) -> KeyRange {
    KeyRange::prefix(format!("project/{organization}/"))
}

pub(super) fn project_id(id: Id) -> String {
    format!("project-id/{id}")
}

pub(super) fn project_number(organization: Id, number: u32) -> String {
    format!("project-number/{organization}/{number:010}")
}

/// A target or an environment; `path` is what follows the project's slug.
pub(super) fn node(project: Id, path: &str) -> String {
    format!("node/{project}/{path}")
}

/// All that lies below a project (`""`) or below one of its targets (`"backend/"`).
pub(super) fn nodes(project: Id, below: &str) -> KeyRange {
    KeyRange::prefix(format!("node/{project}/{below}"))
}

pub(super) fn node_id(id: Id) -> String {
    format!("node-id/{id}")
}

pub(super) fn storage_key(project: Id, version: u32) -> String {
    format!("storage-key/{project}/{version:010}")
}

pub(super) fn storage_keys(project: Id) -> KeyRange {
    KeyRange::prefix(format!("storage-key/{project}/"))
}

/// A key that blobs are sealed with.
pub(super) fn data_key(project: Id, version: u32) -> String {
    format!("key/{project}/{version:010}")
}

pub(super) fn data_keys(project: Id) -> KeyRange {
    KeyRange::prefix(format!("key/{project}/"))
}

/// How many contents a project has had.
pub(super) fn counter(project: Id) -> String {
    format!("counter/{project}")
}

pub(super) fn level(project: Id, node: Id) -> String {
    format!("level/{project}/{node}")
}

pub(super) fn levels(project: Id) -> KeyRange {
    KeyRange::prefix(format!("level/{project}/"))
}

/// From which number on it is known when entries of a level changed, if that was ever forgotten.
pub(super) fn floor(project: Id, node: Id) -> String {
    format!("floor/{project}/{node}")
}

pub(super) fn floors(project: Id) -> KeyRange {
    KeyRange::prefix(format!("floor/{project}/"))
}

/// When the entries of a level were last read.
pub(super) fn access(project: Id, node: Id) -> String {
    format!("access/{project}/{node}")
}

pub(super) fn accesses(project: Id) -> KeyRange {
    KeyRange::prefix(format!("access/{project}/"))
}

/// What is told of a former content without opening it.
pub(super) fn version(project: Id, node: Id, number: u32) -> String {
    format!("version/{project}/{node}/{number:010}")
}

pub(super) fn versions(project: Id, node: Id) -> KeyRange {
    KeyRange::prefix(format!("version/{project}/{node}/"))
}

pub(super) fn project_versions(project: Id) -> KeyRange {
    KeyRange::prefix(format!("version/{project}/"))
}

/// A content of a level, present or former.
pub(super) fn content(project: Id, number: u32) -> String {
    format!("content/{project}/{number:010}")
}

pub(super) fn contents(project: Id) -> KeyRange {
    KeyRange::prefix(format!("content/{project}/"))
}

/// A token's record, under the hash of the token.
pub(super) fn token(hash: &str) -> String {
    format!("token/{hash}")
}

pub(super) fn token_id(organization: Id, id: Id) -> String {
    format!("token-id/{organization}/{id}")
}

pub(super) fn token_ids(organization: Id) -> KeyRange {
    KeyRange::prefix(format!("token-id/{organization}/"))
}

pub(super) fn user(id: Id) -> String {
    format!("user/{id}")
}

/// What a user is in an organization.
pub(super) fn member(organization: Id, user: Id) -> String {
    format!("member/{organization}/{user}")
}

/// A role that an organization made.
pub(super) fn role(organization: Id, id: Id) -> String {
    format!("role/{organization}/{id}")
}

/// What was granted to a user or a team in a project.
pub(super) fn grant(project: Id, subject: Id) -> String {
    format!("grant/{project}/{subject}")
}

/// The accounts of an environment.
pub(super) fn accounts(project: Id, node: Id) -> KeyRange {
    KeyRange::prefix(format!("account/{project}/{node}/"))
}

/// The webhooks of an environment.
pub(super) fn webhooks(project: Id, node: Id) -> KeyRange {
    KeyRange::prefix(format!("webhook/{project}/{node}/"))
}

/// The integrations an environment is mapped in.
pub(super) fn environment_integrations(project: Id, node: Id) -> KeyRange {
    KeyRange::prefix(format!("environment-integration/{project}/{node}/"))
}

pub(super) fn audit(organization: Id, id: Id) -> String {
    format!("audit/{organization}/{id}")
}

pub(super) fn audits(organization: Id) -> KeyRange {
    KeyRange::prefix(format!("audit/{organization}/"))
}

/// The id of an audit record, among those that share `value`.
pub(super) fn audit_by(index: &str, organization: Id, value: &str, id: Id) -> String {
    format!("audit-{index}/{organization}/{value}/{id}")
}

pub(super) fn audits_by(index: &str, organization: Id, value: &str) -> KeyRange {
    KeyRange::prefix(format!("audit-{index}/{organization}/{value}/"))
}
