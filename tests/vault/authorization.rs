//! Each use case takes exactly what it says, at the place it is done.

use ioenv::dotenv_cloud::KeyProof;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ioenv::ErrorKind::{Denied, NotFound};
use ioenv::store::{Access, Precondition, Record, Store, StoreExt as _, Work};
use ioenv::vault::{
    AccountId, Actor, At, AuditFilter, ClientRotation, CloudRole, Confirmation, EntryPrecondition, EntryScope,
    EntryUpdate, EnvironmentRole, EnvironmentUpdate, GrantRole, Grantee, HistoryPolicy, Id, IntegrationId,
    IntegrationUpdate, InvitationId, LevelId, LevelScope, Mapping, MemberRole, MemberUpdate, NewAccount, NewBlob,
    NewEnvironment, NewIntegration, NewInvitation, NewKey, NewMember, NewOrganization, NewPersonalKey, NewProject,
    NewRole, NewServiceAccount, NewServiceKey, NewTarget, NewTeam, NewToken, NewUser, NewWebhook, OrganizationId,
    OrganizationRole, OrganizationUpdate, Paging, Permission, Permission as P, PermissionSet, PersonalKeyId,
    PersonalKeyLevel, ProjectRole, ProjectUpdate, Provider, PurgeScope, Restore, RoleId, RoleUpdate, Search,
    ServiceAccountId, ServiceAccountUpdate, ServiceKeyId, Session, TargetUpdate, TeamId, TeamUpdate, TokenId,
    TokenUpdate, UseCase, UserId, UserUpdate, VaultOptions, WebhookId, WebhookLogId, WebhookUpdate, WorkspaceRole,
};
use ioenv::{
    Aes256Gcm, Cipher as _, Document, Error, ErrorKind, Kind, LevelKey, LevelPath, SecretString, SystemRandom,
};

use super::stage::{Stage, entry, name, names, path, slug};

/// What a use case is done to.
struct Things {
    acme: OrganizationId,
    version: u64,
    token: TokenId,
    /// Of the target.
    change: u64,
    /// Deleted: two projects, two targets and two environments, of which the second one is to be purged.
    deleted: [[LevelId; 2]; 3],
    webhook: WebhookId,
    webhook_log: WebhookLogId,
    integration: IntegrationId,
    account: AccountId,
    service_account: ServiceAccountId,
    service_key: ServiceKeyId,
    member_key: PersonalKeyId,
    /// Members who may nothing: one who stays, one who is removed, and a user who is none.
    member: UserId,
    leaver: UserId,
    stranger: UserId,
    invitation: InvitationId,
    /// Roles that allow nothing: one that members have, one that they are given, one that is deleted.
    guest: RoleId,
    visitor: RoleId,
    unused: RoleId,
    /// One with the member and a grant, and one with neither.
    team: TeamId,
    empty_team: TeamId,
}

fn custom(id: RoleId) -> MemberRole {
    MemberRole::Custom(id)
}

fn things(stage: &Stage) -> Things {
    stage.shop();
    for project in ["theirs", "given-away", "wrapped"] {
        let mut new = NewProject::new(project);
        if project == "theirs" {
            new = new.key(theirs());
        }
        stage.system().create_project(stage.acme, &new).unwrap();
    }
    for at in ["shop", "shop/api", "shop/api/prod", "shop/dev"] {
        stage.write(at, "A=1\n");
        stage.write(at, "A=2\n");
    }
    let system = stage.system();
    let [guest, visitor, unused] = ["guest", "visitor", "unused"]
        .map(|name| system.create_role(stage.acme, &NewRole::new(name, PermissionSet::EMPTY)).unwrap().id);
    let [member, leaver] = ["member@things", "leaver@things"].map(|email| stage.member(email, custom(guest)));
    let stranger = system.create_user(&NewUser::new("Stranger", "stranger@things")).unwrap().id;
    let invitation = NewInvitation::new("invited@things", custom(guest));
    let team = stage.team("some", &[member]);
    stage.grant("shop/api/prod", Grantee::Team(team), "viewer");
    let account = NewAccount::new("runner", PermissionSet::EMPTY);
    let service = NewServiceAccount::new("deployer", P::SecretRead.into());
    let service_account = system.create_service_account(stage.acme, &service).unwrap().id;
    let service_key = NewServiceKey::new("one");
    let member_key = NewPersonalKey::new("laptop", PersonalKeyLevel::ReadOnly);
    let member_key = stage.user(member).create_personal_key(stage.acme, &member_key).unwrap();
    // Nothing listens there, so a test is done at once.
    let webhook = NewWebhook::new("http://127.0.0.1:9/");
    let webhook = system.create_webhook(At::Path(stage.acme, &path("shop/api/prod")), &webhook).unwrap().webhook.id;
    let integration = system.link_integration(At::Path(stage.acme, &path("shop")), &new_integration()).unwrap().id;
    let project = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id;
    let log = serde_json::json!({
        "id": webhook, "event": webhook, "attempt": 1, "status": 200, "error": null, "response_body": "",
        "processed_at": stage.now(),
    });
    let key = format!("webhook-log/{project}/{webhook}/{webhook}");
    stage.store.write(|tx| tx.put(&key, &log.to_string(), Precondition::Absent)).unwrap();
    Things {
        integration,
        member,
        leaver,
        stranger,
        invitation: system.invite_member(stage.acme, &invitation).unwrap().invitation.id,
        guest,
        visitor,
        unused,
        team,
        empty_team: stage.team("empty", &[]),
        acme: stage.acme,
        version: system.versions(At::Path(stage.acme, &path("shop/api/prod")), &Paging::new()).unwrap().items[0].id,
        token: stage.issue(Permission::SecretRead.into(), Some("shop/api/prod")).info.id,
        account: system.create_account(At::Path(stage.acme, &path("shop/api/prod")), &account).unwrap().account.id,
        service_account,
        service_key: system.create_service_key(stage.acme, service_account, &service_key).unwrap().info.id,
        member_key: member_key.info.id,
        webhook,
        webhook_log: Id::from(webhook).into(),
        change: system.versions(At::Path(stage.acme, &path("shop/api")), &Paging::new()).unwrap().items[0].id,
        deleted: deleted_things(stage),
    }
}

