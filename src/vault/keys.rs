//! Under which key each record lies. Keys are readable, so that an operator can find a record; ids in them are ULIDs,
//! so that what was made later stands later.

use super::grantee::Grantee;
use super::job_kind::JobKind;
use crate::core::clock::Timestamp;
use crate::core::id::AccountId;
use crate::core::id::AuditRecordId;
use crate::core::id::Id;
use crate::core::id::IntegrationId;
use crate::core::id::InvitationId;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::PersonalKeyId;
use crate::core::id::ProjectId;
use crate::core::id::RoleId;
use crate::core::id::ServiceAccountId;
use crate::core::id::ServiceKeyId;
use crate::core::id::TeamId;
use crate::core::id::UserId;
use crate::core::id::WebhookId;
use crate::core::id::WebhookLogId;
use crate::store::KeyRange;

/// What kind of vault this is, and the check of its root key.
pub(super) const VAULT: &str = "vault";

/// The range that holds only that record.
pub(super) fn vault() -> KeyRange {
    KeyRange { start: VAULT.to_owned(), end: Some(format!("{VAULT}\u{1}")) }
}

pub(super) fn organization(id: OrganizationId) -> String {
    format!("organization/{id}")
}

pub(super) fn organizations() -> KeyRange {
    KeyRange::prefix("organization/")
}

pub(super) fn organization_slug(slug: &str) -> String {
    format!("organization-slug/{slug}")
}

pub(super) fn organization_kek(id: OrganizationId, version: u32) -> String {
    format!("organization-kek/{id}/{version:010}")
}

pub(super) fn organization_keks(id: OrganizationId) -> KeyRange {
    KeyRange::prefix(format!("organization-kek/{id}/"))
}

pub(super) fn project(organization: OrganizationId, slug: &str) -> String {
    format!("project/{organization}/{slug}")
}

pub(super) fn projects(organization: OrganizationId) -> KeyRange {
    KeyRange::prefix(format!("project/{organization}/"))
}

pub(super) fn project_id(id: ProjectId) -> String {
    format!("project-id/{id}")
}

pub(super) fn project_number(organization: OrganizationId, number: u32) -> String {
    format!("project-number/{organization}/{number:010}")
}

/// The ids of all projects of an organization, those among them that were deleted and not purged yet.
pub(super) fn project_numbers(organization: OrganizationId) -> KeyRange {
    KeyRange::prefix(format!("project-number/{organization}/"))
}

/// A target or an environment; `path` is what follows the project's slug.
pub(super) fn node(project: ProjectId, path: &str) -> String {
    format!("node/{project}/{path}")
}

/// All that lies below a project (`""`) or below one of its targets (`"backend/"`).
pub(super) fn nodes(project: ProjectId, below: &str) -> KeyRange {
    KeyRange::prefix(format!("node/{project}/{below}"))
}

pub(super) fn node_id(id: LevelId) -> String {
    format!("node-id/{id}")
}

pub(super) fn project_dek(project: ProjectId, version: u32) -> String {
    format!("project-dek/{project}/{version:010}")
}

pub(super) fn project_deks(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("project-dek/{project}/"))
}

/// A key that blobs are sealed with.
pub(super) fn level_key(project: ProjectId, version: u32) -> String {
    format!("key/{project}/{version:010}")
}

pub(super) fn level_keys(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("key/{project}/"))
}

/// How many contents a project has had, and how many blobs were sealed with the level key in use.
pub(super) fn counter(project: ProjectId) -> String {
    format!("counter/{project}")
}

/// What an initialization vector was used for, which is given in hexadecimal.
pub(super) fn iv(project: ProjectId, iv: &str) -> String {
    format!("iv/{project}/{iv}")
}

/// All initialization vectors that were ever used in a project.
pub(super) fn ivs(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("iv/{project}/"))
}

pub(super) fn level(project: ProjectId, node: LevelId) -> String {
    format!("level/{project}/{node}")
}

pub(super) fn levels(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("level/{project}/"))
}

/// From which number on it is known when entries of a level changed, if that was ever forgotten.
pub(super) fn floor(project: ProjectId, node: LevelId) -> String {
    format!("floor/{project}/{node}")
}

pub(super) fn floors(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("floor/{project}/"))
}

/// When the entries of a level were last read.
pub(super) fn access(project: ProjectId, node: LevelId) -> String {
    format!("access/{project}/{node}")
}

pub(super) fn accesses(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("access/{project}/"))
}

