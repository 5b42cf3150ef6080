//! What is refused changes nothing.

use ioenv::vault::{
    At, Confirmation, EntryScope, EntryUpdate, EnvironmentUpdate, Id, NewBlob, NewEnvironment, NewOrganization,
    NewProject, NewTarget, NewToken, Paging, PermissionSet, ProjectUpdate, PurgeScope, Restore, TargetUpdate,
};
use ioenv::{Aes256Gcm, Cipher as _, Document, Error, LevelKey, SystemRandom};

use super::stage::{Stage, entry, name, path, slug};

type Call<'a> = (&'a str, Box<dyn Fn() -> Result<(), Error> + 'a>);

on_every_store! {
    fn nothing_is_left_of_what_is_refused(stage: &Stage) {
        stage.shop();
        stage.with_base("own");
        stage.write("shop", "A=1\nB=1\n");
        stage.write("shop", "A=2\nB=1\n");
        let (system, acme) = (stage.system(), stage.acme);
        let revoked = stage.issue(PermissionSet::ALL, None).info.id;
        system.revoke_token(acme, revoked).unwrap();
        let nowhere: Id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        let (shop, missing) = (&path("shop"), &path("shop/none"));
        let taken = NewProject::new("p").slug(slug("shop"));
        let taken_organization = NewOrganization::new("o").slug(slug("acme"));
        let described = NewTarget::new("t").description("\0");
        let status = NewEnvironment::new("e").status("!");
        let to_reserved = ProjectUpdate::new().name("New").slug(slug("secrets"));
        let to_taken = TargetUpdate::new().name("New").slug(slug("dev"));
        let renamed = EnvironmentUpdate::new().name("New");
        let onto_taken = EntryUpdate::new(name("A")).value("9").new_name(name("B"));
        let key = LevelKey::generate(&SystemRandom).unwrap();
        let large = NewBlob::new(Aes256Gcm.seal(&key, &vec![b'x'; 800_000], &SystemRandom).unwrap());
        let long = "x".repeat(70_000);
        let past = NewToken::new("t", PermissionSet::ALL).expires_at(stage.now());
        let calls: Vec<Call<'_>> = vec![
            ("organization name", Box::new(|| system.create_organization(&NewOrganization::new("")).map(drop))),
            ("organization slug", Box::new(|| system.create_organization(&taken_organization.clone()).map(drop))),
            ("organization none", Box::new(|| system.delete_organization(nowhere.into()))),
            ("project slug", Box::new(|| system.create_project(acme, &taken.clone()).map(drop))),
            ("project name", Box::new(|| system.create_project(acme, &NewProject::new("\n")).map(drop))),
            ("project nowhere", Box::new(|| system.create_project(nowhere.into(), &NewProject::new("p")).map(drop))),
            ("project update", Box::new(|| system.update_project(At::Path(acme, &path("shop")), &to_reserved).map(drop))),
            ("project delete", Box::new(|| system.delete_project(At::Path(acme, &path("none"))))),
            ("target", Box::new(|| system.create_target(At::Path(acme, &path("shop")), &described).map(drop))),
            ("target update", Box::new(|| system.update_target(At::Path(acme, &path("shop/api")), &to_taken).map(drop))),
            ("target delete", Box::new(|| system.delete_target(At::Path(acme, &path("shop/dev"))))),
            ("environment", Box::new(|| system.create_environment(At::Path(acme, shop), &status).map(drop))),
            ("environment update", Box::new(|| system.update_environment(At::Path(acme, &path("own/dev")), &renamed).map(drop))),
            ("environment delete", Box::new(|| system.delete_environment(At::Path(acme, &path("own/dev")), Confirmation::Missing))),
            ("environment base", Box::new(|| system.delete_environment(At::Path(acme, &path("own/_base")), Confirmation::Given))),
            ("document", Box::new(|| system.set_document(At::Path(acme, missing), &Document::new()))),
            ("blob", Box::new(|| system.set_blob(At::Path(acme, shop), &large))),
            ("entries", Box::new(|| system.set_entries(At::Path(acme, shop), &[entry("A", "3"), entry("B", &long)]).map(drop))),
            ("create", Box::new(|| system.create_entries(At::Path(acme, missing), &[entry("A", "3")]).map(drop))),
            ("rename", Box::new(|| system.update_entries(At::Path(acme, shop), std::slice::from_ref(&onto_taken)).map(drop))),
            ("delete", Box::new(|| system.delete_entries(At::Path(acme, shop), &[]).map(drop))),
            ("delete all", Box::new(|| system.delete_all_entries(At::Path(acme, missing)).map(drop))),
            ("list", Box::new(|| system.entries(At::Path(acme, missing), EntryScope::Resolved).map(drop))),
            ("delete level", Box::new(|| system.delete_level(At::Path(acme, missing)))),
            ("purge level", Box::new(|| system.purge_level(At::Path(acme, shop), Confirmation::Missing))),
            ("purge", Box::new(|| system.purge_versions(At::Path(acme, shop), PurgeScope::Project, Confirmation::Missing).map(drop))),
            ("restore", Box::new(|| system.restore_version(acme, 7, &Restore::new()).map(drop))),
            ("version", Box::new(|| system.delete_version(acme, 7, Confirmation::Given))),
            ("page", Box::new(|| system.changes(At::Path(acme, shop), &Paging::new().limit(1).after("x")).map(drop))),
            ("token", Box::new(|| system.issue_token(acme, &past).map(drop))),
            ("rotate", Box::new(|| system.rotate_token(acme, revoked).map(drop))),
            ("revoke", Box::new(|| system.revoke_token(acme, nowhere.into()))),
        ];
        let before = stage.records("");
        for (what, call) in &calls {
            assert!(call().is_err(), "{what}");
            assert_eq!(stage.records(""), before, "{what}");
        }
    }
}