fn deleted_things(stage: &Stage) -> [[LevelId; 2]; 3] {
    let (system, acme, shop) = (stage.system(), stage.acme, &slug("shop"));
    let projects = ["left", "lost"].map(|name| {
        let id = system.create_project(acme, &NewProject::new(name)).unwrap().id;
        stage.write(name, "A=1\n");
        system.delete_project(At::Path(acme, &path(name))).unwrap();
        id
    });
    let targets = ["left", "lost"].map(|name| {
        let id = system.create_target(At::Path(acme, &LevelPath::from(shop)), &NewTarget::new(name)).unwrap().id;
        stage.write(&format!("shop/{name}"), "A=1\n");
        system.delete_target(At::Path(acme, &path(&format!("shop/{name}")))).unwrap();
        id
    });
    let environments = ["gone", "lorn"].map(|name| {
        let at = path(&format!("shop/api/{name}"));
        let id = system.create_environment(At::Path(acme, &path("shop/api")), &NewEnvironment::new(name)).unwrap().id;
        stage.write(at.as_str(), "A=1\n");
        system.delete_environment(At::Path(acme, &at), Confirmation::Missing).unwrap();
        id
    });
    [projects.map(LevelId::from), targets.map(LevelId::from), environments.map(LevelId::from)]
}

fn new_integration() -> NewIntegration {
    NewIntegration::new("Shelf", Provider::Other("shelf".to_owned()), "planted-credentials")
        .environment(Mapping::new(path("shop/api/prod"), "production"))
}

/// A key that the vault does not hold.
fn theirs() -> NewKey {
    NewKey::Client { derivation: None, proof: their_proof(), hint: None }
}

fn their_proof() -> SecretString {
    KeyProof::of(&LevelKey::from_bytes(&[7; 32])).to_text()
}

/// All that a program can do by itself.
fn use_cases() -> impl Iterator<Item = UseCase> {
    let others = [UseCase::CompareEntries, UseCase::Count, UseCase::Locate, UseCase::ReadChain];
    UseCase::ALL.iter().copied().filter(move |use_case| !others.contains(use_case))
}

