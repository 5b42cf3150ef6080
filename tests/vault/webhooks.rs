//! Webhooks: who has them, what they are told of, and what is left of them. `tests/full/webhook_delivery.rs` has them sent.

use ioenv::dotenv_cloud::KeyProof;
use std::collections::BTreeSet;
use std::sync::Arc;

use ioenv::ErrorKind::{Conflict, InvalidValue, NotFound};
use ioenv::store::{Memory, Precondition, Store, StoreExt as _};
use ioenv::vault::Action::{self, Create, Delete, Read, Update};
use ioenv::vault::{
    Actor, At, Confirmation, CreatedWebhook, EntryUpdate, NewBlob, NewKey, NewOrganization, NewProject, NewWebhook,
    Paging, ResourceKind, Restore, RootKey, Vault, WebhookUpdate,
};
use ioenv::{Aes256Gcm, Cipher as _, LevelKey, SystemRandom};
use serde_json::Value;

use super::counting::Counting;
use super::stage::{MINUTE, Stage, entry, name, names, path, refused};

const URL: &str = "https://hooks.example.test/in?planted-in-a-url";

fn create(stage: &Stage, at: &str) -> CreatedWebhook {
    stage.system().create_webhook(At::Path(stage.acme, &path(at)), &NewWebhook::new(URL).enabled(true)).unwrap()
}

/// What waits: the ids of the webhooks, and of the events.
fn waiting(stage: &Stage) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let jobs = stage.records("job/webhook/").into_values();
    let jobs: BTreeSet<_> = jobs.map(|job| (text(&job["subject"]), text(&job["event"]["id"]))).collect();
    assert_eq!(stage.records("job-due/").len(), jobs.len(), "each stands at one time");
    jobs
}

/// The webhooks that `work` has something wait for; nothing waits afterwards.
fn told(stage: &Stage, work: impl FnOnce()) -> Vec<String> {
    assert!(waiting(stage).is_empty());
    work();
    let told = waiting(stage).into_iter().map(|(webhook, _)| webhook).collect();
    forget(stage);
    told
}

fn forget(stage: &Stage) {
    for prefix in ["job/", "job-due/"] {
        for key in stage.records(prefix).into_keys() {
            stage.store.write(|tx| tx.delete(&key)).unwrap();
        }
    }
}

