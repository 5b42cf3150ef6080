//! Each use case takes exactly what it says, at the place it is done.

use std::collections::BTreeMap;

use ioenv::ErrorKind::{Denied, NotFound};
use ioenv::vault::{
    AuditFilter, ClientRotation, CloudRole, EntryUpdate, EnvironmentRole, EnvironmentUpdate, HistoryPolicy, Id,
    NewBlob, NewEnvironment, NewKey, NewOrganization, NewProject, NewTarget, NewToken, OrganizationRole,
    OrganizationUpdate, Paging, Permission, Permission as P, PermissionSet, ProjectRole, ProjectUpdate, PurgeScope,
    Restore, Search, Session, TargetUpdate, TokenUpdate, UseCase, Which, WorkspaceRole,
};
use ioenv::{Aes256Gcm, Cipher as _, DataKey, Document, Error, ErrorKind, KeyProof, SecretString, SystemRandom};

use super::stage::{Stage, entry, name, names, path, slug};

/// What a use case is done to.
struct Things {
    acme: Id,
    version: u64,
    token: Id,
    environment: Id,
    /// Of the target.
    change: u64,
    /// Deleted: two projects, two targets and two environments, of which the second one is to be purged.
    deleted: [[Id; 2]; 3],
}

fn things(stage: &Stage) -> Things {
    stage.shop();
    for project in ["theirs", "given-away", "wrapped"] {
        let mut new = NewProject::new(project);
        if project == "theirs" {
            new.key = theirs();
        }
        stage.system().create_project(stage.acme, new).unwrap();
    }
    for at in ["shop", "shop/api", "shop/api/prod", "shop/dev"] {
        stage.write(at, "A=1\n");
        stage.write(at, "A=2\n");
    }
    let system = stage.system();
    Things {
        acme: stage.acme,
        version: system.versions(stage.acme, &path("shop/api/prod"), &Paging::default()).unwrap().items[0].id,
        token: stage.issue(Permission::SecretRead.into(), Some("shop/api/prod")).info.id,
        environment: system.environment(stage.acme, &path("shop/api/prod")).unwrap().id,
        change: system.versions(stage.acme, &path("shop/api"), &Paging::default()).unwrap().items[0].id,
        deleted: deleted_things(stage),
    }
}

fn deleted_things(stage: &Stage) -> [[Id; 2]; 3] {
    let (system, acme, shop) = (stage.system(), stage.acme, &slug("shop"));
    let projects = ["left", "lost"].map(|name| {
        let id = system.create_project(acme, NewProject::new(name)).unwrap().id;
        stage.write(name, "A=1\n");
        system.delete_project(acme, &slug(name)).unwrap();
        id
    });
    let targets = ["left", "lost"].map(|name| {
        let id = system.create_target(acme, shop, &NewTarget::new(name)).unwrap().id;
        stage.write(&format!("shop/{name}"), "A=1\n");
        system.delete_target(acme, &path(&format!("shop/{name}"))).unwrap();
        id
    });
    let environments = ["gone", "lorn"].map(|name| {
        let at = path(&format!("shop/api/{name}"));
        let id = system.create_environment(acme, &path("shop/api"), &NewEnvironment::new(name)).unwrap().id;
        stage.write(at.as_str(), "A=1\n");
        system.delete_environment(acme, &at, false).unwrap();
        id
    });
    [projects, targets, environments]
}

/// A key that the vault does not hold.
fn theirs() -> NewKey {
    NewKey::Client { derivation: None, proof: their_proof(), hint: None }
}

fn their_proof() -> SecretString {
    KeyProof::of(&DataKey::from_bytes(&[7; 32])).to_text()
}

