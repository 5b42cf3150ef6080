//! Everything that is sealed in a vault is known to rotations, to the integrity check and to the removal of keys.

use ioenv::dotenv_cloud::KeyProof;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ioenv::ErrorKind::Corrupt;
use ioenv::store::{Memory, Precondition, StoreExt as _};
use ioenv::vault::{
    Actor, At, ClientRotation, Confirmation, EntryScope, HistoryPolicy, LevelId, Mapping, NewAccount, NewBlob,
    NewIntegration, NewKey, NewOrganization, NewProject, NewWebhook, PermissionSet, Provider, RootKey,
    SealedRecordKind, Vault,
};
use ioenv::{Aes256Gcm, Cipher as _, Document, LevelKey, SystemRandom};
use serde_json::Value;

use super::counting::Counting;
use super::stage::{Stage, names, path, refused};

/// Where each sealed field stands.
const FIELDS: [&str; 12] = [
    "access /times",
    "content /blob",
    "content /entries",
    "integration /credentials",
    "integration-written /written",
    "key /check",
    "key /data",
    "key /text",
    "organization-kek /key",
    "project-dek /key",
    "vault /check",
    "webhook /secret",
];

const KINDS: [SealedRecordKind; 9] = [
    SealedRecordKind::RootKeyCheck,
    SealedRecordKind::OrganizationKek,
    SealedRecordKind::ProjectDek,
    SealedRecordKind::LevelKey,
    SealedRecordKind::Content,
    SealedRecordKind::AccessTimes,
    SealedRecordKind::SigningSecret,
    SealedRecordKind::Credentials,
    SealedRecordKind::Written,
];

/// Whether a text is base64 of at least a nonce and a tag. Hashes of tokens, which are hexadecimal, are not sealed.
fn looks_sealed(text: &str) -> bool {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    !is_hash && BASE64.decode(text).is_ok_and(|bytes| bytes.len() >= 28)
}

/// The pointers to all texts in a value that look sealed, however deep they stand.
fn sealed_in(value: &Value) -> Vec<String> {
    let members: Vec<(String, &Value)> = match value {
        Value::String(text) if looks_sealed(text) => return vec![String::new()],
        Value::Array(values) => values.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        _ => Vec::new(),
    };
    let pointers = |(name, value)| sealed_in(value).into_iter().map(move |pointer| format!("/{name}{pointer}"));
    members.into_iter().flat_map(pointers).collect()
}

/// All sealed texts of a vault, by the key of the record and the pointer.
fn sealed(records: &BTreeMap<String, Value>) -> BTreeMap<(String, String), String> {
    let all = records.iter().flat_map(|(key, value)| {
        let texts = sealed_in(value).into_iter().map(move |pointer| {
            let text = value.pointer(&pointer).and_then(Value::as_str).unwrap().to_owned();
            ((key.clone(), pointer), text)
        });
        texts.collect::<Vec<_>>()
    });
    all.collect()
}

fn put(stage: &Stage, key: &str, value: &Value) {
    stage.store.write(|tx| tx.put(key, &value.to_string(), Precondition::Always)).unwrap();
}

fn continue_to_the_end(stage: &Stage, project: &str) {
    while !stage.system().continue_rotation(At::Path(stage.acme, &path(project)), 3).unwrap().is_done {}
}

fn of_client(key: &LevelKey) -> NewKey {
    NewKey::Client { derivation: None, proof: KeyProof::of(key).to_text(), hint: None }
}