on_every_store! {
    fn a_webhook_from_its_beginning_to_its_end(stage: &Stage) {
        stage.shop();
        let (acme, at, system) = (stage.acme, path("shop/api/prod"), stage.system());
        let new = NewWebhook::new(URL).description("for the deployment");
        let made = system.create_webhook(At::Path(acme, &at), &new).unwrap();
        let webhook = &made.webhook;
        assert_eq!((webhook.url.as_str(), webhook.enabled), (URL, false));
        assert_eq!((webhook.created_at, webhook.updated_at), (stage.now(), stage.now()));
        assert_eq!(webhook.description.as_deref(), Some("for the deployment"));
        let secret = made.signing_secret.expose_secret();
        let random = secret.strip_prefix("whsec_").unwrap();
        assert!(random.len() == 32 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(&system.webhook(At::Path(acme, &at), webhook.id).unwrap(), webhook);

        let second = create(stage, "shop/api/prod");
        let ids = |at: &str| -> Vec<_> {
            system.webhooks(At::Path(acme, &path(at))).unwrap().iter().map(|webhook| webhook.id).collect()
        };
        assert_eq!(ids("shop/api/prod"), [second.webhook.id, webhook.id], "newest first");
        assert!(ids("shop/dev").is_empty());
        assert_eq!(refused(system.webhook(At::Path(acme, &path("shop/dev")), webhook.id)), NotFound);

        stage.pass(MINUTE);
        let update = WebhookUpdate::new();
        assert_eq!(refused(system.update_webhook(At::Path(acme, &at), webhook.id, &update)), InvalidValue);
        let update = update.url("https://other.example.test").clear_description();
        let changed = system.update_webhook(At::Path(acme, &at), webhook.id, &update).unwrap();
        assert_eq!((changed.url.as_str(), changed.description.as_deref()), ("https://other.example.test", None));
        assert_eq!((changed.created_at, changed.updated_at), (webhook.created_at, stage.now()));

        assert_eq!(refused(system.disable_webhook(At::Path(acme, &at), webhook.id)), Conflict);
        assert!(system.enable_webhook(At::Path(acme, &at), webhook.id).unwrap().enabled);
        assert_eq!(refused(system.enable_webhook(At::Path(acme, &at), webhook.id)), Conflict);
        assert!(system.webhook(At::Path(acme, &at), webhook.id).unwrap().enabled);

        system.delete_webhook(At::Path(acme, &at), webhook.id).unwrap();
        assert_eq!(refused(system.delete_webhook(At::Path(acme, &at), webhook.id)), NotFound);
        assert_eq!(ids("shop/api/prod"), [second.webhook.id]);
        assert_eq!(stage.records("webhook/").len(), 1);
    }

    fn environments_have_them_and_nothing_else_has(stage: &Stage) {
        stage.shop();
        stage.with_base("based");
        for at in ["shop/dev", "shop/api/prod", "based", "based/_base", "based/dev"] {
            create(stage, at);
        }
        assert_eq!(stage.system().webhooks(At::Path(stage.acme, &path("based/_base"))).unwrap().len(), 2, "the same place");
        for at in ["shop", "shop/api", "shop/none", "none"] {
            let result = stage.system().create_webhook(At::Path(stage.acme, &path(at)), &NewWebhook::new(URL));
            assert_eq!(refused(result), NotFound, "{at}");
        }
    }

    fn what_cannot_be_taken_changes_nothing(stage: &Stage) {
        stage.shop();
        let (acme, at, system) = (stage.acme, path("shop/dev"), stage.system());
        let webhook = create(stage, "shop/dev").webhook;
        let (long, none) = ("ä".repeat(256), "a\0b".to_owned());
        for description in [long, none] {
            let new = NewWebhook::new(URL).description(description.clone());
            assert_eq!(refused(system.create_webhook(At::Path(acme, &at), &new)), InvalidValue);
            let update = WebhookUpdate::new().description(description);
            assert_eq!(refused(system.update_webhook(At::Path(acme, &at), webhook.id, &update)), InvalidValue);
        }
        for url in ["", "hooks.example.test", "ftp://hooks.example.test/", "https://planted:planted@example.test/"] {
            let error = system.create_webhook(At::Path(acme, &at), &NewWebhook::new(url)).unwrap_err();
            assert_eq!(error.kind(), InvalidValue, "{url}");
            assert!(!error.to_string().contains("planted"));
            let update = WebhookUpdate::new().url(url.to_owned());
            assert_eq!(refused(system.update_webhook(At::Path(acme, &at), webhook.id, &update)), InvalidValue, "{url}");
        }
        let update = WebhookUpdate::new().description("ä".repeat(255));
        assert!(system.update_webhook(At::Path(acme, &at), webhook.id, &update).is_ok());
        assert_eq!(system.webhooks(At::Path(acme, &at)).unwrap().len(), 1);
    }

    fn the_signing_secret_is_sealed_and_can_be_another(stage: &Stage) {
        stage.shop();
        let (acme, at, system) = (stage.acme, path("shop/dev"), stage.system());
        let made = create(stage, "shop/dev");
        let id = made.webhook.id;
        let read = || system.signing_secret(At::Path(acme, &at), id).unwrap().expose_secret().to_owned();
        let first = made.signing_secret.expose_secret();
        assert_eq!(read(), first);
        let second = system.rotate_signing_secret(At::Path(acme, &at), id).unwrap().expose_secret().to_owned();
        assert!(second != first && read() == second && second.starts_with("whsec_"));

        // It is wrapped for its place: that of another webhook does not open here.
        let other = create(stage, "shop/dev").webhook.id;
        let records = stage.records("webhook/");
        let record = |id| records.iter().find(|(key, _)| key.ends_with(&format!("/{id}"))).unwrap();
        let mut moved = record(id).1.clone();
        moved["secret"] = record(other).1["secret"].clone();
        let swap = |value: &Value| {
            stage.store.write(|tx| tx.put(record(id).0, &value.to_string(), Precondition::Present)).unwrap();
        };
        assert!(stage.vault.check().unwrap().damaged.is_empty());
        swap(&moved);
        assert_eq!(refused(system.signing_secret(At::Path(acme, &at), id)), ioenv::ErrorKind::Corrupt);
        let checked = stage.vault.check().unwrap();
        assert_eq!((checked.signing_secrets, checked.damaged.len()), (2, 1));
        assert_eq!((checked.damaged[0].webhook, checked.damaged[0].path.as_ref()), (Some(id), Some(&at)));
        swap(record(id).1);

        // A rotation of the project DEK reaches it, and drops the key it was wrapped with.
        system.rotate_project_dek(At::Path(acme, &path("shop"))).unwrap();
        let created_meanwhile = create(stage, "shop/dev").webhook.id;
        while !system.continue_rotation(At::Path(acme, &path("shop")), 1).unwrap().is_done {}
        assert_eq!(stage.records("project-dek/").len(), 1);
        assert!(stage.records("webhook/").values().all(|record| record["dek_version"] == 2));
        assert_eq!(read(), second);
        assert!(system.signing_secret(At::Path(acme, &at), created_meanwhile).is_ok());
        assert!(stage.vault.check().unwrap().damaged.is_empty());

        let stored = stage.dump("");
        for secret in [first, second.as_str()] {
            assert!(!stored.contains(secret) && !stored.contains(&secret["whsec_".len()..]));
        }
        assert!(!format!("{made:?} {:?}", system.webhooks(At::Path(acme, &at)).unwrap()).contains(&first[6..]));
    }

    fn each_change_is_one_event(stage: &Stage) {
        stage.shop();
        let (acme, at, system) = (stage.acme, path("shop/dev"), stage.system());
        let id = create(stage, "shop/dev").webhook.id.to_string();
        let once = [id.clone()];
        let none: [String; 0] = [];
        let told = |work: &dyn Fn()| told(stage, work);
        let set = |value: &str| system.set_entries(At::Path(acme, &at), &[entry("A", value)]).map(drop).unwrap();
        assert_eq!(told(&|| set("1")), once);
        assert_eq!(told(&|| set("1")), none, "the same");
        assert_eq!(told(&|| set("2")), once);
        assert_eq!(told(&|| drop(system.create_entries(At::Path(acme, &at), &[entry("A", "3")]).unwrap())), none, "it is there");
        assert_eq!(told(&|| drop(system.create_entries(At::Path(acme, &at), &[entry("B", "3")]).unwrap())), once);
        let update = |change: &dyn Fn(EntryUpdate) -> EntryUpdate| {
            drop(system.update_entries(At::Path(acme, &at), &[change(EntryUpdate::new(name("B")))]).unwrap());
        };
        assert_eq!(told(&|| update(&|update| update.comment("why"))), once);
        assert_eq!(told(&|| update(&|update| update.comment("why"))), none);
        assert_eq!(told(&|| update(&|update| update.new_name(name("C")))), once);
        assert_eq!(told(&|| drop(system.delete_entries(At::Path(acme, &at), &names(["NONE"])).unwrap())), none);
        assert_eq!(told(&|| drop(system.delete_entries(At::Path(acme, &at), &names(["C"])).unwrap())), once);
        assert_eq!(told(&|| stage.write("shop/dev", "A=2\n")), none);
        assert_eq!(told(&|| stage.write("shop/dev", "A=9\nB=2\n")), once);
        let version = system.versions(At::Path(acme, &at), &Paging::new()).unwrap().items[0].id;
        assert_eq!(told(&|| _ = system.restore_version(acme, version, &Restore::new()).unwrap()), once);
        assert_eq!(told(&|| assert!(system.delete_all_entries(At::Path(acme, &at)).is_ok())), once);
        assert_eq!(told(&|| assert!(system.delete_all_entries(At::Path(acme, &at)).is_ok())), none);
        set_blob(stage, "shop/dev", "A=5\n");
        forget(stage);
        assert_eq!(told(&|| set_blob(stage, "shop/dev", "A=5\n")), none, "another blob of the same");
        assert_eq!(told(&|| set_blob(stage, "shop/dev", "A=6\n")), once);
        assert_eq!(told(&|| system.delete_level(At::Path(acme, &at)).unwrap()), once);
        assert_eq!(told(&|| system.delete_level(At::Path(acme, &at)).unwrap()), none, "nothing was there");
        stage.write("shop/dev", "A=1\n");
        forget(stage);
        assert_eq!(told(&|| drop(system.rotate_key(At::Path(acme, &path("shop")), ioenv::vault::HistoryPolicy::Keep).unwrap())), none);
        assert_eq!(told(&|| system.purge_level(At::Path(acme, &at), Confirmation::Given).unwrap()), once);
        // What is read or refused is none.
        assert_eq!(told(&|| drop(stage.resolved("shop/dev"))), none);
        assert_eq!(told(&|| drop(system.set_entries(At::Path(acme, &at), &[]))), none);
    }

    fn a_project_whose_key_others_hold_tells_of_each_blob(stage: &Stage) {
        let key = LevelKey::from_bytes(&[7; 32]);
        let proof = KeyProof::of(&key).to_text();
        let project = NewProject::new("theirs").has_base(true).key(NewKey::Client { derivation: None, proof: proof.clone(), hint: None });
        stage.system().create_project(stage.acme, &project).unwrap();
        let id = create(stage, "theirs/dev").webhook.id.to_string();
        let set = |at: &str| {
            let blob = Aes256Gcm.seal(&key, b"A=1\n", &SystemRandom).unwrap();
            stage.system().set_blob(At::Path(stage.acme, &path(at)), &NewBlob::new(blob).key_proof(proof.clone())).unwrap();
        };
        assert_eq!(told(stage, || set("theirs/dev")), [id.as_str()]);
        assert_eq!(told(stage, || set("theirs/_base")), [id]);
        assert!(told(stage, || set("theirs/prod")).is_empty());
    }

    fn what_is_inherited_concerns_those_below(stage: &Stage) {
        stage.shop();
        stage.with_base("based");
        let mut ids = Vec::new();
        for at in ["shop/dev", "shop/api/prod", "based/_base", "based/dev"] {
            ids.push(create(stage, at).webhook.id.to_string());
        }
        let [dev, prod, base, based_dev] = &ids[..] else { unreachable!() };
        let write = |at: &str, value: &str| stage.write(at, &format!("A={value}\n"));
        assert_eq!(told(stage, || write("shop", "1")), [dev.clone(), prod.clone()]);
        assert_eq!(told(stage, || write("shop/api", "1")), [prod.as_str()]);
        assert_eq!(told(stage, || write("shop/api/prod", "1")), [prod.as_str()]);
        assert_eq!(told(stage, || write("shop/dev", "1")), [dev.as_str()]);
        assert_eq!(told(stage, || write("based", "1")), [base.clone(), based_dev.clone()]);
        assert_eq!(told(stage, || write("based/dev", "1")), [based_dev.as_str()]);
        assert!(told(stage, || write("based/prod", "1")).is_empty());
    }

    fn the_latest_event_is_the_one_that_waits(stage: &Stage) {
        stage.shop();
        let id = create(stage, "shop/dev").webhook.id;
        let second = create(stage, "shop/dev").webhook.id;
        let mut events = BTreeSet::new();
        for round in 0..3 {
            stage.pass(MINUTE);
            stage.write("shop/dev", &format!("A={round}\n"));
            let waiting = waiting(stage);
            let webhooks: Vec<&str> = waiting.iter().map(|(webhook, _)| webhook.as_str()).collect();
            assert_eq!(webhooks, [id.to_string(), second.to_string()]);
            events.extend(waiting.into_iter().map(|(_, event)| event));
        }
        assert_eq!(events.len(), 6);
        // Who is disabled is not told, and nothing waits for it.
        let (system, at) = (stage.system(), path("shop/dev"));
        system.disable_webhook(At::Path(stage.acme, &at), id).unwrap();
        assert_eq!(waiting(stage).len(), 1);
        stage.write("shop/dev", "A=9\n");
        assert_eq!(waiting(stage).iter().map(|(webhook, _)| webhook.as_str()).collect::<Vec<_>>(), [second.to_string()]);
        system.delete_webhook(At::Path(stage.acme, &at), second).unwrap();
        assert!(waiting(stage).is_empty());
        system.enable_webhook(At::Path(stage.acme, &at), id).unwrap();
        assert!(waiting(stage).is_empty(), "what was missed stays so");
    }

    fn what_goes_takes_its_webhooks_along(stage: &Stage) {
        let left = || -> usize { ["webhook", "subject", "job"].map(|prefix| stage.records(prefix).len()).iter().sum() };
        let system = stage.system();
        let removals: [(&str, &dyn Fn()); 4] = [
            ("environment", &|| system.delete_environment(At::Path(stage.acme, &path("shop/api/prod")), Confirmation::Given).unwrap()),
            ("target", &|| system.delete_target(At::Path(stage.acme, &path("shop/api"))).unwrap()),
            ("project", &|| system.delete_project(At::Path(stage.acme, &path("shop"))).unwrap()),
            ("organization", &|| system.delete_organization(stage.acme).unwrap()),
        ];
        for (what, remove) in removals {
            stage.shop();
            let (webhook, other) = (create(stage, "shop/api/prod").webhook.id, create(stage, "shop/dev").webhook.id);
            stage.write("shop", "A=1\n");
            let project = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id;
            for id in [webhook, other] {
                for key in [format!("webhook-log/{project}/{id}/{id}"), format!("webhook-log-count/{project}/{id}")] {
                    stage.store.write(|tx| tx.put(&key, "1", Precondition::Always)).unwrap();
                }
            }
            assert_eq!(left(), 12);
            remove();
            stage.purge_deleted();
            assert_eq!(left(), if matches!(what, "project" | "organization") { 0 } else { 6 }, "{what}");
            if what != "organization" && what != "project" {
                system.delete_project(At::Path(stage.acme, &path("shop"))).unwrap();
                stage.purge_deleted();
            }
        }
    }

    fn a_project_without_webhooks_looks_for_none(stage: &Stage) {
        stage.shop();
        let flag = || {
            let records = stage.records("project/");
            let all: Vec<_> = records.values().map(|record| record["has_webhooks"].clone()).collect();
            all
        };
        assert_eq!(flag(), [Value::Bool(false)]);
        let first = create(stage, "shop/dev").webhook.id;
        let second = create(stage, "shop/api/prod").webhook.id;
        assert_eq!(flag(), [Value::Bool(true)]);
        stage.system().delete_webhook(At::Path(stage.acme, &path("shop/dev")), first).unwrap();
        assert_eq!(flag(), [Value::Bool(true)]);
        stage.system().delete_webhook(At::Path(stage.acme, &path("shop/api/prod")), second).unwrap();
        assert_eq!(flag(), [Value::Bool(false)]);
    }

    fn a_url_is_shown_without_what_it_may_hold(stage: &Stage) {
        stage.shop();
        let url = "https://hooks.example.com/planted/in?planted";
        let new = NewWebhook::new(url);
        let created = stage.system().create_webhook(At::Path(stage.acme, &path("shop/dev")), &new).unwrap();
        let update = WebhookUpdate::new().url(url.to_owned());
        let bad = NewWebhook::new("planted-nothing");
        let shown = format!("{new:?} {bad:?} {created:?} {update:?} {:?}", created.webhook);
        assert!(!shown.contains("planted"), "{shown}");
        assert_eq!(shown.matches("hooks.example.com").count(), 4, "{shown}");
    }

    fn what_is_done_to_them_is_recorded_without_what_is_secret(stage: &Stage) {
        stage.shop();
        let (acme, at, system) = (stage.acme, path("shop/dev"), stage.system());
        let mut made = None;
        let update = WebhookUpdate::new().description("planted-description");
        let mut secrets = Vec::new();
        let records = stage.logged(|| {
            let created = create(stage, "shop/dev");
            let id = created.webhook.id;
            system.webhook(At::Path(acme, &at), id).unwrap();
            system.webhooks(At::Path(acme, &at)).unwrap();
            system.update_webhook(At::Path(acme, &at), id, &update).unwrap();
            system.disable_webhook(At::Path(acme, &at), id).unwrap();
            secrets.push(system.signing_secret(At::Path(acme, &at), id).unwrap().expose_secret().to_owned());
            secrets.push(system.rotate_signing_secret(At::Path(acme, &at), id).unwrap().expose_secret().to_owned());
            system.webhook_logs(At::Path(acme, &at), id, &Paging::new()).unwrap();
            system.delete_webhook(At::Path(acme, &at), id).unwrap();
            made = Some(created);
        });
        let actions: Vec<Action> = records.iter().map(|record| record.action).collect();
        assert_eq!(actions, [Create, Read, Read, Update, Update, Read, Update, Read, Delete]);
        let id = made.unwrap().webhook.id;
        for (index, record) in records.iter().enumerate() {
            assert_eq!(record.resource.path.as_ref(), Some(&at));
            if index != 2 {
                assert_eq!((record.resource.kind, record.resource.id), (ResourceKind::Webhook, Some(id.into())));
            }
            let text = serde_json::to_string(record).unwrap();
            assert!(!text.contains("planted") && !secrets.iter().any(|secret| text.contains(&secret[6..])), "{text}");
        }
        assert_eq!(serde_json::to_value(&records[0].details).unwrap()["host"], "hooks.example.test");
    }
}

#[test]
fn a_write_costs_nothing_more_where_there_is_no_webhook() {
    let store = Arc::new(Counting::below(&["webhook", "job"], Memory::new()));
    let stage = Stage::over(Arc::clone(&store) as Arc<dyn Store>, None);
    stage.shop();
    stage.write("shop", "A=1\n");
    stage.write("shop/dev", "A=1\n");
    stage.system().delete_level(At::Path(stage.acme, &path("shop/dev"))).unwrap();
    set_blob(&stage, "shop/dev", "A=5\n");
    assert_eq!((store.records_read(), store.records_written()), (0, 0));
    create(&stage, "shop/dev");
    stage.write("shop", "A=2\n");
    assert!(store.records_read() + store.records_written() > 3, "it would be noticed");
}

fn set_blob(stage: &Stage, at: &str, text: &str) {
    let project = at.split('/').next().unwrap();
    let key = stage.system().key(At::Path(stage.acme, &path(project))).unwrap().text.unwrap();
    let blob = Aes256Gcm.seal(&LevelKey::parse(key.expose_secret()).unwrap(), text.as_bytes(), &SystemRandom).unwrap();
    stage.system().set_blob(At::Path(stage.acme, &path(at)), &NewBlob::new(blob)).unwrap();
}

#[test]
fn what_leads_inside_is_for_operators_who_allow_it() {
    let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom).unwrap()).unwrap();
    let system = vault.session(Actor::system("test"));
    let acme = system.create_organization(&NewOrganization::new("Acme")).unwrap().id;
    let project = NewProject::new("shop").has_base(true);
    system.create_project(acme, &project).unwrap();
    let inside =
        ["https://127.0.0.1/", "https://[::1]/", "https://localhost/", "https://receiver/", "http://example.test/"];
    for url in inside {
        assert_eq!(
            refused(system.create_webhook(At::Path(acme, &path("shop/dev")), &NewWebhook::new(url))),
            InvalidValue,
            "{url}"
        );
    }
    assert!(system.create_webhook(At::Path(acme, &path("shop/dev")), &NewWebhook::new(URL)).is_ok());
}
