//! Integrations: what is copied where, by whom, and what is left of them. `tests/integration_targets.rs` has the services.

use ioenv::dotenv_cloud::KeyProof;
use std::fs;

use ioenv::ErrorKind::{ClientManaged, Conflict, Denied, InvalidName, InvalidValue, NotFound};
use ioenv::store::{KeyRange, Order, StoreExt as _};
use ioenv::vault::{
    Action, At, Confirmation, Id, Integration, IntegrationId, IntegrationUpdate, Mapping, NewIntegration, NewKey,
    NewProject, Permission as P, PermissionSet, Provider, ResourceKind, SyncAction, VaultOptions,
};
use ioenv::worker::EnvFiles;
#[cfg(feature = "worker")]
use ioenv::worker::Worker;
use ioenv::{Kind, LevelKey, LevelPath};

#[cfg(feature = "worker")]
use super::stage::{DAY, MINUTE};
use super::stage::{Stage, entry, names, path, refused, slug};

const CREDENTIALS: &str = "planted-credentials-of-a-shelf";

fn shelf() -> Provider {
    Provider::Other("shelf".to_owned())
}

fn new() -> NewIntegration {
    NewIntegration::new("Shelf", shelf(), CREDENTIALS).environment(Mapping::new(path("shop/api/prod"), "production"))
}

fn link(stage: &Stage, new: &NewIntegration) -> Integration {
    stage.system().link_integration(At::Path(stage.acme, &path("shop")), new).unwrap()
}

fn sync(stage: &Stage, id: IntegrationId) -> ioenv::vault::IntegrationRun {
    stage.system().sync_integration(At::Path(stage.acme, &path("shop")), id).unwrap()
}

fn update(stage: &Stage, id: IntegrationId, update: &IntegrationUpdate) -> Result<Integration, ioenv::Error> {
    stage.system().update_integration(At::Path(stage.acme, &path("shop")), id, update)
}

fn update_of(credentials: &str) -> IntegrationUpdate {
    IntegrationUpdate::new().credentials(credentials)
}

fn waits(stage: &Stage) -> bool {
    let jobs = stage.records("job/integration/").len();
    assert_eq!(stage.records("job-due/").len(), jobs);
    jobs > 0
}

/// A shop with something in it, and an integration of its `prod`.
fn shop(stage: &Stage) -> IntegrationId {
    stage.shop();
    stage.write("shop", "# ioenv: variable\nPORT=80\nTOKEN=planted-inherited\n");
    stage.write("shop/api/prod", "TOKEN=planted-own\nB=2\n");
    link(stage, &new()).id
}