/// Does it.
#[expect(clippy::too_many_lines, reason = "there is one arm for each use case")]
fn perform(use_case: UseCase, session: &Session<'_>, on: &Things) -> Result<(), Error> {
    let (acme, prod, api, shop) = (on.acme, &path("shop/api/prod"), &path("shop/api"), &slug("shop"));
    let paging = &Paging::new();
    match use_case {
        UseCase::ReadOrganization => session.organization(acme).map(drop),
        UseCase::ListOrganizations => session.organizations().map(drop),
        UseCase::UpdateOrganization => {
            let update = OrganizationUpdate::new().name("New");
            session.update_organization(acme, &update).map(drop)
        }
        UseCase::DeleteOrganization => session.delete_organization(acme),
        UseCase::CreateProject => session.create_project(acme, &NewProject::new("other")).map(drop),
        UseCase::ReadProject => session.project(At::Path(acme, &LevelPath::from(shop))).map(drop),
        UseCase::ListProjects => session.projects(acme).map(drop),
        UseCase::UpdateProject => {
            let update = ProjectUpdate::new().name("New");
            session.update_project(At::Path(acme, &LevelPath::from(shop)), &update).map(drop)
        }
        UseCase::DeleteProject => session.delete_project(At::Path(acme, &LevelPath::from(shop))),
        UseCase::CreateTarget => {
            session.create_target(At::Path(acme, &LevelPath::from(shop)), &NewTarget::new("other")).map(drop)
        }
        UseCase::ReadTarget => session.target(At::Path(acme, api)).map(drop),
        UseCase::ListTargets => session.targets(At::Path(acme, &LevelPath::from(shop))).map(drop),
        UseCase::UpdateTarget => {
            let update = TargetUpdate::new().name("New");
            session.update_target(At::Path(acme, api), &update).map(drop)
        }
        UseCase::DeleteTarget => session.delete_target(At::Path(acme, api)),
        UseCase::CreateEnvironment => {
            session.create_environment(At::Path(acme, api), &NewEnvironment::new("other")).map(drop)
        }
        UseCase::ReadEnvironment => session.environment(At::Path(acme, prod)).map(drop),
        UseCase::ListEnvironments => session.environments(At::Path(acme, api)).map(drop),
        UseCase::UpdateEnvironment => {
            let update = EnvironmentUpdate::new().name("New");
            session.update_environment(At::Path(acme, prod), &update).map(drop)
        }
        UseCase::DeleteEnvironment => session.delete_environment(At::Path(acme, prod), Confirmation::Given),
        UseCase::ListDeleted => session.deleted(acme).map(drop),
        UseCase::RestoreProject => session.restore_project(acme, Id::from(on.deleted[0][0]).into()).map(drop),
        UseCase::RestoreTarget => session.restore_target(acme, Id::from(on.deleted[1][0]).into()).map(drop),
        UseCase::RestoreEnvironment => session.restore_environment(acme, Id::from(on.deleted[2][0]).into()).map(drop),
        UseCase::PurgeProject => session.purge_project(acme, Id::from(on.deleted[0][1]).into()),
        UseCase::PurgeTarget => session.purge_target(acme, Id::from(on.deleted[1][1]).into()),
        UseCase::PurgeEnvironment => session.purge_environment(acme, Id::from(on.deleted[2][1]).into()),
        UseCase::ReadBlobs => session.blobs(At::Path(acme, prod)).map(drop),
        UseCase::OpenBlobs => session.opened_blobs(At::Path(acme, prod)).map(drop),
        UseCase::SetBlob => {
            let key = LevelKey::generate(&SystemRandom).unwrap();
            let blob = Aes256Gcm.seal(&key, b"A=9\n", &SystemRandom).unwrap();
            session.set_blob(At::Path(acme, prod), &NewBlob::new(blob))
        }
        UseCase::ResolveLevel => session.read_level(At::Path(acme, prod), LevelScope::Chain).map(drop),
        UseCase::ReadDocument => session.read_level(At::Path(acme, prod), LevelScope::Own).map(drop),
        UseCase::SetDocument => session.set_document(At::Path(acme, prod), &Document::parse("A=9\n").unwrap()),
        UseCase::DeleteLevel => session.delete_level(At::Path(acme, prod)),
        UseCase::PurgeLevel => session.purge_level(At::Path(acme, prod), Confirmation::Given),
        UseCase::ListEntries => session.entries(At::Path(acme, prod), EntryScope::Resolved).map(drop),
        UseCase::ListEntryMetadata => session.entry_metadata(At::Path(acme, prod)).map(drop),
        UseCase::SearchEntries => {
            session.search_entries(At::Path(acme, &LevelPath::from(shop)), &Search::Name(name("A"))).map(drop)
        }
        UseCase::CreateEntries => session.create_entries(At::Path(acme, prod), &[entry("B", "9")]).map(drop),
        UseCase::SetEntries => session.set_entries(At::Path(acme, prod), &[entry("A", "9")]).map(drop),
        UseCase::SetEntry => {
            session.set_entry(At::Path(acme, prod), &entry("A", "8"), Kind::Secret, &EntryPrecondition::new()).map(drop)
        }
        UseCase::UpdateEntries => {
            let update = EntryUpdate::new(name("A")).value("9");
            session.update_entries(At::Path(acme, prod), &[update]).map(drop)
        }
        UseCase::DeleteEntries => session.delete_entries(At::Path(acme, prod), &names(["A"])).map(drop),
        UseCase::DeleteEntry => {
            session.delete_entry(At::Path(acme, prod), &name("A"), &EntryPrecondition::new()).map(drop)
        }
        UseCase::DeleteAllEntries => session.delete_all_entries(At::Path(acme, prod)).map(drop),
        UseCase::ListVersions => session.versions(At::Path(acme, prod), paging).map(drop),
        UseCase::ReadVersion => session.version(acme, on.version).map(drop),
        UseCase::ListChanges => session.changes(At::Path(acme, prod), paging).map(drop),
        UseCase::ReadChange => session.change(At::Path(acme, prod), on.version).map(drop),
        UseCase::RollBack => session.roll_back(At::Path(acme, api), on.change).map(drop),
        UseCase::RestoreVersion => session.restore_version(acme, on.version, &Restore::new()).map(drop),
        UseCase::DeleteVersion => session.delete_version(acme, on.version, Confirmation::Missing),
        UseCase::PurgeVersions => {
            session.purge_versions(At::Path(acme, prod), PurgeScope::Level, Confirmation::Given).map(drop)
        }
        UseCase::CreateOrganization => session.create_organization(&NewOrganization::new("Mine")).map(drop),
        UseCase::CreateUser => session.create_user(&NewUser::new("New", "new@things")).map(drop),
        UseCase::ReadUser => session.user(on.member).and_then(|_| session.user_by_email("member@things")).map(drop),
        UseCase::ListUsers => session.users(paging).map(drop),
        UseCase::UpdateUser => {
            let update = UserUpdate::new().name("New");
            session.update_user(on.member, &update).map(drop)
        }
        UseCase::DeleteUser => session.delete_user(on.stranger),
        UseCase::AddMember => {
            session.add_member(acme, &NewMember::new("stranger@things", "-", custom(on.guest))).map(drop)
        }
        UseCase::ReadMember => session.member(acme, on.member).map(drop),
        UseCase::ListMembers => session.members(acme, paging).map(drop),
        UseCase::UpdateMember => {
            let update = MemberUpdate::new().role(custom(on.visitor));
            session.update_member(acme, on.member, &update).map(drop)
        }
        UseCase::RemoveMember => session.remove_member(acme, on.leaver),
        UseCase::InviteMember => {
            session.invite_member(acme, &NewInvitation::new("guest@things", custom(on.guest))).map(drop)
        }
        UseCase::ListInvitations => session.invitations(acme).map(drop),
        UseCase::WithdrawInvitation => session.withdraw_invitation(acme, on.invitation),
        UseCase::AcceptInvitation => session.accept_invitation(&"invite_none".into(), "New").map(drop),
        UseCase::CreateRole => session.create_role(acme, &NewRole::new("other", PermissionSet::EMPTY)).map(drop),
        UseCase::ReadRole => session.role(acme, on.guest).map(drop),
        UseCase::ListRoles => session.roles(acme).map(drop),
        UseCase::UpdateRole => {
            let update = RoleUpdate::new().name("New");
            session.update_role(acme, on.visitor, &update).map(drop)
        }
        UseCase::DeleteRole => session.delete_role(acme, on.unused),
        UseCase::CreateTeam => session.create_team(acme, &NewTeam::new("other")).map(drop),
        UseCase::ReadTeam => session.team(acme, on.team).map(drop),
        UseCase::ListTeams => session.teams(acme).map(drop),
        UseCase::UpdateTeam => {
            let update = TeamUpdate::new().name("New");
            session.update_team(acme, on.team, &update).map(drop)
        }
        UseCase::DeleteTeam => session.delete_team(acme, on.team),
        UseCase::AddTeamMember => session.add_team_member(acme, on.empty_team, on.member),
        UseCase::RemoveTeamMember => session.remove_team_member(acme, on.team, on.member),
        UseCase::ListTeamMembers => session.team_members(acme, on.team, paging).map(drop),
        UseCase::Grant => session.grant(At::Path(acme, prod), Grantee::User(on.member), GIVEN).map(drop),
        UseCase::RevokeGrant => session.revoke_grant(At::Path(acme, prod), Grantee::Team(on.team)),
        UseCase::ListGrants => session.grants(At::Path(acme, prod)).map(drop),
        UseCase::ListGranted => session.granted(acme, Grantee::User(on.member)).map(drop),
        UseCase::ReadOwnRights => session.own_rights(At::Path(acme, prod)).map(drop),
        UseCase::CompareEntries | UseCase::Count | UseCase::Locate | UseCase::ReadChain => {
            unreachable!("only the library itself does this")
        }
        UseCase::ReadKey => session.key(At::Path(acme, &LevelPath::from(shop))).map(drop),
        UseCase::ListKeys => session.keys(At::Path(acme, &LevelPath::from(shop))).map(drop),
        UseCase::RotateKey => session.rotate_key(At::Path(acme, &LevelPath::from(shop)), HistoryPolicy::Keep).map(drop),
        UseCase::RotateClientKey => {
            let rotation = ClientRotation::new(theirs(), Vec::new());
            session.rotate_client_key(At::Path(acme, &path("theirs")), &rotation).map(drop)
        }
        UseCase::SwitchCustody => {
            session.move_key_to_client(At::Path(acme, &path("given-away")), Confirmation::Given).map(drop)
        }
        UseCase::ListPendingVersions => session.pending_versions(At::Path(acme, &path("theirs")), 0).map(drop),
        UseCase::ReencryptVersions => {
            session.reencrypt_versions(At::Path(acme, &path("theirs")), &[], &their_proof()).map(drop)
        }
        UseCase::RotateProjectDek => session.rotate_project_dek(At::Path(acme, &path("wrapped"))),
        UseCase::ContinueRotation => session.continue_rotation(At::Path(acme, &path("wrapped")), 10).map(drop),
        UseCase::RotateOrganizationKek => session.rotate_organization_kek(acme),
        UseCase::CreateWebhook => {
            session.create_webhook(At::Path(acme, prod), &NewWebhook::new("https://hooks.example.test")).map(drop)
        }
        UseCase::ReadWebhook => session.webhook(At::Path(acme, prod), on.webhook).map(drop),
        UseCase::ListWebhooks => session.webhooks(At::Path(acme, prod)).map(drop),
        UseCase::UpdateWebhook => {
            let update = WebhookUpdate::new().description("New");
            session.update_webhook(At::Path(acme, prod), on.webhook, &update).map(drop)
        }
        UseCase::SetWebhookStatus => session.enable_webhook(At::Path(acme, prod), on.webhook).map(drop),
        UseCase::DeleteWebhook => session.delete_webhook(At::Path(acme, prod), on.webhook),
        UseCase::ReadSigningSecret => session.signing_secret(At::Path(acme, prod), on.webhook).map(drop),
        UseCase::RotateSigningSecret => session.rotate_signing_secret(At::Path(acme, prod), on.webhook).map(drop),
        UseCase::TestWebhook => match session.test_webhook(At::Path(acme, prod), on.webhook) {
            // It was allowed, and is only not there.
            Err(error) if error.kind() == ErrorKind::CrateFeature && !cfg!(feature = "worker") => Ok(()),
            result => result.map(drop),
        },
        UseCase::ListWebhookLogs => session.webhook_logs(At::Path(acme, prod), on.webhook, paging).map(drop),
        UseCase::ReadWebhookLog => session.webhook_log(At::Path(acme, prod), on.webhook, on.webhook_log).map(drop),
        UseCase::IssueToken => {
            let token = NewToken::new("other", PermissionSet::from(P::ApiTokenCreate)).scope(prod.clone());
            session.issue_token(acme, &token).map(drop)
        }
        UseCase::ListTokens => session.tokens(acme).map(drop),
        UseCase::ReadToken => session.token(acme, on.token).map(drop),
        UseCase::ReadOwnToken => session.own_token().map(drop),
        UseCase::UpdateToken => {
            let update = TokenUpdate::new().name("New");
            session.update_token(acme, on.token, &update).map(drop)
        }
        UseCase::RotateToken => session.rotate_token(acme, on.token).map(drop),
        UseCase::RevokeToken => session.revoke_token(acme, on.token),
        UseCase::CreateAccount => {
            session.create_account(At::Path(acme, prod), &NewAccount::new("other", PermissionSet::EMPTY)).map(drop)
        }
        UseCase::ListAccounts => session.accounts(At::Path(acme, prod)).map(drop),
        UseCase::ReadAccount => session.account(At::Path(acme, prod), on.account).map(drop),
        UseCase::DeleteAccount => session.delete_account(At::Path(acme, prod), on.account),
        UseCase::CreatePersonalKey => {
            session.create_personal_key(acme, &NewPersonalKey::new("other", PersonalKeyLevel::ReadOnly)).map(drop)
        }
        UseCase::ListPersonalKeys => session.personal_keys(acme).map(drop),
        UseCase::DeletePersonalKey => session.delete_personal_key(acme, on.member_key),
        UseCase::ListMemberKeys => session.member_keys(acme, on.member).map(drop),
        UseCase::DeleteMemberKey => session.delete_member_key(acme, on.member, on.member_key),
        UseCase::CreateServiceAccount => {
            let new = NewServiceAccount::new("other", P::ApiTokenCreate.into());
            session.create_service_account(acme, &new).map(drop)
        }
        UseCase::ListServiceAccounts => session.service_accounts(acme).map(drop),
        UseCase::ReadServiceAccount => session.service_account(acme, on.service_account).map(drop),
        UseCase::UpdateServiceAccount => {
            let update = ServiceAccountUpdate::new().name("New");
            session.update_service_account(acme, on.service_account, &update).map(drop)
        }
        UseCase::DeleteServiceAccount => session.delete_service_account(acme, on.service_account),
        UseCase::CreateServiceKey => {
            session.create_service_key(acme, on.service_account, &NewServiceKey::new("other")).map(drop)
        }
        UseCase::ListServiceKeys => session.service_keys(acme, on.service_account).map(drop),
        UseCase::DeleteServiceKey => session.delete_service_key(acme, on.service_account, on.service_key),
        UseCase::LinkIntegration => {
            session.link_integration(At::Path(acme, &LevelPath::from(shop)), &new_integration()).map(drop)
        }
        UseCase::ReadIntegration => {
            session.integration(At::Path(acme, &LevelPath::from(shop)), on.integration).map(drop)
        }
        UseCase::ListIntegrations => session.integrations(At::Path(acme, &LevelPath::from(shop))).map(drop),
        UseCase::ListIntegrationRuns => {
            session.integration_runs(At::Path(acme, &LevelPath::from(shop)), on.integration).map(drop)
        }
        UseCase::PlanIntegration => {
            session.plan_integration(At::Path(acme, &LevelPath::from(shop)), on.integration).map(drop)
        }
        UseCase::UpdateIntegration => {
            let update = IntegrationUpdate::new().name("New");
            session.update_integration(At::Path(acme, &LevelPath::from(shop)), on.integration, &update).map(drop)
        }
        UseCase::SyncIntegration => {
            session.sync_integration(At::Path(acme, &LevelPath::from(shop)), on.integration).map(drop)
        }
        UseCase::UnlinkIntegration => {
            session.unlink_integration(At::Path(acme, &LevelPath::from(shop)), on.integration)
        }
        UseCase::WhoAmI => session.whoami().map(drop),
        UseCase::ListAudit => session.audit(acme, &AuditFilter::new(), paging).map(drop),
        UseCase::ExportAudit => session.export_audit(acme, &AuditFilter::new(), &mut Vec::new()).map(drop),
    }
}

