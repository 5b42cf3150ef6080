//! The keys of a vault: who holds them, how they change, and that nothing opens where it should not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use ioenv::dotenv_cloud::KeyProof;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use ioenv::store::{Access, KeyRange, Memory, Order, Precondition, Record, Sqlite, Store, StoreExt as _, Work};
use ioenv::vault::{
    Actor, At, AuditFilter, ClientRotation, Confirmation, Custody, EntryScope, HistoryPolicy, Id, LevelId, LevelScope,
    NewBlob, NewEntry, NewKey, NewOrganization, NewProject, NewToken, OrganizationId, Paging, Permission,
    PermissionSet, ResourceKind, Restore, RootKey, Session, Token, Vault, VersionAction,
};
use ioenv::{
    Aes256Gcm, Cipher as _, Document, Error, ErrorKind, KeyDerivation as _, KeyString, Kind, LevelKey, LevelPath,
    Pbkdf2, SealedBlob, SecretString, Slug, SystemRandom,
};
use proptest::prelude::*;

const LEVELS: [&str; 3] = ["shop", "shop/dev", "shop/prod"];

/// A vault with the organization Acme and its project `shop`.
struct World {
    store: Arc<dyn Store>,
    root: RootKey,
    vault: Vault,
    acme: OrganizationId,
}

impl World {
    fn new(store: Arc<dyn Store>, key: NewKey) -> Self {
        let root = RootKey::generate(&SystemRandom).unwrap();
        let vault = Vault::create(store.clone(), &root).unwrap();
        let session = vault.session(Actor::system("test"));
        let acme = session.create_organization(&NewOrganization::new("Acme")).unwrap().id;
        let world = Self { store, root, vault, acme };
        world.create_project("shop", key);
        world
    }

    fn create_project(&self, name: &str, key: NewKey) {
        let new = NewProject::new(name).has_base(true).key(key);
        self.session().create_project(self.acme, &new).unwrap();
    }

    fn session(&self) -> Session<'_> {
        self.vault.session(Actor::system("test"))
    }

    /// Another process, which has no key in memory.
    fn elsewhere(&self) -> Vault {
        Vault::open(self.store.clone(), &self.root).unwrap()
    }

    fn custody(&self) -> Custody {
        self.session().project(At::Path(self.acme, &LevelPath::from(&shop()))).unwrap().custody
    }

    fn set(&self, level: &str, text: &str) {
        self.session().set_document(At::Path(self.acme, &path(level)), &Document::parse(text).unwrap()).unwrap();
    }

    fn get(&self, level: &str, name: &str) -> String {
        value(&self.vault, self.acme, level, name)
    }

    fn set_sealed(&self, level: &str, text: &str, key: &LevelKey) -> Result<(), Error> {
        let blob = NewBlob::new(seal(key, text)).key_proof(KeyProof::of(key).to_text());
        self.session().set_blob(At::Path(self.acme, &path(level)), &blob)
    }

    /// The blobs of all levels that hold something, with their ids.
    fn blobs(&self) -> Vec<(LevelId, SealedBlob)> {
        let session = self.session();
        let levels =
            LEVELS.iter().map(|level| session.blobs(At::Path(self.acme, &path(level))).unwrap().levels.pop().unwrap());
        levels.filter_map(|blob| Some((blob.id, blob.content?))).collect()
    }

    /// The ids of all versions of a level, newest first.
    fn versions(&self, level: &str) -> Vec<u64> {
        let page = self.session().versions(At::Path(self.acme, &path(level)), &Paging::new().limit(200)).unwrap();
        page.items.iter().map(|version| version.id).collect()
    }

    fn records(&self, prefix: &str) -> Vec<Record> {
        self.store.read(|tx| tx.scan(&KeyRange::prefix(prefix), Order::Ascending, usize::MAX)).unwrap()
    }

    fn continue_to_the_end(&self, limit: usize) -> (u64, u64) {
        let (mut updated, mut steps) = (0, 0);
        loop {
            let step = self.session().continue_rotation(At::Path(self.acme, &LevelPath::from(&shop())), limit).unwrap();
            updated += step.updated;
            steps += 1;
            assert!(step.updated <= limit as u64 && steps < 1_000);
            if step.is_done {
                return (updated, step.skipped);
            }
        }
    }

    /// Everything opens, here and where no key is in memory yet.
    fn assert_sound(&self) {
        for vault in [&self.vault, &self.elsewhere()] {
            let session = vault.session(Actor::system("check"));
            for level in LEVELS {
                session.read_level(At::Path(self.acme, &path(level)), LevelScope::Chain).unwrap().resolve();
                session.entries(At::Path(self.acme, &path(level)), EntryScope::Resolved).unwrap();
                session.changes(At::Path(self.acme, &path(level)), &Paging::new().limit(200)).unwrap();
                for id in self.versions(level) {
                    session.version(self.acme, id).unwrap();
                }
            }
            session.key(At::Path(self.acme, &LevelPath::from(&shop()))).unwrap();
            session.keys(At::Path(self.acme, &LevelPath::from(&shop()))).unwrap();
        }
    }
}

fn value(vault: &Vault, acme: OrganizationId, level: &str, name: &str) -> String {
    let resolved = vault
        .session(Actor::system("test"))
        .read_level(At::Path(acme, &path(level)), LevelScope::Chain)
        .unwrap()
        .resolve();
    resolved.get(name).unwrap().value().expose_secret().to_owned()
}

fn path(level: &str) -> LevelPath {
    level.parse().unwrap()
}

fn shop() -> Slug {
    "shop".parse().unwrap()
}

fn a_key() -> LevelKey {
    LevelKey::generate(&SystemRandom).unwrap()
}

fn of_client(key: &LevelKey) -> NewKey {
    NewKey::Client { derivation: None, proof: KeyProof::of(key).to_text(), hint: Some("in the safe".to_owned()) }
}

fn of_string(key: &KeyString, derivation: &Pbkdf2) -> NewKey {
    let proof = KeyProof::new(key, derivation).to_text();
    NewKey::Client { derivation: Some(derivation.clone()), proof, hint: None }
}

fn seal(key: &LevelKey, text: &str) -> SealedBlob {
    Aes256Gcm.seal(key, text.as_bytes(), &SystemRandom).unwrap()
}

fn open(key: &LevelKey, blob: &SealedBlob) -> String {
    String::from_utf8(Aes256Gcm.open(key, blob).unwrap().expose_secret().to_vec()).unwrap()
}

/// Runs a test on each store.
fn on_each(test: impl Fn(Arc<dyn Store>)) {
    test(Arc::new(Memory::new()));
    let directory = tempfile::tempdir().unwrap();
    test(Arc::new(Sqlite::create(directory.path().join("vault.db")).unwrap()));
}

#[track_caller]
fn assert_kind<T: Debug>(result: Result<T, Error>, kind: ErrorKind) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
}