on_every_store! {
    fn what_is_linked_is_told_but_for_its_credentials(stage: &Stage) {
        stage.shop();
        let new = new().environment(Mapping::new(path("shop/dev"), "development")).setting("room", "7");
        let made = link(stage, &new);
        assert_eq!((made.name.as_str(), &made.provider, made.enabled, &made.paused), ("Shelf", &shelf(), false, &None));
        let map: Vec<_> = made.environments.iter().map(|one| format!("{}={}", one.environment, one.target)).collect();
        assert_eq!(map, ["shop/api/prod=production", "shop/dev=development"]);
        assert_eq!(made.settings["room"], "7");
        let system = stage.system();
        assert_eq!(system.integration(At::Path(stage.acme, &path("shop")), made.id).unwrap(), made);
        assert_eq!(system.integrations(At::Path(stage.acme, &path("shop"))).unwrap(), std::slice::from_ref(&made));
        assert!(!waits(stage), "it is not enabled");
        for shown in [format!("{made:?} {new:?}"), stage.dump(""), format!("{:?}", stage.log())] {
            assert!(!shown.contains(CREDENTIALS), "{shown}");
        }
        let id = stage.clock_id();
        let given = new.id(id.into());
        assert_eq!(link(stage, &given).id, id.into());
        assert_eq!(refused(system.link_integration(At::Path(stage.acme, &path("shop")), &given)), Conflict);
    }

    fn what_cannot_be_linked_is_not(stage: &Stage) {
        stage.shop();
        stage.with_base("other");
        let before = stage.records("integration");
        let link = |new: NewIntegration| refused(stage.system().link_integration(At::Path(stage.acme, &path("shop")), &new));
        let at = |at: &str, target: &str| NewIntegration::new("S", shelf(), "x").environment(Mapping::new(path(at), target));
        assert_eq!(link(at("shop/none", "a")), NotFound);
        assert_eq!(link(at("shop/api", "a")), NotFound, "a target is no environment");
        assert_eq!(link(at("other/dev", "a")), InvalidValue);
        assert_eq!(link(at("shop/dev", "")), InvalidValue);
        assert_eq!(link(at("shop/dev", "a").environment(Mapping::new(path("shop/dev"), "b"))), InvalidValue);
        assert_eq!(link(at("shop/dev", "a").environment(Mapping::new(path("shop/api/prod"), "a"))), InvalidValue);
        assert_eq!(link(NewIntegration::new("", shelf(), "x")), InvalidName);
        for credentials in ["", "two\nlines", &"x".repeat(4097)] {
            assert_eq!(link(NewIntegration::new("S", shelf(), credentials)), InvalidValue);
        }
        assert_eq!(link(NewIntegration::new("S", Provider::Vercel, "x")), InvalidValue, "without its project");
        let vercel = || NewIntegration::new("S", Provider::Vercel, "x").setting("project", "prj_1");
        assert_eq!(link(vercel().setting("base", "http://localhost")), InvalidValue);
        assert_eq!(link(vercel().environment(Mapping::new(path("shop/dev"), "dev"))), InvalidValue);
        let up = NewIntegration::new("S", Provider::File, "").environment(Mapping::new(path("shop/dev"), "../x"));
        assert_eq!(link(up), InvalidValue);
        assert_eq!(stage.records("integration"), before);
    }

    fn what_an_environment_amounts_to_is_copied(stage: &Stage) {
        let id = shop(stage);
        stage.shelf.put("production", "FOREIGN", Some("stays"));
        let plans = stage.system().plan_integration(At::Path(stage.acme, &path("shop")), id).unwrap();
        assert_eq!((plans.len(), plans[0].environment.as_str(), plans[0].target.as_str()), (1, "shop/api/prod", "production"));
        let told: Vec<_> = plans[0].plan.changes.iter().map(|one| (one.name.as_str(), one.action, one.kind)).collect();
        let create = SyncAction::Create;
        assert_eq!(told, [("B", create, Kind::Secret), ("PORT", create, Kind::Variable), ("TOKEN", create, Kind::Secret)]);
        assert!(!format!("{plans:?}").contains("planted"));
        assert!(stage.shelf.log().is_empty(), "a plan changes nothing");

        let run = sync(stage, id);
        assert_eq!((run.created, run.updated, run.deleted, run.unchanged, &run.error, run.attempt), (3, 0, 0, 0, &None, None));
        assert_eq!(stage.shelf.at("production"), "B=2 FOREIGN=stays PORT=80 TOKEN=planted-own");
        assert_eq!(stage.shelf.last_credentials().unwrap(), CREDENTIALS);
        stage.shelf.log();
        let run = sync(stage, id);
        assert_eq!((run.created, run.unchanged), (0, 3));
        assert!(stage.shelf.log().is_empty(), "there is nothing to do twice");

        stage.write("shop/api/prod", "TOKEN=planted-new\n");
        assert_eq!(sync(stage, id).deleted, 1);
        assert_eq!(stage.shelf.log(), ["update production TOKEN", "delete production B"]);
        assert_eq!(stage.shelf.at("production"), "FOREIGN=stays PORT=80 TOKEN=planted-new");
        // What another one removed is put there again; what it changed is not noticed, because nobody tells.
        stage.shelf.put("production", "PORT", None);
        sync(stage, id);
        assert_eq!(stage.shelf.log(), ["create production PORT"]);
        let runs = stage.system().integration_runs(At::Path(stage.acme, &path("shop")), id).unwrap();
        assert_eq!(runs.iter().map(|run| run.created).collect::<Vec<_>>(), [1, 0, 0, 3]);
    }

    fn only_what_it_put_there_is_removed(stage: &Stage) {
        let id = shop(stage);
        // Somebody had a value there under a name that is copied: it is overwritten, and never removed.
        stage.shelf.put("production", "B", Some("before"));
        assert_eq!((sync(stage, id).created, stage.shelf.at("production").contains("B=2")), (2, true));
        stage.system().delete_entries(At::Path(stage.acme, &path("shop/api/prod")), &names(["B"])).unwrap();
        assert_eq!(sync(stage, id).deleted, 0);
        assert_eq!(stage.shelf.at("production"), "B=2 PORT=80 TOKEN=planted-own");
        // With another name for the environment, all begins anew, and nothing of the former one is removed.
        stage.shelf.log();
        update(stage, id, &IntegrationUpdate::new().environments(vec![Mapping::new(path("shop/api/prod"), "live")])).unwrap();
        sync(stage, id);
        assert_eq!(stage.shelf.log(), ["create live PORT", "create live TOKEN"]);
        stage.system().unlink_integration(At::Path(stage.acme, &path("shop")), id).unwrap();
        assert!(stage.shelf.log().is_empty(), "unlinking removes nothing there");
        assert_eq!(stage.shelf.at("live"), "PORT=80 TOKEN=planted-own");
        for prefix in ["integration", "environment-integration", "job"] {
            assert_eq!(stage.dump(prefix), "", "{prefix}");
        }
        assert_eq!(refused(stage.system().integration(At::Path(stage.acme, &path("shop")), id)), NotFound);
    }

    fn what_broke_in_between_goes_on(stage: &Stage) {
        let id = shop(stage);
        stage.shelf.break_after(Some(1));
        let run = sync(stage, id);
        assert_eq!((run.created, run.error.as_deref()), (1, Some("the shelf broke")));
        // Whether the others were written is not known, so they are the integration's own from here on.
        stage.shelf.put("production", "PORT", Some("80"));
        stage.shelf.break_after(None);
        stage.shelf.log();
        let run = sync(stage, id);
        assert_eq!(stage.shelf.log(), ["update production PORT", "create production TOKEN"]);
        assert_eq!((run.unchanged, run.is_success()), (1, true));
        stage.write("shop", "");
        assert_eq!(sync(stage, id).deleted, 1);
        assert_eq!(stage.shelf.at("production"), "B=2 TOKEN=planted-own");
    }

    fn no_value_and_no_digest_of_one_is_stored(stage: &Stage) {
        let id = shop(stage);
        sync(stage, id);
        stage.shelf.break_after(Some(0));
        stage.write("shop/api/prod", "TOKEN=planted-new\n");
        sync(stage, id);
        let rows = stage.dump("");
        for planted in [CREDENTIALS, "planted-own", "planted-new", "planted-inherited"] {
            assert!(!rows.contains(planted), "{planted}");
        }
        // The names of secrets are not in the integration's own rows either.
        assert!(!stage.dump("integration").contains("TOKEN"));
        let log = stage.log();
        let of_it: Vec<_> = log.iter().filter(|one| one.resource.kind == ResourceKind::Integration).collect();
        assert!(of_it.iter().all(|one| one.resource.id == Some(id.into())));
        let reads = log.iter().filter(|one| one.details.operation() == Some("sync") && one.action == Action::Read);
        assert!(reads.count() >= 2, "what is sent away is recorded as read");
    }

    fn rights_are_those_at_each_environment(stage: &Stage) {
        let id = shop(stage);
        let acme = stage.acme;
        let shop = &slug("shop");
        let all = PermissionSet::of(&[P::IntegrationRead, P::IntegrationWrite, P::SecretRead, P::SecretDecrypt]);
        let here = stage.session(all, Some("shop/api/prod"));
        here.plan_integration(At::Path(acme, &LevelPath::from(shop)), id).unwrap();
        here.link_integration(At::Path(acme, &LevelPath::from(shop)), &new()).unwrap();
        let elsewhere = stage.session(all, Some("shop/dev"));
        assert_eq!(refused(elsewhere.integration(At::Path(acme, &LevelPath::from(shop)), id)), NotFound);
        assert_eq!(elsewhere.integrations(At::Path(acme, &LevelPath::from(shop))).unwrap(), []);
        assert_eq!(refused(elsewhere.link_integration(At::Path(acme, &LevelPath::from(shop)), &new())), NotFound);
        assert_eq!(refused(here.link_integration(At::Path(acme, &LevelPath::from(shop)), &NewIntegration::new("S", shelf(), "x"))), NotFound);
        // An integration of two environments is for those who may at both.
        let both = vec![Mapping::new(path("shop/api/prod"), "a"), Mapping::new(path("shop/dev"), "b")];
        update(stage, id, &IntegrationUpdate::new().environments(both.clone())).unwrap();
        assert_eq!(refused(here.integration(At::Path(acme, &LevelPath::from(shop)), id)), NotFound);
        stage.session(all, Some("shop")).integration(At::Path(acme, &LevelPath::from(shop)), id).unwrap();

        // Whoever cannot read values can have none sent elsewhere.
        let writer = stage.session(all.difference(P::SecretDecrypt.into()), Some("shop"));
        let map = IntegrationUpdate::new().environments(both);
        for update in [map, update_of("mine")] {
            assert_eq!(refused(writer.update_integration(At::Path(acme, &LevelPath::from(shop)), id, &update)), Denied);
        }
        // Nor with other credentials those of an environment that comes back later.
        stage.system().delete_environment(At::Path(acme, &path("shop/api/prod")), Confirmation::Given).unwrap();
        let of_dev = stage.session(all, Some("shop/dev"));
        of_dev.update_integration(At::Path(acme, &LevelPath::from(shop)), id, &update_of("mine")).unwrap();
        let back = stage.system().deleted(acme).unwrap()[0].id;
        stage.system().restore_environment(acme, Id::from(back).into()).unwrap();
        assert_eq!(stage.system().integration(At::Path(acme, &LevelPath::from(shop)), id).unwrap().environments, [Mapping::new(path("shop/dev"), "b")]);
        let rename = IntegrationUpdate::new().name("Other");
        assert_eq!(writer.update_integration(At::Path(acme, &LevelPath::from(shop)), id, &rename).unwrap().name, "Other");
        assert_eq!(refused(writer.update_integration(At::Path(acme, &LevelPath::from(shop)), id, &IntegrationUpdate::new())), InvalidValue);
    }

    fn a_change_has_it_done_and_only_the_last_one_waits(stage: &Stage) {
        let id = shop(stage);
        stage.write("shop", "A=1\n");
        assert!(!waits(stage), "it is not enabled");
        update(stage, id, &IntegrationUpdate::new().enabled(true)).unwrap();
        assert!(waits(stage), "what there is now is copied");
        update(stage, id, &IntegrationUpdate::new().enabled(false)).unwrap();
        assert!(!waits(stage));
        update(stage, id, &IntegrationUpdate::new().enabled(true)).unwrap();
        for value in ["2", "3"] {
            stage.system().set_entries(At::Path(stage.acme, &path("shop")), &[entry("A", value)]).unwrap();
            assert_eq!(stage.records("job/integration/").len(), 1);
        }
        stage.system().unlink_integration(At::Path(stage.acme, &path("shop")), id).unwrap();
        assert!(!waits(stage));
        link(stage, &new());
        stage.write("shop/dev", "A=1\n");
        assert!(!waits(stage), "another environment");
    }

    fn what_the_vault_cannot_open_is_not_copied(stage: &Stage) {
        let mut theirs = NewProject::new("theirs").has_base(true);
        let proof = KeyProof::of(&LevelKey::from_bytes(&[7; 32])).to_text();
        theirs = theirs.key(NewKey::Client { derivation: None, proof, hint: None });
        let system = stage.system();
        system.create_project(stage.acme, &theirs).unwrap();
        let of = |at: &str| NewIntegration::new("S", shelf(), "x").environment(Mapping::new(path(at), "a"));
        assert_eq!(refused(system.link_integration(At::Path(stage.acme, &path("theirs")), &of("theirs/dev"))), ClientManaged);
        // One that comes to be so later keeps nothing of what it knew.
        let id = shop(stage);
        sync(stage, id);
        assert_ne!(stage.dump("integration-written/"), "");
        system.move_key_to_client(At::Path(stage.acme, &path("shop")), Confirmation::Given).unwrap();
        assert_eq!(stage.dump("integration-written/"), "");
        assert_eq!(refused(system.plan_integration(At::Path(stage.acme, &path("shop")), id)), ClientManaged);
        assert_eq!(refused(system.sync_integration(At::Path(stage.acme, &path("shop")), id)), ClientManaged);
        assert_eq!(refused(update(stage, id, &IntegrationUpdate::new().enabled(true))), ClientManaged);
        system.unlink_integration(At::Path(stage.acme, &path("shop")), id).unwrap();
    }

    fn what_is_deleted_is_no_longer_copied_and_nothing_is_removed(stage: &Stage) {
        let id = shop(stage);
        sync(stage, id);
        let system = stage.system();
        let environment = system.environment(At::Path(stage.acme, &path("shop/api/prod"))).unwrap().id;
        system.delete_environment(At::Path(stage.acme, &path("shop/api/prod")), Confirmation::Given).unwrap();
        assert_eq!(system.integration(At::Path(stage.acme, &path("shop")), id).unwrap().environments, []);
        stage.shelf.log();
        assert!(sync(stage, id).is_success());
        assert!(stage.shelf.log().is_empty());
        system.restore_environment(stage.acme, environment).unwrap();
        assert_eq!(system.integration(At::Path(stage.acme, &path("shop")), id).unwrap().environments.len(), 1);
        assert_eq!(sync(stage, id).unchanged, 3, "it is known what was written");
        system.delete_environment(At::Path(stage.acme, &path("shop/api/prod")), Confirmation::Given).unwrap();
        system.purge_environment(stage.acme, environment).unwrap();
        assert_eq!(stage.dump("integration-written/") + &stage.dump("environment-integration/"), "");
        assert_eq!(stage.records("integration/").len(), 1);
        let project = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id;
        system.delete_project(At::Path(stage.acme, &path("shop"))).unwrap();
        system.purge_project(stage.acme, project).unwrap();
        assert_eq!((stage.dump("integration"), stage.dump("subject")), (String::new(), String::new()));
        assert!(stage.shelf.log().is_empty());
    }

    fn a_rotation_wraps_what_belongs_to_it_anew(stage: &Stage) {
        let id = shop(stage);
        sync(stage, id);
        let before = stage.records("integration");
        let system = stage.system();
        system.rotate_project_dek(At::Path(stage.acme, &path("shop"))).unwrap();
        while !system.continue_rotation(At::Path(stage.acme, &path("shop")), 1).unwrap().is_done {}
        for (key, record) in stage.records("integration") {
            if !key.starts_with("integration-state/") {
                assert_eq!(record["dek_version"], 2, "{key}");
                assert_ne!(record, before[&key]);
            }
        }
        assert_eq!(sync(stage, id).unchanged, 3);
        assert_eq!(stage.shelf.last_credentials().unwrap(), CREDENTIALS);
        let checked = stage.vault.check().unwrap();
        assert_eq!((checked.credentials, checked.damaged.len()), (1, 0));

        // Bound to their integration: those of another one do not pass for them.
        let other = link(stage, &new()).id;
        let project = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id;
        let key = |id: IntegrationId| format!("integration/{project}/{id}");
        let mut moved = stage.records("integration/")[&key(id)].clone();
        moved["id"] = other.to_string().into();
        let moved = moved.to_string();
        stage.store.write(|tx| tx.put(&key(other), &moved, ioenv::store::Precondition::Present)).unwrap();
        let checked = stage.vault.check().unwrap();
        assert_eq!(checked.damaged.iter().map(|one| one.integration).collect::<Vec<_>>(), [Some(other)]);
    }

    fn a_file_is_replaced_as_a_whole_and_links_are_refused(stage: &Stage) {
        stage.shop();
        stage.write("shop/dev", "A='$1 it is'\nB=two\n");
        let directory = tempfile::tempdir().unwrap();
        let own = directory.path().join(stage.acme.to_string());
        fs::create_dir(&own).unwrap();
        let file = own.join("dev.env");
        // A vault over the same store, because the operator chooses the directory when it is opened.
        let vault = VaultOptions::new(&stage.root).clock(stage.clock.clone()).open(std::sync::Arc::clone(&stage.store)).unwrap();
        let vault = vault.with_sync_target(Provider::File, EnvFiles::in_directory(directory.path()));
        let system = vault.session(ioenv::vault::Actor::system("test"));
        let new = NewIntegration::new("F", Provider::File, "").environment(Mapping::new(path("shop/dev"), "dev.env"));
        let id = link(stage, &new).id;
        let sync = || system.sync_integration(At::Path(stage.acme, &path("shop")), id).unwrap();
        fs::write(&file, "# by hand\nMINE=stays\nB=before\n").unwrap();
        assert_eq!((sync().created, sync().unchanged), (1, 2));
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(ioenv::Document::parse(&text).unwrap().get("A").unwrap().value().expose_secret(), "$1 it is");
        assert!(text.contains("# by hand\nMINE=stays\nB=two\n"), "{text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
            let metadata = fs::metadata(&file).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
            sync();
            assert_eq!(fs::metadata(&file).unwrap().ino(), metadata.ino(), "nothing to change is nothing written");
        }
        stage.write("shop/dev", "C=3\n");
        assert_eq!(sync().deleted, 1);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("B=two") && text.contains("C=3") && !text.contains("A="), "{text}");
        assert_eq!(fs::read_dir(&own).unwrap().count(), 1, "nothing is left beside it");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            let elsewhere = directory.path().join("elsewhere");
            fs::rename(&file, &elsewhere).unwrap();
            std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
            let before = fs::read_to_string(&elsewhere).unwrap();
            stage.write("shop/dev", "D=planted-through-a-link\n");
            assert!(sync().error.unwrap().contains("link"));
            assert_eq!(fs::read_to_string(&elsewhere).unwrap(), before);
            // Nor is a link in the place of the organization's directory followed.
            let linked = directory.path().join("linked");
            fs::rename(&own, &linked).unwrap();
            std::os::unix::fs::symlink(&linked, &own).unwrap();
            fs::remove_file(linked.join("dev.env")).unwrap();
            assert!(sync().error.unwrap().contains("link"));
            assert!(!linked.join("dev.env").exists());
        }
    }

    fn organizations_do_not_share_files(stage: &Stage) {
        let directory = tempfile::tempdir().unwrap();
        let vault = VaultOptions::new(&stage.root).clock(stage.clock.clone()).open(std::sync::Arc::clone(&stage.store)).unwrap();
        let vault = vault.with_sync_target(Provider::File, EnvFiles::in_directory(directory.path()));
        let system = vault.session(ioenv::vault::Actor::system("test"));
        // Two vaults over one store make the same ids in the millisecond in which it was made.
        stage.pass(1);
        let other = system.create_organization(&ioenv::vault::NewOrganization::new("Other")).unwrap().id;
        for (organization, value) in [(stage.acme, "acme"), (other, "other")] {
            system.create_project(organization, &NewProject::new("shop").has_base(true)).unwrap();
            let at = At::Path(organization, &path("shop/dev"));
            system.set_document(at, &ioenv::Document::parse(&format!("WHOSE={value}\n")).unwrap()).unwrap();
            let new = NewIntegration::new("F", Provider::File, "").environment(Mapping::new(path("shop/dev"), "app.env"));
            let shop = path("shop");
            let id = system.link_integration(At::Path(organization, &shop), &new).unwrap().id;
            assert_eq!(system.plan_integration(At::Path(organization, &shop), id).unwrap()[0].plan.changes.len(), 1);
            let run = system.sync_integration(At::Path(organization, &shop), id).unwrap();
            assert_eq!((run.created, run.error), (1, None));
        }
        for (organization, value) in [(stage.acme, "acme"), (other, "other")] {
            let file = directory.path().join(organization.to_string()).join("app.env");
            assert_eq!(fs::read_to_string(&file).unwrap(), format!("WHOSE={value}\n"));
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = fs::metadata(file.parent().unwrap()).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o700);
            }
        }
        for outside in ["../app.env", "..", ".", "a/b", "", "a\\b", "a\0b"] {
            let new = NewIntegration::new("G", Provider::File, "").environment(Mapping::new(path("shop/dev"), outside));
            let refused = system.link_integration(At::Path(other, &path("shop")), &new).unwrap_err();
            assert_eq!(refused.kind(), InvalidValue, "{outside}");
        }
    }

    fn runs_are_bounded(stage: &Stage) {
        let id = shop(stage);
        for _ in 0..55 {
            sync(stage, id);
        }
        assert_eq!(stage.system().integration_runs(At::Path(stage.acme, &path("shop")), id).unwrap().len(), 50);
    }
}