/// Does it; nothing, where only the operator can.
#[expect(clippy::too_many_lines, reason = "all use cases are here")]
fn perform(use_case: UseCase, session: &Session<'_>, on: &Things) -> Option<Result<(), Error>> {
    let (acme, prod, api, shop) = (on.acme, &path("shop/api/prod"), &path("shop/api"), &slug("shop"));
    let paging = &Paging::default();
    Some(match use_case {
        UseCase::ReadOrganization => session.organization(acme).map(drop),
        UseCase::ListOrganizations => session.organizations().map(drop),
        UseCase::UpdateOrganization => {
            let mut update = OrganizationUpdate::default();
            update.name = Some("New".into());
            session.update_organization(acme, &update).map(drop)
        }
        UseCase::DeleteOrganization => session.delete_organization(acme),
        UseCase::CreateProject => session.create_project(acme, NewProject::new("other")).map(drop),
        UseCase::ReadProject => session.project(acme, shop).map(drop),
        UseCase::ListProjects => session.projects(acme).map(drop),
        UseCase::UpdateProject => {
            let mut update = ProjectUpdate::default();
            update.name = Some("New".into());
            session.update_project(acme, shop, &update).map(drop)
        }
        UseCase::DeleteProject => session.delete_project(acme, shop),
        UseCase::CreateTarget => session.create_target(acme, shop, &NewTarget::new("other")).map(drop),
        UseCase::ReadTarget => session.target(acme, api).map(drop),
        UseCase::ListTargets => session.targets(acme, shop).map(drop),
        UseCase::UpdateTarget => {
            let mut update = TargetUpdate::default();
            update.name = Some("New".into());
            session.update_target(acme, api, &update).map(drop)
        }
        UseCase::DeleteTarget => session.delete_target(acme, api),
        UseCase::Locate => session.locate(on.environment).map(drop),
        UseCase::CreateEnvironment => session.create_environment(acme, api, &NewEnvironment::new("other")).map(drop),
        UseCase::ReadEnvironment => session.environment(acme, prod).map(drop),
        UseCase::ListEnvironments => session.environments(acme, api).map(drop),
        UseCase::UpdateEnvironment => {
            let mut update = EnvironmentUpdate::default();
            update.name = Some("New".into());
            session.update_environment(acme, prod, &update).map(drop)
        }
        UseCase::DeleteEnvironment => session.delete_environment(acme, prod, true),
        UseCase::ListDeleted => session.deleted(acme).map(drop),
        UseCase::RestoreProject => session.restore_project(acme, on.deleted[0][0]).map(drop),
        UseCase::RestoreTarget => session.restore_target(acme, on.deleted[1][0]).map(drop),
        UseCase::RestoreEnvironment => session.restore_environment(acme, on.deleted[2][0]).map(drop),
        UseCase::PurgeProject => session.purge_project(acme, on.deleted[0][1]),
        UseCase::PurgeTarget => session.purge_target(acme, on.deleted[1][1]),
        UseCase::PurgeEnvironment => session.purge_environment(acme, on.deleted[2][1]),
        UseCase::ReadBlobs => session.blobs(acme, prod).map(drop),
        UseCase::SetBlob => {
            let key = DataKey::generate(&SystemRandom).unwrap();
            let blob = Aes256Gcm.seal(&key, b"A=9\n", &SystemRandom).unwrap();
            session.set_blob(acme, prod, &NewBlob::new(blob))
        }
        UseCase::ResolveLevel => session.resolve(acme, prod).map(drop),
        UseCase::ReadDocument => session.document(acme, prod).map(drop),
        UseCase::SetDocument => session.set_document(acme, prod, &Document::parse("A=9\n").unwrap()),
        UseCase::DeleteLevel => session.delete_level(acme, prod),
        UseCase::PurgeLevel => session.purge_level(acme, prod, true),
        UseCase::ListEntries => session.entries(acme, prod, Which::Resolved).map(drop),
        UseCase::ListEntryMetadata => session.entry_metadata(acme, prod).map(drop),
        UseCase::SearchEntries => session.search_entries(acme, shop, &Search::Name(name("A"))).map(drop),
        UseCase::CreateEntries => session.create_entries(acme, prod, &[entry("B", "9")]).map(drop),
        UseCase::SetEntries => session.set_entries(acme, prod, &[entry("A", "9")]).map(drop),
        UseCase::UpdateEntries => {
            let mut update = EntryUpdate::new(name("A"));
            update.value = Some("9".into());
            session.update_entries(acme, prod, &[update]).map(drop)
        }
        UseCase::DeleteEntries => session.delete_entries(acme, prod, &names(["A"])).map(drop),
        UseCase::DeleteAllEntries => session.delete_all_entries(acme, prod).map(drop),
        UseCase::ListVersions => session.versions(acme, prod, paging).map(drop),
        UseCase::ReadVersion => session.version(acme, on.version).map(drop),
        UseCase::ListChanges => session.changes(acme, prod, paging).map(drop),
        UseCase::ReadChange => session.change(acme, prod, on.version).map(drop),
        UseCase::RollBack => session.roll_back(acme, api, on.change).map(drop),
        UseCase::RestoreVersion => session.restore_version(acme, on.version, &Restore::default()),
        UseCase::DeleteVersion => session.delete_version(acme, on.version, false),
        UseCase::PurgeVersions => session.purge_versions(acme, prod, PurgeScope::Level, true).map(drop),
        UseCase::CreateOrganization => return None,
        UseCase::ReadKey => session.key(acme, shop).map(drop),
        UseCase::ListKeys => session.keys(acme, shop).map(drop),
        UseCase::RotateKey => session.rotate_key(acme, shop, HistoryPolicy::Keep).map(drop),
        UseCase::RotateClientKey => {
            let rotation = ClientRotation::new(theirs(), Vec::new());
            session.rotate_client_key(acme, &slug("theirs"), &rotation).map(drop)
        }
        UseCase::SwitchCustody => session.move_key_to_client(acme, &slug("given-away"), true).map(drop),
        UseCase::ListPendingVersions => session.pending_versions(acme, &slug("theirs"), 0).map(drop),
        UseCase::ReencryptVersions => session.reencrypt_versions(acme, &slug("theirs"), &[], &their_proof()).map(drop),
        UseCase::RotateStorageKey => session.rotate_storage_key(acme, &slug("wrapped")),
        UseCase::ContinueRotation => session.continue_rotation(acme, &slug("wrapped"), 10).map(drop),
        UseCase::RotateOrganizationKey => session.rotate_organization_key(acme),
        UseCase::IssueToken => {
            let mut token = NewToken::new("other", PermissionSet::from(P::ApiTokenCreate)).scope(prod.clone());
            token.expires_at = None;
            session.issue_token(acme, &token).map(drop)
        }
        UseCase::ListTokens => session.tokens(acme).map(drop),
        UseCase::ReadToken => session.token(acme, on.token).map(drop),
        UseCase::ReadOwnToken => session.own_token().map(drop),
        UseCase::UpdateToken => {
            let mut update = TokenUpdate::default();
            update.name = Some("New".into());
            session.update_token(acme, on.token, &update).map(drop)
        }
        UseCase::RotateToken => session.rotate_token(acme, on.token).map(drop),
        UseCase::RevokeToken => session.revoke_token(acme, on.token),
        UseCase::ListAudit => session.audit(acme, &AuditFilter::default(), paging).map(drop),
        UseCase::ExportAudit => session.export_audit(acme, &AuditFilter::default(), &mut Vec::new()).map(drop),
    })
}