/// What is told of a former content without opening it.
pub(super) fn version(project: ProjectId, node: LevelId, number: u32) -> String {
    format!("version/{project}/{node}/{number:010}")
}

pub(super) fn versions(project: ProjectId, node: LevelId) -> KeyRange {
    KeyRange::prefix(format!("version/{project}/{node}/"))
}

pub(super) fn project_versions(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("version/{project}/"))
}

/// That a version is sealed with a level key.
pub(super) fn version_by_key(project: ProjectId, key_version: u32, number: u32) -> String {
    format!("version-by-key/{project}/{key_version:010}/{number:010}")
}

pub(super) fn versions_by_key(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("version-by-key/{project}/"))
}

/// The versions that are sealed with a level key before that one.
pub(super) fn versions_before_key(project: ProjectId, key_version: u32) -> KeyRange {
    versions_by_key(project).before(&format!("version-by-key/{project}/{key_version:010}/"))
}

/// How many versions a project has.
pub(super) fn version_count(project: ProjectId) -> String {
    format!("version-count/{project}")
}

/// A content of a level, present or former.
pub(super) fn content(project: ProjectId, number: u32) -> String {
    format!("content/{project}/{number:010}")
}

pub(super) fn contents(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("content/{project}/"))
}

/// A token's record, under the hash of the token.
pub(super) fn token(hash: &str) -> String {
    format!("token/{hash}")
}

pub(super) fn token_id(organization: OrganizationId, id: Id) -> String {
    format!("token-id/{organization}/{id}")
}

pub(super) fn token_ids(organization: OrganizationId) -> KeyRange {
    KeyRange::prefix(format!("token-id/{organization}/"))
}

pub(super) fn user(id: UserId) -> String {
    format!("user/{id}")
}

pub(super) fn users() -> KeyRange {
    KeyRange::prefix("user/")
}

/// The id of the user who has that email address, in lower case.
pub(super) fn user_email(email: &str) -> String {
    format!("user-email/{email}")
}

/// What a user is in an organization.
pub(super) fn member(organization: OrganizationId, user: UserId) -> String {
    format!("member/{organization}/{user}")
}

pub(super) fn members(organization: OrganizationId) -> KeyRange {
    KeyRange::prefix(format!("member/{organization}/"))
}

/// That a user has a role of which must be known who has it.
pub(super) fn role_member(organization: OrganizationId, role: &str, user: UserId) -> String {
    format!("role-member/{organization}/{role}/{user}")
}

pub(super) fn role_members(organization: OrganizationId, role: &str) -> KeyRange {
    KeyRange::prefix(format!("role-member/{organization}/{role}/"))
}

/// An invitation, under the hash of its code.
pub(super) fn invitation(hash: &str) -> String {
    format!("invitation/{hash}")
}

pub(super) fn invitation_id(organization: OrganizationId, id: InvitationId) -> String {
    format!("invitation-id/{organization}/{id}")
}

pub(super) fn invitation_ids(organization: OrganizationId) -> KeyRange {
    KeyRange::prefix(format!("invitation-id/{organization}/"))
}

/// The one invitation for an email address, in lower case.
pub(super) fn invitation_email(organization: OrganizationId, email: &str) -> String {
    format!("invitation-email/{organization}/{email}")
}

/// The hash of a key that a user made for themselves.
pub(super) fn personal_key(organization: OrganizationId, user: UserId, id: PersonalKeyId) -> String {
    format!("personal-key/{organization}/{user}/{id}")
}

/// The keys of a user in an organization.
pub(super) fn personal_keys(organization: OrganizationId, user: UserId) -> KeyRange {
    KeyRange::prefix(format!("personal-key/{organization}/{user}/"))
}

pub(super) fn service_account(organization: OrganizationId, id: ServiceAccountId) -> String {
    format!("service-account/{organization}/{id}")
}

pub(super) fn service_accounts(organization: OrganizationId) -> KeyRange {
    KeyRange::prefix(format!("service-account/{organization}/"))
}

/// The hash of a key of a service account.
pub(super) fn service_key(organization: OrganizationId, account: ServiceAccountId, id: ServiceKeyId) -> String {
    format!("service-key/{organization}/{account}/{id}")
}

/// The keys of a service account.
pub(super) fn service_keys(organization: OrganizationId, account: ServiceAccountId) -> KeyRange {
    KeyRange::prefix(format!("service-key/{organization}/{account}/"))
}

/// The keys of all service accounts of an organization.
pub(super) fn organization_service_keys(organization: OrganizationId) -> KeyRange {
    KeyRange::prefix(format!("service-key/{organization}/"))
}