/// A vault that has one of each thing: `shop` with everything that lies in a project, `strings` with a key string,
/// `people` in client custody, `half` in the middle of a rotation, `gone` deleted.
fn everything(stage: &Stage) {
    let (system, acme) = (stage.system(), stage.acme);
    stage.shop();
    for text in ["A=1\n", "# why\nA=2\nB=3\n", "A=4\n"] {
        stage.write("shop", text);
        stage.write("shop/api/prod", text);
    }
    system.rotate_key(At::Path(acme, &path("shop")), HistoryPolicy::Keep).unwrap();
    stage.write("shop/dev", "A=5\n");
    system.entries(At::Path(acme, &path("shop/dev")), EntryScope::Named(&names(["A"]))).unwrap();
    system.delete_level(At::Path(acme, &path("shop"))).unwrap();
    system.create_webhook(At::Path(acme, &path("shop/dev")), &NewWebhook::new("https://example.com/hook")).unwrap();
    let integration = NewIntegration::new("Shelf", Provider::Other("shelf".to_owned()), "planted-credentials")
        .environment(Mapping::new(path("shop/dev"), "development"));
    let integration = system.link_integration(At::Path(acme, &path("shop")), &integration).unwrap().id;
    system.sync_integration(At::Path(acme, &path("shop")), integration).unwrap();
    system.delete_target(At::Path(acme, &path("shop/api"))).unwrap();

    stage.issue(PermissionSet::ALL, Some("shop/dev"));
    let user = stage.member("ann@example.com", "workspace:member".parse().unwrap());
    stage.team("team", &[user]);
    system.create_account(At::Path(acme, &path("shop/dev")), &NewAccount::new("worker", PermissionSet::EMPTY)).unwrap();

    let strings = NewProject::new("strings").key(NewKey::String(None));
    system.create_project(acme, &strings).unwrap();
    stage.write("strings", "A=1\n");

    let [old, new] = [(); 2].map(|()| LevelKey::generate(&SystemRandom).unwrap());
    let seal = |key| Aes256Gcm.seal(key, b"A=1\n", &SystemRandom).unwrap();
    let people = NewProject::new("people").key(of_client(&old));
    let people: LevelId = system.create_project(acme, &people).unwrap().id.into();
    let blob = NewBlob::new(seal(&old)).key_proof(KeyProof::of(&old).to_text());
    system.set_blob(At::Path(acme, &path("people")), &blob).unwrap();
    let rotation = ClientRotation::new(of_client(&new), vec![(people, seal(&new))]);
    system.rotate_client_key(At::Path(acme, &path("people")), &rotation).unwrap();

    for project in ["half", "gone"] {
        system.create_project(acme, &NewProject::new(project)).unwrap();
        for text in ["A=1\n", "A=2\n", "A=3\n"] {
            stage.write(project, text);
        }
        system.rotate_project_dek(At::Path(acme, &path(project))).unwrap();
        assert!(!system.continue_rotation(At::Path(acme, &path(project)), 2).unwrap().is_done);
    }
    system.delete_project(At::Path(acme, &path("gone"))).unwrap();
}

