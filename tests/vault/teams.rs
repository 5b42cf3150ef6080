//! Teams: members to whom something is granted together.

use ioenv::ErrorKind::{Conflict, Denied, InvalidName, NotFound};
use ioenv::vault::{
    Action, At, Grantee, MemberRole, NewMember, NewOrganization, NewRole, NewTeam, Paging, Permission as P,
    PermissionSet, ResourceKind, TeamId, TeamUpdate, WorkspaceRole,
};
use serde_json::json;

use super::stage::{Stage, path, refused};

const MEMBER: MemberRole = MemberRole::Workspace(WorkspaceRole::Member);

fn renamed(name: &str) -> TeamUpdate {
    TeamUpdate::new().name(name)
}

fn emails(stage: &Stage, team: TeamId) -> Vec<String> {
    let page = stage.system().team_members(stage.acme, team, &Paging::new()).unwrap();
    page.items.into_iter().map(|member| member.email).collect()
}

on_every_store! {
    fn teams_come_change_and_go(stage: &Stage) {
        let system = stage.system();
        let new = NewTeam::new(" Back End ").description("What runs.");
        let team = system.create_team(stage.acme, &new).unwrap();
        assert_eq!((team.name.as_str(), team.description.as_deref()), ("Back End", Some("What runs.")));
        assert_eq!(system.team(stage.acme, team.id).unwrap(), team);
        // A name is one whatever its case, and its own team may spell it otherwise.
        assert_eq!(refused(system.create_team(stage.acme, &NewTeam::new("back end"))), Conflict);
        let other = system.create_team(stage.acme, &NewTeam::new("Été")).unwrap();
        assert_eq!(refused(system.create_team(stage.acme, &NewTeam::new("ÉTÉ"))), Conflict);
        assert_eq!(refused(system.update_team(stage.acme, other.id, &renamed("BACK END"))), Conflict);
        assert_eq!(system.update_team(stage.acme, team.id, &renamed("BACK END")).unwrap().name, "BACK END");
        system.update_team(stage.acme, team.id, &renamed("Server")).unwrap();
        system.update_team(stage.acme, other.id, &renamed("back end")).unwrap();
        for bad in ["", "a\nb", &"t".repeat(101)] {
            assert_eq!(refused(system.create_team(stage.acme, &NewTeam::new(bad))), InvalidName, "{bad:?}");
        }
        // The longest name there is has room in a key.
        system.create_team(stage.acme, &NewTeam::new("\u{10400}".repeat(100))).unwrap();
        let names: Vec<String> = system.teams(stage.acme).unwrap().into_iter().map(|team| team.name).collect();
        assert_eq!(names[..2], ["Server", "back end"]);
        system.delete_team(stage.acme, team.id).unwrap();
        assert_eq!(refused(system.team(stage.acme, team.id)), NotFound);
        assert_eq!(refused(system.delete_team(stage.acme, team.id)), NotFound);
        system.create_team(stage.acme, &NewTeam::new("server")).unwrap();
    }

    fn members_come_to_a_team_and_go(stage: &Stage) {
        let system = stage.system();
        let [ann, bob] = ["ann@x", "bob@x"].map(|email| stage.member(email, MEMBER));
        let team = stage.team("some", &[bob, ann]);
        assert_eq!(emails(stage, team), ["ann@x", "bob@x"]);
        let page = system.team_members(stage.acme, team, &Paging::new().limit(1)).unwrap();
        let next = system.team_members(stage.acme, team, &Paging::new().limit(1).after(page.next.unwrap())).unwrap();
        assert_eq!((next.items[0].user, next.next), (bob, None));
        assert_eq!(refused(system.add_team_member(stage.acme, team, ann)), Conflict);
        let logged = stage.logged(|| system.remove_team_member(stage.acme, team, ann).unwrap());
        assert_eq!((logged[0].action, logged[0].resource.kind, logged[0].resource.id), (Action::Update, ResourceKind::Team, Some(team.into())));
        assert_eq!(serde_json::to_value(&logged[0].details).unwrap(), json!({"changed": ["members"], "removed": ann.to_string(), "email": "ann@x"}));
        assert_eq!(refused(system.remove_team_member(stage.acme, team, ann)), NotFound);
        // Who leaves the organization leaves its teams.
        system.remove_member(stage.acme, bob).unwrap();
        assert!(emails(stage, team).is_empty());
        assert!(stage.records("team-member/").is_empty());
        stage.member("bob@x", MEMBER);
        assert!(emails(stage, team).is_empty());
    }

    fn a_team_is_of_one_organization(stage: &Stage) {
        let system = stage.system();
        let other = system.create_organization(&NewOrganization::new("Other")).unwrap().id;
        let stranger = system.add_member(other, &NewMember::new("s@x", "S", MEMBER)).unwrap().user;
        let ann = stage.member("ann@x", MEMBER);
        let team = stage.team("some", &[]);
        let theirs = system.create_team(other, &NewTeam::new("some")).unwrap().id;
        assert_eq!(refused(system.add_team_member(stage.acme, team, stranger)), NotFound);
        assert_eq!(refused(system.add_team_member(stage.acme, theirs, ann)), NotFound);
        assert_eq!(refused(system.team(stage.acme, theirs)), NotFound);
        let mut new = NewMember::new("new@x", "New", MEMBER).teams(vec![theirs]);
        assert_eq!(refused(system.add_member(stage.acme, &new)), NotFound);
        new = new.teams(vec![team, team]);
        assert_eq!(system.add_member(stage.acme, &new).unwrap().teams, [team]);
    }

    fn with_a_team_goes_what_it_was_granted(stage: &Stage) {
        stage.shop();
        let ann = stage.member("ann@x", MEMBER);
        let team = stage.team("some", &[ann]);
        stage.grant("shop/dev", Grantee::Team(team), "editor");
        stage.grant("shop", Grantee::Team(team), "viewer");
        let session = stage.user(ann);
        assert!(session.environment(At::Path(stage.acme, &path("shop/dev"))).is_ok());
        stage.pass(1);
        stage.system().delete_team(stage.acme, team).unwrap();
        assert_eq!(session.member(stage.acme, ann).unwrap().updated_at, stage.now());
        assert_eq!(refused(session.environment(At::Path(stage.acme, &path("shop/dev")))), NotFound);
        assert!(stage.records("grant").is_empty() && stage.records("team").is_empty());
        assert!(session.member(stage.acme, ann).unwrap().teams.is_empty());
    }

    fn nobody_gets_more_by_a_team_than_its_manager_has(stage: &Stage) {
        let system = stage.system();
        stage.shop();
        let permissions = PermissionSet::of(&[P::TeamRead, P::TeamUpdate, P::TeamCreate]);
        let manager = system.create_role(stage.acme, &NewRole::new("manager", permissions)).unwrap().id;
        let ann = stage.member("ann@x", MemberRole::Custom(manager));
        let bob = stage.member("bob@x", MEMBER);
        let team = stage.team("some", &[]);
        let session = stage.user(ann);
        session.add_team_member(stage.acme, team, bob).unwrap();
        session.remove_team_member(stage.acme, team, bob).unwrap();
        stage.grant("shop/dev", Grantee::Team(team), "viewer");
        let before = stage.dump("");
        for user in [ann, bob] {
            assert_eq!(refused(session.add_team_member(stage.acme, team, user)), Denied);
        }
        assert_eq!(stage.dump(""), before);
        // As much somewhere else is not enough, as much there is.
        stage.grant("shop/api/prod", Grantee::User(ann), "admin");
        assert_eq!(refused(session.add_team_member(stage.acme, team, bob)), Denied);
        stage.grant("shop/dev", Grantee::User(ann), "editor");
        session.add_team_member(stage.acme, team, bob).unwrap();
        stage.grant("shop", Grantee::Team(team), "viewer");
        assert_eq!(refused(session.add_team_member(stage.acme, team, ann)), Denied);
    }
}