/// A role that an organization made.
pub(super) fn role(organization: OrganizationId, id: RoleId) -> String {
    format!("role/{organization}/{id}")
}

pub(super) fn roles(organization: OrganizationId) -> KeyRange {
    KeyRange::prefix(format!("role/{organization}/"))
}

/// The id of the role of that name, in lower case.
pub(super) fn role_name(organization: OrganizationId, name: &str) -> String {
    format!("role-name/{organization}/{name}")
}

pub(super) fn team(organization: OrganizationId, id: TeamId) -> String {
    format!("team/{organization}/{id}")
}

pub(super) fn teams(organization: OrganizationId) -> KeyRange {
    KeyRange::prefix(format!("team/{organization}/"))
}

/// The id of the team of that name, in lower case.
pub(super) fn team_name(organization: OrganizationId, name: &str) -> String {
    format!("team-name/{organization}/{name}")
}

/// That a user is in a team, which the user's record says, too.
pub(super) fn team_member(organization: OrganizationId, team: TeamId, user: UserId) -> String {
    format!("team-member/{organization}/{team}/{user}")
}

pub(super) fn team_members(organization: OrganizationId, team: TeamId) -> KeyRange {
    KeyRange::prefix(format!("team-member/{organization}/{team}/"))
}

/// What was granted to a user or a team in a project.
pub(super) fn grant(project: ProjectId, grantee: Grantee) -> String {
    format!("grant/{project}/{}", grantee_part(grantee))
}

pub(super) fn grants(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("grant/{project}/"))
}

/// That something was granted to a user or a team in a project.
pub(super) fn granted(organization: OrganizationId, grantee: Grantee, project: ProjectId) -> String {
    format!("granted/{organization}/{}/{project}", grantee_part(grantee))
}

pub(super) fn granted_to(organization: OrganizationId, grantee: Grantee) -> KeyRange {
    KeyRange::prefix(format!("granted/{organization}/{}/", grantee_part(grantee)))
}

fn grantee_part(grantee: Grantee) -> String {
    match grantee {
        Grantee::User(id) => format!("user-{id}"),
        Grantee::Team(id) => format!("team-{id}"),
    }
}

/// What can be restored, by the id it has.
pub(super) fn deleted(organization: OrganizationId, id: Id) -> String {
    format!("deleted/{organization}/{id}")
}

/// That a project, a target or an environment of that id was deleted and can be restored, with what it was deleted.
pub(super) fn deleted_id(id: LevelId) -> String {
    format!("deleted-id/{id}")
}

pub(super) fn all_deleted() -> KeyRange {
    KeyRange::prefix("deleted/")
}

pub(super) fn deleted_in(organization: OrganizationId) -> KeyRange {
    KeyRange::prefix(format!("deleted/{organization}/"))
}

/// A target or an environment that was deleted, by itself or with the target `root`.
pub(super) fn deleted_node(project: ProjectId, root: LevelId, node: LevelId) -> String {
    format!("deleted-node/{project}/{root}/{node}")
}

/// All that was deleted with a target or an environment, and that itself.
pub(super) fn deleted_nodes_of(project: ProjectId, root: LevelId) -> KeyRange {
    KeyRange::prefix(format!("deleted-node/{project}/{root}/"))
}

pub(super) fn deleted_nodes(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("deleted-node/{project}/"))
}

/// The hash of an account's key.
pub(super) fn account(project: ProjectId, node: LevelId, id: AccountId) -> String {
    format!("account/{project}/{node}/{id}")
}

/// The accounts of all environments of a project.
pub(super) fn project_accounts(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("account/{project}/"))
}

/// The accounts of an environment.
pub(super) fn accounts(project: ProjectId, node: LevelId) -> KeyRange {
    KeyRange::prefix(format!("account/{project}/{node}/"))
}

pub(super) fn webhook(project: ProjectId, node: LevelId, id: WebhookId) -> String {
    format!("webhook/{project}/{node}/{id}")
}

/// The webhooks of an environment.
pub(super) fn webhooks(project: ProjectId, node: LevelId) -> KeyRange {
    KeyRange::prefix(format!("webhook/{project}/{node}/"))
}

pub(super) fn project_webhooks(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("webhook/{project}/"))
}

/// What became of one attempt to deliver to a webhook.
pub(super) fn webhook_log(project: ProjectId, webhook: WebhookId, id: WebhookLogId) -> String {
    format!("webhook-log/{project}/{webhook}/{id}")
}