on_every_store! {
    fn a_check_opens_everything_that_is_sealed(stage: &Stage) {
        everything(stage);
        let report = stage.vault.check().unwrap();
        assert!(report.damaged.is_empty(), "{:?}", report.damaged);
        let records = stage.records("");
        let sealed = sealed(&records);
        let is_sealed = |key: &String| sealed.range((key.clone(), String::new())..).next().is_some_and(|((at, _), _)| at == key);
        assert_eq!(report.records, records.keys().filter(|key| is_sealed(key)).count() as u64);
        let fields: BTreeSet<String> =
            sealed.keys().map(|(key, pointer)| format!("{} {pointer}", key.split('/').next().unwrap())).collect();
        assert_eq!(fields.iter().collect::<Vec<_>>(), FIELDS.iter().collect::<Vec<_>>());

        let mut kinds = HashSet::new();
        for ((key, pointer), text) in &sealed {
            let mut changed = records[key].clone();
            let other = if text.starts_with('A') { "B" } else { "A" };
            *changed.pointer_mut(pointer).unwrap() = format!("{other}{}", &text[1..]).into();
            put(stage, key, &changed);
            let damaged = stage.vault.check().unwrap().damaged;
            let found = damaged.iter().find(|one| one.key == *key).unwrap_or_else(|| panic!("{key} {pointer}"));
            assert_eq!(found.error.kind(), Corrupt);
            // The keys of others are in memory already, so nothing else is damaged by it.
            assert_eq!(damaged.len(), 1, "{damaged:?}");
            assert_eq!(found.organization.is_none(), found.kind == SealedRecordKind::RootKeyCheck);
            kinds.insert(found.kind);
            put(stage, key, &records[key]);
        }
        assert_eq!(kinds, HashSet::from(KINDS));
    }

    fn a_rotation_reaches_everything_that_is_sealed(stage: &Stage) {
        everything(stage);
        let (system, acme) = (stage.system(), stage.acme);
        let before = sealed(&stage.records(""));
        continue_to_the_end(stage, "half");
        for project in ["shop", "strings", "people"] {
            system.rotate_project_dek(At::Path(acme, &path(project))).unwrap();
            continue_to_the_end(stage, project);
        }
        let projects: Vec<String> = ["shop", "strings", "people", "half"]
            .map(|project| system.project(At::Path(acme, &path(project))).unwrap().id.to_string())
            .to_vec();
        let records = stage.records("");
        let mut rotated = 0;
        for ((key, pointer), text) in sealed(&records) {
            let mut parts = key.split('/');
            let (kind, owner) = (parts.next().unwrap(), parts.next().unwrap_or_default());
            if projects.iter().any(|project| project == owner) {
                match kind {
                    "project-dek" => assert_eq!(records[&key]["version"], 2, "{key}"),
                    _ => assert_eq!(records[&key]["dek_version"], 2, "{key} {pointer}"),
                }
                rotated += 1;
            }
            if projects[..3].iter().any(|project| project == owner) {
                assert_ne!(before.get(&(key.clone(), pointer.clone())), Some(&text), "{key} {pointer}");
            }
        }
        assert!(rotated > 30, "{rotated}");

        let before = sealed(&records);
        system.rotate_organization_kek(acme).unwrap();
        let records = stage.records("");
        let keks = format!("organization-kek/{acme}/");
        assert_eq!(records.keys().filter(|key| key.starts_with(&keks)).count(), 1);
        for ((key, pointer), text) in sealed(&records) {
            let is_key = key.starts_with("project-dek/") || key.starts_with(&keks);
            let same = before.get(&(key.clone(), pointer)) == Some(&text);
            assert_eq!(same, !is_key, "{key}");
            if key.starts_with("project-dek/") {
                assert_eq!(records[&key]["wrapped_by"], 2, "{key}");
            }
        }
        let elsewhere = Vault::open(Arc::clone(&stage.store), &stage.root).unwrap();
        let damaged = elsewhere.check().unwrap().damaged;
        assert!(damaged.is_empty(), "{damaged:?}");
    }

    fn a_dek_stays_while_a_record_names_it(stage: &Stage) {
        stage.shop();
        for text in ["A=1\n", "A=2\n", "A=3\n"] {
            stage.write("shop", text);
        }
        let (system, acme) = (stage.system(), stage.acme);
        let (key, row) = stage.records("content/").pop_first().unwrap();
        system.rotate_project_dek(At::Path(acme, &path("shop"))).unwrap();
        while stage.records("content/")[&key] == row {
            assert!(!system.continue_rotation(At::Path(acme, &path("shop")), 1).unwrap().is_done);
        }
        // As when an operator restores the row of a backup.
        put(stage, &key, &row);
        let step = system.continue_rotation(At::Path(acme, &path("shop")), 500).unwrap();
        assert!(!step.is_done && step.updated > 0);
        assert_eq!(stage.records("project-dek/").len(), 2);
        let step = system.continue_rotation(At::Path(acme, &path("shop")), 500).unwrap();
        assert_eq!((step.updated, step.is_done), (1, true));
        assert_eq!(stage.records("project-dek/").len(), 1);
        let elsewhere = Vault::open(Arc::clone(&stage.store), &stage.root).unwrap();
        assert!(elsewhere.check().unwrap().damaged.is_empty());
    }

    fn a_kek_stays_while_a_dek_names_it(stage: &Stage) {
        stage.shop();
        let (key, project) = stage.records("project/").pop_first().unwrap();
        stage.store.write(|tx| tx.delete(&key)).unwrap();
        let before = stage.records("");
        assert_eq!(refused(stage.system().rotate_organization_kek(stage.acme)), Corrupt);
        assert_eq!(stage.records(""), before);
        put(stage, &key, &project);
        stage.system().rotate_organization_kek(stage.acme).unwrap();
        assert!(stage.vault.check().unwrap().damaged.is_empty());
    }

    fn a_level_key_stays_while_a_level_needs_it(stage: &Stage) {
        stage.shop();
        stage.write("shop", "A=1\n");
        let (system, acme) = (stage.system(), stage.acme);
        system.rotate_key(At::Path(acme, &path("shop")), HistoryPolicy::Keep).unwrap();
        // As when a level is put back to a content of its own by somebody who can write the store.
        let (key, mut level) = stage.records("level/").pop_first().unwrap();
        level["number"] = 1.into();
        put(stage, &key, &level);
        let version = stage.records("version/").pop_first().unwrap().0;
        stage.store.write(|tx| tx.delete(&version)).unwrap();
        let before = stage.records("");
        assert_eq!(refused(system.move_key_to_client(At::Path(acme, &path("shop")), Confirmation::Given)), Corrupt);
        assert_eq!(stage.records(""), before);
        // What the text says to do.
        system.rotate_key(At::Path(acme, &path("shop")), HistoryPolicy::Keep).unwrap();
        let text = system.move_key_to_client(At::Path(acme, &path("shop")), Confirmation::Given).unwrap();
        let key = LevelKey::parse(text.expose_secret()).unwrap();
        let blob = system.blobs(At::Path(acme, &path("shop"))).unwrap().levels.pop().unwrap().content.unwrap();
        assert_eq!(Aes256Gcm.open(&key, &blob).unwrap().expose_secret(), b"A=1\n");
    }
}