/// What it takes, written down a second time by hand.
fn expected(use_case: UseCase) -> &'static [Permission] {
    match use_case {
        UseCase::CreateOrganization => &[P::OrganizationCreate],
        UseCase::ReadOrganization | UseCase::ListOrganizations => &[P::OrganizationRead],
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
        UseCase::Locate | UseCase::ReadOwnToken => &[],
        UseCase::CreateEnvironment => &[P::EnvironmentCreate],
        UseCase::ReadEnvironment | UseCase::ListEnvironments => &[P::EnvironmentRead],
        UseCase::UpdateEnvironment => &[P::EnvironmentUpdate],
        UseCase::DeleteEnvironment | UseCase::RestoreEnvironment => &[P::EnvironmentDelete],
        UseCase::ListDeleted => &[P::ProjectRead, P::EnvironmentRead],
        UseCase::PurgeProject => &[P::ProjectDelete, P::SecretPurge],
        UseCase::PurgeTarget => &[P::TargetDelete, P::SecretPurge],
        UseCase::PurgeEnvironment => &[P::EnvironmentDelete, P::SecretPurge],
        UseCase::ReadBlobs | UseCase::ListEntryMetadata => &[P::SecretRead],
        UseCase::ResolveLevel | UseCase::ReadDocument | UseCase::ListEntries | UseCase::SearchEntries => {
            &[P::SecretRead, P::SecretDecrypt]
        }
        UseCase::SetBlob | UseCase::CreateEntries | UseCase::SetEntries | UseCase::UpdateEntries => &[P::SecretWrite],
        UseCase::SetDocument => &[P::SecretWrite, P::SecretDelete],
        UseCase::DeleteLevel | UseCase::DeleteEntries | UseCase::DeleteAllEntries => &[P::SecretDelete],
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
        | UseCase::RotateStorageKey
        | UseCase::ContinueRotation => &[P::KeyRotate],
        UseCase::RotateClientKey => &[P::KeyRotate, P::SecretWrite],
        UseCase::SwitchCustody => &[P::KeyRotate, P::KeyRetrieve],
        UseCase::RotateOrganizationKey => &[P::KeyRotate, P::OrganizationUpdate],
        UseCase::IssueToken => &[P::ApiTokenCreate],
        UseCase::ListTokens | UseCase::ReadToken => &[P::ApiTokenRead],
        UseCase::UpdateToken => &[P::ApiTokenUpdate],
        UseCase::RotateToken => &[P::ApiTokenCreate, P::ApiTokenDelete],
        UseCase::RevokeToken => &[P::ApiTokenDelete],
        UseCase::ListAudit | UseCase::ExportAudit => &[P::AuditRead],
    }
}