/// What is given and taken back here.
const GIVEN: GrantRole = GrantRole::Environment(EnvironmentRole::Viewer);

/// What no token may do, whatever it holds.
fn is_not_for_tokens(use_case: UseCase) -> bool {
    use_case == UseCase::CreateOrganization || is_in_person(use_case) || is_for_the_operator(use_case)
}

/// What only a user in person may do, for themselves.
fn is_in_person(use_case: UseCase) -> bool {
    matches!(use_case, UseCase::CreatePersonalKey | UseCase::ListPersonalKeys | UseCase::DeletePersonalKey)
}

/// What only trusted programs may do; to others than themselves, also of what users may do.
fn is_for_the_operator(use_case: UseCase) -> bool {
    matches!(
        use_case,
        UseCase::CreateUser
            | UseCase::ReadUser
            | UseCase::ListUsers
            | UseCase::UpdateUser
            | UseCase::DeleteUser
            | UseCase::AcceptInvitation
    )
}

/// What concerns all of the organization, so that whoever is bound to a place in it may not.
fn is_of_the_organization(use_case: UseCase) -> bool {
    matches!(
        use_case,
        UseCase::UpdateOrganization
            | UseCase::DeleteOrganization
            | UseCase::CreateProject
            | UseCase::RotateOrganizationKek
            | UseCase::AddMember
            | UseCase::ReadMember
            | UseCase::ListMembers
            | UseCase::UpdateMember
            | UseCase::RemoveMember
            | UseCase::InviteMember
            | UseCase::ListInvitations
            | UseCase::WithdrawInvitation
            | UseCase::CreateRole
            | UseCase::ReadRole
            | UseCase::ListRoles
            | UseCase::UpdateRole
            | UseCase::DeleteRole
            | UseCase::CreateTeam
            | UseCase::ReadTeam
            | UseCase::ListTeams
            | UseCase::UpdateTeam
            | UseCase::DeleteTeam
            | UseCase::AddTeamMember
            | UseCase::RemoveTeamMember
            | UseCase::ListTeamMembers
            | UseCase::ListGranted
            | UseCase::ListMemberKeys
            | UseCase::DeleteMemberKey
            | UseCase::CreateServiceAccount
            | UseCase::ListServiceAccounts
            | UseCase::ReadServiceAccount
            | UseCase::UpdateServiceAccount
            | UseCase::DeleteServiceAccount
            | UseCase::CreateServiceKey
            | UseCase::ListServiceKeys
            | UseCase::DeleteServiceKey
    )
}

