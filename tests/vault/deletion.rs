//! What is deleted and holds anything can be restored for 30 days; what holds nothing is gone at once.

use ioenv::ErrorKind::{Conflict, NotFound, Unauthenticated};
use ioenv::dotenv_cloud::KeyProof;
use ioenv::store::{Precondition, StoreExt as _};
use ioenv::vault::Permission::{EnvironmentDelete, EnvironmentRead, ProjectRead};
use ioenv::vault::{
    At, AuditFilter, ClientRotation, Confirmation, Deleted, EnvironmentId, HistoryPolicy, Id, LevelId, LevelScope,
    Mapping, NewAccount, NewBlob, NewEnvironment, NewIntegration, NewKey, NewProject, NewTarget, NewToken, NewWebhook,
    Paging, PermissionSet, ProjectId, Provider, PurgeScope, ResourceKind, Search, TargetId,
};
use ioenv::{Aes256Gcm, Cipher as _, LevelKey, LevelPath, SystemRandom};

use super::stage::{DAY, Stage, after, name, path, refused, slug};

fn project_id(stage: &Stage, at: &str) -> ProjectId {
    stage.system().project(At::Path(stage.acme, &path(at))).unwrap().id
}

fn target_id(stage: &Stage, at: &str) -> TargetId {
    stage.system().target(At::Path(stage.acme, &path(at))).unwrap().id
}

fn environment_id(stage: &Stage, at: &str) -> EnvironmentId {
    stage.system().environment(At::Path(stage.acme, &path(at))).unwrap().id
}

fn delete_project(stage: &Stage, at: &str) -> ProjectId {
    let id = project_id(stage, at);
    stage.system().delete_project(At::Path(stage.acme, &path(at))).unwrap();
    id
}

fn delete_target(stage: &Stage, at: &str) -> TargetId {
    let id = target_id(stage, at);
    stage.system().delete_target(At::Path(stage.acme, &path(at))).unwrap();
    id
}

fn delete_environment(stage: &Stage, at: &str) -> EnvironmentId {
    let id = environment_id(stage, at);
    stage.system().delete_environment(At::Path(stage.acme, &path(at)), Confirmation::Given).unwrap();
    id
}

fn deleted(stage: &Stage) -> Vec<Deleted> {
    stage.system().deleted(stage.acme).unwrap()
}

fn deleted_paths(stage: &Stage) -> Vec<String> {
    deleted(stage).into_iter().map(|one| one.path.to_string()).collect()
}

/// The keys of all records in which that id stands, but for the audit log.
fn rows_of(stage: &Stage, id: Id) -> Vec<String> {
    let id = id.to_string();
    stage.records("").into_keys().filter(|key| key.contains(&id) && !key.starts_with("audit")).collect()
}

/// What the last deletion was, as the audit log says.
fn last_deletion(stage: &Stage) -> String {
    let log = stage.log();
    let mut details = log.iter().rev().map(|record| serde_json::to_value(&record.details).unwrap());
    details.find_map(|details| details["deletion"].as_str().map(str::to_owned)).unwrap()
}

type Make<'a> = Box<dyn Fn(&str, LevelId) + 'a>;