/// Whoever changes or renews a token must hold what that holds, too.
fn takes(use_case: UseCase) -> PermissionSet {
    let taken = PermissionSet::of(expected(use_case));
    match use_case {
        UseCase::UpdateToken | UseCase::RotateToken => taken.union(P::SecretRead.into()),
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
    let error = perform(use_case, session, on)?.err()?;
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
            ["Delete", "Purge", "Revoke", "SetBlob"].iter().any(|word| text.starts_with(word))
        };
        let (deletions, rest): (Vec<UseCase>, Vec<UseCase>) = UseCase::ALL.iter().partition(|one| is_deletion(one));
        let order = [
            UseCase::PurgeProject, UseCase::PurgeTarget, UseCase::PurgeEnvironment,
            UseCase::RevokeToken, UseCase::DeleteEntries, UseCase::DeleteAllEntries, UseCase::DeleteVersion,
            UseCase::PurgeVersions, UseCase::SetBlob, UseCase::DeleteLevel, UseCase::PurgeLevel,
            UseCase::DeleteEnvironment, UseCase::DeleteTarget, UseCase::DeleteProject, UseCase::DeleteOrganization,
        ];
        assert!(deletions.iter().all(|one| order.contains(one)) && deletions.len() == order.len(), "{deletions:?}");
        for use_case in rest.into_iter().chain(order) {
            let needed = takes(use_case);
            let needed = if needed.is_empty() { P::Scan.into() } else { needed };
            let session = stage.session(needed, None);
            if let Some(result) = perform(use_case, &session, &on) {
                assert!(result.is_ok(), "{use_case:?}: {result:?}");
            }
        }
    }

    fn without_any_part_of_it_nothing_is_done(stage: &Stage) {
        let on = things(stage);
        for &use_case in UseCase::ALL {
            for missing in takes(use_case).iter() {
                let session = stage.session(PermissionSet::ALL.difference(missing.into()), None);
                if perform_is_possible(use_case) {
                    assert_eq!(attempt(stage, use_case, &session, &on), Some(Denied), "{use_case:?} without {missing}");
                }
            }
        }
    }

    fn elsewhere_it_is_not_done(stage: &Stage) {
        let on = things(stage);
        stage.system().create_project(stage.acme, NewProject::new("other")).unwrap();
        let other = stage.system().create_organization(NewOrganization::new("Other")).unwrap().id;
        let stranger = stage.system().issue_token(other, &NewToken::new("s", PermissionSet::ALL)).unwrap().token;
        let stranger = stage.vault.session(stranger);
        let elsewhere = [stage.session(PermissionSet::ALL, Some("other")), stage.session(PermissionSet::ALL, Some("shop/dev"))];
        for &use_case in UseCase::ALL {
            if !perform_is_possible(use_case) {
                continue;
            }
            let of_its_own = matches!(use_case, UseCase::ListOrganizations | UseCase::ReadOwnToken);
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
                        | UseCase::ListKeys
                );
                if harmless || (is_in_shop && on_the_way) {
                    continue;
                }
                let kind = attempt(stage, use_case, session, &on);
                let whole = matches!(
                    use_case,
                    UseCase::UpdateOrganization | UseCase::DeleteOrganization | UseCase::CreateProject
                        | UseCase::RotateOrganizationKey
                );
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
            for &use_case in UseCase::ALL {
                let is_allowed = permissions.contains_all(takes(use_case));
                if !is_allowed && perform_is_possible(use_case) {
                    assert_eq!(attempt(stage, use_case, &session, &on), Some(Denied), "{use_case:?} as {role}");
                } else if is_harmless(use_case) {
                    let result = perform(use_case, &session, &on).unwrap();
                    assert!(result.is_ok(), "{use_case:?} as {role}: {result:?}");
                }
            }
        }
        // The cells that a mistake in the sets would be worst in.
        let auditor = stage.session(CloudRole::Auditor.permissions(), None);
        assert!(perform(UseCase::ListVersions, &auditor, &on).unwrap().is_ok());
        let viewer = stage.session(ProjectRole::Viewer.permissions(), Some("shop"));
        assert!(perform(UseCase::ResolveLevel, &viewer, &on).unwrap().is_ok());
        assert_eq!(attempt(stage, UseCase::SetEntries, &viewer, &on), Some(Denied));
    }
}

fn perform_is_possible(use_case: UseCase) -> bool {
    use_case != UseCase::CreateOrganization
}

fn is_harmless(use_case: UseCase) -> bool {
    let text = format!("{use_case:?}");
    perform_is_possible(use_case) && (text.starts_with("Read") || text.starts_with("List"))
}

on_every_store! {
    fn no_token_makes_an_organization(stage: &Stage) {
        let session = stage.session(PermissionSet::ALL, None);
        let before = state(stage);
        assert_eq!(session.create_organization(NewOrganization::new("Mine")).unwrap_err().kind(), Denied);
        assert_eq!(state(stage), before);
    }
}