/// What it takes, written down a second time by hand.
#[expect(clippy::too_many_lines, reason = "a table")]
fn expected(use_case: UseCase) -> &'static [Permission] {
    match use_case {
        UseCase::CreateOrganization => &[P::OrganizationCreate],
        UseCase::ReadOrganization => &[P::OrganizationRead],
        UseCase::UpdateOrganization => &[P::OrganizationUpdate],
        UseCase::DeleteOrganization => &[P::OrganizationDelete],
        UseCase::CreateProject => &[P::ProjectCreate],
        UseCase::ReadProject | UseCase::ListProjects => &[P::ProjectRead],
        UseCase::UpdateProject => &[P::ProjectUpdate],
        UseCase::DeleteProject | UseCase::RestoreProject => &[P::ProjectDelete],
        UseCase::CreateTarget => &[P::TargetCreate],
        UseCase::ReadTarget | UseCase::ListTargets => &[P::TargetRead],
        UseCase::UpdateTarget => &[P::TargetUpdate],
        UseCase::DeleteTarget | UseCase::RestoreTarget => &[P::TargetDelete],
        UseCase::Locate
        | UseCase::ReadOwnToken
        | UseCase::ReadOwnRights
        | UseCase::Count
        | UseCase::ReadChain
        | UseCase::ListOrganizations
        | UseCase::WhoAmI
        | UseCase::CreatePersonalKey
        | UseCase::ListPersonalKeys
        | UseCase::DeletePersonalKey
        | UseCase::CreateUser
        | UseCase::ReadUser
        | UseCase::ListUsers
        | UseCase::UpdateUser
        | UseCase::DeleteUser
        | UseCase::AcceptInvitation => &[],
        UseCase::AddMember | UseCase::InviteMember | UseCase::WithdrawInvitation => &[P::MemberCreate],
        UseCase::ReadMember
        | UseCase::ListMembers
        | UseCase::ListInvitations
        | UseCase::ReadRole
        | UseCase::ListRoles => &[P::MemberRead],
        UseCase::UpdateMember
        | UseCase::CreateRole
        | UseCase::UpdateRole
        | UseCase::DeleteRole
        | UseCase::ListMemberKeys
        | UseCase::DeleteMemberKey => &[P::MemberUpdate],
        UseCase::RemoveMember => &[P::MemberDelete],
        UseCase::CreateTeam => &[P::TeamCreate],
        UseCase::ReadTeam | UseCase::ListTeams | UseCase::ListTeamMembers => &[P::TeamRead],
        UseCase::UpdateTeam | UseCase::AddTeamMember | UseCase::RemoveTeamMember => &[P::TeamUpdate],
        UseCase::DeleteTeam => &[P::TeamDelete],
        UseCase::Grant | UseCase::RevokeGrant | UseCase::ListGrants => &[P::AccessManage],
        UseCase::ListGranted => &[P::MemberRead, P::TeamRead],
        UseCase::CreateEnvironment => &[P::EnvironmentCreate],
        UseCase::ReadEnvironment | UseCase::ListEnvironments => &[P::EnvironmentRead],
        UseCase::UpdateEnvironment => &[P::EnvironmentUpdate],
        UseCase::DeleteEnvironment | UseCase::RestoreEnvironment => &[P::EnvironmentDelete],
        UseCase::ListDeleted => &[P::ProjectRead, P::EnvironmentRead],
        UseCase::PurgeProject => &[P::ProjectDelete, P::SecretPurge],
        UseCase::PurgeTarget => &[P::TargetDelete, P::SecretPurge],
        UseCase::PurgeEnvironment => &[P::EnvironmentDelete, P::SecretPurge],
        UseCase::ReadBlobs | UseCase::ListEntryMetadata => &[P::SecretRead],
        UseCase::OpenBlobs
        | UseCase::ResolveLevel
        | UseCase::ReadDocument
        | UseCase::ListEntries
        | UseCase::SearchEntries
        | UseCase::CompareEntries => &[P::SecretRead, P::SecretDecrypt],
        UseCase::SetBlob
        | UseCase::CreateEntries
        | UseCase::SetEntries
        | UseCase::SetEntry
        | UseCase::UpdateEntries => &[P::SecretWrite],
        UseCase::SetDocument => &[P::SecretWrite, P::SecretDelete],
        UseCase::DeleteLevel | UseCase::DeleteEntries | UseCase::DeleteEntry | UseCase::DeleteAllEntries => {
            &[P::SecretDelete]
        }
        UseCase::PurgeLevel => &[P::SecretDelete, P::SecretPurge],
        UseCase::ListVersions | UseCase::ReadVersion | UseCase::ListChanges | UseCase::ReadChange => {
            &[P::SecretHistory]
        }
        UseCase::RestoreVersion | UseCase::RollBack => &[P::SecretRestore],
        UseCase::DeleteVersion | UseCase::PurgeVersions => &[P::SecretPurge],
        UseCase::ReadKey | UseCase::ListKeys => &[P::KeyRetrieve],
        UseCase::RotateKey
        | UseCase::ListPendingVersions
        | UseCase::ReencryptVersions
        | UseCase::RotateProjectDek
        | UseCase::ContinueRotation => &[P::KeyRotate],
        UseCase::RotateClientKey => &[P::KeyRotate, P::SecretWrite],
        UseCase::SwitchCustody => &[P::KeyRotate, P::KeyRetrieve],
        UseCase::RotateOrganizationKek => &[P::KeyRotate, P::OrganizationUpdate],
        UseCase::CreateAccount => &[P::AccountCreate, P::EnvironmentRead],
        UseCase::ListAccounts | UseCase::ReadAccount => &[P::AccountRead],
        UseCase::DeleteAccount => &[P::AccountDelete],
        UseCase::IssueToken | UseCase::CreateServiceAccount | UseCase::CreateServiceKey => &[P::ApiTokenCreate],
        UseCase::ListTokens
        | UseCase::ReadToken
        | UseCase::ListServiceAccounts
        | UseCase::ReadServiceAccount
        | UseCase::ListServiceKeys => &[P::ApiTokenRead],
        UseCase::UpdateToken | UseCase::UpdateServiceAccount => &[P::ApiTokenUpdate],
        UseCase::LinkIntegration => &[P::IntegrationWrite, P::SecretRead, P::SecretDecrypt],
        UseCase::ReadIntegration | UseCase::ListIntegrations | UseCase::ListIntegrationRuns => &[P::IntegrationRead],
        UseCase::PlanIntegration => &[P::IntegrationRead, P::SecretRead],
        UseCase::UpdateIntegration | UseCase::SyncIntegration | UseCase::UnlinkIntegration => &[P::IntegrationWrite],
        UseCase::CreateWebhook => &[P::WebhookCreate],
        UseCase::ReadWebhook
        | UseCase::ListWebhooks
        | UseCase::ReadSigningSecret
        | UseCase::ListWebhookLogs
        | UseCase::ReadWebhookLog => &[P::WebhookRead],
        UseCase::UpdateWebhook | UseCase::SetWebhookStatus | UseCase::RotateSigningSecret => &[P::WebhookUpdate],
        UseCase::DeleteWebhook => &[P::WebhookDelete],
        UseCase::TestWebhook => &[P::WebhookTest],
        UseCase::RotateToken => &[P::ApiTokenCreate, P::ApiTokenDelete],
        UseCase::RevokeToken | UseCase::DeleteServiceAccount | UseCase::DeleteServiceKey => &[P::ApiTokenDelete],
        UseCase::ListAudit | UseCase::ExportAudit => &[P::AuditRead],
    }
}

