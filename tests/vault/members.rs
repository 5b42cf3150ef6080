//! Users, what they are in organizations, who invites whom, and roles that organizations make.

use std::thread;

use ioenv::ErrorKind::{Conflict, Denied, InvalidName, InvalidValue, NotFound, Unauthenticated};
use ioenv::vault::{
    Action, At, CloudRole, GrantRole, Grantee, Id, LevelScope, Member, MemberRole, MemberUpdate, NewInvitation,
    NewMember, NewOrganization, NewProject, NewRole, NewUser, OrganizationRole, OrganizationStatus, OrganizationUpdate,
    Paging, Permission as P, PermissionSet, ResourceKind, RoleUpdate, Tier, Timestamp, UserUpdate, WorkspaceRole,
};
use ioenv::{Document, Error, SecretString};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::stage::{DAY, Stage, after, path, refused, slug};

const OWNER: MemberRole = MemberRole::Organization(OrganizationRole::Owner);
const ADMIN: MemberRole = MemberRole::Organization(OrganizationRole::Admin);
const MEMBER: MemberRole = MemberRole::Workspace(WorkspaceRole::Member);

fn to(role: MemberRole) -> MemberUpdate {
    MemberUpdate::new().role(role)
}

fn role(stage: &Stage, name: &str, permissions: &[P]) -> MemberRole {
    let new = NewRole::new(name, PermissionSet::of(permissions));
    MemberRole::Custom(stage.system().create_role(stage.acme, &new).unwrap().id)
}

/// The emails of the members, all pages of them.
fn emails(stage: &Stage) -> Vec<String> {
    let mut paging = Paging::new().limit(2);
    let mut all = Vec::new();
    loop {
        let page = stage.system().members(stage.acme, &paging).unwrap();
        assert!(page.items.len() <= 2);
        all.extend(page.items.into_iter().map(|member| member.email));
        let Some(next) = page.next else { return all };
        paging = Paging::new().limit(2).after(next);
    }
}

/// What is stored of all but the log.
fn stored(stage: &Stage) -> String {
    stage.dump("").lines().filter(|line| !line.starts_with("audit")).collect::<Vec<_>>().join("\n")
}

