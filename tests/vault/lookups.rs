//! Slugs that a service chooses, entries that an environment is made with, and where entries are found.

use ioenv::Error;
use ioenv::ErrorKind::{Conflict, Denied, InvalidName, NotFound};
use ioenv::vault::{
    At, EnvironmentUpdate, Id, LevelId, LevelScope, NewEnvironment, NewOrganization, NewProject, NewToken, Permission,
    PermissionSet, ProjectUpdate, Search, SlugRule, Timestamp, Vocabulary,
};

use super::stage::{Stage, entry, name, path, refused, slug};

const PROD: &str = "shop/api/prod";

type Call<'a> = &'a dyn Fn(At<'_>) -> Result<(), Error>;

on_every_store! {
    fn an_environment_can_be_made_with_entries(stage: &Stage) {
        stage.shop();
        stage.write("shop", "# ioenv: variable\nA=0\n");
        let (system, acme) = (stage.system(), stage.acme);
        let mut new = NewEnvironment::new("full").entries(vec![entry("A", "1"), entry("B", "2").comment("about")]);
        system.create_environment(At::Path(acme, &path("shop")), &new).unwrap();
        assert_eq!(stage.text("shop/full").unwrap(), "# ioenv: variable\nA=1\n# about\nB=2\n");
        new = new.slug(slug("none")).entries(vec![entry("A", "1"), entry("A", "2")]);
        assert_eq!(refused(system.create_environment(At::Path(acme, &path("shop")), &new)), InvalidName);
        new = new.entries(vec![entry("A", "1")]);
        let shaper = stage.session(Permission::EnvironmentCreate.into(), None);
        assert_eq!(refused(shaper.create_environment(At::Path(acme, &path("shop")), &new)), Denied);
        assert_eq!(refused(system.environment(At::Path(acme, &path("shop/none")))), NotFound);
        let both = PermissionSet::of(&[Permission::EnvironmentCreate, Permission::SecretWrite]);
        stage.session(both, None).create_environment(At::Path(acme, &path("shop")), &new).unwrap();
    }

    fn any_slug_is_for_whoever_asks_for_it(stage: &Stage) {
        let (system, acme) = (stage.system(), stage.acme);
        let mut project = NewProject::new("Billing").slug(slug("billing"));
        assert_eq!(refused(system.create_project(acme, &project.clone())), InvalidName);
        project = project.slug_rule(SlugRule::Any);
        system.create_project(acme, &project.clone()).unwrap();
        assert_eq!(refused(system.create_project(acme, &project.clone())), Conflict);
        for never in ["_base", "proj_0000000000000000000000"] {
            project = project.slug(slug(never));
            assert_eq!(refused(system.create_project(acme, &project.clone())), InvalidName, "{never}");
        }
        let mut environment = NewEnvironment::new("x").slug(slug("_secrets")).slug_rule(SlugRule::Any);
        system.create_environment(At::Path(acme, &path("billing")), &environment).unwrap();
        environment = environment.slug(slug("_base"));
        assert_eq!(refused(system.create_environment(At::Path(acme, &path("billing")), &environment)), InvalidName);
        let mut update = EnvironmentUpdate::new().slug(slug("secrets"));
        let at = path("billing/_secrets");
        assert_eq!(refused(system.update_environment(At::Path(acme, &at), &update)), InvalidName);
        update = update.slug_rule(SlugRule::Any);
        system.update_environment(At::Path(acme, &at), &update).unwrap();
        stage.write("billing/secrets", "A=1\n");
        assert_eq!(stage.resolved("billing/secrets"), "A=1");
        let update = ProjectUpdate::new().slug(slug("user")).slug_rule(SlugRule::Any);
        system.update_project(At::Path(acme, &path("billing")), &update).unwrap();
        assert_eq!(stage.resolved("user/secrets"), "A=1");
    }

    fn an_id_of_another_organization_is_as_unknown_as_any(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        let other = system.create_organization(&NewOrganization::new("Other")).unwrap().id;
        let stranger = system.issue_token(other, &NewToken::new("stranger", PermissionSet::ALL)).unwrap().token;
        let stranger = stage.vault.session(stranger);
        let project: LevelId = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id.into();
        let target: LevelId = system.target(At::Path(stage.acme, &path("shop/api"))).unwrap().id.into();
        let environment: LevelId = system.environment(At::Path(stage.acme, &path(PROD))).unwrap().id.into();
        // An id that is nobody's.
        let unknown: LevelId = Id::from_parts(Timestamp::MAX, [7; 10]).into();
        let calls: [(&str, Call<'_>); 10] = [
            ("blobs", &|at| stranger.blobs(at).map(drop)),
            ("entries", &|at| stranger.entry_metadata(at).map(drop)),
            ("read", &|at| stranger.read_level(at, LevelScope::Chain).map(drop)),
            ("project", &|at| stranger.project(at).map(drop)),
            ("target", &|at| stranger.target(at).map(drop)),
            ("environment", &|at| stranger.environment(at).map(drop)),
            ("key", &|at| stranger.key(at).map(drop)),
            ("grants", &|at| stranger.grants(at).map(drop)),
            ("delete", &|at| stranger.delete_level(at)),
            ("rename", &|at| stranger.update_environment(at, &EnvironmentUpdate::new().name("x")).map(drop)),
        ];
        for (what, call) in calls {
            let expected = call(At::Id(unknown)).unwrap_err();
            assert_eq!(expected.kind(), NotFound, "{what}");
            for id in [project, target, environment] {
                let error = call(At::Id(id)).unwrap_err();
                assert_eq!((error.kind(), error.to_string()), (NotFound, expected.to_string()), "{what}");
            }
        }
    }

    fn what_is_found_tells_whether_it_is_in_an_environment(stage: &Stage) {
        stage.shop();
        for at in ["shop", "shop/api", PROD, "shop/dev"] {
            stage.write(at, "A=1\n");
        }
        let found = stage.system().search_entries(At::Path(stage.acme, &path("shop")), &Search::Name(name("A"))).unwrap();
        let environments: Vec<&str> =
            found.iter().filter(|entry| entry.is_environment).map(|entry| entry.path.as_str()).collect();
        assert_eq!((found.len(), environments), (4, vec![PROD, "shop/dev"]));
    }
}

#[test]
fn words_that_would_help_are_named() {
    let missing =
        PermissionSet::of(&[Permission::SecretDecrypt, Permission::EnvironmentUpdate, Permission::SecretHistory]);
    assert_eq!(Vocabulary::Stashbase.words_giving(missing), ["environment.write", "secrets.read"]);
}
