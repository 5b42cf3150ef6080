//! Versions under former keys: they are found without reading all the others, whatever has become of those.

use std::collections::BTreeSet;
use std::sync::Arc;

use ioenv::dotenv_cloud::KeyProof;
use ioenv::store::Memory;
use ioenv::vault::{
    Actor, At, ClientRotation, Confirmation, Custody, EnvironmentId, HistoryPolicy, LevelId, NewBlob, NewEnvironment,
    NewKey, NewOrganization, NewProject, Paging, PurgeScope, Restore, RootKey, Vault,
};
use ioenv::{Aes256Gcm, Cipher as _, Error, ErrorKind, LevelKey, SealedBlob, SecretString, SystemRandom};
use proptest::prelude::*;

use super::counting::Counting;
use super::stage::{Stage, path};

fn a_key() -> LevelKey {
    LevelKey::generate(&SystemRandom).unwrap()
}

fn seal(key: &LevelKey, text: &str) -> SealedBlob {
    Aes256Gcm.seal(key, text.as_bytes(), &SystemRandom).unwrap()
}

fn proof(key: &LevelKey) -> SecretString {
    KeyProof::of(key).to_text()
}

fn of_client(key: &LevelKey) -> NewKey {
    NewKey::Client { derivation: None, proof: proof(key), hint: None }
}

fn a_project(key: &LevelKey) -> NewProject {
    NewProject::new("shop").key(of_client(key))
}

#[test]
fn moving_a_history_page_by_page_reads_each_version_a_few_times() {
    let reads = [1_000, 2_000].map(|count| {
        let store = Arc::new(Counting::all(Memory::new()));
        let vault = Vault::create(Arc::clone(&store), &RootKey::generate(&SystemRandom).unwrap()).unwrap();
        let system = vault.session(Actor::system("test"));
        let acme = system.create_organization(&NewOrganization::new("Acme")).unwrap().id;
        let [old, new] = [(); 2].map(|()| a_key());
        let id: LevelId = system.create_project(acme, &a_project(&old)).unwrap().id.into();
        let shop = path("shop");
        for _ in 0..count {
            system.set_blob(At::Path(acme, &shop), &NewBlob::new(seal(&old, "A=1\n")).key_proof(proof(&old))).unwrap();
        }
        let rotation = ClientRotation::new(of_client(&new), vec![(id, seal(&new, "A=1\n"))]);
        let rotation = rotation.policy(HistoryPolicy::Reencrypt);
        system.rotate_client_key(At::Path(acme, &shop), &rotation).unwrap();
        let mut moved = 0;
        let reads = store.reads(|| {
            loop {
                let pending = system.pending_versions(At::Path(acme, &shop), 100).unwrap();
                if pending.versions.is_empty() {
                    assert_eq!(pending.remaining, 0);
                    break;
                }
                let versions: Vec<_> =
                    pending.versions.iter().map(|version| (version.id, seal(&new, "A=1\n"))).collect();
                let done = system.reencrypt_versions(At::Path(acme, &shop), &versions, &proof(&new)).unwrap();
                assert_eq!(done.remaining, pending.remaining - done.updated);
                moved += done.updated;
            }
        });
        assert_eq!(moved, count);
        reads
    });
    let [few, many] = reads;
    assert!(many < 2 * few + few / 10, "{few} records were read to move 1,000 versions, {many} to move 2,000");
}

/// Something that writes, moves or removes versions.
#[derive(Clone, Copy, Debug)]
enum Step {
    Write(usize),
    WriteWithoutBackup(usize),
    Rotate(HistoryPolicy),
    Continue,
    Reencrypt,
    Switch,
    DeleteLevel(usize),
    PurgeLevel(usize),
    RestoreVersion(usize),
    DeleteVersion(usize),
    PurgeVersions(usize, PurgeScope),
    DeleteEnvironment,
    RestoreEnvironment,
    PurgeEnvironment,
}

