//! Who one is, by what was shown.

use ioenv::ErrorKind::Unauthenticated;
use ioenv::vault::{
    At, Id, Identity, MemberRole, NewAccount, NewMember, NewOrganization, NewPersonalKey, NewProject,
    NewServiceAccount, NewServiceKey, Permission, PermissionSet, PersonalKeyLevel, ProjectUpdate, Token, WorkspaceRole,
};

use super::stage::{Stage, path, refused};

const PROD: &str = "shop/api/prod";

on_every_store! {
    fn everybody_may_know_who_they_are(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        let rename = ProjectUpdate::new().name("The shop");
        system.update_project(At::Path(stage.acme, &path("shop")), &rename).unwrap();
        let shop = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id;
        let prod = system.environment(At::Path(stage.acme, &path(PROD))).unwrap().id;
        assert_eq!(system.whoami().unwrap(), Identity::System("test".into()));

        let known = PermissionSet::of(&[Permission::EnvironmentRead, Permission::SecretRead]);
        let made = system.create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("runner", known)).unwrap();
        let Identity::Account(account) = stage.vault.session(made.key.clone()).whoami().unwrap() else {
            panic!("it is an account");
        };
        assert_eq!((account.account.id, account.account.permissions), (made.account.id, known));
        assert_eq!((account.account.name.as_str(), &account.account.path), ("runner", &path(PROD)));
        assert_eq!((account.organization.id, account.organization.slug.as_str()), (stage.acme, "acme"));
        assert_eq!(account.organization.name, "Acme");
        assert_eq!((account.project.id, account.project.slug.as_str(), account.project.name.as_str()), (shop, "shop", "The shop"));
        assert_eq!((account.environment.id, account.environment.slug.as_str()), (prod, "prod"));

        system.create_project(stage.acme, &NewProject::new("other")).unwrap();
        let new = NewServiceAccount::new("ci", Permission::ProjectRead.into());
        let service = system.create_service_account(stage.acme, &new).unwrap();
        let key = system.create_service_key(stage.acme, service.id, &NewServiceKey::new("one")).unwrap();
        let Identity::ServiceAccount(identity) = stage.vault.session(key.key.clone()).whoami().unwrap() else {
            panic!("it is a service account");
        };
        assert_eq!((identity.account, identity.key, identity.projects), (service, key.info, 2));
        assert_eq!(identity.organization.slug, "acme");

        let ann = stage.member("ann@example.test", "workspace:admin".parse().unwrap());
        let other = system.create_organization(&NewOrganization::new("Other")).unwrap().id;
        stage.system().add_member(other, &NewMember::new("ann@example.test", "ann", "workspace:member".parse().unwrap())).unwrap();
        let Identity::User(user) = stage.user(ann).whoami().unwrap() else {
            panic!("it is a user");
        };
        assert_eq!((user.id, user.name.as_str(), user.email.as_str()), (ann, "ann", "ann@example.test"));
        assert_eq!((user.key, user.created_at, user.updated_at), (None, stage.now(), stage.now()));
        let admin = MemberRole::Workspace(WorkspaceRole::Admin);
        let member = MemberRole::Workspace(WorkspaceRole::Member);
        for (organization, role) in [(stage.acme, admin), (other, member)] {
            assert!(user.memberships.iter().any(|one| one.organization.id == organization && one.role == role));
        }
        let personal = NewPersonalKey::new("laptop", PersonalKeyLevel::ReadOnly);
        let personal = stage.user(ann).create_personal_key(stage.acme, &personal).unwrap();
        let Identity::User(user) = stage.vault.session(personal.key.clone()).whoami().unwrap() else {
            panic!("it is a user");
        };
        assert_eq!((user.id, user.key.as_ref()), (ann, Some(&personal.info)));
        assert_eq!(user.memberships.len(), 1, "of another organization such a key says nothing");
        assert_eq!((user.memberships[0].organization.id, user.memberships[0].role), (stage.acme, admin));

        let issued = stage.issue(Permission::Scan.into(), Some(PROD));
        let Identity::Token(token) = stage.vault.session(issued.token.clone()).whoami().unwrap() else {
            panic!("it is a token");
        };
        assert_eq!((token.token.id, token.token.scope, token.organization.id), (issued.info.id, Some(path(PROD)), stage.acme));

        // It is not recorded, tells no key, and nobody who is nobody is anybody.
        let keys = [made.key, key.key, personal.key, issued.token];
        let log = stage.logged(|| {
            for key in &keys {
                let text = format!("{:?}", stage.vault.session(key.clone()).whoami().unwrap());
                let (_, random) = key.expose_secret().rsplit_once('_').unwrap();
                assert!(!text.contains(random), "{text}");
            }
        });
        assert!(log.is_empty());
        let unknown = Token::parse("sb_personal_0123456789abcdefghijABCDEFGHIJKL").unwrap();
        assert_eq!(refused(stage.vault.session(unknown).whoami()), Unauthenticated);
        assert_eq!(refused(stage.user(Id::from(stage.acme).into()).whoami()), Unauthenticated);
    }
}