#[test]
fn the_key_of_the_vault_opens_what_it_sealed() {
    on_each(|store| {
        let world = World::new(store, NewKey::Random);
        world.set("shop/dev", "PORT=8080\n");
        let key = world.session().key(At::Path(world.acme, &LevelPath::from(&shop()))).unwrap();
        assert_eq!((key.custody, key.version, &key.derivation, &key.hint), (Custody::Server, 1, &None, &None));
        let data = LevelKey::parse(key.text.unwrap().expose_secret()).unwrap();
        assert!(open(&data, &world.blobs()[0].1).contains("PORT=8080"));

        let token = |scope: Option<&str>, permissions| {
            let new = NewToken::new("ci", PermissionSet::of(permissions));
            let new = scope.map(path).into_iter().fold(new, NewToken::scope);
            world.session().issue_token(world.acme, &new).unwrap().token
        };
        let bound = world.vault.session(token(Some("shop/dev"), &[Permission::KeyRetrieve, Permission::KeyRotate]));
        assert!(bound.key(At::Path(world.acme, &LevelPath::from(&shop()))).unwrap().text.is_some());
        // It may have the key, but not change it for the levels beside its own.
        assert_kind(
            bound.rotate_key(At::Path(world.acme, &LevelPath::from(&shop())), HistoryPolicy::Keep),
            ErrorKind::NotFound,
        );
        assert_kind(bound.rotate_project_dek(At::Path(world.acme, &LevelPath::from(&shop()))), ErrorKind::NotFound);
        let reader = world.vault.session(token(None, &[Permission::SecretRead, Permission::SecretDecrypt]));
        assert_kind(reader.key(At::Path(world.acme, &LevelPath::from(&shop()))), ErrorKind::Denied);
        assert_kind(reader.keys(At::Path(world.acme, &LevelPath::from(&shop()))), ErrorKind::Denied);
        world.create_project("other", NewKey::Random);
        assert_kind(bound.key(At::Path(world.acme, &"other".parse().unwrap())), ErrorKind::NotFound);
        let both = &[Permission::KeyRotate, Permission::OrganizationUpdate];
        let bound = world.vault.session(token(Some("shop"), both));
        assert_kind(bound.rotate_organization_kek(world.acme), ErrorKind::Denied);
    });
}

#[test]
fn nobody_makes_the_vault_stretch_a_key_who_may_not_make_a_project() {
    let world = World::new(Arc::new(Memory::new()), NewKey::Random);
    let project = NewProject::new("other").key(NewKey::String(None));
    let other = world.session().create_organization(&NewOrganization::new("Other")).unwrap().id;
    let bound = NewToken::new("bound", PermissionSet::ALL).scope(path("shop"));
    let reader = NewToken::new("reader", Permission::SecretRead.into());
    for (new, organization, kind) in [
        (&bound, world.acme, ErrorKind::Denied),
        (&reader, world.acme, ErrorKind::Denied),
        (&bound, other, ErrorKind::NotFound),
    ] {
        let session = world.vault.session(world.session().issue_token(world.acme, new).unwrap().token);
        assert_kind(session.create_project(organization, &project.clone()), kind);
    }
    let unknown = "ioenv_0123456789abcdef".parse::<Token>().unwrap();
    assert_kind(world.vault.session(unknown).create_project(world.acme, &project.clone()), ErrorKind::Unauthenticated);
    assert_eq!(world.vault.derivations(), 0);
    world.session().create_project(world.acme, &project).unwrap();
    assert_eq!(world.vault.derivations(), 1);
}

#[test]
fn a_key_string_is_stretched_once() {
    let world = World::new(Arc::new(Memory::new()), NewKey::String(None));
    world.set("shop", "PORT=8080\n");
    let rotated =
        world.session().rotate_key(At::Path(world.acme, &LevelPath::from(&shop())), HistoryPolicy::Keep).unwrap();
    let count = world.vault.derivations();
    let text = rotated.text.unwrap();
    assert_eq!(text.expose_secret().len(), 64);
    let derivation = rotated.derivation.unwrap();
    assert_eq!((derivation.iterations(), derivation.salt().len()), (600_000, 16));

    let elsewhere = world.elsewhere();
    for vault in [&world.vault, &elsewhere] {
        for _ in 0..3 {
            assert_eq!(value(vault, world.acme, "shop", "PORT"), "8080");
        }
        vault.session(Actor::system("test")).changes(At::Path(world.acme, &path("shop")), &Paging::new()).unwrap();
    }
    assert_eq!((world.vault.derivations(), elsewhere.derivations()), (count, 0));

    let data = derivation.derive(&KeyString::new(text.expose_secret()).unwrap()).unwrap();
    assert!(open(&data, &world.blobs()[0].1).contains("PORT=8080"));
    let keys = world.session().keys(At::Path(world.acme, &LevelPath::from(&shop()))).unwrap();
    assert_ne!(keys[0].derivation.as_ref().unwrap().salt(), keys[1].derivation.as_ref().unwrap().salt());

    // A random key is rotated to one, too.
    world.create_project("other", NewKey::Random);
    let rotated = world
        .session()
        .rotate_to_key_string(At::Path(world.acme, &"other".parse().unwrap()), HistoryPolicy::Keep)
        .unwrap();
    assert!(rotated.derivation.is_some() && rotated.text.unwrap().expose_secret().len() == 64);

    // Its proof would be the level key, which people may hold one day.
    let key = KeyString::new(&"a".repeat(32)).unwrap();
    let new = NewProject::new("weak").key(NewKey::String(Some(key)));
    assert_kind(world.session().create_project(world.acme, &new), ErrorKind::InvalidValue);
}

#[test]
fn a_rotation_seals_all_levels_and_keeps_all_versions() {
    on_each(|store| {
        let world = World::new(store, NewKey::Random);
        world.set("shop", "A=0\n");
        let entry = NewEntry::new("B".parse().unwrap(), "planted-1").kind(Kind::Secret).comment("why");
        world.session().set_entries(At::Path(world.acme, &path("shop/dev")), &[entry]).unwrap();
        let metadata = |level| world.session().entry_metadata(At::Path(world.acme, &path(level))).unwrap();
        let before = metadata("shop/dev");
        let first = world.session().key(At::Path(world.acme, &LevelPath::from(&shop()))).unwrap();
        for round in 2..5 {
            let old = world.blobs();
            let key = world
                .session()
                .rotate_key(At::Path(world.acme, &LevelPath::from(&shop())), HistoryPolicy::Keep)
                .unwrap();
            assert_eq!((key.version, key.custody), (round, Custody::Server));
            let data = LevelKey::parse(key.text.unwrap().expose_secret()).unwrap();
            for ((id, blob), (old_id, old)) in world.blobs().iter().zip(&old) {
                assert_eq!(id, old_id);
                open(&data, blob);
                assert!(Aes256Gcm.open(&data, old).is_err());
            }
            let levels = LEVELS
                .map(|level| world.session().blobs(At::Path(world.acme, &path(level))).unwrap().levels.pop().unwrap());
            assert!(levels.iter().all(|level| level.key_version == round));
        }
        assert_eq!(metadata("shop/dev"), before);
        world.set("shop/dev", "B=planted-2\n");
        let page = world.session().versions(At::Path(world.acme, &path("shop/dev")), &Paging::new()).unwrap();
        let actions: Vec<_> = page.items.iter().map(|version| (version.key_version, version.action)).collect();
        let rotated = VersionAction::Rotate;
        assert_eq!(actions, [(4, VersionAction::Update), (3, rotated), (2, rotated), (1, rotated)]);
        world.assert_sound();
        // Sealing anew is no change of what a level says.
        let changes = world.session().changes(At::Path(world.acme, &path("shop/dev")), &Paging::new()).unwrap();
        assert_eq!(changes.items.len(), 2);

        let oldest = page.items.last().unwrap().id;
        world.session().restore_version(world.acme, oldest, &Restore::new()).unwrap();
        assert_eq!(world.get("shop/dev", "B"), "planted-1");
        assert_eq!(metadata("shop/dev")[0].comment.as_deref(), Some("why"));

        let keys = world.session().keys(At::Path(world.acme, &LevelPath::from(&shop()))).unwrap();
        let order: Vec<_> = keys.iter().map(|key| (key.version, key.is_active, key.rotated_at.is_some())).collect();
        assert_eq!(order, [(4, true, false), (3, false, true), (2, false, true), (1, false, true)]);
        assert!(keys.iter().all(|key| key.proof.is_none() && key.custody == Custody::Server));
        let rendered = format!("{keys:?}{first:?}");
        assert!(!rendered.contains(first.text.unwrap().expose_secret()));
        assert!(world.records("key/").iter().all(|key| key.value.contains("\"data\"")));
    });
}