#[cfg(feature = "worker")]
on_every_store! {
    fn a_worker_copies_what_changed(stage: &Stage) {
        let id = shop(stage);
        update(stage, id, &IntegrationUpdate::new().enabled(true)).unwrap();
        let worker = Worker::new(&stage.vault).threads(1);
        assert_eq!(worker.run_once().unwrap(), 1);
        assert_eq!(stage.shelf.at("production"), "B=2 PORT=80 TOKEN=planted-own");
        assert!(!waits(stage));
        stage.system().set_entries(At::Path(stage.acme, &path("shop")), &[entry("NEW", "1")]).unwrap();
        stage.shelf.log();
        worker.run_once().unwrap();
        assert_eq!(stage.shelf.log(), ["create production NEW"]);
        assert_eq!(worker.run_once().unwrap(), 0);
    }

    fn a_worker_that_dies_leaves_nothing_behind(stage: &Stage) {
        let id = shop(stage);
        update(stage, id, &IntegrationUpdate::new().enabled(true)).unwrap();
        stage.shelf.kill_next();
        let worker = Worker::new(&stage.vault).threads(1);
        let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| worker.run_once()));
        assert!(died.is_err());
        assert_eq!(stage.shelf.log(), ["create production B"], "it was written, and nobody noted that");
        let worker = Worker::new(&stage.vault).threads(1);
        assert_eq!(worker.run_once().unwrap(), 0, "it is still the dead one's");
        assert_eq!(refused(stage.system().sync_integration(At::Path(stage.acme, &path("shop")), id)), Conflict);
        stage.pass(MINUTE);
        assert_eq!(worker.run_once().unwrap(), 1);
        assert_eq!(stage.shelf.log(), ["update production B", "create production PORT", "create production TOKEN"]);
        let runs = stage.system().integration_runs(At::Path(stage.acme, &path("shop")), id).unwrap();
        assert_eq!(runs.iter().map(ioenv::vault::IntegrationRun::is_success).collect::<Vec<_>>(), [true, false]);
        // It was the integration's own from before it was written.
        stage.system().delete_entries(At::Path(stage.acme, &path("shop/api/prod")), &names(["B"])).unwrap();
        worker.run_once().unwrap();
        assert_eq!(stage.shelf.at("production"), "PORT=80 TOKEN=planted-own");
    }

    fn after_five_failures_it_is_paused(stage: &Stage) {
        let id = shop(stage);
        update(stage, id, &IntegrationUpdate::new().enabled(true)).unwrap();
        stage.shelf.break_after(Some(0));
        let worker = Worker::new(&stage.vault).threads(1);
        for minutes in [1, 1, 5, 30, 0] {
            assert_eq!(worker.run_once().unwrap(), 1);
            stage.pass(minutes * MINUTE);
        }
        stage.pass(DAY);
        assert_eq!(worker.run_once().unwrap(), 0);
        let paused = stage.system().integration(At::Path(stage.acme, &path("shop")), id).unwrap();
        assert_eq!((paused.enabled, paused.paused.as_deref()), (false, Some("the shelf broke")));
        let runs = stage.system().integration_runs(At::Path(stage.acme, &path("shop")), id).unwrap();
        assert_eq!(runs.iter().map(|run| run.attempt).collect::<Vec<_>>(), [Some(5), Some(4), Some(3), Some(2), Some(1)]);
        stage.shelf.break_after(None);
        let resumed = update(stage, id, &IntegrationUpdate::new().enabled(true)).unwrap();
        assert_eq!((resumed.enabled, resumed.paused), (true, None));
        assert_eq!(worker.run_once().unwrap(), 1);
        assert_eq!(stage.shelf.at("production"), "B=2 PORT=80 TOKEN=planted-own");
    }

    fn what_cannot_be_opened_fails_without_holding_up_the_others(stage: &Stage) {
        let id = shop(stage);
        stage.system().move_key_to_client(At::Path(stage.acme, &path("shop")), Confirmation::Given).unwrap();
        let project = stage.system().project(At::Path(stage.acme, &path("shop"))).unwrap().id;
        stage.with_base("open");
        stage.write("open/dev", "A=1\n");
        let other = NewIntegration::new("S", shelf(), "x").environment(Mapping::new(path("open/dev"), "open")).enabled(true);
        // As if it had been enabled before the key was given away.
        let key = format!("integration/{project}/{id}");
        let mut record = stage.records("integration/")[&key].clone();
        record["enabled"] = true.into();
        let text = record.to_string();
        stage.store.write(|tx| tx.put(&key, &text, ioenv::store::Precondition::Present)).unwrap();
        let rename = IntegrationUpdate::new().name("Other");
        stage.system().update_integration(At::Path(stage.acme, &path("shop")), id, &rename).unwrap();
        stage.system().link_integration(At::Path(stage.acme, &path("open")), &other).unwrap();
        assert_eq!(Worker::new(&stage.vault).threads(1).run_once().unwrap(), 2);
        assert_eq!(stage.shelf.at("open"), "A=1");
        let runs = stage.system().integration_runs(At::Path(stage.acme, &path("shop")), id).unwrap();
        assert!(runs[0].error.as_ref().unwrap().contains("the vault cannot open this"), "{runs:?}");
    }
}

impl Stage {
    /// An id that is not taken.
    fn clock_id(&self) -> Id {
        let known = self.store.read(|tx| tx.scan(&KeyRange::prefix("organization/"), Order::Ascending, 1)).unwrap();
        let id: Id = known[0].key.rsplit('/').next().unwrap().parse().unwrap();
        Id::from_parts(self.now(), id.random()).next().unwrap()
    }
}