on_every_store! {
    fn what_holds_nothing_is_gone(stage: &Stage) {
        stage.shop();
        let shop = project_id(stage, "shop");
        let bound = stage.session(PermissionSet::ALL, Some("shop/dev"));
        let dev = delete_environment(stage, "shop/dev");
        assert_eq!((last_deletion(stage).as_str(), rows_of(stage, dev.into())), ("hard", Vec::new()));
        assert_eq!(refused(bound.own_token()), Unauthenticated);
        let api = delete_target(stage, "shop/api");
        assert_eq!((last_deletion(stage).as_str(), rows_of(stage, api.into())), ("hard", Vec::new()));
        stage.system().create_environment(At::Path(stage.acme, &path("shop")), &NewEnvironment::new("empty")).unwrap();
        assert_eq!(delete_project(stage, "shop"), shop);
        assert_eq!((last_deletion(stage).as_str(), rows_of(stage, shop.into())), ("hard", Vec::new()));
        assert!(deleted(stage).is_empty());
        assert_eq!(refused(stage.system().restore_project(stage.acme, shop)), NotFound);
    }

    fn any_of_four_things_keeps_it(stage: &Stage) {
        stage.shop();
        let (system, shop) = (stage.system(), project_id(stage, "shop"));
        let makes: [(&str, Make<'_>); 5] = [
            ("a content", Box::new(|at, _| stage.write(at, "A=1\n"))),
            ("a version", Box::new(|at, _| {
                stage.write(at, "A=1\n");
                system.delete_level(At::Path(stage.acme, &path(at))).unwrap();
            })),
            ("an account", Box::new(|at, _| {
                system.create_account(At::Path(stage.acme, &path(at)), &NewAccount::new("a", PermissionSet::EMPTY)).map(drop).unwrap();
            })),
            ("a webhook", Box::new(|at, _| {
                system.create_webhook(At::Path(stage.acme, &path(at)), &NewWebhook::new("https://a.example.test/")).map(drop).unwrap();
            })),
            ("an integration", Box::new(|at, _| {
                let new = NewIntegration::new("shelf", Provider::Other("shelf".to_owned()), "credentials");
                let new = new.environment(Mapping::new(path(at), "production"));
                system.link_integration(At::Path(stage.acme, &path("shop")), &new).map(drop).unwrap();
            })),
        ];
        for (what, make) in makes {
            let slug = system.create_environment(At::Path(stage.acme, &path("shop/api")), &NewEnvironment::new("one")).unwrap().slug;
            let at = format!("shop/api/{slug}");
            let id = environment_id(stage, &at);
            make(&at, id.into());
            delete_environment(stage, &at);
            assert_eq!(last_deletion(stage), "soft", "{what}");
            assert_eq!(deleted(stage)[0].id, id.into());
            assert!(!rows_of(stage, id.into()).is_empty());
            // A target is kept for what is in it, and for what was deleted in it.
            let target = target_id(stage, "shop/api");
            delete_target(stage, "shop/api");
            assert_eq!(last_deletion(stage), "soft", "{what}");
            system.restore_target(stage.acme, target).unwrap();
            delete_project(stage, "shop");
            assert_eq!(last_deletion(stage), "soft", "{what}");
            system.restore_project(stage.acme, shop).unwrap();
            system.purge_environment(stage.acme, id).unwrap();
            assert!(rows_of(stage, id.into()).is_empty(), "{what}");
            delete_target(stage, "shop/api");
            assert_eq!(last_deletion(stage), "hard", "{what}");
            system.create_target(At::Path(stage.acme, &LevelPath::from(&self::slug("shop"))), &NewTarget::new("api")).unwrap();
        }
        delete_project(stage, "shop");
        assert_eq!(last_deletion(stage), "hard");
        assert!(rows_of(stage, shop.into()).is_empty());
    }

    fn nobody_finds_it(stage: &Stage) {
        stage.shop();
        for at in ["shop", "shop/api", "shop/api/prod", "shop/dev"] {
            stage.write(at, "A=1\n");
            stage.write(at, "A=2\n");
        }
        let system = stage.system();
        let version = |at: &str| system.versions(At::Path(stage.acme, &path(at)), &Paging::new()).unwrap().items[0].id;
        let (of_dev, of_shop) = (version("shop/dev"), version("shop"));
        let counted = stage.vault.statistics().unwrap();
        assert_eq!((counted.projects, counted.levels, counted.versions, counted.deleted), (1, 4, 4, 0));
        let dev = delete_environment(stage, "shop/dev");
        assert_eq!(refused(system.environment(At::Path(stage.acme, &path("shop/dev")))), NotFound);
        assert_eq!(refused(system.read_level(At::Path(stage.acme, &path("shop/dev")), LevelScope::Own)), NotFound);
        assert_eq!(refused(system.read_level(At::Path(stage.acme, &path("shop/dev")), LevelScope::Chain)), NotFound);
        assert_eq!(refused(system.versions(At::Path(stage.acme, &path("shop/dev")), &Paging::new())), NotFound);
        assert_eq!(refused(system.changes(At::Path(stage.acme, &path("shop/dev")), &Paging::new())), NotFound);
        assert_eq!(refused(system.version(stage.acme, of_dev)), NotFound);
        assert_eq!(refused(system.restore_version(stage.acme, of_dev, &ioenv::vault::Restore::new())), NotFound);
        assert_eq!(refused(system.environment(At::Id(dev.into()))), NotFound);
        let filter = AuditFilter::new().path(path("shop/dev"));
        assert_eq!(refused(system.audit(stage.acme, &filter, &Paging::new())), NotFound);
        assert!(system.environments(At::Path(stage.acme, &path("shop"))).unwrap().is_empty());
        assert_eq!(system.search_entries(At::Path(stage.acme, &path("shop")), &Search::Name(name("A"))).unwrap().len(), 3);
        let counted = stage.vault.statistics().unwrap();
        assert_eq!((counted.projects, counted.levels, counted.versions, counted.deleted), (1, 3, 3, 1));

        let shop = delete_project(stage, "shop");
        assert_eq!(refused(system.project(At::Path(stage.acme, &path("shop")))), NotFound);
        assert_eq!(refused(system.read_level(At::Path(stage.acme, &path("shop/api/prod")), LevelScope::Own)), NotFound);
        for id in [of_shop, of_dev] {
            assert_eq!(refused(system.version(stage.acme, id)), NotFound);
        }
        assert_eq!(refused(system.project(At::Id(shop.into()))), NotFound);
        assert_eq!(refused(system.key(At::Path(stage.acme, &path("shop")))), NotFound);
        assert!(system.projects(stage.acme).unwrap().is_empty());
        let counted = stage.vault.statistics().unwrap();
        assert_eq!((counted.projects, counted.levels, counted.versions, counted.deleted), (0, 0, 0, 2));
        assert_eq!(deleted_paths(stage), ["shop/dev", "shop"]);

        // The slugs are free, and what is made there is another thing.
        stage.shop();
        assert_eq!(stage.text("shop"), None);
        stage.write("shop", "A=3\n");
        stage.write("shop", "A=4\n");
        assert_eq!(version("shop") >> 32, 2);
        assert_eq!(refused(system.restore_project(stage.acme, shop)), Conflict);
        assert_eq!(refused(system.restore_environment(stage.acme, dev)), Conflict);
    }

    fn it_comes_back_as_it_was(stage: &Stage) {
        stage.shop();
        for at in ["shop", "shop/api", "shop/api/prod", "shop/dev"] {
            stage.write(at, &format!("# {at}\nA=1\n"));
            stage.write(at, &format!("# {at}\nA=2\n"));
        }
        let (system, revision) = (stage.system(), stage.revision("shop/api/prod"));
        let all = |stage: &Stage| -> Vec<(String, serde_json::Value)> {
            let noise = |key: &str| key.starts_with("audit") || key.starts_with("level/") || key.starts_with("access/");
            stage.records("").into_iter().filter(|(key, _)| !noise(key)).collect()
        };
        let before_all = all(stage);
        for round in 0..3 {
            let dev = delete_environment(stage, "shop/dev");
            let api = delete_target(stage, "shop/api");
            let shop = delete_project(stage, "shop");
            let listed = deleted(stage);
            assert_eq!(
                listed.iter().map(|one| (one.id, one.kind, one.path.as_str(), one.name.as_str())).collect::<Vec<_>>(),
                [(LevelId::from(dev), ResourceKind::Environment, "shop/dev", "dev"), (api.into(), ResourceKind::Target, "shop/api", "api"),
                    (shop.into(), ResourceKind::Project, "shop", "shop")]
            );
            assert_eq!((listed[0].deleted_at, listed[0].deleted_by.name.as_deref()), (stage.now(), Some("test")));
            assert_eq!(listed[0].restorable_until, after(stage.now(), 30 * DAY));
            // Of each kind by its own name, and only below what is there.
            assert_eq!(refused(system.restore_environment(stage.acme, Id::from(api).into())), NotFound);
            assert_eq!(refused(system.restore_target(stage.acme, Id::from(shop).into())), NotFound);
            assert_eq!(refused(system.restore_environment(stage.acme, dev)), Conflict);
            assert_eq!(refused(system.restore_target(stage.acme, api)), Conflict);
            assert_eq!(system.restore_project(stage.acme, shop).unwrap(), path("shop"));
            assert_eq!(system.restore_target(stage.acme, api).unwrap(), path("shop/api"));
            assert_eq!(system.restore_environment(stage.acme, dev).unwrap(), path("shop/dev"));
            assert_eq!(all(stage), before_all, "{round}");
            assert!(deleted(stage).is_empty());
            for at in ["shop", "shop/api", "shop/api/prod", "shop/dev"] {
                assert_eq!(stage.text(at), Some(format!("# {at}\nA=2\n")));
                assert_eq!(system.changes(At::Path(stage.acme, &path(at)), &Paging::new()).unwrap().items.len(), 2);
            }
            assert_eq!(stage.revision("shop/api/prod"), revision);
        }
        let log = stage.log();
        let restores: Vec<_> = log.iter().filter(|record| record.details.operation() == Some("restore")).collect();
        assert_eq!(restores.len(), 9);
        assert_eq!(restores[1].resource.path, Some(path("shop/api")));
    }

    fn a_slug_that_was_taken_is_a_conflict(stage: &Stage) {
        stage.shop();
        for at in ["shop", "shop/api", "shop/api/prod", "shop/dev"] {
            stage.write(at, "A=1\n");
        }
        let system = stage.system();
        let prod = delete_environment(stage, "shop/api/prod");
        system.create_environment(At::Path(stage.acme, &path("shop/api")), &NewEnvironment::new("prod")).unwrap();
        let error = system.restore_environment(stage.acme, prod).unwrap_err();
        assert_eq!(error.kind(), Conflict);
        assert!(error.to_string().contains("prod"), "{error}");
        assert_eq!(stage.text("shop/api/prod"), None);
        delete_environment(stage, "shop/api/prod");
        // Where it stood has another name by now.
        let update = ioenv::vault::TargetUpdate::new().slug(slug("backend"));
        system.update_target(At::Path(stage.acme, &path("shop/api")), &update).unwrap();
        assert_eq!(system.restore_environment(stage.acme, prod).unwrap(), path("shop/backend/prod"));
        assert_eq!(stage.text("shop/backend/prod").as_deref(), Some("A=1\n"));
        // Below another target of the name it does not come back.
        let prod = delete_environment(stage, "shop/backend/prod");
        let backend = delete_target(stage, "shop/backend");
        system.create_target(At::Path(stage.acme, &path("shop")), &NewTarget::new("backend")).unwrap();
        assert_eq!(refused(system.restore_environment(stage.acme, prod)), Conflict);
        assert_eq!(refused(system.restore_target(stage.acme, backend)), Conflict);
        // What goes for good takes along what was deleted in it before.
        system.purge_target(stage.acme, backend).unwrap();
        assert_eq!(refused(system.restore_environment(stage.acme, prod)), NotFound);
        assert!(rows_of(stage, prod.into()).is_empty() && rows_of(stage, backend.into()).is_empty());
        let shop = delete_project(stage, "shop");
        system.create_project(stage.acme, &NewProject::new("shop")).unwrap();
        assert_eq!(refused(system.restore_project(stage.acme, shop)), Conflict);
    }

    fn tokens_rest_meanwhile(stage: &Stage) {
        stage.shop();
        for at in ["shop/api/prod", "shop/dev"] {
            stage.write(at, "A=1\n");
        }
        let system = stage.system();
        let issue = |at: &str| stage.issue(PermissionSet::ALL, Some(at));
        let [prod, api, dev, shop, revoked] =
            ["shop/api/prod", "shop/api", "shop/dev", "shop", "shop/api/prod"].map(issue);
        let short = NewToken::new("short", PermissionSet::ALL).scope(path("shop/api/prod"));
        let short = system.issue_token(stage.acme, &short.expires_at(after(stage.now(), DAY))).unwrap();
        let ids = [&prod, &api, &dev, &shop, &revoked, &short].map(|issued| issued.info.id);
        let sessions = [prod, api, dev, shop, revoked, short].map(|issued| stage.vault.session(issued.token));
        let works = || sessions.each_ref().map(|session| match session.own_token() {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), Unauthenticated);
                false
            }
        });
        assert_eq!(works(), [true; 6]);
        let target = delete_target(stage, "shop/api");
        assert_eq!(works(), [false, false, true, true, false, false]);
        let info = system.token(stage.acme, ids[0]).unwrap();
        assert_eq!((info.scope, info.revoked_at, info.deleted_with), (None, None, Some(target.into())));
        // One that is issued anew rests with the others.
        let anew = system.rotate_token(stage.acme, ids[1]).unwrap().token;
        let anew = stage.vault.session(anew);
        assert_eq!(refused(anew.own_token()), Unauthenticated);
        let project = delete_project(stage, "shop");
        assert_eq!(works(), [false; 6]);
        system.revoke_token(stage.acme, ids[4]).unwrap();
        stage.pass(2 * DAY);
        system.restore_project(stage.acme, project).unwrap();
        assert_eq!(works(), [false, false, true, true, false, false]);
        system.restore_target(stage.acme, target).unwrap();
        assert_eq!(works(), [true, false, true, true, false, false], "those that were renewed, revoked or expired do not");
        assert!(anew.own_token().is_ok());
        // For good is for good.
        let target = delete_target(stage, "shop/api");
        system.purge_target(stage.acme, target).unwrap();
        assert!(system.token(stage.acme, ids[0]).unwrap().revoked_at.is_some());
        assert_eq!(works(), [false, false, true, true, false, false]);
        let project = delete_project(stage, "shop");
        system.purge_project(stage.acme, project).unwrap();
        assert_eq!(works(), [false; 6]);
        assert_eq!(stage.records("token/").len(), 6, "their records stay, for the log");
    }

    fn whoever_is_bound_sees_what_is_below(stage: &Stage) {
        stage.shop();
        for at in ["shop/api", "shop/api/prod", "shop/dev"] {
            stage.write(at, "A=1\n");
        }
        stage.system().create_project(stage.acme, &NewProject::new("other")).unwrap();
        stage.write("other", "A=1\n");
        let rights = PermissionSet::of(&[ProjectRead, EnvironmentRead, EnvironmentDelete]);
        let of = |scope: Option<&str>| stage.session(rights, scope);
        let [all, shop, api, dev] = [None, Some("shop"), Some("shop/api"), Some("shop/dev")].map(of);
        let prod = delete_environment(stage, "shop/api/prod");
        let other = delete_project(stage, "other");
        let seen = |session: &ioenv::vault::Session<'_>| -> Vec<LevelId> {
            let mut ids: Vec<LevelId> = session.deleted(stage.acme).unwrap().into_iter().map(|one| one.id).collect();
            ids.sort();
            ids
        };
        assert_eq!((seen(&all), seen(&shop), seen(&api)), (vec![prod.into(), other.into()], vec![prod.into()], vec![prod.into()]));
        assert_eq!(seen(&dev), []);
        assert_eq!(refused(dev.restore_environment(stage.acme, prod)), NotFound);
        assert_eq!(api.restore_environment(stage.acme, prod).unwrap(), path("shop/api/prod"));
    }

    fn after_thirty_days_it_is_gone(stage: &Stage) {
        stage.shop();
        for at in ["shop/api/prod", "shop/dev"] {
            for number in 0..3 {
                stage.write(at, &format!("A={number}\n"));
            }
        }
        let system = stage.system();
        let worker = stage.session(PermissionSet::ALL, Some("shop/dev"));
        let shop = project_id(stage, "shop");
        let dev = delete_environment(stage, "shop/dev");
        stage.pass(DAY);
        let target = delete_target(stage, "shop/api");
        stage.pass(29 * DAY);
        assert!(!stage.vault.statistics().unwrap().is_sweep_due);
        stage.vault.sweep().unwrap();
        assert_eq!(deleted_paths(stage), ["shop/api", "shop/dev"], "to the millisecond");
        stage.pass(1);
        assert_eq!(deleted_paths(stage), ["shop/api"], "also before it is swept");
        assert_eq!(refused(system.restore_environment(stage.acme, dev)), NotFound);
        assert_eq!(refused(system.purge_environment(stage.acme, dev)), NotFound);
        assert!(stage.vault.statistics().unwrap().is_sweep_due);
        let logged = stage.logged(|| assert_eq!(stage.vault.sweep().unwrap(), 0));
        assert_eq!(logged.len(), 1);
        assert_eq!((logged[0].actor.name.as_deref(), logged[0].details.operation()), (Some("sweep"), Some("purge")));
        assert_eq!((logged[0].resource.environment, logged[0].resource.path.as_ref()), (Some(dev.into()), Some(&path("shop/dev"))));
        assert!(!stage.vault.statistics().unwrap().is_sweep_due);
        assert!(rows_of(stage, dev.into()).is_empty());
        assert_eq!((stage.records("content/").len(), stage.records("version/").len()), (3, 2));
        stage.pass(-DAY);
        assert_eq!(refused(system.restore_environment(stage.acme, dev)), NotFound);
        assert_eq!(refused(worker.own_token()), Unauthenticated);
        stage.pass(31 * DAY);
        stage.vault.sweep().unwrap();
        assert!(rows_of(stage, target.into()).is_empty());
        assert!(stage.records("content/").is_empty());
        delete_project(stage, "shop");
        assert_eq!(last_deletion(stage), "hard");
        assert!(rows_of(stage, shop.into()).is_empty());
    }

    fn a_sweep_goes_in_small_steps(stage: &Stage) {
        stage.system().create_project(stage.acme, &NewProject::new("big")).unwrap();
        let big = project_id(stage, "big");
        stage.write("big", "A=1\n");
        stage.write("big", "A=2\n");
        let version = stage.records("version/").into_iter().next().unwrap();
        let content = stage.records("content/").into_iter().next().unwrap();
        stage.store.write(|tx| {
            for number in 10..1_300_u32 {
                for (key, value) in [&version, &content] {
                    let (prefix, _) = key.rsplit_once('/').unwrap();
                    let mut value = value.clone();
                    value["number"] = number.into();
                    tx.put(&format!("{prefix}/{number:010}"), &value.to_string(), Precondition::Absent)?;
                }
            }
            Ok(())
        }).unwrap();
        let id = delete_project(stage, "big");
        stage.pass(31 * DAY);
        let logged = stage.logged(|| assert_eq!(stage.vault.sweep().unwrap(), 0));
        assert_eq!(logged.len(), 1, "once, however many steps it takes");
        assert_eq!(id, big);
        assert!(rows_of(stage, big.into()).is_empty());
        // What was purged took nothing else along: a project of its slug is another one.
        stage.system().create_project(stage.acme, &NewProject::new("big")).unwrap();
        stage.write("big", "A=1\n");
        stage.vault.sweep().unwrap();
        assert_eq!(stage.text("big").as_deref(), Some("A=1\n"));
    }

    fn rotations_reach_it(stage: &Stage) {
        stage.shop();
        for at in ["shop", "shop/api/prod", "shop/dev"] {
            stage.write(at, "A=1\n");
            stage.write(at, "A=2\n");
        }
        stage.system().create_project(stage.acme, &NewProject::new("other")).unwrap();
        stage.write("other", "A=1\n");
        stage.write("other", "A=2\n");
        let (system, shop) = (stage.system(), slug("shop"));
        let other = delete_project(stage, "other");
        let dev = delete_environment(stage, "shop/dev");
        let api = delete_target(stage, "shop/api");
        assert!(stage.vault.check().unwrap().damaged.is_empty());
        assert_eq!(stage.vault.check().unwrap().contents, 8);
        system.rotate_organization_kek(stage.acme).unwrap();
        system.rotate_key(At::Path(stage.acme, &LevelPath::from(&shop)), HistoryPolicy::Reencrypt).unwrap();
        while !system.continue_rotation(At::Path(stage.acme, &LevelPath::from(&shop)), 2).unwrap().is_done {}
        system.rotate_project_dek(At::Path(stage.acme, &LevelPath::from(&shop))).unwrap();
        while !system.continue_rotation(At::Path(stage.acme, &LevelPath::from(&shop)), 2).unwrap().is_done {}
        assert_eq!(stage.records("project-dek/").len(), 2);
        let checked = stage.vault.check().unwrap();
        assert!(checked.damaged.is_empty(), "{:?}", checked.damaged);
        // A check tells of what is damaged in it.
        let content = stage.records("content/").into_iter().find(|(key, _)| key.contains(&other.to_string())).unwrap();
        let mut damaged = content.1.clone();
        damaged["node"] = dev.to_string().into();
        stage.store.write(|tx| tx.put(&content.0, &damaged.to_string(), Precondition::Present)).unwrap();
        assert_eq!(stage.vault.check().unwrap().damaged.len(), 1);
        stage.store.write(|tx| tx.put(&content.0, &content.1.to_string(), Precondition::Present)).unwrap();
        system.restore_project(stage.acme, other).unwrap();
        system.restore_target(stage.acme, api).unwrap();
        system.restore_environment(stage.acme, dev).unwrap();
        for at in ["shop", "shop/api/prod", "shop/dev", "other"] {
            assert_eq!(stage.text(at).as_deref(), Some("A=2\n"));
            let changes = system.changes(At::Path(stage.acme, &path(at)), &Paging::new()).unwrap().items;
            assert_eq!(changes.len(), 2, "{at}");
            system.roll_back(At::Path(stage.acme, &path(at)), changes[1].id).unwrap();
            assert_eq!(stage.text(at).as_deref(), Some("A=1\n"));
        }
    }

    fn people_who_hold_the_key_rotate_without_it(stage: &Stage) {
        let keys = [1, 2].map(|byte| LevelKey::from_bytes(&[byte; 32]));
        let held = |key: &LevelKey| NewKey::Client { derivation: None, proof: KeyProof::of(key).to_text(), hint: None };
        stage.shop_with(|project| project.key(held(&keys[0])));
        let (system, dev) = (stage.system(), path("shop/dev"));
        let blob = Aes256Gcm.seal(&keys[0], b"A=1\n", &SystemRandom).unwrap();
        let new = NewBlob::new(blob.clone()).key_proof(KeyProof::of(&keys[0]).to_text());
        system.set_blob(At::Path(stage.acme, &dev), &new).unwrap();
        let id = delete_environment(stage, "shop/dev");
        system.rotate_client_key(At::Path(stage.acme, &path("shop")), &ClientRotation::new(held(&keys[1]), Vec::new())).unwrap();
        system.restore_environment(stage.acme, id).unwrap();
        let level = system.blobs(At::Path(stage.acme, &dev)).unwrap().levels.pop().unwrap();
        assert_eq!((level.content, level.key_version), (Some(blob), 1), "under the key it was sealed with");
    }

    fn what_no_longer_holds_anything_goes_with_its_target(stage: &Stage) {
        stage.shop();
        let (system, prod) = (stage.system(), path("shop/api/prod"));
        stage.write("shop/api/prod", "A=1\n");
        system.delete_level(At::Path(stage.acme, &prod)).unwrap();
        let issued = stage.issue(PermissionSet::ALL, Some("shop/api/prod"));
        let id = delete_environment(stage, "shop/api/prod");
        system.purge_versions(At::Path(stage.acme, &path("shop")), PurgeScope::Project, Confirmation::Given).unwrap();
        delete_target(stage, "shop/api");
        assert_eq!(last_deletion(stage), "hard");
        assert!(rows_of(stage, id.into()).is_empty() && deleted(stage).is_empty());
        let token = system.token(stage.acme, issued.info.id).unwrap();
        assert_eq!((token.revoked_at, token.deleted_with), (Some(stage.now()), None));
    }

    fn purging_versions_reaches_it(stage: &Stage) {
        stage.shop();
        for at in ["shop", "shop/dev"] {
            stage.write(at, "A=1\n");
            stage.write(at, "A=2\n");
        }
        let dev = delete_environment(stage, "shop/dev");
        let system = stage.system();
        assert_eq!(system.purge_versions(At::Path(stage.acme, &path("shop")), PurgeScope::Project, Confirmation::Given).unwrap(), 2);
        system.restore_environment(stage.acme, dev).unwrap();
        assert_eq!(stage.text("shop/dev").as_deref(), Some("A=2\n"));
    }

    fn an_organization_takes_it_along(stage: &Stage) {
        stage.shop();
        stage.write("shop/dev", "A=1\n");
        stage.write("shop/api/prod", "A=1\n");
        delete_environment(stage, "shop/dev");
        delete_project(stage, "shop");
        stage.system().delete_organization(stage.acme).unwrap();
        let left: Vec<String> = stage.records("").into_keys().filter(|key| !key.starts_with("audit")).collect();
        assert_eq!(left, ["vault"]);
        assert_eq!(refused(stage.system().deleted(stage.acme)), NotFound);
    }
}
