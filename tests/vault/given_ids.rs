//! A trusted program may say which id something has, so that the same things can be made anew elsewhere.

use ioenv::ErrorKind::{Conflict, Denied};
use ioenv::vault::{
    At, Confirmation, EnvironmentId, Id, NewEnvironment, NewIntegration, NewOrganization, NewProject, NewTarget,
    NewToken, Permission, PermissionSet, ProjectId, Provider, TargetId, TokenId,
};

use super::stage::{Stage, path, refused};

#[expect(clippy::unnecessary_wraps, reason = "it is given as one")]
fn id<T: From<Id>>(last: char) -> Option<T> {
    Some(Id::parse(&format!("01ARZ3NDEKTSV4RRFFQ69G5FA{last}")).unwrap().into())
}

fn project(name: &str, id: Option<ProjectId>) -> NewProject {
    id.into_iter().fold(NewProject::new(name), NewProject::id)
}

fn target(name: &str, id: Option<TargetId>) -> NewTarget {
    id.into_iter().fold(NewTarget::new(name), NewTarget::id)
}

fn environment(name: &str, id: Option<EnvironmentId>) -> NewEnvironment {
    id.into_iter().fold(NewEnvironment::new(name), NewEnvironment::id)
}

fn token(id: Option<TokenId>) -> NewToken {
    id.into_iter().fold(NewToken::new("ci", Permission::SecretRead.into()), NewToken::id)
}

on_every_store! {
    fn what_is_made_has_the_id_that_was_given(stage: &Stage) {
        let system = stage.system();
        let organization = NewOrganization::new("Orbit").id(id('0').unwrap());
        assert_eq!(Some(system.create_organization(&organization.clone()).unwrap().id), id('0'));
        assert_eq!(refused(system.create_organization(&organization)), Conflict);
        let acme = stage.acme;
        assert_eq!(Some(system.create_project(acme, &project("shop", id('1'))).unwrap().id), id('1'));
        let made = system.create_target(At::Path(acme, &path("shop")), &target("api", id('2'))).unwrap();
        assert_eq!(Some(made.id), id('2'));
        let made = system.create_environment(At::Path(acme, &path("shop/api")), &environment("prod", id('3'))).unwrap();
        assert_eq!(Some(made.id), id('3'));
        let blobs = system.blobs(At::Id(made.id.into())).unwrap();
        assert_eq!(blobs.levels.last().unwrap().path, path("shop/api/prod"));

        // A place has an id that no other place has, whatever it is, and in whatever organization.
        let orbit = id('0').unwrap();
        for taken in ['1', '2', '3'] {
            assert_eq!(refused(system.create_project(orbit, &project("other", id(taken)))), Conflict);
            assert_eq!(refused(system.create_target(At::Path(acme, &path("shop")), &target("other", id(taken)))), Conflict);
            let other = environment("other", id(taken));
            assert_eq!(refused(system.create_environment(At::Path(acme, &path("shop/api")), &other)), Conflict);
        }
        assert!(system.projects(orbit).unwrap().is_empty());

        let issued = system.issue_token(acme, &token(id('4'))).unwrap();
        assert_eq!(Some(issued.info.id), id('4'));
        assert_eq!(Some(stage.vault.session(issued.token).own_token().unwrap().id), id('4'));
        assert_eq!(refused(system.issue_token(acme, &token(id('4')))), Conflict);
        assert_eq!(refused(system.issue_token(orbit, &token(id('4')))), Conflict);
        // What has another kind of thing's id is another thing.
        system.create_project(orbit, &project("other", id('4'))).unwrap();
    }

    fn what_can_be_restored_keeps_its_id(stage: &Stage) {
        stage.shop();
        let (acme, system) = (stage.acme, stage.system());
        for at in ["shop/dev", "shop/api/prod"] {
            stage.write(at, "A=1\n");
        }
        let dev = system.environment(At::Path(acme, &path("shop/dev"))).unwrap().id;
        let prod = system.environment(At::Path(acme, &path("shop/api/prod"))).unwrap().id;
        let api = system.target(At::Path(acme, &path("shop/api"))).unwrap().id;
        system.delete_environment(At::Path(acme, &path("shop/dev")), Confirmation::Given).unwrap();
        system.delete_target(At::Path(acme, &path("shop/api"))).unwrap();
        let taken = |ids: &[Id], at: &str| {
            for id in ids.iter().copied().map(Some) {
                assert_eq!(refused(system.create_project(acme, &project("other", id.map(Into::into)))), Conflict);
                assert_eq!(refused(system.create_target(At::Path(acme, &path(at)), &target("other", id.map(Into::into)))), Conflict);
                assert_eq!(refused(system.create_environment(At::Path(acme, &path(at)), &environment("other", id.map(Into::into)))), Conflict);
            }
        };
        taken(&[dev.into(), prod.into(), api.into()], "shop");
        stage.with_base("more");
        let shop = system.project(At::Path(acme, &path("shop"))).unwrap().id;
        system.delete_project(At::Path(acme, &path("shop"))).unwrap();
        taken(&[shop.into(), dev.into(), prod.into(), api.into()], "more");
        // Everything comes back as it was.
        system.restore_project(acme, shop).unwrap();
        system.restore_environment(acme, dev).unwrap();
        system.restore_target(acme, api).unwrap();
        assert_eq!((stage.resolved("shop/dev"), stage.resolved("shop/api/prod")), ("A=1".into(), "A=1".into()));
        // What is gone leaves its id.
        system.delete_environment(At::Path(acme, &path("shop/dev")), Confirmation::Given).unwrap();
        stage.purge_deleted();
        system.create_environment(At::Path(acme, &path("shop")), &environment("dev", Some(dev))).unwrap();
        assert_eq!(stage.text("shop/dev"), None);
    }

    fn an_integration_has_an_id_that_no_other_has(stage: &Stage) {
        stage.shop();
        stage.with_base("more");
        let new = NewIntegration::new("Shelf", Provider::Other("shelf".to_owned()), "planted").id(id('5').unwrap());
        let link = |at: &str| stage.system().link_integration(At::Path(stage.acme, &path(at)), &new);
        link("shop").unwrap();
        assert_eq!(refused(link("shop")), Conflict);
        assert_eq!(refused(link("more")), Conflict);
    }

    fn only_a_trusted_program_gives_ids(stage: &Stage) {
        stage.shop();
        let worker = stage.session(PermissionSet::ALL, None);
        assert_eq!(refused(worker.create_project(stage.acme, &project("other", id('1')))), Denied);
        assert_eq!(refused(worker.create_target(At::Path(stage.acme, &path("shop")), &target("other", id('1')))), Denied);
        assert_eq!(refused(worker.create_environment(At::Path(stage.acme, &path("shop")), &environment("other", id('1')))), Denied);
        assert_eq!(refused(worker.issue_token(stage.acme, &token(id('1')))), Denied);
        worker.create_project(stage.acme, &project("other", None)).unwrap();
    }
}
