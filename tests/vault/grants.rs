//! What is granted to users and teams, at projects and environments.

use std::sync::Arc;

use ioenv::ErrorKind::{Denied, InvalidName, InvalidValue, NotFound};
use ioenv::vault::{
    Action, Actor, At, CloudRole, Confirmation, Grant, GrantRole, Grantee, Id, LevelScope, MemberRole, NewMember,
    NewOrganization, NewProject, NewRole, Permission as P, PermissionSet, ResourceKind, Search, Session, UserId,
    VaultOptions, WorkspaceRole,
};
use serde_json::{Value, json};

use super::counting::Counting;
use super::stage::{Stage, entry, name, path, refused, slug};

const MEMBER: MemberRole = MemberRole::Workspace(WorkspaceRole::Member);

fn told(grants: Vec<Grant>) -> Vec<(Grantee, String, String)> {
    grants.into_iter().map(|grant| (grant.grantee, grant.path.to_string(), grant.role.to_string())).collect()
}

fn role(text: &str) -> GrantRole {
    text.parse().unwrap()
}

/// A member with that alone in the organization.
fn with(stage: &Stage, email: &str, permissions: &[P]) -> UserId {
    let new = NewRole::new(email, PermissionSet::of(permissions));
    let id = stage.system().create_role(stage.acme, &new).unwrap().id;
    stage.member(email, MemberRole::Custom(id))
}