const LEVELS: [&str; 2] = ["shop", "shop/dev"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let level = 0..LEVELS.len();
    let policy = prop_oneof![Just(HistoryPolicy::Keep), Just(HistoryPolicy::Reencrypt)];
    let scope = prop_oneof![3 => Just(PurgeScope::Level), 1 => Just(PurgeScope::Project)];
    let step = prop_oneof![
        12 => level.clone().prop_map(Step::Write),
        1 => level.clone().prop_map(Step::WriteWithoutBackup),
        5 => policy.prop_map(Step::Rotate),
        2 => Just(Step::Continue),
        2 => Just(Step::Reencrypt),
        1 => Just(Step::Switch),
        1 => level.clone().prop_map(Step::DeleteLevel),
        1 => level.clone().prop_map(Step::PurgeLevel),
        2 => (0..20_usize).prop_map(Step::RestoreVersion),
        2 => (0..20_usize).prop_map(Step::DeleteVersion),
        1 => (level, scope).prop_map(|(level, scope)| Step::PurgeVersions(level, scope)),
        2 => Just(Step::DeleteEnvironment),
        1 => Just(Step::RestoreEnvironment),
        1 => Just(Step::PurgeEnvironment),
    ];
    proptest::collection::vec(step, 1..60)
}

/// A project of people, of the levels of which one may be deleted.
struct Project {
    stage: Stage,
    key: LevelKey,
    deleted: Option<EnvironmentId>,
}

impl Project {
    fn new() -> Self {
        let (stage, key) = (Stage::memory(), a_key());
        stage.system().create_project(stage.acme, &a_project(&key)).unwrap();
        let project = Self { stage, key, deleted: None };
        project.create_environment();
        project
    }

    fn create_environment(&self) {
        let stage = &self.stage;
        stage.system().create_environment(At::Path(stage.acme, &path("shop")), &NewEnvironment::new("dev")).unwrap();
    }

    fn is_of_client(&self) -> bool {
        self.stage.system().key(At::Path(self.stage.acme, &path("shop"))).unwrap().custody == Custody::Client
    }

    fn blob(&self) -> NewBlob {
        NewBlob::new(seal(&self.key, "A=1\n")).key_proof(proof(&self.key))
    }

    /// The ids of all versions that are not of deleted levels.
    fn versions(&self) -> Vec<u64> {
        let (system, acme) = (self.stage.system(), self.stage.acme);
        let levels = LEVELS.iter().filter(|level| self.deleted.is_none() || **level == "shop");
        let pages = levels.map(|level| system.versions(At::Path(acme, &path(level)), &Paging::new()).unwrap());
        pages.flat_map(|page| page.items).map(|version| version.id).collect()
    }

    /// What the levels hold that are not deleted, sealed with a key.
    fn resealed(&self, key: &LevelKey) -> Vec<(LevelId, SealedBlob)> {
        let (system, acme) = (self.stage.system(), self.stage.acme);
        let levels = LEVELS.iter().filter(|level| self.deleted.is_none() || **level == "shop");
        let blobs = levels.map(|level| system.blobs(At::Path(acme, &path(level))).unwrap().levels.pop().unwrap());
        blobs.filter(|blob| blob.content.is_some()).map(|blob| (blob.id, seal(key, "A=1\n"))).collect()
    }