#[test]
fn what_somebody_sealed_otherwise_is_left_as_it_is() {
    let world = World::new(Arc::new(Memory::new()), NewKey::Random);
    let key = a_key();
    world.set("shop", "A=1\n");
    world.set_sealed("shop/dev", "B=2\n", &key).unwrap();
    world.session().rotate_key(At::Path(world.acme, &LevelPath::from(&shop())), HistoryPolicy::Reencrypt).unwrap();
    assert_eq!(world.continue_to_the_end(10), (1, 0));
    assert_eq!(world.get("shop", "A"), "1");
    assert_eq!(open(&key, &world.blobs()[1].1), "B=2\n");
    world.set("shop", "A=2\n");
    world.session().delete_level(At::Path(world.acme, &path("shop/dev"))).unwrap();
    world.session().rotate_key(At::Path(world.acme, &LevelPath::from(&shop())), HistoryPolicy::Reencrypt).unwrap();
    let (_, skipped) = world.continue_to_the_end(1);
    assert_eq!(skipped, 1);
}

#[test]
fn history_is_sealed_anew_in_steps() {
    on_each(|store| {
        let world = World::new(store, NewKey::Random);
        for round in 0..5 {
            world.set("shop/dev", &format!("A=planted-{round}\n"));
            world.set("shop", &format!("A={round}\n"));
        }
        let (session, acme) = (world.session(), world.acme);
        session.rotate_key(At::Path(acme, &LevelPath::from(&shop())), HistoryPolicy::Reencrypt).unwrap();
        assert!(session.project(At::Path(acme, &LevelPath::from(&shop()))).unwrap().is_rotating);
        for policy in [HistoryPolicy::Keep, HistoryPolicy::Reencrypt] {
            assert_kind(
                session.rotate_key(At::Path(acme, &LevelPath::from(&shop())), policy),
                ErrorKind::RotationInProgress,
            );
        }
        assert_kind(
            session.rotate_project_dek(At::Path(acme, &LevelPath::from(&shop()))),
            ErrorKind::RotationInProgress,
        );
        assert_kind(
            session.move_key_to_client(At::Path(acme, &LevelPath::from(&shop())), Confirmation::Given),
            ErrorKind::RotationInProgress,
        );

        let step = session.continue_rotation(At::Path(acme, &LevelPath::from(&shop())), 3).unwrap();
        assert_eq!((step.updated, step.skipped, step.is_done), (3, 0, false));
        // Others go on meanwhile.
        world.set("shop/dev", "A=planted-5\n");
        world.assert_sound();
        let (updated, skipped) = world.continue_to_the_end(3);
        assert_eq!((updated, skipped), (7, 0));
        let again = session.continue_rotation(At::Path(acme, &LevelPath::from(&shop())), 3).unwrap();
        assert_eq!((again.updated, again.is_done), (0, true));

        let page = session.versions(At::Path(acme, &path("shop/dev")), &Paging::new()).unwrap();
        assert_eq!(page.items.len(), 6);
        assert!(page.items.iter().all(|version| version.key_version == 2));
        let key = session.key(At::Path(acme, &LevelPath::from(&shop()))).unwrap().text.unwrap();
        let key = LevelKey::parse(key.expose_secret()).unwrap();
        let texts: Vec<_> =
            page.items.iter().map(|version| open(&key, &session.version(acme, version.id).unwrap().content)).collect();
        // The one that the rotation displaced, and what it displaced, are the same.
        let expected = [4, 4, 3, 2, 1, 0].map(|round| format!("A=planted-{round}\n"));
        assert_eq!(texts, expected);
        world.assert_sound();
        session.rotate_key(At::Path(acme, &LevelPath::from(&shop())), HistoryPolicy::Keep).unwrap();
    });
}