/// Whoever changes or renews a token, makes another key of a service account, or grants something, must hold what that
/// holds, too.
fn takes(use_case: UseCase) -> PermissionSet {
    let taken = PermissionSet::of(expected(use_case));
    match use_case {
        UseCase::UpdateToken | UseCase::RotateToken | UseCase::UpdateServiceAccount | UseCase::CreateServiceKey => {
            taken.union(P::SecretRead.into())
        }
        UseCase::Grant | UseCase::RevokeGrant => taken.union(GIVEN.permissions()),
        _ => taken,
    }
}

/// What is stored, but for when a token was last used.
fn state(stage: &Stage) -> BTreeMap<String, serde_json::Value> {
    let mut records = stage.records("");
    for (key, record) in &mut records {
        if key.starts_with("token/") {
            record["last_used_at"].take();
        }
    }
    records
}

/// The kind of the refusal, of which nothing may be left; none, if it was done.
fn attempt(stage: &Stage, use_case: UseCase, session: &Session<'_>, on: &Things) -> Option<ErrorKind> {
    let before = state(stage);
    let error = perform(use_case, session, on).err()?;
    assert_eq!(state(stage), before, "{use_case:?} was refused ({error}) and left something");
    Some(error.kind())
}

#[test]
fn each_use_case_takes_what_is_written_down() {
    for &use_case in UseCase::ALL {
        assert_eq!(use_case.permissions(), PermissionSet::of(expected(use_case)), "{use_case:?}");
    }
}

on_every_store! {
    fn with_what_it_takes_it_is_done(stage: &Stage) {
        let on = things(stage);
        // What removes something comes last.
        let is_deletion = |use_case: &UseCase| {
            let text = format!("{use_case:?}");
            ["Delete", "Purge", "Remove", "Revoke", "SetBlob", "Unlink", "Withdraw"].iter().any(|word| text.starts_with(word))
        };
        let (deletions, rest): (Vec<UseCase>, Vec<UseCase>) = use_cases().partition(is_deletion);
        let order = [
            UseCase::DeletePersonalKey, UseCase::DeleteMemberKey, UseCase::DeleteServiceKey,
            UseCase::DeleteServiceAccount, UseCase::DeleteAccount, UseCase::DeleteWebhook, UseCase::UnlinkIntegration,
            UseCase::WithdrawInvitation, UseCase::RevokeGrant, UseCase::RemoveTeamMember, UseCase::DeleteTeam,
            UseCase::RemoveMember, UseCase::DeleteRole, UseCase::DeleteUser,
            UseCase::PurgeProject, UseCase::PurgeTarget, UseCase::PurgeEnvironment,
            UseCase::RevokeToken, UseCase::DeleteEntry, UseCase::DeleteEntries, UseCase::DeleteAllEntries, UseCase::DeleteVersion,
            UseCase::PurgeVersions, UseCase::SetBlob, UseCase::DeleteLevel, UseCase::PurgeLevel,
            UseCase::DeleteEnvironment, UseCase::DeleteTarget, UseCase::DeleteProject, UseCase::DeleteOrganization,
        ];
        assert!(deletions.iter().all(|one| order.contains(one)) && deletions.len() == order.len(), "{deletions:?}");
        for use_case in rest.into_iter().chain(order) {
            let needed = takes(use_case);
            let needed = if needed.is_empty() { P::Scan.into() } else { needed };
            let session = stage.session(needed, None);
            if !is_not_for_tokens(use_case) {
                let result = perform(use_case, &session, &on);
                assert!(result.is_ok(), "{use_case:?}: {result:?}");
            }
        }
    }

    fn without_any_part_of_it_nothing_is_done(stage: &Stage) {
        let on = things(stage);
        for use_case in use_cases() {
            for missing in takes(use_case).iter() {
                let session = stage.session(PermissionSet::ALL.difference(missing.into()), None);
                assert_eq!(attempt(stage, use_case, &session, &on), Some(Denied), "{use_case:?} without {missing}");
            }
        }
    }

    fn elsewhere_it_is_not_done(stage: &Stage) {
        let on = things(stage);
        stage.system().create_project(stage.acme, &NewProject::new("other")).unwrap();
        let other = stage.system().create_organization(&NewOrganization::new("Other")).unwrap().id;
        let stranger = stage.system().issue_token(other, &NewToken::new("s", PermissionSet::ALL)).unwrap().token;
        let stranger = stage.vault.session(stranger);
        let elsewhere = [stage.session(PermissionSet::ALL, Some("other")), stage.session(PermissionSet::ALL, Some("shop/dev"))];
        for use_case in use_cases() {
            if is_not_for_tokens(use_case) {
                assert_eq!(attempt(stage, use_case, &stranger, &on), Some(Denied), "{use_case:?} by a token");
                continue;
            }
            let of_its_own =
                matches!(use_case, UseCase::ListOrganizations | UseCase::ReadOwnToken | UseCase::WhoAmI);
            if !of_its_own {
                assert_eq!(attempt(stage, use_case, &stranger, &on), Some(NotFound), "{use_case:?} by a stranger");
            }
            // What is listed is filtered, and the way to the place is known.
            let harmless = of_its_own || matches!(
                use_case,
                UseCase::ReadOrganization | UseCase::ListProjects | UseCase::ListTokens | UseCase::ListAudit
                    | UseCase::ExportAudit | UseCase::ListDeleted
            );
            for (session, is_in_shop) in elsewhere.iter().zip([false, true]) {
                let on_the_way = matches!(
                    use_case,
                    UseCase::ReadProject | UseCase::ListTargets | UseCase::SearchEntries | UseCase::ReadKey
                        | UseCase::ListKeys | UseCase::ListIntegrations
                );
                if harmless || (is_in_shop && on_the_way) {
                    continue;
                }
                let kind = attempt(stage, use_case, session, &on);
                let whole = is_of_the_organization(use_case);
                assert_eq!(kind, Some(if whole { Denied } else { NotFound }), "{use_case:?} from elsewhere");
            }
        }
    }

    fn roles_are_what_they_allow(stage: &Stage) {
        let on = things(stage);
        let mut roles: Vec<(String, PermissionSet)> = Vec::new();
        roles.extend(CloudRole::ALL.iter().map(|role| (format!("cloud {role}"), role.permissions())));
        roles.extend(OrganizationRole::ALL.iter().map(|role| (format!("organization {role}"), role.permissions())));
        roles.extend(ProjectRole::ALL.iter().map(|role| (format!("project {role}"), role.permissions())));
        roles.extend(WorkspaceRole::ALL.iter().map(|role| (format!("workspace {role}"), role.permissions())));
        roles.extend(EnvironmentRole::ALL.iter().map(|role| (format!("environment {role}"), role.permissions())));
        for (role, permissions) in roles {
            let session = stage.session(permissions, None);
            for use_case in use_cases() {
                let is_allowed = permissions.contains_all(takes(use_case)) && !is_not_for_tokens(use_case);
                if !is_allowed {
                    assert_eq!(attempt(stage, use_case, &session, &on), Some(Denied), "{use_case:?} as {role}");
                } else if is_harmless(use_case) {
                    let result = perform(use_case, &session, &on);
                    assert!(result.is_ok(), "{use_case:?} as {role}: {result:?}");
                }
            }
        }
        // The cells that a mistake in the sets would be worst in.
        let auditor = stage.session(CloudRole::Auditor.permissions(), None);
        assert!(perform(UseCase::ListVersions, &auditor, &on).is_ok());
        let viewer = stage.session(ProjectRole::Viewer.permissions(), Some("shop"));
        assert!(perform(UseCase::ResolveLevel, &viewer, &on).is_ok());
        assert_eq!(attempt(stage, UseCase::SetEntries, &viewer, &on), Some(Denied));
    }
}