#[test]
fn rotations_read_each_version_a_few_times_however_many_there_are() {
    let root = RootKey::generate(&SystemRandom).unwrap();
    let store = Arc::new(Counting::all(Memory::new()));
    let vault = Vault::create(Arc::clone(&store), &root).unwrap();
    let system = vault.session(Actor::system("test"));
    let acme = system.create_organization(&NewOrganization::new("Acme")).unwrap().id;
    system.create_project(acme, &NewProject::new("shop")).unwrap();
    let shop = path("shop");
    let documents = ["A=1\n", "A=2\n"].map(|text| Document::parse(text).unwrap());
    let mut written = 0;
    for count in [2_000, 4_000, 10_000] {
        while written < count {
            system.set_document(At::Path(acme, &shop), &documents[written % 2]).unwrap();
            written += 1;
        }
        // This displaces what the level holds, so that there are as many versions as were written, or more.
        system.rotate_key(At::Path(acme, &shop), HistoryPolicy::Reencrypt).unwrap();
        let mut moved = 0;
        let history = store.reads(|| {
            loop {
                let step = system.continue_rotation(At::Path(acme, &shop), 100).unwrap();
                moved += step.updated;
                if step.is_done {
                    break;
                }
            }
        });
        assert!(moved >= count as u64, "{moved}");
        system.rotate_project_dek(At::Path(acme, &shop)).unwrap();
        let rows = store.reads(|| while !system.continue_rotation(At::Path(acme, &shop), 100).unwrap().is_done {});
        assert!(history < 4 * count, "{history} records were read to seal {count} versions");
        assert!(rows < 3 * count, "{rows} records were read to wrap {count} versions");
    }
}