    fn take(&mut self, step: Step) -> Result<(), Error> {
        let (system, acme, shop) = (self.stage.system(), self.stage.acme, path("shop"));
        let is_of_client = self.is_of_client();
        match step {
            Step::Write(level) => system.set_blob(At::Path(acme, &path(LEVELS[level])), &self.blob())?,
            Step::WriteWithoutBackup(level) => {
                system.set_blob(At::Path(acme, &path(LEVELS[level])), &self.blob().backup(false))?;
            }
            Step::Rotate(policy) if is_of_client => {
                let key = a_key();
                let rotation = ClientRotation::new(of_client(&key), self.resealed(&key)).policy(policy);
                system.rotate_client_key(At::Path(acme, &shop), &rotation)?;
                drop(system);
                self.key = key;
            }
            Step::Rotate(policy) => {
                let text = system.rotate_key(At::Path(acme, &shop), policy)?.text.unwrap();
                drop(system);
                self.key = LevelKey::parse(text.expose_secret()).unwrap();
            }
            Step::Continue => drop(system.continue_rotation(At::Path(acme, &shop), 3)?),
            Step::Reencrypt => {
                let pending = system.pending_versions(At::Path(acme, &shop), 3)?;
                let versions: Vec<_> =
                    pending.versions.iter().map(|version| (version.id, seal(&self.key, "A=1\n"))).collect();
                system.reencrypt_versions(At::Path(acme, &shop), &versions, &proof(&self.key))?;
            }
            Step::Switch if is_of_client => system.store_key_on_server(At::Path(acme, &shop), &self.key.to_text())?,
            Step::Switch => drop(system.move_key_to_client(At::Path(acme, &shop), Confirmation::Given)?),
            Step::DeleteLevel(level) => system.delete_level(At::Path(acme, &path(LEVELS[level])))?,
            Step::PurgeLevel(level) => system.purge_level(At::Path(acme, &path(LEVELS[level])), Confirmation::Given)?,
            Step::RestoreVersion(at) => {
                if let Some(id) = self.versions().get(at) {
                    let mut restore = Restore::new();
                    if is_of_client {
                        restore = restore.content(seal(&self.key, "A=1\n")).key_proof(proof(&self.key));
                    }
                    system.restore_version(acme, *id, &restore)?;
                }
            }
            Step::DeleteVersion(at) => {
                if let Some(id) = self.versions().get(at) {
                    system.delete_version(acme, *id, Confirmation::Given)?;
                }
            }
            Step::PurgeVersions(level, scope) => {
                system.purge_versions(At::Path(acme, &path(LEVELS[level])), scope, Confirmation::Given)?;
            }
            Step::DeleteEnvironment => {
                let id = system.environment(At::Path(acme, &path("shop/dev")))?.id;
                system.delete_environment(At::Path(acme, &path("shop/dev")), Confirmation::Given)?;
                drop(system);
                self.deleted = Some(id);
            }
            Step::RestoreEnvironment => {
                if let Some(id) = self.deleted {
                    system.restore_environment(acme, id)?;
                    drop(system);
                    self.deleted = None;
                }
            }
            Step::PurgeEnvironment => {
                if let Some(id) = self.deleted {
                    system.purge_environment(acme, id)?;
                    drop(system);
                    self.create_environment();
                    self.deleted = None;
                }
            }
        }
        Ok(())
    }

    /// Compares what is told of versions under former keys with all versions that there are; returns how many it is told of.
    fn check(&self) -> Result<u64, Error> {
        let (system, acme) = (self.stage.system(), self.stage.acme);
        let pending = system.pending_versions(At::Path(acme, &path("shop")), 100)?;
        let in_use = u64::from(system.key(At::Path(acme, &path("shop"))).unwrap().version);
        let all = self.stage.records("version/").into_values().map(|version| {
            let [key, number] = ["key_version", "number"].map(|field| version[field].as_u64().unwrap());
            (key, number)
        });
        let former: BTreeSet<(u64, u64)> = all.filter(|(key, _)| *key != in_use).collect();
        let versions = pending.versions.iter();
        let told: Vec<_> =
            versions.map(|version| (u64::from(version.key_version), version.id & u64::from(u32::MAX))).collect();
        assert_eq!(told, former.iter().copied().take(100).collect::<Vec<_>>());
        assert_eq!(pending.remaining, former.len() as u64);
        Ok(pending.remaining)
    }

    /// Checks also what could not be told while the vault held the key, or was rotating.
    fn check_at_the_end(&self) {
        let (system, acme, shop) = (self.stage.system(), self.stage.acme, path("shop"));
        while !system.continue_rotation(At::Path(acme, &shop), 500).unwrap().is_done {}
        if !self.is_of_client() {
            system.move_key_to_client(At::Path(acme, &shop), Confirmation::Given).unwrap();
        }
        self.check().unwrap();
        assert!(self.stage.vault.check().unwrap().damaged.is_empty());
        let indexed = self.stage.records("version-by-key/").len();
        assert_eq!(indexed, self.stage.records("version/").len());
        system.delete_project(At::Path(acme, &shop)).unwrap();
        self.stage.purge_deleted();
        assert_eq!(self.stage.dump("version"), "");
    }
}