on_every_store! {
    fn one_role_for_somebody_at_a_place(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        let ann = stage.member("ann@x", MEMBER);
        let team = stage.team("some", &[]);
        let (user, team) = (Grantee::User(ann), Grantee::Team(team));
        let logged = stage.logged(|| {
            stage.grant("shop/dev", user, "viewer");
            stage.grant("shop/dev", user, "editor");
            stage.grant("shop", user, "full");
            stage.grant("shop/dev", team, "admin");
            system.revoke_grant(At::Path(stage.acme, &path("shop")), user).unwrap();
        });
        let spelled: Vec<(Action, ResourceKind, Value)> = logged.iter()
            .map(|record| (record.action, record.resource.kind, serde_json::to_value(&record.details).unwrap())).collect();
        assert_eq!(spelled, [
            (Action::Create, ResourceKind::Member, json!({"role": "viewer"})),
            (Action::Update, ResourceKind::Member, json!({"changed": ["role"], "role": {"from": "viewer", "to": "editor"}})),
            (Action::Create, ResourceKind::Member, json!({"role": "full"})),
            (Action::Create, ResourceKind::Team, json!({"role": "admin"})),
            (Action::Delete, ResourceKind::Member, json!({"role": "full"})),
        ]);
        assert_eq!(logged[0].resource.id, Some(ann.into()));
        assert_eq!(logged[0].resource.path, Some(path("shop/dev")));
        let at = |place: &str| told(system.grants(At::Path(stage.acme, &path(place))).unwrap());
        assert_eq!(at("shop/dev"), [(user, "shop/dev".into(), "editor".into()), (team, "shop/dev".into(), "admin".into())]);
        assert!(at("shop").is_empty() && at("shop/api/prod").is_empty());
        assert_eq!(refused(system.revoke_grant(At::Path(stage.acme, &path("shop")), user)), NotFound);
        assert_eq!(told(system.granted(stage.acme, team).unwrap()), [(team, "shop/dev".into(), "admin".into())]);
        let grant = system.grants(At::Path(stage.acme, &path("shop/dev"))).unwrap().remove(0);
        assert_eq!((grant.created_at, grant.created_by.name.as_deref()), (stage.now(), Some("test")));
        // The place keeps its grants when it is called otherwise.
        let rename = ioenv::vault::ProjectUpdate::new().slug(slug("store"));
        system.update_project(At::Path(stage.acme, &path("shop")), &rename).unwrap();
        assert_eq!(told(system.granted(stage.acme, user).unwrap()), [(user, "store/dev".into(), "editor".into())]);
        assert_eq!(stage.user(ann).projects(stage.acme).unwrap()[0].slug, "store");
    }

    fn granted_are_projects_and_environments(stage: &Stage) {
        stage.shop();
        stage.with_base("base");
        let system = stage.system();
        let ann = Grantee::User(stage.member("ann@x", MEMBER));
        let grant = |place: &str, role_: &str| system.grant(At::Path(stage.acme, &path(place)), ann, role(role_)).map(drop);
        let before = stage.dump("");
        assert_eq!(refused(grant("shop/api", "viewer")), InvalidName);
        // What is granted in `_base` would be granted in all that inherits from it.
        assert_eq!(refused(grant("base/_base", "viewer")), InvalidName);
        for project_role in ["full", "project-viewer", "project-editor", "project-admin"] {
            assert_eq!(refused(grant("shop/dev", project_role)), InvalidValue, "{project_role}");
        }
        assert_eq!(refused(grant("shop/none", "viewer")), NotFound);
        assert_eq!(refused(grant("none", "viewer")), NotFound);
        // To whom is in the organization.
        let other = system.create_organization(&NewOrganization::new("Other")).unwrap().id;
        let stranger = system.add_member(other, &NewMember::new("s@x", "S", MEMBER)).unwrap().user;
        let Grantee::User(ann_id) = ann else { panic!() };
        for nobody in [Grantee::User(stranger), Grantee::Team(Id::from(ann_id).into()), Grantee::User(Id::from(stage.acme).into())] {
            assert_eq!(refused(system.grant(At::Path(stage.acme, &path("shop")), nobody, role("viewer"))), NotFound);
            assert_eq!(refused(system.granted(stage.acme, nobody)), NotFound);
        }
        assert_ne!(stage.dump(""), before);
        assert!(stage.records("grant").is_empty());
        for good in ["shop/dev", "shop/api/prod", "base/prod", "base"] {
            grant(good, "viewer").unwrap();
        }
        // Each environment alone; the projects are on the way.
        let session = stage.user(ann_id);
        stage.write("shop", "SHARED=1\n");
        stage.write("shop/dev", "A=1\n");
        assert_eq!(session.read_level(At::Path(stage.acme, &path("shop/dev")), LevelScope::Chain).unwrap().resolve().iter().count(), 2);
        assert_eq!(refused(session.read_level(At::Path(stage.acme, &path("shop")), LevelScope::Own)), NotFound);
        let found = session.search_entries(At::Path(stage.acme, &path("shop")), &Search::Name(name("SHARED"))).unwrap();
        assert!(found.is_empty());
        let on_the_way = PermissionSet::of(&[P::OrganizationRead, P::ProjectRead, P::TargetRead, P::EnvironmentRead]);
        for above in ["shop", "shop/api"] {
            assert_eq!(session.own_rights(At::Path(stage.acme, &path(above))).unwrap(), on_the_way, "{above}");
        }
        let slugs: Vec<String> = session.projects(stage.acme).unwrap().into_iter().map(|one| one.slug).collect();
        assert_eq!(slugs, ["base", "shop"]);
        system.create_project(stage.acme, &NewProject::new("another")).unwrap();
        assert_eq!(session.projects(stage.acme).unwrap().len(), 2);
        // One that is there and one that is not are told apart by nothing.
        let texts = ["another", "none"].map(|one| session.project(At::Path(stage.acme, &path(one))).unwrap_err().to_string());
        assert_eq!(texts[0], texts[1]);
        let texts = ["another", "none"].map(|one| session.read_level(At::Path(stage.acme, &path(&format!("{one}/dev"))), LevelScope::Chain).unwrap_err().to_string());
        assert_eq!(texts[0], texts[1]);
    }

    fn of_several_roles_the_highest_counts(stage: &Stage) {
        stage.shop();
        let ann = stage.member("ann@x", MEMBER);
        let teams = [stage.team("one", &[ann]), stage.team("two", &[ann])];
        let session = stage.user(ann);
        let write = || session.set_entries(At::Path(stage.acme, &path("shop/dev")), &[entry("A", "1")]).map(drop);
        let delete = || session.delete_all_entries(At::Path(stage.acme, &path("shop/dev"))).map(drop);
        stage.grant("shop", Grantee::User(ann), "viewer");
        assert_eq!(refused(write()), Denied);
        stage.grant("shop/dev", Grantee::Team(teams[0]), "editor");
        write().unwrap();
        assert_eq!(refused(delete()), Denied);
        assert_eq!(refused(session.set_entries(At::Path(stage.acme, &path("shop")), &[entry("A", "1")])), Denied);
        stage.grant("shop", Grantee::Team(teams[1]), "admin");
        delete().unwrap();
        // A lower one takes nothing away, and what is taken back leaves the others.
        stage.grant("shop/dev", Grantee::User(ann), "viewer");
        delete().unwrap();
        stage.system().remove_team_member(stage.acme, teams[1], ann).unwrap();
        assert_eq!(refused(delete()), Denied);
        write().unwrap();
        stage.system().revoke_grant(At::Path(stage.acme, &path("shop/dev")), Grantee::Team(teams[0])).unwrap();
        assert_eq!(refused(write()), Denied);
        assert!(session.read_level(At::Path(stage.acme, &path("shop/dev")), LevelScope::Chain).is_ok());
        let rights = session.own_rights(At::Path(stage.acme, &path("shop/dev"))).unwrap();
        assert!(rights.contains(P::SecretRead) && !rights.contains(P::SecretWrite));
        // The role in the organization counts along with them.
        let update = ioenv::vault::MemberUpdate::new().role(MemberRole::Cloud(CloudRole::Developer));
        stage.member("owner@x", MemberRole::Cloud(CloudRole::Owner));
        stage.system().update_member(stage.acme, ann, &update).unwrap();
        let rights = session.own_rights(At::Path(stage.acme, &path("shop/dev"))).unwrap();
        assert!(rights.contains_all(CloudRole::Developer.permissions()) && rights.contains(P::AccountCreate));
    }

    fn who_has_all_of_a_project_says_who_has_access(stage: &Stage) {
        stage.shop();
        let ann = stage.member("ann@x", MEMBER);
        let bob = Grantee::User(stage.member("bob@x", MEMBER));
        let session = stage.user(ann);
        let dev = path("shop/dev");
        let give = |at: &str, text: &str| session.grant(At::Path(stage.acme, &path(at)), bob, role(text)).map(drop);
        // No lower role does, not even where it is the highest of an environment.
        for (at, lower) in [("shop", "admin"), ("shop/dev", "admin"), ("shop", "project-admin"), ("shop", "project-editor")] {
            stage.grant(at, Grantee::User(ann), lower);
            let before = stage.dump("");
            assert_eq!(refused(give("shop/dev", "viewer")), Denied, "{lower} at {at}");
            assert_eq!(refused(session.grants(At::Path(stage.acme, &dev))), Denied);
            assert_eq!(refused(session.revoke_grant(At::Path(stage.acme, &dev), bob)), Denied);
            assert_eq!(stage.dump(""), before);
        }
        stage.grant("shop", Grantee::User(ann), "full");
        for &all in GrantRole::ALL {
            session.grant(At::Path(stage.acme, &path("shop")), bob, all).unwrap();
        }
        give("shop/dev", "admin").unwrap();
        session.revoke_grant(At::Path(stage.acme, &path("shop")), bob).unwrap();
        assert_eq!(told(session.grants(At::Path(stage.acme, &dev)).unwrap()).len(), 2);
        // Only in that project.
        stage.system().create_project(stage.acme, &NewProject::new("other")).unwrap();
        assert_eq!(refused(give("other", "viewer")), NotFound);
    }

    fn nobody_grants_more_than_they_have(stage: &Stage) {
        stage.shop();
        let [bob, cid] = ["bob@x", "cid@x"].map(|email| Grantee::User(stage.member(email, MEMBER)));
        let viewer = role("viewer").permissions();
        let permissions: Vec<P> = viewer.iter().chain([P::AccessManage]).collect();
        let ann = with(stage, "ann@x", &permissions);
        let session = stage.user(ann);
        session.grant(At::Path(stage.acme, &path("shop")), bob, role("viewer")).unwrap();
        for higher in ["editor", "admin", "project-admin", "full"] {
            assert_eq!(refused(session.grant(At::Path(stage.acme, &path("shop")), bob, role(higher))), Denied, "{higher}");
        }
        // Nor is a higher role replaced or taken back.
        stage.grant("shop", Grantee::User(ann), "viewer");
        stage.grant("shop", cid, "full");
        assert_eq!(refused(session.grant(At::Path(stage.acme, &path("shop")), cid, role("viewer"))), Denied);
        assert_eq!(refused(session.revoke_grant(At::Path(stage.acme, &path("shop")), cid)), Denied);
        session.revoke_grant(At::Path(stage.acme, &path("shop")), bob).unwrap();
        // A token, neither.
        let token = stage.session(viewer.union(P::AccessManage.into()), Some("shop"));
        token.grant(At::Path(stage.acme, &path("shop/dev")), bob, role("viewer")).unwrap();
        assert_eq!(refused(token.grant(At::Path(stage.acme, &path("shop/dev")), bob, role("editor"))), Denied);
        // Access to one environment is a matter of the project.
        let bound = stage.session(PermissionSet::ALL, Some("shop/dev"));
        assert_eq!(refused(bound.grant(At::Path(stage.acme, &path("shop/dev")), bob, role("viewer"))), Denied);
    }

    fn what_is_deleted_takes_its_grants_along(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        let ann = stage.member("ann@x", MEMBER);
        let (user, team) = (Grantee::User(ann), Grantee::Team(stage.team("some", &[ann])));
        for at in ["shop", "shop/dev", "shop/api/prod"] {
            stage.grant(at, user, "viewer");
            stage.grant(at, team, "editor");
        }
        let left = || told(system.granted(stage.acme, user).unwrap()).into_iter().map(|(_, at, _)| at).collect::<Vec<_>>();
        assert_eq!(left(), ["shop", "shop/api/prod", "shop/dev"]);
        system.delete_environment(At::Path(stage.acme, &path("shop/dev")), Confirmation::Given).unwrap();
        assert_eq!(left(), ["shop", "shop/api/prod"]);
        // What is made in its place is another one.
        system.create_environment(At::Path(stage.acme, &path("shop")), &ioenv::vault::NewEnvironment::new("dev")).unwrap();
        assert!(system.grants(At::Path(stage.acme, &path("shop/dev"))).unwrap().is_empty());
        system.delete_target(At::Path(stage.acme, &path("shop/api"))).unwrap();
        assert_eq!(left(), ["shop"]);
        system.revoke_grant(At::Path(stage.acme, &path("shop")), team).unwrap();
        assert_eq!(stage.records("grant/").len(), 1);
        system.delete_project(At::Path(stage.acme, &path("shop"))).unwrap();
        assert!(stage.records("grant").is_empty(), "{}", stage.dump("grant"));
        system.create_project(stage.acme, &NewProject::new("shop")).unwrap();
        assert_eq!(refused(stage.user(ann).project(At::Path(stage.acme, &path("shop")))), NotFound);
        assert!(stage.user(ann).projects(stage.acme).unwrap().is_empty());
    }

    fn what_can_be_restored_hides_its_grants_meanwhile(stage: &Stage) {
        stage.shop();
        stage.with_base("other");
        let system = stage.system();
        let ann = stage.member("ann@x", MEMBER);
        let (user, team) = (Grantee::User(ann), Grantee::Team(stage.team("some", &[ann])));
        for at in ["shop", "shop/dev", "shop/api/prod", "other"] {
            stage.grant(at, user, "viewer");
            stage.grant(at, team, "editor");
        }
        for at in ["shop/dev", "shop/api/prod"] {
            stage.write(at, "A=1\n");
        }
        let session = stage.user(ann);
        let places = |session: &Session<'_>, grantee| -> Vec<String> {
            told(session.granted(stage.acme, grantee).unwrap()).into_iter().map(|(_, at, _)| at).collect()
        };
        let slugs = || session.projects(stage.acme).unwrap().into_iter().map(|one| one.slug).collect::<Vec<_>>();
        let all = ["other", "shop", "shop/api/prod", "shop/dev"];
        let dev = system.environment(At::Path(stage.acme, &path("shop/dev"))).unwrap().id;
        system.delete_environment(At::Path(stage.acme, &path("shop/dev")), Confirmation::Given).unwrap();
        assert_eq!(places(&system, user), ["other", "shop", "shop/api/prod"]);
        assert_eq!(places(&system, team), ["other", "shop", "shop/api/prod"]);
        assert_eq!(places(&session, user), ["other", "shop", "shop/api/prod"]);
        system.restore_environment(stage.acme, dev).unwrap();
        assert_eq!(places(&session, user), all);
        let shop = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id;
        system.delete_project(At::Path(stage.acme, &path("shop"))).unwrap();
        assert_eq!(slugs(), ["other"]);
        assert_eq!(places(&system, user), ["other"]);
        assert_eq!(places(&session, user), ["other"]);
        // What is asked for by somebody who is to share it goes on, too.
        let bob = stage.member("bob@x", MEMBER);
        let Grantee::Team(id) = team else { panic!() };
        system.add_team_member(stage.acme, id, bob).unwrap();
        system.restore_project(stage.acme, shop).unwrap();
        assert_eq!(slugs(), ["other", "shop"]);
        assert_eq!(places(&session, user), all);
        assert!(stage.user(bob).read_level(At::Path(stage.acme, &path("shop/dev")), LevelScope::Chain).is_ok());
    }

    fn what_others_were_granted_is_told_where_one_may_know_of_it(stage: &Stage) {
        stage.shop();
        stage.system().create_project(stage.acme, &NewProject::new("other")).unwrap();
        let bob = stage.member("bob@x", MEMBER);
        let (user, team) = (Grantee::User(bob), Grantee::Team(stage.team("some", &[bob])));
        stage.grant("shop/dev", user, "viewer");
        stage.grant("other", user, "full");
        stage.grant("other", team, "full");
        let ann = with(stage, "ann@x", &[P::MemberRead, P::TeamRead]);
        let listed = |grantee| told(stage.user(ann).granted(stage.acme, grantee).unwrap()).len();
        assert_eq!((listed(user), listed(team)), (0, 0));
        stage.grant("shop", Grantee::User(ann), "viewer");
        assert_eq!((listed(user), listed(team)), (1, 0));
        assert_eq!(stage.user(bob).granted(stage.acme, user).unwrap().len(), 2);
        assert_eq!(refused(stage.user(bob).granted(stage.acme, team)), Denied);
    }

    fn what_one_may_costs_the_same_among_many(stage: &Stage) {
        stage.shop();
        let ann = stage.member("ann@x", MEMBER);
        let team = stage.team("ann's", &[ann]);
        stage.grant("shop/dev", Grantee::User(ann), "viewer");
        let store = Arc::new(Counting::all(Arc::clone(&stage.store)));
        stage.pass(1);
        let vault = VaultOptions::new(&stage.root).clock(stage.clock.clone()).open(Arc::clone(&store)).unwrap();
        let cost = |work: &dyn Fn(&Session<'_>)| store.reads(|| work(&vault.session(Actor::User(ann))));
        let costs = || {
            [
                cost(&|session| drop(session.read_level(At::Path(stage.acme, &path("shop/dev")), LevelScope::Chain).unwrap().resolve())),
                cost(&|session| assert!(session.own_rights(At::Path(stage.acme, &path("shop"))).is_ok())),
                cost(&|session| drop(session.projects(stage.acme).unwrap())),
                cost(&|session| drop(session.member(stage.acme, ann).unwrap())),
                cost(&|session| assert_eq!(refused(session.project(At::Path(stage.acme, &path("none")))), NotFound)),
            ]
        };
        let few = costs();
        assert!(few.iter().all(|count| (4..20).contains(count)), "{few:?}");
        for number in 0..12 {
            let member = stage.member(&format!("other{number}@x"), MEMBER);
            let team = stage.team(&format!("team {number}"), &[member]);
            stage.grant("shop/dev", Grantee::User(member), "editor");
            stage.grant("shop/api/prod", Grantee::Team(team), "editor");
            stage.system().create_project(stage.acme, &NewProject::new("p")).unwrap();
        }
        assert_eq!(costs(), few);
        // What was granted to her own team is looked at, of course.
        stage.grant("shop/api/prod", Grantee::Team(team), "viewer");
        assert_ne!(costs(), few);
    }
}