#[test]
#[expect(clippy::too_many_lines, reason = "one key, from its first blobs to its last")]
fn people_rotate_their_key() {
    on_each(|store| {
        let (old, new) = (a_key(), a_key());
        let world = World::new(store, of_client(&old));
        let (session, acme) = (world.session(), world.acme);
        for level in LEVELS {
            world.set_sealed(level, &format!("A={level}\n"), &old).unwrap();
        }
        let key = session.key(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
        assert_eq!((key.custody, key.hint.as_deref()), (Custody::Client, Some("in the safe")));
        assert!(key.text.is_none());
        assert_kind(
            session.rotate_key(At::Path(acme, &LevelPath::from(&shop())), HistoryPolicy::Keep),
            ErrorKind::ClientManaged,
        );
        assert_kind(session.read_level(At::Path(acme, &path("shop")), LevelScope::Chain), ErrorKind::ClientManaged);

        let resealed: Vec<_> = world.blobs().iter().map(|(id, blob)| (*id, seal(&new, &open(&old, blob)))).collect();
        let attempt = |blobs: Vec<(LevelId, SealedBlob)>| {
            session.rotate_client_key(
                At::Path(acme, &LevelPath::from(&shop())),
                &ClientRotation::new(of_client(&new), blobs),
            )
        };
        let before = (world.records("content/"), world.records("key/"), world.records("version/"));
        let mut foreign = resealed.clone();
        foreign[1].0 = Id::from(acme).into();
        let mut twice = resealed.clone();
        twice[1].0 = twice[0].0;
        let mut too_many = resealed.clone();
        too_many.push(resealed[0].clone());
        for wrong in [resealed[1..].to_vec(), foreign, twice, too_many, Vec::new()] {
            assert_kind(attempt(wrong), ErrorKind::InvalidValue);
        }
        let mut rotation =
            ClientRotation::new(of_client(&new), resealed.clone()).current_key_proof(KeyProof::of(&new).to_text());
        assert_kind(
            session.rotate_client_key(At::Path(acme, &LevelPath::from(&shop())), &rotation),
            ErrorKind::KeyProofMismatch,
        );
        let to_server = ClientRotation::new(NewKey::Random, resealed.clone());
        assert_kind(
            session.rotate_client_key(At::Path(acme, &LevelPath::from(&shop())), &to_server),
            ErrorKind::InvalidValue,
        );
        let short = NewKey::Client { derivation: None, proof: "short".into(), hint: None };
        let short = ClientRotation::new(short, resealed.clone());
        assert_kind(
            session.rotate_client_key(At::Path(acme, &LevelPath::from(&shop())), &short),
            ErrorKind::InvalidValue,
        );
        assert_eq!((world.records("content/"), world.records("key/"), world.records("version/")), before);

        rotation = rotation.current_key_proof(KeyProof::of(&old).to_text()).policy(HistoryPolicy::Reencrypt);
        assert_eq!(session.rotate_client_key(At::Path(acme, &LevelPath::from(&shop())), &rotation).unwrap().version, 2);
        assert_eq!(world.blobs(), resealed);
        assert_kind(world.set_sealed("shop", "A=1\n", &old), ErrorKind::KeyProofMismatch);
        world.set_sealed("shop", "A=1\n", &new).unwrap();
        let keys = session.keys(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
        let proofs: Vec<_> =
            keys.iter().map(|key| key.proof.as_ref().map(|proof| proof.expose_secret().to_owned())).collect();
        assert_eq!(proofs, [None, Some(KeyProof::of(&old).to_text().expose_secret().to_owned())]);

        // Version by version, whoever has both keys moves the history.
        let pending = session.pending_versions(At::Path(acme, &LevelPath::from(&shop())), 2).unwrap();
        assert_eq!((pending.versions.len(), pending.remaining), (2, 3));
        assert!(pending.versions.iter().all(|version| version.key_version == 1));
        let moved: Vec<_> =
            pending.versions.iter().map(|version| (version.id, seal(&new, &open(&old, &version.content)))).collect();
        let proof = KeyProof::of(&new).to_text();
        let wrong = session.reencrypt_versions(
            At::Path(acme, &LevelPath::from(&shop())),
            &moved,
            &KeyProof::of(&old).to_text(),
        );
        assert_kind(wrong, ErrorKind::KeyProofMismatch);
        let empty =
            session.reencrypt_versions(At::Path(acme, &LevelPath::from(&shop())), &moved, &SecretString::from(""));
        assert_kind(empty, ErrorKind::KeyProofRequired);
        let before = (world.records("content/"), world.records("version/"));
        let current = world.versions("shop")[0];
        for bad in [current, moved[0].0, moved[0].0 + (1 << 32), 7] {
            let ids = vec![moved[0].clone(), (bad, moved[0].1.clone())];
            assert_kind(
                session.reencrypt_versions(At::Path(acme, &LevelPath::from(&shop())), &ids, &proof),
                ErrorKind::KeyVersionConflict,
            );
        }
        assert_eq!((world.records("content/"), world.records("version/")), before);
        let done = session.reencrypt_versions(At::Path(acme, &LevelPath::from(&shop())), &moved, &proof).unwrap();
        assert_eq!((done.updated, done.remaining), (2, 1));
        assert_kind(
            session.reencrypt_versions(At::Path(acme, &LevelPath::from(&shop())), &moved, &proof),
            ErrorKind::KeyVersionConflict,
        );
        for (id, _) in &moved {
            let version = session.version(acme, *id).unwrap();
            assert_eq!(version.version.key_version, 2);
            assert!(open(&new, &version.content).starts_with("A=shop"));
        }
        let rest = session.pending_versions(At::Path(acme, &LevelPath::from(&shop())), 0).unwrap();
        assert_eq!((rest.versions.len(), rest.remaining), (1, 1));

        session.rotate_project_dek(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
        assert_kind(
            session.pending_versions(At::Path(acme, &LevelPath::from(&shop())), 0),
            ErrorKind::RotationInProgress,
        );
        assert_kind(
            session.rotate_client_key(At::Path(acme, &LevelPath::from(&shop())), &rotation),
            ErrorKind::RotationInProgress,
        );
        world.continue_to_the_end(2);
        assert_eq!(session.pending_versions(At::Path(acme, &LevelPath::from(&shop())), 0).unwrap().remaining, 1);
    });
}

#[test]
fn old_blobs_stay_also_where_no_versions_are_kept() {
    let (old, new) = (a_key(), a_key());
    let world = World::new(Arc::new(Memory::new()), of_client(&old));
    let update = ioenv::vault::ProjectUpdate::new().versioning(false);
    world.session().update_project(At::Path(world.acme, &LevelPath::from(&shop())), &update).unwrap();
    world.set_sealed("shop", "A=1\n", &old).unwrap();
    let blobs = vec![(world.blobs()[0].0, seal(&new, "A=1\n"))];
    world
        .session()
        .rotate_client_key(
            At::Path(world.acme, &LevelPath::from(&shop())),
            &ClientRotation::new(of_client(&new), blobs),
        )
        .unwrap();
    assert_eq!(world.versions("shop").len(), 1);
}

#[test]
fn a_key_is_handed_over_and_back() {
    on_each(|store| {
        let key = a_key();
        let world = World::new(store, of_client(&key));
        let (session, acme) = (world.session(), world.acme);
        world.set_sealed("shop", "HOST=\"\"\n", &key).unwrap();
        world.set_sealed("shop", "HOST=example.org\nTOKEN=planted\n", &key).unwrap();
        world.set_sealed("shop/dev", "\u{1}no dotenv text", &key).unwrap();
        let blobs = world.blobs();
        assert_kind(
            session.move_key_to_client(At::Path(acme, &LevelPath::from(&shop())), Confirmation::Given),
            ErrorKind::ClientManaged,
        );
        let wrong = session.store_key_on_server(At::Path(acme, &LevelPath::from(&shop())), &a_key().to_text());
        assert_kind(wrong, ErrorKind::KeyProofMismatch);
        assert_kind(
            session.store_key_on_server(At::Path(acme, &LevelPath::from(&shop())), &"tide-pool".into()),
            ErrorKind::InvalidValue,
        );
        assert_eq!(world.custody(), Custody::Client);

        session.store_key_on_server(At::Path(acme, &LevelPath::from(&shop())), &key.to_text()).unwrap();
        assert_kind(
            session.store_key_on_server(At::Path(acme, &LevelPath::from(&shop())), &key.to_text()),
            ErrorKind::InvalidValue,
        );
        assert_kind(session.pending_versions(At::Path(acme, &LevelPath::from(&shop())), 0), ErrorKind::InvalidValue);
        let rotation = ClientRotation::new(of_client(&key), Vec::new());
        assert_kind(
            session.rotate_client_key(At::Path(acme, &LevelPath::from(&shop())), &rotation),
            ErrorKind::InvalidValue,
        );
        assert_eq!(world.blobs(), blobs, "nothing is sealed anew");
        let elsewhere = world.elsewhere();
        let there = elsewhere.session(Actor::system("elsewhere"));
        session.entries(At::Path(acme, &path("shop")), EntryScope::Named(&["HOST".parse().unwrap()])).unwrap();
        assert_eq!(world.records("access/").len(), 1);
        assert_eq!(value(&elsewhere, acme, "shop", "HOST"), "example.org");
        let metadata = session.entry_metadata(At::Path(acme, &path("shop"))).unwrap();
        assert_eq!(metadata.iter().map(|entry| entry.version).collect::<Vec<_>>(), [1, 1]);
        let entry = NewEntry::new("PORT".parse().unwrap(), "8080").kind(Kind::Variable);
        session.set_entries(At::Path(acme, &path("shop")), &[entry]).unwrap();
        assert!(world.records("level/")[0].value.contains("8080"));
        let described = world.records("content/").iter().filter(|record| record.value.contains("entries")).count();
        let versions = session.versions(At::Path(acme, &path("shop")), &Paging::new()).unwrap();
        assert!(versions.items.iter().all(|version| version.custody == Custody::Server));

        assert_kind(
            session.move_key_to_client(At::Path(acme, &LevelPath::from(&shop())), Confirmation::Missing),
            ErrorKind::Unconfirmed,
        );
        assert_eq!(world.custody(), Custody::Server);
        let text = session.move_key_to_client(At::Path(acme, &LevelPath::from(&shop())), Confirmation::Given).unwrap();
        assert_eq!(text.expose_secret(), key.to_text().expose_secret());
        // Who had the key in memory does not use it any more.
        assert_kind(there.read_level(At::Path(acme, &path("shop")), LevelScope::Chain), ErrorKind::ClientManaged);
        assert_kind(session.read_level(At::Path(acme, &path("shop")), LevelScope::Chain), ErrorKind::ClientManaged);
        assert_kind(session.entry_metadata(At::Path(acme, &path("shop"))), ErrorKind::ClientManaged);
        assert!(session.key(At::Path(acme, &LevelPath::from(&shop()))).unwrap().text.is_none());
        assert!(session.keys(At::Path(acme, &LevelPath::from(&shop()))).unwrap()[0].proof.is_none());
        assert!(world.records("access/").is_empty());
        for level in world.records("level/") {
            assert!(!level.value.contains("variables"), "{level:?}");
        }
        let left = world.records("content/").iter().filter(|record| record.value.contains("entries")).count();
        assert_eq!(left, described - 1);
        for record in world.records("key/") {
            assert!(!record.value.contains("\"text\"") && !record.value.contains("\"data\""));
        }
        world.set_sealed("shop", "HOST=example.net\n", &key).unwrap();
        for id in world.versions("shop") {
            open(&key, &session.version(acme, id).unwrap().content);
        }
        session.store_key_on_server(At::Path(acme, &LevelPath::from(&shop())), &key.to_text()).unwrap();
        assert_eq!(value(&elsewhere, acme, "shop", "HOST"), "example.net");
    });
}

#[test]
fn versions_of_the_vaults_former_keys_go_along() {
    let world = World::new(Arc::new(Memory::new()), NewKey::Random);
    let (session, acme) = (world.session(), world.acme);
    for round in 0..3 {
        world.set("shop/dev", &format!("A=planted-{round}\n"));
        session.rotate_key(At::Path(acme, &LevelPath::from(&shop())), HistoryPolicy::Keep).unwrap();
    }
    let text = session.move_key_to_client(At::Path(acme, &LevelPath::from(&shop())), Confirmation::Given).unwrap();
    let key = LevelKey::parse(text.expose_secret()).unwrap();
    let versions = session.versions(At::Path(acme, &path("shop/dev")), &Paging::new()).unwrap();
    let texts: Vec<_> =
        versions.items.iter().map(|version| open(&key, &session.version(acme, version.id).unwrap().content)).collect();
    assert_eq!(texts, ["A=planted-2\n", "A=planted-1\n", "A=planted-1\n", "A=planted-0\n", "A=planted-0\n"]);
    assert!(versions.items.iter().all(|version| (version.key_version, version.custody) == (4, Custody::Client)));
    assert_eq!(session.pending_versions(At::Path(acme, &LevelPath::from(&shop())), 0).unwrap().remaining, 0);
}

#[test]
fn a_key_that_only_shares_the_proof_is_refused() {
    let derivation = Pbkdf2::generate(&SystemRandom).unwrap();
    let [right, wrong] = ["right", "wrong"].map(|end| KeyString::new(&format!("{}{end}", "k".repeat(40))).unwrap());
    let world = World::new(Arc::new(Memory::new()), of_string(&right, &derivation));
    let data = derivation.derive(&right).unwrap();
    let blob = NewBlob::new(seal(&data, "A=1\n")).key_proof(KeyProof::new(&right, &derivation).to_text());
    world.session().set_blob(At::Path(world.acme, &path("shop/dev")), &blob).unwrap();
    let hand_over = |key: &KeyString| {
        world.session().store_key_on_server(At::Path(world.acme, &LevelPath::from(&shop())), &key.to_text())
    };
    assert_kind(hand_over(&wrong), ErrorKind::DecryptionFailed);
    assert_eq!(world.custody(), Custody::Client);
    // Also where only a version is left to tell.
    world.session().delete_level(At::Path(world.acme, &path("shop/dev"))).unwrap();
    assert_kind(hand_over(&wrong), ErrorKind::DecryptionFailed);
    hand_over(&right).unwrap();
    assert!(world.vault.derivations() > 0);
}

#[test]
fn rows_are_wrapped_anew_in_steps() {
    on_each(|store| {
        let world = World::new(store, NewKey::Random);
        let (session, acme) = (world.session(), world.acme);
        for round in 0..4 {
            for level in LEVELS {
                world.set(level, &format!("A=planted-{round}\n"));
            }
        }
        session.entries(At::Path(acme, &path("shop/dev")), EntryScope::Named(&["A".parse().unwrap()])).unwrap();
        session.rotate_key(At::Path(acme, &LevelPath::from(&shop())), HistoryPolicy::Keep).unwrap();
        let blobs = world.blobs();
        let versions = world.records("version/");
        let rows = || ["access/", "content/", "key/"].map(|prefix| world.records(prefix)).concat();
        let named = |version: u32| {
            let named = format!("\"dek_version\":{version}");
            rows().iter().filter(|record| record.value.contains(&named)).count()
        };
        assert_eq!((named(1), rows().len()), (1 + 2 + 3 + 12, 18));

        session.rotate_project_dek(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
        assert_kind(
            session.rotate_project_dek(At::Path(acme, &LevelPath::from(&shop()))),
            ErrorKind::RotationInProgress,
        );
        assert_kind(
            session.rotate_key(At::Path(acme, &LevelPath::from(&shop())), HistoryPolicy::Keep),
            ErrorKind::RotationInProgress,
        );
        for left in (1..=18).rev() {
            assert_eq!((named(1), world.records("project-dek/").len()), (left, 2));
            let step = session.continue_rotation(At::Path(acme, &LevelPath::from(&shop())), 1).unwrap();
            assert_eq!((step.updated, step.is_done), (1, false));
            world.assert_sound();
        }
        assert!(session.continue_rotation(At::Path(acme, &LevelPath::from(&shop())), 1).unwrap().is_done);
        assert_eq!((named(1), named(2), world.records("project-dek/").len()), (0, 18, 1));
        assert_eq!(world.blobs(), blobs);
        assert_eq!(world.records("version/"), versions);
        world.assert_sound();
        session.rotate_project_dek(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
        assert_eq!(world.continue_to_the_end(500), (18, 0));
        world.assert_sound();
    });
}

#[test]
fn the_organizations_key_changes_no_row_of_a_project() {
    on_each(|store| {
        let world = World::new(store, NewKey::Random);
        world.create_project("other", NewKey::Random);
        world.set("shop/dev", "A=planted\n");
        world.session().rotate_project_dek(At::Path(world.acme, &LevelPath::from(&shop()))).unwrap();
        let prefixes = "project/ project-id/ project-number/ key/ level/ content/ node version/ access/ counter/";
        let rows = || prefixes.split(' ').map(|prefix| world.records(prefix)).collect::<Vec<_>>();
        assert_eq!(world.get("shop/dev", "A"), "planted");
        let (before, keys) = (rows(), world.records("project-dek/"));
        for version in 2..4 {
            world.session().rotate_organization_kek(world.acme).unwrap();
            assert_eq!(rows(), before);
            let stored = world.records("organization-kek/");
            assert!(stored.len() == 1 && stored[0].value.contains(&format!("\"version\":{version}")));
            assert_eq!(world.get("shop/dev", "A"), "planted");
            assert_eq!(value(&world.elsewhere(), world.acme, "shop/dev", "A"), "planted");
        }
        let changed = world.records("project-dek/");
        assert_eq!(changed.len(), 3);
        assert!(changed.iter().zip(&keys).all(|(new, old)| new.key == old.key && new.value != old.value));
        world.continue_to_the_end(10);
        world.create_project("third", NewKey::Random);
        world.assert_sound();
    });
}

/// Runs each transaction that writes twice, as a store does where another one was in the way; or just loses it.
#[derive(Debug, Default)]
struct Lossy {
    store: Memory,
    loses: AtomicBool,
}

impl Store for Lossy {
    fn transaction(&self, access: Access, work: &mut Work<'_>) -> Result<(), Error> {
        if access == Access::Write {
            let lost = self.store.transaction(access, &mut |tx| {
                work(tx)?;
                Err(Error::new(ErrorKind::Unavailable, "another one was in the way"))
            });
            if self.loses.load(Ordering::Relaxed) {
                return lost;
            }
        }
        self.store.transaction(access, work)
    }

    fn check(&self) -> Result<(), Error> {
        self.store.check()
    }
}

#[test]
fn keys_of_transactions_that_were_lost_are_not_used() {
    let store = Arc::new(Lossy::default());
    let world = World::new(store.clone(), NewKey::Random);
    let (session, acme) = (world.session(), world.acme);
    world.set("shop/dev", "A=1\n");
    store.loses.store(true, Ordering::Relaxed);
    assert_kind(
        session.rotate_key(At::Path(acme, &LevelPath::from(&shop())), HistoryPolicy::Keep),
        ErrorKind::Unavailable,
    );
    store.loses.store(false, Ordering::Relaxed);
    session.rotate_key(At::Path(acme, &LevelPath::from(&shop())), HistoryPolicy::Reencrypt).unwrap();
    world.continue_to_the_end(1);
    session.rotate_project_dek(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
    world.set("shop/dev", "A=2\n");
    world.continue_to_the_end(1);
    session.rotate_organization_kek(acme).unwrap();
    world.create_project("other", NewKey::Random);
    session.rotate_project_dek(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
    world.set("shop", "A=3\n");
    world.assert_sound();
    assert_eq!(value(&world.elsewhere(), acme, "shop/dev", "A"), "2");
    let text = session.move_key_to_client(At::Path(acme, &LevelPath::from(&shop())), Confirmation::Given);
    assert_kind(text, ErrorKind::RotationInProgress);
    world.continue_to_the_end(100);
    let text = session.move_key_to_client(At::Path(acme, &LevelPath::from(&shop())), Confirmation::Given).unwrap();
    session.store_key_on_server(At::Path(acme, &LevelPath::from(&shop())), &text).unwrap();
    world.assert_sound();
}

type Hook = Box<dyn FnOnce() + Send>;

/// Does something right after the next transaction that reads.
struct Hooked {
    store: Arc<dyn Store>,
    after_read: Mutex<Option<Hook>>,
}

impl Debug for Hooked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooked").finish_non_exhaustive()
    }
}

impl Store for Hooked {
    fn transaction(&self, access: Access, work: &mut Work<'_>) -> Result<(), Error> {
        self.store.transaction(access, work)?;
        let hook = if access == Access::Read { self.after_read.lock().unwrap().take() } else { None };
        if let Some(hook) = hook {
            hook();
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        self.store.check()
    }
}

#[test]
fn a_read_that_a_rotation_overtook_leaves_nothing_under_the_old_key() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let world = World::new(store.clone(), NewKey::Random);
    let acme = world.acme;
    world.set("shop/dev", "A=1\n");
    let hooked = Arc::new(Hooked { store, after_read: Mutex::new(None) });
    let vault = Vault::open(hooked.clone(), &world.root).unwrap();
    let read = || {
        let names = ["A".parse().unwrap()];
        vault
            .session(Actor::system("slow"))
            .entries(At::Path(acme, &path("shop/dev")), EntryScope::Named(&names))
            .unwrap();
    };
    let world = Arc::new(world);
    let rotating = world.clone();
    *hooked.after_read.lock().unwrap() = Some(Box::new(move || {
        rotating.session().rotate_project_dek(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
        rotating.continue_to_the_end(100);
    }));
    read();
    assert!(world.records("access/").is_empty());
    world.session().entry_metadata(At::Path(acme, &path("shop/dev"))).unwrap();

    let deleting = world.clone();
    *hooked.after_read.lock().unwrap() = Some(Box::new(move || {
        let id = deleting.session().project(At::Path(acme, &LevelPath::from(&shop()))).unwrap().id;
        deleting.session().delete_project(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
        deleting.session().purge_project(acme, id).unwrap();
    }));
    read();
    assert!(world.records("access/").is_empty() && world.records("level/").is_empty());
}

#[test]
fn a_row_opens_at_its_own_place_only() {
    on_each(|store| {
        let world = World::new(store, NewKey::Random);
        world.set("shop/dev", "A=planted-dev\n");
        world.set("shop/prod", "A=planted-prod\n");
        world.set("shop/prod", "A=planted-new\n");
        let version = world.versions("shop/prod")[0];
        let put = |key: &str, value: &str| world.store.write(|tx| tx.put(key, value, Precondition::Always)).unwrap();
        let [dev, prod] = [0, 1].map(|index| world.records("level/")[index].clone());
        let check = || {
            assert_kind(
                world.session().read_level(At::Path(world.acme, &path("shop/prod")), LevelScope::Chain),
                ErrorKind::Corrupt,
            );
        };
        // The level as a whole, then what it holds; and in place of that what it held before.
        put(&prod.key, &dev.value);
        check();
        put(&prod.key, &prod.value);
        let contents = world.records("content/");
        let ids = [&dev, &prod].map(|level| level.key.rsplit('/').next().unwrap());
        for content in &contents[..2] {
            put(&contents[2].key, &content.value);
            check();
            // As somebody would who knows what is in it.
            let number =
                |text: &str| text.replace("\"number\":1", "\"number\":3").replace("\"number\":2", "\"number\":3");
            put(&contents[2].key, &number(&content.value).replace(ids[0], ids[1]));
            check();
        }
        put(&contents[2].key, &contents[2].value);
        assert_eq!(world.get("shop/prod", "A"), "planted-new");
        put(&contents[1].key, &contents[2].value);
        assert_kind(world.session().version(world.acme, version), ErrorKind::Corrupt);
        assert_kind(
            world.session().changes(At::Path(world.acme, &path("shop/prod")), &Paging::new()),
            ErrorKind::Corrupt,
        );
        assert_eq!(world.get("shop/dev", "A"), "planted-dev");
    });
}

/// Changes one bit in each of the wrapped parts of a record, one after the other.
fn flipped(value: &str) -> Vec<String> {
    let json: serde_json::Value = serde_json::from_str(value).unwrap();
    let pointers = ["/blob", "/entries", "/times", "/text", "/data", "/check", "/key"];
    let mut flipped = Vec::new();
    for pointer in pointers {
        let Some(text) = json.pointer(pointer).and_then(serde_json::Value::as_str) else { continue };
        for at in [0, text.len() / 2, text.len() - 8] {
            let mut text = text.as_bytes().to_vec();
            text[at] = if text[at] == b'A' { b'B' } else { b'A' };
            let mut changed = json.clone();
            *changed.pointer_mut(pointer).unwrap() = String::from_utf8(text).unwrap().into();
            flipped.push(changed.to_string());
        }
    }
    flipped
}

#[test]
fn a_check_opens_former_contents_too() {
    let world = World::new(Arc::new(Memory::new()), NewKey::Random);
    for number in 0..250 {
        world.set("shop", &format!("A={number}\n"));
    }
    world.session().rotate_key(At::Path(world.acme, &LevelPath::from(&shop())), HistoryPolicy::Keep).unwrap();
    let vault = Vault::open(Arc::clone(&world.store), &world.root).unwrap();
    let checked = vault.check().unwrap();
    assert_eq!((checked.contents, checked.damaged.len()), (251, 0));

    let contents = world.records("content/");
    for (record, broken) in [(&contents[7], flipped(&contents[7].value)[0].clone()), (&contents[120], "{}".to_owned())]
    {
        world.store.write(|tx| tx.put(&record.key, &broken, Precondition::Present)).unwrap();
    }
    let moved = contents[9].value.clone();
    world.store.write(|tx| tx.put(&contents[10].key, &moved, Precondition::Present)).unwrap();
    let damaged = vault.check().unwrap().damaged;
    let numbers: Vec<u64> = damaged.iter().map(|damage| damage.id & 0xffff_ffff).collect();
    assert_eq!(numbers, [8, 11, 121]);
    assert!(damaged.iter().all(|damage| damage.error.kind() == ErrorKind::Corrupt));
    assert_eq!(damaged[0].path, Some(path("shop")));
    assert_eq!(damaged[2].path, None);
}

#[test]
fn a_changed_bit_is_found_wherever_it_is() {
    let world = World::new(Arc::new(Memory::new()), NewKey::Random);
    world.set("shop", "A=1\n");
    world.set("shop", "A=2\n");
    let names = ["A".parse().unwrap()];
    world.session().entries(At::Path(world.acme, &path("shop")), EntryScope::Named(&names)).unwrap();
    let version = world.versions("shop")[0];
    let prefixes = ["access/", "content/", "key/", "organization-kek/", "project-dek/"];
    let mut count = 0;
    for record in prefixes.map(|prefix| world.records(prefix)).concat() {
        for changed in flipped(&record.value) {
            let store = Arc::new(Memory::new());
            store.append(world.records("")).unwrap();
            store.write(|tx| tx.put(&record.key, &changed, Precondition::Present)).unwrap();
            let vault = Vault::open(store, &world.root).unwrap();
            let session = vault.session(Actor::system("test"));
            // One of these reads it, and nothing but that is wrong.
            let errors = [
                session.entry_metadata(At::Path(world.acme, &path("shop"))).err(),
                session.key(At::Path(world.acme, &LevelPath::from(&shop()))).err(),
                session.version(world.acme, version).err(),
                session.restore_version(world.acme, version, &Restore::new()).err(),
                session.rotate_project_dek(At::Path(world.acme, &LevelPath::from(&shop()))).err(),
                session.continue_rotation(At::Path(world.acme, &LevelPath::from(&shop())), 100).err(),
            ];
            let errors: Vec<_> = errors.into_iter().flatten().collect();
            assert!(!errors.is_empty(), "{}", record.key);
            assert!(errors.iter().all(|error| error.kind() == ErrorKind::Corrupt), "{}: {errors:?}", record.key);
            count += 1;
        }
    }
    assert_eq!(count, 3 * (1 + 2 + 2 + 3 + 1 + 1));
    let other = RootKey::generate(&SystemRandom).unwrap();
    assert_kind(Vault::open(world.store.clone(), &other), ErrorKind::DecryptionFailed);
}

#[test]
fn the_same_is_never_sealed_to_the_same() {
    let world = World::new(Arc::new(Memory::new()), NewKey::Random);
    for level in LEVELS {
        world.set(level, "A=1\n");
    }
    let rows: Vec<_> = world.records("content/").into_iter().map(|record| record.value).collect();
    let blobs: Vec<_> = world.blobs().into_iter().map(|(_, blob)| blob.to_string()).collect();
    for (index, blob) in blobs.iter().enumerate() {
        assert!(!blobs[..index].contains(blob) && !rows.iter().any(|row| row.contains(blob)));
    }
}

#[test]
fn a_file_of_sqlite_holds_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("vault.db");
    let contains = |needle: &str| {
        let mut files = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
        files.any(|file| holds(&file, needle))
    };
    let mut planted: Vec<String> = Vec::new();
    let world = World::new(Arc::new(Sqlite::create(&file).unwrap()), NewKey::String(None));
    let (session, acme) = (world.session(), world.acme);
    for round in 0..3 {
        let key = session.key(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
        let data = key.derivation.unwrap().derive(&KeyString::new(key.text.as_ref().unwrap().expose_secret()).unwrap());
        planted.push(key.text.unwrap().expose_secret().to_owned());
        planted.push(format!("planted-secret-{round}"));
        // The log repeats the values of variables; so these are set with a blob, of which it does not.
        let data = data.unwrap();
        planted.push(data.to_text().expose_secret().to_owned());
        // Long enough for pages of its own, which are free afterwards.
        let long = format!("planted-variable-{round};").repeat(2_000);
        let text = format!("SECRET=planted-secret-{round}\n# ioenv: variable\nVARIABLE={long}\n");
        session.set_blob(At::Path(acme, &path("shop/dev")), &NewBlob::new(seal(&data, &text))).unwrap();
        if round < 2 {
            session.rotate_key(At::Path(acme, &LevelPath::from(&shop())), HistoryPolicy::Keep).unwrap();
        }
    }
    let new = NewToken::new("ci", PermissionSet::of(&[Permission::SecretRead]));
    planted.push(session.issue_token(acme, &new).unwrap().token.expose_secret().to_owned());
    session.rotate_project_dek(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
    world.continue_to_the_end(5);
    assert!(contains("planted-variable-2"), "variables are to be found");
    assert!(planted.iter().all(|secret| !contains(secret)));

    planted.push(
        session
            .move_key_to_client(At::Path(acme, &LevelPath::from(&shop())), Confirmation::Given)
            .unwrap()
            .expose_secret()
            .to_owned(),
    );
    let World { vault, store, .. } = world;
    drop((vault, store));
    assert!(!contains("planted-variable"), "what was deleted is overwritten");
    assert!(planted.iter().all(|secret| !contains(secret)));
}

fn holds(file: &Path, needle: &str) -> bool {
    let bytes = fs::read(file).unwrap();
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[test]
fn the_log_tells_of_keys_without_them() {
    let key = a_key();
    let world = World::new(Arc::new(Memory::new()), of_client(&key));
    let (session, acme) = (world.session(), world.acme);
    world.set_sealed("shop", "A=1\n", &key).unwrap();
    session.store_key_on_server(At::Path(acme, &LevelPath::from(&shop())), &key.to_text()).unwrap();
    session.key(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
    let rotated = session.rotate_key(At::Path(acme, &LevelPath::from(&shop())), HistoryPolicy::Reencrypt).unwrap();
    world.continue_to_the_end(10);
    session.rotate_project_dek(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
    world.continue_to_the_end(10);
    session.rotate_organization_kek(acme).unwrap();
    session.keys(At::Path(acme, &LevelPath::from(&shop()))).unwrap();
    session.move_key_to_client(At::Path(acme, &LevelPath::from(&shop())), Confirmation::Given).unwrap();
    session.pending_versions(At::Path(acme, &LevelPath::from(&shop())), 0).unwrap();

    let filter = AuditFilter::new().resource(ResourceKind::Key);
    let records = session.audit(acme, &filter, &Paging::new().limit(200)).unwrap().items;
    let operations: Vec<_> =
        records.iter().rev().map(|record| record.details.operation().unwrap().to_owned()).collect();
    let expected = [
        "custody",
        "key",
        "rotate",
        "reencrypt",
        "rotate-dek",
        "rewrap",
        "rotate-organization",
        "keys",
        "custody",
        "pending",
    ];
    assert_eq!(operations, expected);
    let all = world.records("audit").into_iter().map(|record| record.value).collect::<String>();
    for text in [&key.to_text(), &rotated.text.unwrap(), &KeyProof::of(&key).to_text()] {
        assert!(!all.contains(text.expose_secret()));
    }
}

#[test]
fn two_rotations_at_once_are_one_after_the_other() {
    on_each(|store| {
        let world = World::new(store, NewKey::Random);
        world.set("shop", "A=1\n");
        let rotate = |policy| {
            let other = world.elsewhere();
            thread::scope(|scope| {
                [&world.vault, &other]
                    .map(|vault| {
                        scope.spawn(|| {
                            vault
                                .session(Actor::system("rotate"))
                                .rotate_key(At::Path(world.acme, &LevelPath::from(&shop())), policy)
                        })
                    })
                    .map(|thread| thread.join().unwrap())
            })
        };
        let versions = rotate(HistoryPolicy::Keep).map(|result| result.unwrap().version);
        assert_eq!(versions.iter().max(), Some(&3));
        assert_ne!(versions[0], versions[1]);
        world.assert_sound();
        let results = rotate(HistoryPolicy::Reencrypt);
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        for error in results.into_iter().filter_map(Result::err) {
            assert_eq!(error.kind(), ErrorKind::RotationInProgress);
        }
        world.continue_to_the_end(10);
        world.assert_sound();
    });
}

#[test]
fn writers_go_on_while_rows_are_wrapped_anew() {
    on_each(|store| {
        let world = World::new(store, NewKey::Random);
        for round in 0..10 {
            world.set("shop", &format!("A={round}\n"));
        }
        let other = world.elsewhere();
        thread::scope(|scope| {
            for (vault, level) in [(&world.vault, "shop/dev"), (&other, "shop/prod")] {
                let acme = world.acme;
                scope.spawn(move || {
                    let session = vault.session(Actor::system("writer"));
                    for round in 0..20 {
                        let entry = NewEntry::new(format!("A{round}").parse().unwrap(), "x");
                        session.set_entries(At::Path(acme, &path(level)), &[entry]).unwrap();
                        session
                            .entries(At::Path(acme, &path(level)), EntryScope::Named(&["A0".parse().unwrap()]))
                            .unwrap();
                    }
                });
            }
            for _ in 0..4 {
                world.session().rotate_project_dek(At::Path(world.acme, &LevelPath::from(&shop()))).unwrap();
                world.continue_to_the_end(3);
            }
        });
        world.assert_sound();
        for level in ["shop/dev", "shop/prod"] {
            let entries = world.session().entries(At::Path(world.acme, &path(level)), EntryScope::Own).unwrap();
            assert_eq!((entries.entries.len(), world.versions(level).len()), (20, 19));
        }
        assert_eq!(world.records("project-dek/").len(), 1);
    });
}

/// What can happen to a project.
#[derive(Clone, Copy, Debug)]
enum Step {
    Write(usize),
    Delete(usize),
    Restore(usize),
    Rotate(HistoryPolicy),
    RotateDek,
    RotateOrganization,
    Continue(usize),
    Switch,
    Reencrypt,
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..LEVELS.len()).prop_map(Step::Write),
        1 => (0..LEVELS.len()).prop_map(Step::Delete),
        1 => (0..LEVELS.len()).prop_map(Step::Restore),
        2 => prop_oneof![Just(HistoryPolicy::Keep), Just(HistoryPolicy::Reencrypt)].prop_map(Step::Rotate),
        1 => Just(Step::RotateDek),
        1 => Just(Step::RotateOrganization),
        3 => (1..8_usize).prop_map(Step::Continue),
        1 => Just(Step::Switch),
        1 => Just(Step::Reencrypt),
    ]
}

/// What there should be, beside the vault: the keys that people hold, and the text of each version.
struct Model {
    world: World,
    keys: BTreeMap<u32, LevelKey>,
    texts: BTreeMap<u64, String>,
    current: BTreeMap<usize, String>,
    writes: usize,
}

impl Model {
    fn new() -> Self {
        let world = World::new(Arc::new(Memory::new()), NewKey::Random);
        Self { world, keys: BTreeMap::new(), texts: BTreeMap::new(), current: BTreeMap::new(), writes: 0 }
    }

    fn key_version(&self) -> u32 {
        self.world.session().project(At::Path(self.world.acme, &LevelPath::from(&shop()))).unwrap().key_version
    }

    fn key(&self) -> &LevelKey {
        &self.keys[&self.key_version()]
    }

    fn apply(&mut self, step: Step) -> Result<(), Error> {
        let is_client = self.world.custody() == Custody::Client;
        let (session, acme) = (self.world.session(), self.world.acme);
        match step {
            Step::Write(level) => {
                self.writes += 1;
                let text = format!("A=planted-{}\n", self.writes);
                if is_client {
                    self.world.set_sealed(LEVELS[level], &text, self.key())?;
                } else {
                    self.world.set(LEVELS[level], &text);
                }
                self.current.insert(level, text);
            }
            Step::Delete(level) => {
                session.delete_level(At::Path(acme, &path(LEVELS[level])))?;
                self.current.remove(&level);
            }
            Step::Restore(level) => {
                let Some(id) = self.world.versions(LEVELS[level]).last().copied() else { return Ok(()) };
                let version = session.version(acme, id)?.version;
                let text = self.texts[&id].clone();
                let mut restore = Restore::new();
                if is_client {
                    restore = restore.content(seal(self.key(), &text)).key_proof(KeyProof::of(self.key()).to_text());
                } else if version.custody == Custody::Client {
                    return Ok(());
                }
                session.restore_version(acme, id, &restore)?;
                self.current.insert(level, text);
            }
            Step::Rotate(policy) if is_client => {
                let (old, new) = (self.key().clone(), a_key());
                let blobs = self.world.blobs();
                let blobs = blobs.iter().map(|(id, blob)| (*id, seal(&new, &open(&old, blob)))).collect();
                let rotation = ClientRotation::new(of_client(&new), blobs).policy(policy);
                let version = session.rotate_client_key(At::Path(acme, &LevelPath::from(&shop())), &rotation)?.version;
                drop(session);
                self.keys.insert(version, new);
            }
            Step::Rotate(policy) => drop(session.rotate_key(At::Path(acme, &LevelPath::from(&shop())), policy)?),
            Step::RotateDek => session.rotate_project_dek(At::Path(acme, &LevelPath::from(&shop())))?,
            Step::RotateOrganization => session.rotate_organization_kek(acme)?,
            Step::Continue(limit) => drop(session.continue_rotation(At::Path(acme, &LevelPath::from(&shop())), limit)?),
            Step::Switch if is_client => {
                session.store_key_on_server(At::Path(acme, &LevelPath::from(&shop())), &self.key().to_text())?;
            }
            Step::Switch => {
                let text =
                    session.move_key_to_client(At::Path(acme, &LevelPath::from(&shop())), Confirmation::Given)?;
                let key = LevelKey::parse(text.expose_secret()).unwrap();
                drop(session);
                self.keys.insert(self.key_version(), key);
            }
            Step::Reencrypt if is_client => {
                let pending = session.pending_versions(At::Path(acme, &LevelPath::from(&shop())), 3)?;
                let moved: Vec<_> = pending
                    .versions
                    .iter()
                    .map(|version| {
                        (version.id, seal(self.key(), &open(&self.keys[&version.key_version], &version.content)))
                    })
                    .collect();
                session.reencrypt_versions(
                    At::Path(acme, &LevelPath::from(&shop())),
                    &moved,
                    &KeyProof::of(self.key()).to_text(),
                )?;
            }
            Step::Reencrypt => {}
        }
        Ok(())
    }

    /// Opens whatever there is, as whoever has its key.
    fn check(&self) {
        let vault = self.world.elsewhere();
        let session = vault.session(Actor::system("check"));
        let acme = self.world.acme;
        let vaults_key = session.key(At::Path(acme, &LevelPath::from(&shop()))).unwrap().text;
        let vaults_key = vaults_key.map(|text| LevelKey::parse(text.expose_secret()).unwrap());
        for (index, level) in LEVELS.iter().enumerate() {
            let blob = session.blobs(At::Path(acme, &path(level))).unwrap().levels.pop().unwrap();
            let key = vaults_key.as_ref().or_else(|| self.keys.get(&blob.key_version));
            let text = blob.content.map(|content| open(key.unwrap(), &content));
            assert_eq!(text.as_ref(), self.current.get(&index));
            for id in self.world.versions(level) {
                let version = session.version(acme, id).unwrap();
                let number = version.version.key_version;
                if version.version.custody == Custody::Client {
                    assert_eq!(open(&self.keys[&number], &version.content), self.texts[&id]);
                } else if number == self.key_version() {
                    assert_eq!(open(vaults_key.as_ref().unwrap(), &version.content), self.texts[&id]);
                } else {
                    assert!(vaults_key.is_some(), "a version that nobody can open");
                }
            }
        }
    }

    /// Each version of the vault's former keys can be restored.
    fn restore_all(&self) {
        let acme = self.world.acme;
        if self.world.custody() == Custody::Client {
            return;
        }
        for level in LEVELS {
            for id in self.world.versions(level) {
                let session = self.world.session();
                if session.version(acme, id).unwrap().version.custody == Custody::Server {
                    session.restore_version(acme, id, &Restore::new()).unwrap();
                    let expected = self.texts[&id].trim().strip_prefix("A=").unwrap();
                    assert_eq!(self.world.get(level, "A"), expected);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_version_is_ever_lost(steps in prop::collection::vec(a_step(), 1..40)) {
        let mut model = Model::new();
        for step in steps {
            let before = model.current.clone();
            if let Err(error) = model.apply(step) {
                prop_assert_eq!(error.kind(), ErrorKind::RotationInProgress, "{:?}: {:?}", step, error);
            }
            // What a step displaced is what was there before it.
            for (index, level) in LEVELS.iter().enumerate() {
                for id in model.world.versions(level) {
                    model.texts.entry(id).or_insert_with(|| before[&index].clone());
                }
            }
            model.check();
        }
        model.restore_all();
    }
}