fn is_harmless(use_case: UseCase) -> bool {
    let text = format!("{use_case:?}");
    text.starts_with("Read") || text.starts_with("List")
}

/// A store in which all is done and nothing is kept: what would have been written is `NOT_KEPT`.
#[derive(Debug)]
struct Rehearsal {
    store: Arc<dyn Store>,
    /// What was to be recorded of reads.
    recorded: Arc<AtomicUsize>,
}

const NOT_KEPT: &str = "it would have been done";

impl Store for Rehearsal {
    fn transaction(&self, access: Access, work: &mut Work<'_>) -> Result<(), Error> {
        self.store.transaction(access, &mut |tx| {
            work(tx)?;
            if access == Access::Write { Err(Error::new(ErrorKind::Unavailable, NOT_KEPT)) } else { Ok(()) }
        })
    }

    fn append(&self, records: Vec<Record>) -> Result<(), Error> {
        self.recorded.fetch_add(records.len(), Ordering::Relaxed);
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        self.store.check()
    }
}

/// Where a use case is done, when a user does it.
enum Where {
    /// Only trusted programs do it.
    Operator,
    /// Every user may do it, or sees what there is for them.
    Anywhere,
    /// It is for tokens.
    Token,
    /// It is somebody else's.
    Elsewhere,
    Organization,
    /// At a place, which must be inside of what the user has.
    Place(&'static str),
    /// The same, or on the way there.
    OnTheWay(&'static str),
    /// At each place below, so that it is enough to know of the place.
    Beneath(&'static str),
}

fn at(use_case: UseCase) -> Where {
    match use_case {
        UseCase::CreateOrganization
        | UseCase::ListOrganizations
        | UseCase::ListProjects
        | UseCase::ListTokens
        | UseCase::WhoAmI
        | UseCase::CreatePersonalKey
        | UseCase::ListPersonalKeys
        | UseCase::ListDeleted => Where::Anywhere,
        UseCase::RestoreProject => Where::Place("left"),
        UseCase::PurgeProject => Where::Place("lost"),
        // What was deleted is asked for where it stood.
        UseCase::RestoreTarget | UseCase::PurgeTarget => Where::Place("shop"),
        UseCase::UpdateTarget
        | UseCase::DeleteTarget
        | UseCase::CreateEnvironment
        | UseCase::RestoreEnvironment
        | UseCase::PurgeEnvironment
        | UseCase::RollBack => Where::Place("shop/api"),
        UseCase::ReadOwnToken => Where::Token,
        UseCase::DeletePersonalKey => Where::Elsewhere,
        UseCase::ReadOrganization | UseCase::ListAudit | UseCase::ExportAudit => Where::Organization,
        UseCase::ReadProject | UseCase::ListTargets | UseCase::ReadKey | UseCase::ListKeys => Where::OnTheWay("shop"),
        UseCase::SearchEntries | UseCase::ListIntegrations => Where::Beneath("shop"),
        UseCase::UpdateProject | UseCase::DeleteProject | UseCase::CreateTarget | UseCase::RotateKey => {
            Where::Place("shop")
        }
        UseCase::ReadTarget | UseCase::ListEnvironments => Where::OnTheWay("shop/api"),
        UseCase::RotateClientKey | UseCase::ListPendingVersions | UseCase::ReencryptVersions => Where::Place("theirs"),
        UseCase::SwitchCustody => Where::Place("given-away"),
        UseCase::RotateProjectDek | UseCase::ContinueRotation => Where::Place("wrapped"),
        _ if is_for_the_operator(use_case) => Where::Operator,
        _ if is_of_the_organization(use_case) => Where::Organization,
        _ => Where::Place("shop/api/prod"),
    }
}

/// What a user has: in all of the organization, and at places.
struct Has {
    role: PermissionSet,
    granted: Vec<(&'static str, PermissionSet)>,
}

impl Has {
    /// What must come of it: nothing, if it is done.
    fn expect(&self, use_case: UseCase) -> Option<ErrorKind> {
        let is_below = |path: &str, above: &str| path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
        let on_the_way = PermissionSet::of(&[P::ProjectRead, P::TargetRead, P::EnvironmentRead]);
        let rights = |place: &str, is_on_the_way: bool| {
            let mut rights = self.role;
            for (granted, permissions) in &self.granted {
                if *granted == place || is_below(place, granted) {
                    rights.extend(permissions.iter());
                } else if is_on_the_way && is_below(granted, place) {
                    rights.extend(permissions.intersection(on_the_way).iter());
                }
            }
            rights
        };
        let known = on_the_way.union(PermissionSet::of(&[P::SecretRead, P::SecretWrite]));
        let mut needed = takes(use_case);
        // Of a token these are not asked for.
        match use_case {
            UseCase::ReadVersion => needed.extend([P::SecretRead]),
            UseCase::SetBlob => needed.extend([P::SecretDelete]),
            _ => {}
        }
        let rights = match at(use_case) {
            Where::Operator => return Some(Denied),
            Where::Token | Where::Elsewhere => return Some(NotFound),
            Where::Anywhere => return None,
            Where::Organization => return (!self.role.contains_all(needed)).then_some(Denied),
            Where::Place(place) => rights(place, false),
            Where::OnTheWay(place) => rights(place, true),
            Where::Beneath(place) => {
                needed = PermissionSet::EMPTY;
                rights(place, true)
            }
        };
        if rights.intersection(known).is_empty() {
            return Some(NotFound);
        }
        (!rights.contains_all(needed)).then_some(Denied)
    }
}

/// Lets a user do everything, and compares what comes of it.
fn try_all(stage: &Stage, on: &Things, user: UserId, has: &Has, called: &str) {
    // Another vault makes other ids, but for the millisecond in which they were made.
    stage.pass(1);
    let recorded = Arc::new(AtomicUsize::new(0));
    let store = Rehearsal { store: Arc::clone(&stage.store), recorded: Arc::clone(&recorded) };
    let vault = VaultOptions::new(&stage.root).clock(stage.clock.clone()).open(store).unwrap();
    let vault = vault.with_sync_target(Provider::Other("shelf".to_owned()), stage.shelf.clone());
    let session = vault.session(Actor::User(user));
    for use_case in use_cases() {
        let before = recorded.load(Ordering::Relaxed);
        let result = perform(use_case, &session, on);
        let kind = match &result {
            Err(error) if error.to_string() == NOT_KEPT => None,
            result => result.as_ref().err().map(Error::kind),
        };
        assert_eq!(kind, has.expect(use_case), "{use_case:?} by {called}: {result:?}");
        if kind.is_some() {
            assert_eq!(recorded.load(Ordering::Relaxed), before, "{use_case:?} by {called} was refused and recorded");
        }
    }
}

fn member_roles() -> Vec<MemberRole> {
    let organization = OrganizationRole::ALL.iter().copied().map(MemberRole::Organization);
    let workspace = WorkspaceRole::ALL.iter().copied().map(MemberRole::Workspace);
    let cloud = CloudRole::ALL.iter().copied().map(MemberRole::Cloud);
    organization.chain(workspace).chain(cloud).collect()
}

on_every_store! {
    fn a_member_may_what_the_role_says(stage: &Stage) {
        let on = things(stage);
        // So that nobody here is the last owner.
        stage.member("owner@things", MemberRole::Organization(OrganizationRole::Owner));
        let before = state(stage);
        for (number, role) in member_roles().into_iter().enumerate() {
            let user = stage.member(&format!("role{number}@things"), role);
            let has = Has { role: role.permissions().unwrap(), granted: Vec::new() };
            try_all(stage, &on, user, &has, &role.to_string());
            stage.system().delete_user(user).unwrap();
        }
        let permissions = PermissionSet::of(&[P::ProjectRead, P::MemberRead, P::TeamRead]);
        let role = stage.system().create_role(stage.acme, &NewRole::new("reader", permissions)).unwrap().id;
        let user = stage.member("custom@things", custom(role));
        try_all(stage, &on, user, &Has { role: permissions, granted: Vec::new() }, "a custom role");
        stage.system().delete_user(user).unwrap();
        stage.system().delete_role(stage.acme, role).unwrap();
        // All that was done to the users was undone, and all that they did was not kept.
        let mut after = state(stage);
        after.retain(|key, _| !key.starts_with("audit"));
        assert!(after.keys().all(|key| before.contains_key(key)), "{after:?}");
        assert!(after.iter().all(|(key, record)| before[key] == *record));
    }

    fn somebody_may_what_was_granted_there(stage: &Stage) {
        let on = things(stage);
        let member = MemberRole::Workspace(WorkspaceRole::Member);
        let user = stage.member("direct@things", member);
        let by_team = stage.member("by-team@things", member);
        let team = stage.team("granted", &[by_team]);
        for &role in GrantRole::ALL {
            let places: &[&str] = if matches!(role, GrantRole::Environment(_)) { &["shop", "shop/api/prod", "shop/dev"] } else { &["shop"] };
            for place in places {
                for (user, grantee) in [(user, Grantee::User(user)), (by_team, Grantee::Team(team))] {
                    stage.system().grant(At::Path(stage.acme, &path(place)), grantee, role).unwrap();
                    let has = Has { role: member.permissions().unwrap(), granted: vec![(place, role.permissions())] };
                    try_all(stage, &on, user, &has, &format!("{role} at {place} of {grantee:?}"));
                    stage.system().revoke_grant(At::Path(stage.acme, &path(place)), grantee).unwrap();
                }
            }
        }
        let has = Has { role: member.permissions().unwrap(), granted: Vec::new() };
        for user in [user, by_team] {
            try_all(stage, &on, user, &has, "somebody from whom all was taken back");
        }
    }

    fn a_user_of_another_organization_finds_nothing(stage: &Stage) {
        let on = things(stage);
        let stranger = stage.user(on.stranger);
        for use_case in use_cases() {
            let expected = match at(use_case) {
                Where::Operator => Some(Denied),
                _ if matches!(
                    use_case,
                    UseCase::ListOrganizations | UseCase::CreateOrganization | UseCase::WhoAmI
                ) => None,
                _ => Some(NotFound),
            };
            if use_case != UseCase::CreateOrganization {
                assert_eq!(attempt(stage, use_case, &stranger, &on), expected, "{use_case:?}");
            }
        }
        let nobody = stage.user(Id::from(stage.acme).into());
        for use_case in use_cases() {
            assert_eq!(attempt(stage, use_case, &nobody, &on), Some(ErrorKind::Unauthenticated), "{use_case:?}");
        }
    }
}