#[test]
fn a_level_that_comes_back_under_a_key_of_people_is_told_as_theirs() {
    let mut project = Project::new();
    for step in [
        Step::Write(1),
        Step::DeleteEnvironment,
        Step::Rotate(HistoryPolicy::Keep),
        Step::Switch,
        Step::RestoreEnvironment,
        Step::DeleteLevel(1),
    ] {
        project.take(step).unwrap();
    }
    project.check_at_the_end();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn versions_under_former_keys_are_told_whatever_has_become_of_the_others(steps in steps()) {
        let mut project = Project::new();
        for step in steps {
            if let Err(error) = project.take(step) {
                use ErrorKind::{ClientManaged, InvalidValue, NotFound, RotationInProgress};
                // `ClientManaged` is for a level that was deleted while people changed their key, and restored since.
                let is_refusal = matches!(error.kind(), ClientManaged | InvalidValue | NotFound | RotationInProgress);
                prop_assert!(is_refusal, "{:?}: {:?}", step, error);
            }
            if let Err(error) = project.check() {
                prop_assert!(matches!(error.kind(), ErrorKind::RotationInProgress | ErrorKind::InvalidValue));
            }
        }
        project.check_at_the_end();
    }
}

on_every_store! {
    fn the_proof_of_the_key_in_use_is_told_to_nobody(stage: &Stage) {
        let (system, acme, shop) = (stage.system(), stage.acme, path("shop"));
        let [first, second] = [(); 2].map(|()| a_key());
        let id: LevelId = system.create_project(acme, &a_project(&first)).unwrap().id.into();
        let write = |key: &LevelKey| {
            system.set_blob(At::Path(acme, &shop), &NewBlob::new(seal(key, "A=1\n")).key_proof(proof(key))).unwrap();
        };
        let told = || {
            let keys = system.keys(At::Path(acme, &shop)).unwrap();
            keys.iter().map(|key| (key.version, key.proof.as_ref().map(|proof| proof.expose_secret().to_owned()))).collect::<Vec<_>>()
        };
        let told_of_versions = || {
            let versions = system.versions(At::Path(acme, &shop), &Paging::new()).unwrap().items;
            let key = |id| system.version(acme, id).unwrap().key.proof.map(|proof| proof.expose_secret().to_owned());
            versions.iter().map(|version| key(version.id)).collect::<Vec<_>>()
        };
        let text = |key: &LevelKey| Some(proof(key).expose_secret().to_owned());
        write(&first);
        write(&first);
        assert_eq!((told(), told_of_versions()), (vec![(1, None)], vec![None]));
        let rotate = |new: &LevelKey| {
            let rotation = ClientRotation::new(of_client(new), vec![(id, seal(new, "A=1\n"))]);
            system.rotate_client_key(At::Path(acme, &shop), &rotation).unwrap();
        };
        rotate(&second);
        assert_eq!(told(), [(2, None), (1, text(&first))]);
        assert_eq!(told_of_versions(), [text(&first), text(&first)]);
        // Back to a former key: what was told of it lets one write now.
        rotate(&first);
        assert_eq!(told(), [(3, None), (2, text(&second)), (1, None)]);
        assert_eq!(told_of_versions(), [text(&second), None, None]);
        // Where the vault holds the key, it could be given back to people.
        system.store_key_on_server(At::Path(acme, &shop), &first.to_text()).unwrap();
        assert_eq!(told(), [(3, None), (2, text(&second)), (1, None)]);
        assert!(!format!("{:?}", system.keys(At::Path(acme, &shop)).unwrap()).contains(&text(&first).unwrap()));
    }
}