on_every_store! {
    fn a_user_is_made_with_an_organization_of_their_own(stage: &Stage) {
        let system = stage.system();
        let ann = system.create_user(&NewUser::new(" Ann Lee ", "Ann@Example.com")).unwrap();
        assert_eq!((ann.name.as_str(), ann.email.as_str()), ("Ann Lee", "Ann@Example.com"));
        let [own] = ann.organizations[..] else { panic!("{ann:?}") };
        let session = stage.user(ann.id);
        let organization = session.organization(own).unwrap();
        assert_eq!((organization.name.as_str(), organization.slug.as_str()), ("Ann Lee", "ann-lee"));
        assert_eq!(session.member(own, ann.id).unwrap().role, OWNER);
        assert_eq!(session.organizations().unwrap(), [organization]);
        assert_eq!(session.user(ann.id).unwrap(), ann);
        // Nothing more is asked of a name than that it is one.
        for (name, email, made) in [("李", "li@example.com", "li"), ("李", "李@例え.example", "personal"), ("Ann Lee", "x@y", "ann-lee-2")] {
            let user = system.create_user(&NewUser::new(name, email)).unwrap();
            assert_eq!(system.organization(user.organizations[0]).unwrap().slug, made);
        }

        assert_eq!(system.user_by_email("ANN@example.COM").unwrap(), ann);
        assert_eq!(refused(system.user_by_email("bob@example.com")), NotFound);
        let before = stored(stage);
        let refused_as = |name: &str, email: &str| refused(system.create_user(&NewUser::new(name, email)));
        assert_eq!(refused_as("Ann", "aNN@example.com"), Conflict);
        assert_eq!(refused_as(" ", "bob@example.com"), InvalidName);
        for bad in ["bob", "bob@", "b ob@example.com", &format!("{}@example.com", "b".repeat(250))] {
            assert_eq!(refused_as("Bob", bad), InvalidValue, "{bad}");
        }
        let mut taken = NewUser::new("Bob", "bob@example.com").id(ann.id);
        assert_eq!(refused(system.create_user(&taken)), Conflict);
        assert_eq!(stored(stage), before);
        let given: Id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        taken = taken.id(given.into());
        assert_eq!(system.create_user(&taken).unwrap().id, given.into());
        assert_eq!(system.users(&Paging::new().limit(3)).unwrap().items.len(), 3);
        let kinds: Vec<ResourceKind> = stage.records(&format!("audit/{own}/")).into_values()
            .map(|value| serde_json::from_value::<ioenv::vault::AuditRecord>(value).unwrap())
            .filter(|record| record.action == Action::Create).map(|record| record.resource.kind).collect();
        assert_eq!(kinds, [ResourceKind::Organization, ResourceKind::Member]);
    }

    fn a_user_changes_their_own_name_and_nothing_else(stage: &Stage) {
        let [ann, bob] = ["ann@example.com", "bob@example.com"].map(|email| stage.member(email, ADMIN));
        let rename = UserUpdate::new().name("Anna");
        assert_eq!(stage.user(ann).update_user(ann, &rename).unwrap().name, "Anna");
        assert_eq!(stage.system().member(stage.acme, ann).unwrap().name, "Anna");
        assert_eq!(refused(stage.user(bob).update_user(ann, &rename)), Denied);
        assert_eq!(refused(stage.user(bob).user(ann)), Denied);
        assert_eq!(refused(stage.user(ann).delete_user(ann)), Denied);
        let mut address = UserUpdate::new().email("BOB@example.com");
        assert_eq!(refused(stage.user(ann).update_user(ann, &address)), Denied);
        assert_eq!(refused(stage.system().update_user(ann, &address)), Conflict);
        // The same address may be spelled otherwise, and a former one is free.
        stage.system().update_user(bob, &address).unwrap();
        address = address.email("robert@example.com");
        stage.system().update_user(bob, &address).unwrap();
        assert_eq!(stage.system().user_by_email("robert@EXAMPLE.com").unwrap().id, bob);
        assert_eq!(refused(stage.system().user_by_email("bob@example.com")), NotFound);
        stage.member("bob@example.com", MEMBER);
    }

    fn a_user_is_in_one_organization_at_least(stage: &Stage) {
        let system = stage.system();
        stage.member("owner@example.com", OWNER);
        let ann = stage.member("ann@example.com", ADMIN);
        let own = system.user(ann).unwrap().organizations[0];
        assert_eq!(system.user(ann).unwrap().organizations, [own, stage.acme]);
        // Their own organization goes, and they stay where they are.
        stage.user(ann).delete_organization(own).unwrap();
        assert_eq!(system.user(ann).unwrap().organizations, [stage.acme]);
        let before = stored(stage);
        for session in [system, stage.user(ann)] {
            let error = session.remove_member(stage.acme, ann).unwrap_err();
            assert_eq!(error.kind(), Conflict);
            assert!(error.to_string().contains("delete the user"), "{error}");
        }
        assert_eq!(stored(stage), before);
        // With the last one the user goes, too.
        stage.system().delete_organization(stage.acme).unwrap();
        assert_eq!(refused(stage.user(ann).organizations()), Unauthenticated);
        assert_eq!(refused(stage.system().user_by_email("ann@example.com")), NotFound);
        assert!(!stored(stage).contains(&stage.acme.to_string()), "{}", stored(stage));
        // The owner has an organization of their own still.
        let owner = stage.system().user_by_email("owner@example.com").unwrap();
        assert_eq!(owner.organizations.len(), 1);
    }

    fn a_user_is_removed_with_all_they_have(stage: &Stage) {
        let system = stage.system();
        stage.shop();
        let before = stored(stage);
        let ann = stage.member("ann@example.com", OWNER);
        let team = stage.team("some", &[ann]);
        stage.grant("shop", Grantee::User(ann), "full");
        let own = system.user(ann).unwrap().organizations[0];
        system.create_project(own, &NewProject::new("mine")).unwrap();
        // Nothing that holds something goes silently, and no organization is left to nobody.
        assert_eq!(refused(system.delete_user(ann)), Conflict);
        let mine = system.project(At::Path(own, &path("mine"))).unwrap().id;
        system.set_document(At::Path(own, &path("mine")), &Document::parse("A=1\n").unwrap()).unwrap();
        system.delete_project(At::Path(own, &path("mine"))).unwrap();
        let bob = stage.member("bob@example.com", OWNER);
        assert_eq!(refused(system.delete_user(ann)), Conflict, "it can be restored");
        system.purge_project(own, mine).unwrap();
        system.update_member(stage.acme, bob, &to(MEMBER)).unwrap();
        assert_eq!(refused(system.delete_user(ann)), Conflict, "she is the last owner");
        system.update_member(stage.acme, bob, &to(OWNER)).unwrap();
        system.delete_user(ann).unwrap();
        assert_eq!(refused(stage.user(ann).organizations()), Unauthenticated);
        assert_eq!(refused(system.organization(own)), NotFound);
        assert!(system.team_members(stage.acme, team, &Paging::new()).unwrap().items.is_empty());
        assert!(system.grants(At::Path(stage.acme, &path("shop"))).unwrap().is_empty());
        assert!(!stored(stage).contains(&ann.to_string()));
        // An address is free again, and what comes back is somebody else.
        let other = stage.member("ann@example.com", MEMBER);
        assert_eq!(refused(stage.user(other).project(At::Path(stage.acme, &path("shop")))), NotFound);
        system.delete_user(other).unwrap();
        assert_eq!(refused(system.delete_user(bob)), Conflict);
        assert_ne!(stored(stage), before);
    }

    fn a_user_who_makes_an_organization_owns_it(stage: &Stage) {
        let ann = stage.system().create_user(&NewUser::new("Ann", "ann@example.com")).unwrap().id;
        let session = stage.user(ann);
        let mine = session.create_organization(&NewOrganization::new("Mine")).unwrap();
        assert_eq!(session.member(mine.id, ann).unwrap().role, OWNER);
        assert_eq!(session.organizations().unwrap().len(), 2);
        let free = NewOrganization::new("Free").tier(Tier::Free);
        assert_eq!(refused(session.create_organization(&free)), Denied);
        session.create_project(mine.id, &NewProject::new("theirs")).unwrap();
        session.delete_organization(mine.id).unwrap();
        assert_eq!(refused(session.organization(mine.id)), NotFound);
    }

    fn who_makes_a_project_has_all_of_it(stage: &Stage) {
        stage.member("owner@example.com", OWNER);
        let maker = role(stage, "maker", &[P::ProjectCreate]);
        let ann = stage.member("ann@example.com", maker);
        let bob = stage.member("bob@example.com", maker);
        stage.user(ann).create_project(stage.acme, &NewProject::new("shop")).unwrap();
        let rights = stage.user(ann).own_rights(At::Path(stage.acme, &path("shop"))).unwrap();
        assert!(rights.contains_all(GrantRole::Full.permissions()));
        let grants = stage.user(ann).grants(At::Path(stage.acme, &path("shop"))).unwrap();
        assert_eq!((grants.len(), grants[0].grantee, grants[0].role), (1, Grantee::User(ann), GrantRole::Full));
        assert_eq!(grants[0].created_by.id, Some(ann.into()));
        // Only that one, and only there.
        assert_eq!(refused(stage.user(bob).project(At::Path(stage.acme, &path("shop")))), NotFound);
        stage.user(bob).create_project(stage.acme, &NewProject::new("other")).unwrap();
        let slugs = |user| stage.user(user).projects(stage.acme).unwrap().into_iter().map(|one| one.slug).collect::<Vec<_>>();
        assert_eq!((slugs(ann), slugs(bob)), (vec!["shop".to_owned()], vec!["other".to_owned()]));
        // Whoever has it by the role is granted nothing.
        let admin = stage.member("admin@example.com", ADMIN);
        stage.user(admin).create_project(stage.acme, &NewProject::new("third")).unwrap();
        assert!(stage.user(admin).grants(At::Path(stage.acme, &path("third"))).unwrap().is_empty());
        // What is not made is not granted.
        let before = stored(stage);
        let taken = NewProject::new("shop").slug(slug("shop"));
        assert_eq!(refused(stage.user(bob).create_project(stage.acme, &taken)), Conflict);
        assert_eq!(stored(stage), before);
    }

    fn an_invitation_is_accepted_once(stage: &Stage) {
        let system = stage.system();
        let admin = stage.member("admin@example.com", ADMIN);
        let teams = [stage.team("one", &[]), stage.team("two", &[])];
        let mut new = NewInvitation::new("Ann@example.com", MEMBER).teams(teams.to_vec());
        let issued = stage.user(admin).invite_member(stage.acme, &new).unwrap();
        assert_eq!(issued.invitation.expires_at, after(stage.now(), 7 * DAY));
        assert_eq!(issued.invitation.created_by.id, Some(admin.into()));
        assert_eq!(system.invitations(stage.acme).unwrap(), std::slice::from_ref(&issued.invitation));
        // The code is told once, and its hash is kept.
        let code = issued.code.expose_secret().to_owned();
        assert!(code.starts_with("invite_") && code.len() == 50, "{}", code.len());
        let hash = base16ct::lower::encode_string(&Sha256::digest(&code));
        assert!(stage.records(&format!("invitation/{hash}")).len() == 1);
        let rendered = format!("{issued:?} {}", stage.dump(""));
        assert!(!rendered.contains(&code[7..]));

        system.delete_team(stage.acme, teams[1]).unwrap();
        stage.pass(7 * DAY - 1);
        assert_eq!(refused(stage.user(admin).accept_invitation(&issued.code, "Ann")), Denied);
        let member = system.accept_invitation(&issued.code, "Ann").unwrap();
        assert_eq!((member.name.as_str(), member.email.as_str()), ("Ann", "Ann@example.com"));
        assert_eq!((member.role, &member.teams[..]), (MEMBER, &teams[..1]));
        assert_eq!(system.user(member.user).unwrap().organizations.len(), 2);
        assert_eq!(refused(system.accept_invitation(&issued.code, "Ann")), NotFound);
        assert!(system.invitations(stage.acme).unwrap().is_empty());
        assert!(!stage.dump("").contains(&hash));
        assert_eq!(refused(stage.user(admin).invite_member(stage.acme, &new)), NotFound);
        new = new.teams(Vec::new());
        assert_eq!(refused(stage.user(admin).invite_member(stage.acme, &new)), Conflict);
        // Somebody who is a user already stays who they are.
        let other = system.create_organization(&NewOrganization::new("Other")).unwrap().id;
        let again = system.invite_member(other, &NewInvitation::new("ANN@example.com", MEMBER)).unwrap();
        let again = system.accept_invitation(&again.code, "Somebody").unwrap();
        assert_eq!((again.user, again.name.as_str()), (member.user, "Ann"));
    }

    fn an_invitation_ends(stage: &Stage) {
        let system = stage.system();
        let invite = |end: Option<Timestamp>| {
            let new = end.into_iter().fold(NewInvitation::new("ann@example.com", MEMBER), NewInvitation::expires_at);
            system.invite_member(stage.acme, &new)
        };
        assert_eq!(refused(invite(Some(stage.now()))), InvalidValue);
        let short = invite(Some(after(stage.now(), 1))).unwrap();
        stage.pass(1);
        let before = stage.dump("");
        let gone = |code: &SecretString| system.accept_invitation(code, "Ann").unwrap_err();
        assert_eq!(gone(&short.code).kind(), NotFound);
        assert_eq!(stage.dump(""), before);
        // Another one takes its place.
        let first = invite(None).unwrap();
        let second = invite(None).unwrap();
        let texts: Vec<String> = [&first.code, &short.code, &"invite_x".into()].map(|code| gone(code).to_string()).into();
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
        assert_eq!(system.invitations(stage.acme).unwrap().len(), 1);
        system.withdraw_invitation(stage.acme, second.invitation.id).unwrap();
        assert_eq!(gone(&second.code).kind(), NotFound);
        assert_eq!(refused(system.withdraw_invitation(stage.acme, second.invitation.id)), NotFound);
        // Whoever is added needs none.
        let third = invite(None).unwrap();
        stage.member("ann@example.com", MEMBER);
        assert_eq!(gone(&third.code).kind(), NotFound);
        assert!(!stored(stage).contains("invitation"));
    }

    fn nobody_gives_a_role_that_holds_more_than_they_do(stage: &Stage) {
        let owner = stage.member("owner@example.com", OWNER);
        let manager = role(stage, "manager", &[P::MemberCreate, P::MemberRead, P::MemberUpdate, P::MemberDelete]);
        let clerk = role(stage, "clerk", &[P::MemberRead]);
        let [admin, ann, bob] = [("admin@x", ADMIN), ("ann@x", manager), ("bob@x", clerk)].map(|(email, role)| stage.member(email, role));
        let org = stage.acme;
        let before = stored(stage);
        let token = stage.issue(PermissionSet::ALL, None).token;
        let with_token = stored(stage);
        let token = stage.vault.session(token);
        let refusals: Vec<(&str, Result<(), Error>)> = vec![
            ("admin adds owner", stage.user(admin).add_member(org, &NewMember::new("new@x", "New", OWNER)).map(drop)),
            ("admin adds another's owner", stage.user(admin).add_member(org, &NewMember::new("new@x", "New", MemberRole::Cloud(CloudRole::Owner))).map(drop)),
            ("admin invites owner", stage.user(admin).invite_member(org, &NewInvitation::new("new@x", OWNER)).map(drop)),
            ("admin becomes owner", stage.user(admin).update_member(org, admin, &to(OWNER)).map(drop)),
            ("admin lowers owner", stage.user(admin).update_member(org, owner, &to(MEMBER)).map(drop)),
            ("admin removes owner", stage.user(admin).remove_member(org, owner)),
            ("token makes owner", token.update_member(org, ann, &to(OWNER)).map(drop)),
            ("token removes owner", token.remove_member(org, owner)),
            ("manager adds member", stage.user(ann).add_member(org, &NewMember::new("new@x", "New", MEMBER)).map(drop)),
            ("manager invites admin", stage.user(ann).invite_member(org, &NewInvitation::new("new@x", ADMIN)).map(drop)),
            ("manager rises", stage.user(ann).update_member(org, ann, &to(ADMIN)).map(drop)),
            ("manager raises", stage.user(ann).update_member(org, bob, &to(ADMIN)).map(drop)),
            ("manager lowers admin", stage.user(ann).update_member(org, admin, &to(clerk)).map(drop)),
            ("manager removes admin", stage.user(ann).remove_member(org, admin)),
            ("manager makes a role", stage.user(ann).create_role(org, &NewRole::new("more", P::SecretRead.into())).map(drop)),
            ("clerk adds", stage.user(bob).add_member(org, &NewMember::new("new@x", "New", clerk)).map(drop)),
        ];
        for (what, result) in refusals {
            assert_eq!(refused(result), Denied, "{what}");
        }
        let now: Vec<String> = stored(stage).lines().filter(|line| !line.starts_with("token/")).map(str::to_owned).collect();
        let then: Vec<String> = with_token.lines().filter(|line| !line.starts_with("token/")).map(str::to_owned).collect();
        assert_eq!(now, then);
        assert!(before.len() < with_token.len());
        // What they hold they can give and take.
        let new = stage.user(ann).add_member(org, &NewMember::new("new@x", "New", manager)).unwrap().user;
        stage.user(ann).update_member(org, new, &to(clerk)).unwrap();
        stage.user(ann).remove_member(org, new).unwrap();
        stage.user(owner).update_member(org, admin, &to(OWNER)).unwrap();
        stage.user(admin).update_member(org, owner, &to(ADMIN)).unwrap();
        assert_eq!(refused(stage.user(owner).update_member(org, admin, &to(ADMIN))), Denied);
        // Teams that were granted something are given by who holds that.
        stage.shop();
        let team = stage.team("some", &[]);
        stage.grant("shop", Grantee::Team(team), "full");
        let new = NewMember::new("new2@x", "New", manager).teams(vec![team]);
        assert_eq!(refused(stage.user(ann).add_member(org, &new)), Denied);
        assert_eq!(stage.user(owner).add_member(org, &new).unwrap().teams, [team]);
    }

    fn one_owner_remains(stage: &Stage) {
        let system = stage.system();
        let ann = stage.member("ann@x", OWNER);
        let org = stage.acme;
        let before = stored(stage);
        for session in [stage.system(), stage.user(ann)] {
            for result in [session.update_member(org, ann, &to(ADMIN)).map(drop), session.remove_member(org, ann)] {
                let error = result.unwrap_err();
                assert_eq!(error.kind(), Conflict);
                assert!(error.to_string().contains("last owner"), "{error}");
            }
        }
        assert_eq!(stored(stage), before);
        // Another service's owner is one, too.
        system.update_member(org, ann, &to(MemberRole::Cloud(CloudRole::Owner))).unwrap();
        let bob = stage.member("bob@x", MemberRole::Workspace(WorkspaceRole::Owner));
        stage.user(ann).remove_member(org, ann).unwrap();
        assert_eq!(refused(stage.user(bob).remove_member(org, bob)), Conflict);
        assert_eq!(emails(stage), ["bob@x"]);
    }

    fn of_two_owners_who_leave_at_once_one_remains(stage: &Stage) {
        let mut last = stage.member("first@x", OWNER);
        for round in 0..4 {
            let pair = [last, stage.member(&format!("owner{round}@x"), OWNER)];
            let results: Vec<Result<(), Error>> = thread::scope(|scope| {
                let threads = pair.map(|user| scope.spawn(move || stage.user(user).remove_member(stage.acme, user)));
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let kinds: Vec<_> = results.into_iter().filter_map(Result::err).map(|error| error.kind()).collect();
            assert_eq!(kinds, [Conflict], "{round}");
            let left = stage.system().members(stage.acme, &Paging::new()).unwrap().items;
            assert!(left.len() == 1 && left[0].role == OWNER, "{left:?}");
            last = left[0].user;
        }
    }

    fn everybody_may_leave(stage: &Stage) {
        stage.shop();
        let guest = role(stage, "guest", &[]);
        let ann = stage.member("ann@x", guest);
        let team = stage.team("some", &[ann]);
        stage.grant("shop/dev", Grantee::User(ann), "admin");
        let session = stage.user(ann);
        // What they are themselves they may know, and nothing of others.
        assert_eq!(session.member(stage.acme, ann).unwrap().teams, [team]);
        assert_eq!(session.granted(stage.acme, Grantee::User(ann)).unwrap().len(), 1);
        let bob = stage.member("bob@x", guest);
        assert_eq!(refused(session.member(stage.acme, bob)), Denied);
        assert_eq!(refused(session.remove_member(stage.acme, bob)), Denied);
        let logged = stage.logged(|| session.remove_member(stage.acme, ann).unwrap());
        assert_eq!((logged[0].action, logged[0].resource.kind, logged[0].resource.id), (Action::Delete, ResourceKind::Member, Some(ann.into())));
        assert_eq!(refused(session.environment(At::Path(stage.acme, &path("shop/dev")))), NotFound);
        assert_eq!(refused(session.member(stage.acme, ann)), NotFound);
        assert_eq!(session.organizations().unwrap().len(), 1);
        assert!(!stage.dump("grant").contains(&ann.to_string()) && !stage.dump("team-member").contains(&ann.to_string()));
        // Who comes back begins anew.
        stage.member("ann@x", guest);
        assert_eq!(refused(session.environment(At::Path(stage.acme, &path("shop/dev")))), NotFound);
    }

    fn roles_of_ones_own(stage: &Stage) {
        let system = stage.system();
        let (org, all) = (stage.acme, PermissionSet::ALL);
        stage.member("owner@x", OWNER);
        let custom = system.create_role(org, &NewRole::new("Release", P::ProjectRead.into())).unwrap();
        assert_eq!(system.role(org, custom.id).unwrap(), custom);
        let ann = stage.member("ann@x", MemberRole::Custom(custom.id));
        stage.shop();
        assert_eq!(refused(system.create_role(org, &NewRole::new("RELEASE", PermissionSet::EMPTY))), Conflict);
        assert_eq!(refused(system.create_role(org, &NewRole::new("r".repeat(101), PermissionSet::EMPTY))), InvalidName);
        assert_eq!(refused(system.create_role(org, &NewRole::new("all", all))), InvalidValue);
        // Whoever has it has what it holds from then on.
        let session = stage.user(ann);
        assert!(session.project(At::Path(org, &path("shop"))).is_ok());
        assert_eq!(refused(session.read_level(At::Path(org, &path("shop")), LevelScope::Chain)), Denied);
        let mut update = RoleUpdate::new().name("release").permissions(PermissionSet::of(&[P::ProjectRead, P::SecretRead, P::SecretDecrypt]));
        let logged = stage.logged(|| drop(system.update_role(org, custom.id, &update).unwrap()));
        assert_eq!(
            serde_json::to_value(&logged[0].details).unwrap()["permissions"],
            json!({"from": ["project:read"], "to": ["secret:read", "secret:decrypt", "project:read"]})
        );
        assert!(session.read_level(At::Path(org, &path("shop")), LevelScope::Chain).is_ok());
        update = update.permissions(all);
        assert_eq!(refused(system.update_role(org, custom.id, &update)), InvalidValue);
        // One that is in use stays.
        assert_eq!(refused(system.delete_role(org, custom.id)), Conflict);
        let invitation = system.invite_member(org, &NewInvitation::new("bob@x", MemberRole::Custom(custom.id))).unwrap();
        system.update_member(org, ann, &to(MEMBER)).unwrap();
        assert_eq!(refused(system.delete_role(org, custom.id)), Conflict);
        system.withdraw_invitation(org, invitation.invitation.id).unwrap();
        system.delete_role(org, custom.id).unwrap();
        assert!(system.roles(org).unwrap().is_empty() && !stored(stage).contains("role-name"));
        assert_eq!(refused(system.update_member(org, ann, &to(MemberRole::Custom(custom.id)))), NotFound);
        // Nobody changes or removes a role that holds more than they do.
        let strong = system.create_role(org, &NewRole::new("strong", P::SecretRead.into())).unwrap().id;
        let weak = role(stage, "weak", &[P::MemberUpdate]);
        system.update_member(org, ann, &to(weak)).unwrap();
        let weaken = RoleUpdate::new().permissions(PermissionSet::EMPTY);
        assert_eq!(refused(session.update_role(org, strong, &weaken)), Denied);
        assert_eq!(refused(session.delete_role(org, strong)), Denied);
    }

    fn what_is_taken_away_is_gone_at_once(stage: &Stage) {
        stage.shop();
        stage.member("owner@x", OWNER);
        let ann = stage.member("ann@x", ADMIN);
        let session = stage.user(ann);
        assert!(session.read_level(At::Path(stage.acme, &path("shop")), LevelScope::Chain).is_ok());
        stage.system().update_member(stage.acme, ann, &to(MemberRole::Cloud(CloudRole::BillingManager))).unwrap();
        assert_eq!(refused(session.read_level(At::Path(stage.acme, &path("shop")), LevelScope::Chain)), NotFound);
        assert_eq!(refused(session.update_member(stage.acme, ann, &to(ADMIN))), Denied);
        assert!(session.organization(stage.acme).is_ok());
        stage.system().remove_member(stage.acme, ann).unwrap();
        assert_eq!(refused(session.organization(stage.acme)), NotFound);
        assert_eq!(refused(session.update_member(stage.acme, ann, &to(ADMIN))), NotFound);
    }

    fn a_suspended_organization_is_closed_to_its_members(stage: &Stage) {
        stage.shop();
        let ann = stage.member("ann@x", OWNER);
        let stranger = stage.system().create_user(&NewUser::new("S", "s@x")).unwrap().id;
        let update = OrganizationUpdate::new().status(OrganizationStatus::Suspended);
        assert_eq!(refused(stage.user(ann).update_organization(stage.acme, &update)), Denied);
        stage.system().update_organization(stage.acme, &update).unwrap();
        assert_eq!(refused(stage.user(ann).project(At::Path(stage.acme, &path("shop")))), Denied);
        assert_eq!(refused(stage.user(ann).remove_member(stage.acme, ann)), Denied);
        assert_eq!(refused(stage.user(stranger).project(At::Path(stage.acme, &path("shop")))), NotFound);
        assert_eq!(stage.system().members(stage.acme, &Paging::new()).unwrap().items.len(), 1);
    }

    fn a_suspended_organization_leaves_the_others_open(stage: &Stage) {
        let ann = stage.member("ann@x", MEMBER);
        let update = OrganizationUpdate::new().status(OrganizationStatus::Suspended);
        stage.system().update_organization(stage.acme, &update).unwrap();
        let listed = stage.user(ann).organizations().unwrap();
        assert_eq!(listed.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["ann"]);
        assert_eq!(stage.system().organizations().unwrap().len(), 2);
        let key = stage.session(P::OrganizationRead.into(), None);
        assert_eq!(refused(key.organizations()), Denied);
    }

    fn an_invitation_to_more_is_not_for_less_to_take_back(stage: &Stage) {
        let admin = stage.member("admin@x", ADMIN);
        let invitation = stage.system().invite_member(stage.acme, &NewInvitation::new("ann@x", OWNER)).unwrap();
        let session = stage.user(admin);
        let before = stage.records("invitation");
        assert_eq!(refused(session.withdraw_invitation(stage.acme, invitation.invitation.id)), Denied);
        assert_eq!(refused(session.invite_member(stage.acme, &NewInvitation::new("ANN@x", MEMBER))), Denied);
        assert_eq!(stage.records("invitation"), before);
        assert_eq!(stage.system().accept_invitation(&invitation.code, "Ann").unwrap().role, OWNER);
    }

    fn only_a_trusted_program_says_which_user_it_is(stage: &Stage) {
        let known = stage.system().create_user(&NewUser::new("Known", "known@x")).unwrap().id;
        let ann = stage.member("ann@x", ADMIN);
        // Whether there is such a user is not to be told from the refusal.
        let texts = ["known@x", "unknown@x"].map(|email| {
            let new = NewMember::new(email, "Some", MEMBER).user_id(ann);
            stage.user(ann).add_member(stage.acme, &new).unwrap_err().to_string()
        });
        assert_eq!(texts[0], texts[1]);
        let new = NewMember::new("known@x", "Some", MEMBER).user_id(known);
        assert_eq!(refused(stage.user(ann).add_member(stage.acme, &new)), Denied);
        assert_eq!(stage.system().add_member(stage.acme, &new).unwrap().user, known);
    }

    fn an_auditor_sees_that_there_were_versions_and_not_what(stage: &Stage) {
        stage.shop();
        stage.write("shop/dev", "A=1\n");
        stage.write("shop/dev", "A=2\n");
        let ann = stage.member("ann@x", MemberRole::Cloud(CloudRole::Auditor));
        let session = stage.user(ann);
        let versions = session.versions(At::Path(stage.acme, &path("shop/dev")), &Paging::new()).unwrap().items;
        assert_eq!(versions.len(), 1);
        let before = stage.dump("");
        let error = session.version(stage.acme, versions[0].id).unwrap_err();
        assert_eq!(error.kind(), Denied);
        assert!(error.to_string().contains("secret:read"), "{error}");
        assert_eq!(stage.dump(""), before);
        stage.grant("shop/dev", Grantee::User(ann), "viewer");
        assert!(session.version(stage.acme, versions[0].id).is_ok());
        // A token is not asked for more than it was.
        assert!(stage.session(P::SecretHistory.into(), None).version(stage.acme, versions[0].id).is_ok());
    }

    fn organizations_do_not_know_of_each_other(stage: &Stage) {
        let system = stage.system();
        stage.shop();
        stage.member("owner@x", OWNER);
        let ann = stage.member("ann@x", MEMBER);
        let other = system.create_organization(&NewOrganization::new("Other")).unwrap().id;
        system.add_member(other, &NewMember::new("ann@x", "-", OWNER)).unwrap();
        let theirs = system.create_role(other, &NewRole::new("theirs", PermissionSet::EMPTY)).unwrap().id;
        // An owner there is a member here, whatever was done first.
        let session = stage.user(ann);
        session.create_project(other, &NewProject::new("shop")).unwrap();
        assert_eq!(refused(session.project(At::Path(stage.acme, &path("shop")))), NotFound);
        assert_eq!(refused(session.create_project(stage.acme, &NewProject::new("mine"))), Denied);
        assert_eq!(session.projects(stage.acme).unwrap().len(), 0);
        assert_eq!(session.projects(other).unwrap().len(), 1);
        let slugs: Vec<String> = session.organizations().unwrap().into_iter().map(|one| one.slug).collect();
        assert_eq!(slugs, ["ann", "acme", "other"]);
        // Roles, members and invitations of one are nothing in the other.
        let custom = MemberRole::Custom(theirs);
        assert_eq!(refused(system.add_member(stage.acme, &NewMember::new("new@x", "New", custom))), NotFound);
        assert_eq!(refused(system.role(stage.acme, theirs)), NotFound);
        let bob = stage.member("bob@x", MEMBER);
        assert_eq!(refused(session.member(other, bob)), NotFound);
        assert_eq!(refused(session.update_member(other, bob, &to(MEMBER))), NotFound);
        let invitation = system.invite_member(stage.acme, &NewInvitation::new("new@x", MEMBER)).unwrap().invitation.id;
        assert_eq!(refused(session.withdraw_invitation(other, invitation)), NotFound);
        assert!(session.invitations(other).unwrap().is_empty());
        // What happens to one leaves the other alone.
        system.delete_organization(other).unwrap();
        assert!(session.organization(stage.acme).is_ok());
        assert_eq!(emails(stage), ["owner@x", "ann@x", "bob@x"]);
    }

    fn changes_of_members_are_recorded(stage: &Stage) {
        let owner = stage.member("owner@x", OWNER);
        let session = stage.user(owner);
        let mut ann: Option<Member> = None;
        let logged = stage.logged(|| {
            let member = session.add_member(stage.acme, &NewMember::new("ann@x", "Ann", MEMBER)).unwrap();
            session.update_member(stage.acme, member.user, &to(ADMIN)).unwrap();
            let issued = session.invite_member(stage.acme, &NewInvitation::new("bob@x", MEMBER)).unwrap();
            stage.system().accept_invitation(&issued.code, "Bob").unwrap();
            session.remove_member(stage.acme, member.user).unwrap();
            ann = Some(member);
        });
        let told: Vec<(Action, ResourceKind, Value)> = logged.iter()
            .map(|record| (record.action, record.resource.kind, serde_json::to_value(&record.details).unwrap())).collect();
        let (member, invitation) = (ResourceKind::Member, ResourceKind::Invitation);
        assert_eq!(told, [
            (Action::Create, member, json!({"email": "ann@x", "role": "workspace:member", "teams": []})),
            (Action::Update, member, json!({"changed": ["role"], "role": {"from": "workspace:member", "to": "admin"}})),
            (Action::Create, invitation, json!({"role": "workspace:member", "teams": [], "expiresAt": told[2].2["expiresAt"]})),
            (Action::Create, member, json!({"email": "bob@x", "role": "workspace:member", "teams": []})),
            (Action::Delete, member, json!({"email": "ann@x", "role": "admin"})),
        ]);
        assert_eq!(logged[0].actor.id, Some(owner.into()));
        assert_eq!(logged[0].resource.id, ann.map(|member| member.user.into()));
    }

    fn members_are_listed_in_pages(stage: &Stage) {
        let all: Vec<String> = (0..5).map(|n| format!("m{n}@x")).collect();
        for email in &all {
            stage.member(email, MEMBER);
        }
        assert_eq!(emails(stage), all);
        assert_eq!(refused(stage.system().members(stage.acme, &Paging::new().after("nowhere"))), InvalidValue);
        let there = NewMember::new("m1@x", "-", MEMBER);
        assert_eq!(refused(stage.system().add_member(stage.acme, &there)), Conflict);
        let stranger = NewMember::new("stranger@x", "-", MEMBER);
        let stranger = stranger.user_id(stage.system().user_by_email("m0@x").unwrap().id);
        assert_eq!(refused(stage.system().add_member(stage.acme, &stranger)), Conflict);
    }
}