pub(super) fn webhook_logs(project: ProjectId, webhook: WebhookId) -> KeyRange {
    KeyRange::prefix(format!("webhook-log/{project}/{webhook}/"))
}

/// How many of them there are.
pub(super) fn webhook_log_count(project: ProjectId, webhook: WebhookId) -> String {
    format!("webhook-log-count/{project}/{webhook}")
}

/// The project of something that jobs of a kind run for.
pub(super) fn subject(kind: JobKind, id: Id) -> String {
    format!("subject/{kind}/{id}")
}

/// What waits to be done for something: at most one job of a kind.
pub(super) fn job(kind: JobKind, subject: Id) -> String {
    format!("job/{kind}/{subject}")
}

/// That a job can be taken from that time on.
pub(super) fn job_due(time: Timestamp, kind: JobKind, subject: Id) -> String {
    format!("job-due/{:015}/{kind}/{subject}", time.as_millis())
}

/// The jobs that can be taken at that time.
#[cfg(feature = "worker")]
pub(super) fn jobs_due(now: Timestamp) -> KeyRange {
    let mut range = KeyRange::prefix("job-due/");
    range.end = Some(format!("job-due/{:015}/~", now.as_millis()));
    range
}

/// A link to another service.
pub(super) fn integration(project: ProjectId, id: IntegrationId) -> String {
    format!("integration/{project}/{id}")
}

pub(super) fn integrations(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("integration/{project}/"))
}

/// What an integration has done.
pub(super) fn integration_state(project: ProjectId, id: IntegrationId) -> String {
    format!("integration-state/{project}/{id}")
}

pub(super) fn integration_states(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("integration-state/{project}/"))
}

/// What an integration has written for an environment.
pub(super) fn integration_written(project: ProjectId, id: IntegrationId, node: LevelId) -> String {
    format!("integration-written/{project}/{id}/{node}")
}

pub(super) fn integration_writings(project: ProjectId, id: IntegrationId) -> KeyRange {
    KeyRange::prefix(format!("integration-written/{project}/{id}/"))
}

pub(super) fn project_integration_writings(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("integration-written/{project}/"))
}

/// That an environment is mapped in an integration.
pub(super) fn environment_integration(project: ProjectId, node: LevelId, id: IntegrationId) -> String {
    format!("environment-integration/{project}/{node}/{id}")
}

/// The integrations an environment is mapped in.
pub(super) fn environment_integrations(project: ProjectId, node: LevelId) -> KeyRange {
    KeyRange::prefix(format!("environment-integration/{project}/{node}/"))
}

pub(super) fn project_environment_integrations(project: ProjectId) -> KeyRange {
    KeyRange::prefix(format!("environment-integration/{project}/"))
}

pub(super) fn audit(organization: OrganizationId, id: AuditRecordId) -> String {
    format!("audit/{organization}/{id}")
}

pub(super) fn audits(organization: OrganizationId) -> KeyRange {
    KeyRange::prefix(format!("audit/{organization}/"))
}

/// A list of names that audit records refer to by its hash.
pub(super) fn audit_names(organization: OrganizationId, hash: &str) -> String {
    format!("audit-names/{organization}/{hash}")
}

/// That a record of that day refers to a list of names.
pub(super) fn audit_names_use(organization: OrganizationId, hash: &str, day: &str) -> String {
    format!("audit-names-use/{organization}/{hash}/{day}")
}

/// The days on which records refer to a list of names.
pub(super) fn audit_names_uses(organization: OrganizationId, hash: &str) -> KeyRange {
    KeyRange::prefix(format!("audit-names-use/{organization}/{hash}/"))
}

/// The same by the day.
pub(super) fn audit_names_day(organization: OrganizationId, day: &str, hash: &str) -> String {
    format!("audit-names-day/{organization}/{day}/{hash}")
}

/// The lists of names to which records refer, by the day.
pub(super) fn audit_names_days(organization: OrganizationId) -> KeyRange {
    KeyRange::prefix(format!("audit-names-day/{organization}/"))
}

/// The id of an audit record, among those that share `value`.
pub(super) fn audit_by(index: &str, organization: OrganizationId, value: &str, id: AuditRecordId) -> String {
    format!("audit-{index}/{organization}/{value}/{id}")
}

pub(super) fn audits_by(index: &str, organization: OrganizationId, value: &str) -> KeyRange {
    KeyRange::prefix(format!("audit-{index}/{organization}/{value}/"))
}
