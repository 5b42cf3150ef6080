//! Secrets are planted everywhere a vault takes them, and every rendering, error, file and export is searched for them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use ioenv::dotenv_cloud::KeyProof;
use std::fmt::Debug;
use std::fs;
use std::sync::Arc;

use ioenv::store::{KeyRange, Memory, Order, Sqlite, Store, StoreExt as _};
use ioenv::vault::{
    Actor, At, AuditFilter, ClientRotation, Confirmation, EntryScope, EntryUpdate, HistoryPolicy, LevelScope, NewBlob,
    NewEntry, NewKey, NewOrganization, NewProject, NewToken, NewWebhook, OrganizationId, Paging, PermissionSet,
    RootKey, Search, Session, Sha256Hasher, Token, TokenHasher as _, Vault, VaultSource,
};
use ioenv::{
    Aes256Gcm, Cipher as _, Document, Error, KeyString, Kind, LevelKey, LevelPath, SealedBlob, SecretString, Slug,
    SystemRandom,
};

const PLANTED: &str = "planted4c1d";

struct World {
    vault: Arc<Vault>,
    store: Arc<dyn Store>,
    acme: OrganizationId,
    token: Token,
    /// What must not be seen, each in all spellings.
    planted: Vec<String>,
}

fn path(text: &str) -> LevelPath {
    text.parse().unwrap()
}

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

fn entry(name: &str, value: &str) -> NewEntry {
    NewEntry::new(name.parse().unwrap(), value)
}

fn key_string() -> KeyString {
    KeyString::new("planted4c1d and the rest of a key").unwrap()
}

/// The text itself, in hexadecimal, and as each base64 that it could be a part of.
fn spellings(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned(), base16ct::lower::encode_string(text.as_bytes())];
    for offset in 0..3 {
        // The text of a blob is base64 of its bytes; 28 bytes are the least it takes.
        let bytes = [&vec![0; offset], text.as_bytes(), &[0; 28]].concat();
        let base64 = SealedBlob::from_bytes(bytes).unwrap().to_string();
        all.push(base64[(offset * 8).div_ceil(6)..(offset + text.len()) * 8 / 6].to_owned());
    }
    all
}

/// A vault in which values, a comment, a key string, a root key and a token are planted.
fn world(store: Arc<dyn Store>) -> World {
    let root = RootKey::generate(&SystemRandom).unwrap();
    let vault = Arc::new(Vault::create(Arc::clone(&store), &root).unwrap());
    let session = vault.session(Actor::system("test"));
    let acme = session.create_organization(&NewOrganization::new("Acme")).unwrap().id;
    let shop = NewProject::new("shop").has_base(true).key(NewKey::String(Some(key_string())));
    session.create_project(acme, &shop).unwrap();
    session.create_project(acme, &NewProject::new("random")).unwrap();
    let mut planted = spellings(PLANTED);
    let random = session.key(At::Path(acme, &path("random"))).unwrap().text.unwrap();
    let token = session.issue_token(acme, &NewToken::new("worker", PermissionSet::ALL)).unwrap().token;
    let webhook = NewWebhook::new("https://hooks.example.test/in").enabled(true);
    let webhook = session.create_webhook(At::Path(acme, &path("shop/dev")), &webhook).unwrap();
    let second = session
        .create_webhook(At::Path(acme, &path("shop/dev")), &NewWebhook::new("https://hooks.example.test/"))
        .unwrap();
    let rotated = session.rotate_signing_secret(At::Path(acme, &path("shop/dev")), second.webhook.id).unwrap();
    for secret in [&webhook.signing_secret, &second.signing_secret, &rotated] {
        planted.extend(spellings(secret.expose_secret().trim_start_matches("whsec_")));
    }
    let level_key = random.expose_secret().trim_start_matches("ioenv_key_");
    let root_key = root.to_text();
    let root_key = root_key.expose_secret().trim_start_matches("ioenv_root_");
    for text in [level_key, root_key, token.expose_secret().trim_start_matches("ioenv_")] {
        // Some of a token's characters may be shown.
        planted.extend(spellings(&text[4..]));
    }

    for round in 0..3 {
        let text =
            format!("# {PLANTED}\nKEY={PLANTED}-{round}\n# ioenv: variable\nOPEN=shown-{round}\nONCE={PLANTED}\n");
        for at in ["shop", "shop/dev", "random"] {
            session.set_document(At::Path(acme, &path(at)), &Document::parse(&text).unwrap()).unwrap();
        }
    }
    let at = path("shop/dev");
    let kinds = [(Kind::Variable, "soon-a-secret"), (Kind::Secret, PLANTED)];
    for (kind, value) in kinds {
        let new = entry("TURNS", value).kind(kind).comment(format!("of {PLANTED}"));
        session.set_entries(At::Path(acme, &at), &[new]).unwrap();
    }
    let rename =
        EntryUpdate::new("ONCE".parse().unwrap()).new_name("TWICE".parse().unwrap()).value(format!("{PLANTED}-twice"));
    session.update_entries(At::Path(acme, &at), &[rename]).unwrap();
    session.delete_entries(At::Path(acme, &at), &["TWICE".parse().unwrap()]).unwrap();
    session.rotate_key(At::Path(acme, &path("shop")), HistoryPolicy::Keep).unwrap();
    World { vault, store, acme, token, planted }
}

impl World {
    fn memory() -> Self {
        world(Arc::new(Memory::new()))
    }

    fn sessions(&self) -> [Session<'_>; 2] {
        [self.vault.session(Actor::system("test")), self.vault.session(self.token.clone())]
    }

    fn assert_clean(&self, rendering: &str, what: &str) {
        for text in &self.planted {
            assert!(!rendering.contains(text), "{what}: {rendering}");
        }
    }

    fn assert_hides(&self, what: &str, value: &impl Debug) {
        let rendering = format!("{value:?} {value:#?}");
        assert!(rendering.len() > 8, "{what}");
        self.assert_clean(&rendering, what);
    }

    fn assert_refused<T: Debug>(&self, what: &str, result: Result<T, Error>) {
        let error = result.expect_err(what);
        self.assert_clean(&format!("{error} {error:?} {error:#?} {:?}", error.names()), what);
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            self.assert_clean(&format!("{error} {error:?}"), what);
            cause = error.source();
        }
    }
}

#[test]
fn what_is_planted_would_be_found() {
    let world = World::memory();
    let session = &world.sessions()[1];
    let value = session.read_level(At::Path(world.acme, &path("shop/dev")), LevelScope::Chain).unwrap().resolve();
    assert_eq!(value.get("KEY").unwrap().value().expose_secret(), format!("{PLANTED}-2"));
    let bytes = [b"xy", PLANTED.as_bytes(), &[7; 28]].concat();
    for seen in [PLANTED.to_owned(), SealedBlob::from_bytes(bytes).unwrap().to_string()] {
        assert!(world.planted.iter().any(|text| seen.contains(text)), "{seen}");
    }
}

#[test]
fn no_debug_of_a_vault_shows_a_secret() {
    let world = World::memory();
    let (acme, at, shop) = (world.acme, path("shop/dev"), slug("shop"));
    world.assert_hides("Vault", &world.vault);
    world.assert_hides("Store", &world.store);
    world.assert_hides("Token", &world.token);
    world.assert_hides("TokenHash", &Sha256Hasher.hash(&world.token));
    world.assert_hides("Actor", &Actor::from(world.token.clone()));
    world.assert_hides("VaultSource", &VaultSource::new(Arc::clone(&world.vault), world.token.clone()));
    world.assert_hides("RootKey", &RootKey::from_bytes(b"planted4c1dplanted4c1dplanted4c1"));
    world.assert_hides("NewEntry", &entry("A", PLANTED).comment(PLANTED));
    let update = EntryUpdate::new("A".parse().unwrap()).value(PLANTED).comment(PLANTED);
    world.assert_hides("EntryUpdate", &update);
    world.assert_hides("Search", &Search::Value(PLANTED.into()));
    let proof = SecretString::from(PLANTED);
    let client = NewKey::Client { derivation: None, proof: proof.clone(), hint: None };
    let rotation = ClientRotation::new(client.clone(), Vec::new()).current_key_proof(proof.clone());
    let project = NewProject::new("p").key(NewKey::String(Some(key_string())));
    world.assert_hides("NewKey", &(client, rotation, project));
    let blob = Aes256Gcm.seal(&LevelKey::from_bytes(&[7; 32]), PLANTED.as_bytes(), &SystemRandom).unwrap();
    world.assert_hides("NewBlob", &NewBlob::new(blob).key_proof(proof));

    for session in world.sessions() {
        world.assert_hides("Session", &session);
        world.assert_hides(
            "Document",
            &session.read_level(At::Path(acme, &at), LevelScope::Own).unwrap().into_document(),
        );
        world.assert_hides("Resolved", &session.read_level(At::Path(acme, &at), LevelScope::Chain).unwrap().resolve());
        world
            .assert_hides("Layers", &session.read_level(At::Path(acme, &at), LevelScope::Chain).unwrap().into_layers());
        world.assert_hides("Blobs", &session.blobs(At::Path(acme, &at)).unwrap());
        for which in [EntryScope::Own, EntryScope::Resolved] {
            world.assert_hides("Entries", &session.entries(At::Path(acme, &at), which).unwrap());
        }
        world.assert_hides("EntryMetadata", &session.entry_metadata(At::Path(acme, &at)).unwrap());
        let found =
            session.search_entries(At::Path(acme, &LevelPath::from(&shop)), &Search::Value(PLANTED.into())).unwrap();
        assert!(!found.is_empty());
        world.assert_hides("FoundEntry", &found);
        let page = session.versions(At::Path(acme, &at), &Paging::new()).unwrap();
        world.assert_hides("VersionContent", &session.version(acme, page.items[0].id).unwrap());
        world.assert_hides("Version", &page);
        world.assert_hides("Change", &session.changes(At::Path(acme, &at), &Paging::new()).unwrap());
        world.assert_hides("ProjectKey", &session.key(At::Path(acme, &LevelPath::from(&shop))).unwrap());
        world.assert_hides("KeyInfo", &session.keys(At::Path(acme, &LevelPath::from(&shop))).unwrap());
        world.assert_hides("PendingVersions", &session.pending_versions(At::Path(acme, &LevelPath::from(&shop)), 9));
        let webhooks = session.webhooks(At::Path(acme, &at)).unwrap();
        assert_eq!(webhooks.len(), 2);
        world.assert_hides("Webhook", &webhooks);
        let id = webhooks[0].id;
        world.assert_hides("SecretString", &session.signing_secret(At::Path(acme, &at), id).unwrap());
        world.assert_hides("WebhookLog", &session.webhook_logs(At::Path(acme, &at), id, &Paging::new()).unwrap());
        world.assert_hides("Project", &session.projects(acme).unwrap());
        world.assert_hides("Organization", &session.organization(acme).unwrap());
        world.assert_hides("Environment", &session.environments(At::Path(acme, &path("shop"))).unwrap());
        world.assert_hides("TokenInfo", &session.tokens(acme).unwrap());
        world
            .assert_hides("AuditRecord", &session.audit(acme, &AuditFilter::new(), &Paging::new().limit(200)).unwrap());
    }
    let issued = world.sessions()[0].issue_token(acme, &NewToken::new("t", PermissionSet::ALL)).unwrap();
    let webhook = NewWebhook::new("https://hooks.example.test/");
    let webhook = world.sessions()[0].create_webhook(At::Path(acme, &at), &webhook).unwrap();
    let secret = webhook.signing_secret.expose_secret().to_owned();
    assert!(!format!("{webhook:?} {webhook:#?}").contains(&secret["whsec_".len()..]));
    let text = issued.token.expose_secret().to_owned();
    assert!(!format!("{issued:?} {issued:#?}").contains(&text["ioenv_".len() + 4..]));
    world.assert_hides("Statistics", &world.vault.statistics().unwrap());
}

#[test]
fn no_error_of_a_vault_repeats_a_secret() {
    let world = World::memory();
    let (acme, at, shop) = (world.acme, path("shop/dev"), slug("shop"));
    let long = PLANTED.repeat(7000);
    let wrong = LevelKey::from_bytes(b"planted4c1dplanted4c1dplanted4c1");
    let sealed = |text: &str| Aes256Gcm.seal(&wrong, text.as_bytes(), &SystemRandom).unwrap();
    let client = |proof: &str| NewKey::Client { derivation: None, proof: proof.into(), hint: None };
    let system = &world.sessions()[0];
    let theirs =
        NewProject::new("theirs").key(client(KeyProof::of(&LevelKey::from_bytes(&[7; 32])).to_text().expose_secret()));
    system.create_project(acme, &theirs).unwrap();
    for session in world.sessions() {
        for value in [long.clone(), format!("{PLANTED}\0")] {
            world.assert_refused("set", session.set_entries(At::Path(acme, &at), &[entry("A", &value)]));
            world.assert_refused("create", session.create_entries(At::Path(acme, &at), &[entry("A", &value)]));
            let update = EntryUpdate::new("KEY".parse().unwrap()).value(value);
            world.assert_refused("update", session.update_entries(At::Path(acme, &at), &[update]));
        }
        let twice = [entry("A", PLANTED), entry("A", PLANTED).comment(PLANTED)];
        world.assert_refused("twice", session.set_entries(At::Path(acme, &at), &twice));
        world.assert_refused("no level", session.set_entries(At::Path(acme, &path("shop/none")), &twice[..1]));
        world.assert_refused(
            "no search",
            session.search_entries(At::Path(acme, &path("none")), &Search::Value(PLANTED.into())),
        );
        let theirs = (path("theirs"), slug("theirs"));
        world.assert_refused(
            "proof",
            session.set_blob(At::Path(acme, &theirs.0), &NewBlob::new(sealed("A=1")).key_proof(PLANTED)),
        );
        world.assert_refused("entries", session.set_entries(At::Path(acme, &theirs.0), &[entry("A", PLANTED)]));
        for key in [PLANTED.to_owned(), format!("ioenv_key_{PLANTED}"), wrong.to_text().expose_secret().to_owned()] {
            world.assert_refused(
                "hand over",
                session.store_key_on_server(At::Path(acme, &LevelPath::from(&theirs.1)), &key.into()),
            );
        }
        let rotation = ClientRotation::new(client(PLANTED), Vec::new());
        world.assert_refused(
            "rotate",
            session.rotate_client_key(At::Path(acme, &LevelPath::from(&theirs.1)), &rotation),
        );
        let rotation = ClientRotation::new(client(KeyProof::of(&wrong).to_text().expose_secret()), Vec::new())
            .current_key_proof(PLANTED);
        world.assert_refused(
            "rotate",
            session.rotate_client_key(At::Path(acme, &LevelPath::from(&theirs.1)), &rotation),
        );
        let project = NewProject::new("p").key(client(PLANTED));
        world.assert_refused("project", session.create_project(acme, &project));
        for url in [format!("https://{PLANTED}@hooks.example.test/"), format!("http://{PLANTED}"), PLANTED.to_owned()] {
            world.assert_refused("webhook", session.create_webhook(At::Path(acme, &at), &NewWebhook::new(url)));
        }
        world.assert_refused(
            "confirm",
            session.move_key_to_client(At::Path(acme, &LevelPath::from(&shop)), Confirmation::Missing),
        );
        world.assert_refused("page", session.versions(At::Path(acme, &at), &Paging::new().limit(1).after(PLANTED)));
        // A secret that was put where a name belongs.
        world.assert_refused("a name", session.create_project(acme, &NewProject::new(format!("a\n{PLANTED}"))));
        world.assert_refused(
            "a token's name",
            session.issue_token(acme, &NewToken::new(format!("a\n{PLANTED}"), PermissionSet::ALL)),
        );
        // What cannot be opened.
        session.set_blob(At::Path(acme, &path("random")), &NewBlob::new(sealed(PLANTED))).unwrap();
        world.assert_refused("foreign", session.read_level(At::Path(acme, &path("random")), LevelScope::Own));
        world.assert_refused("foreign", session.set_entries(At::Path(acme, &path("random")), &[entry("A", PLANTED)]));
    }
    let stranger = Token::parse("ioenv_planted4c1dplanted4c1d").unwrap();
    world.assert_refused("a stranger", world.vault.session(stranger).own_token());
    for text in [PLANTED.to_owned(), format!("ioenv_root_{PLANTED}"), wrong.to_text().expose_secret().to_owned()] {
        world.assert_refused("root key", RootKey::parse(&text));
        world.assert_refused("token", Token::parse(&text.replace("ioenv_key_", "ioenv_root_")));
    }
    let another = RootKey::from_bytes(b"planted4c1dplanted4c1dplanted4c1");
    world.assert_refused("another root key", Vault::open(Arc::clone(&world.store), &another));

    // Each record damaged, and what is planted put into it.
    let records = world.store.read(|tx| tx.scan(&KeyRange::prefix(""), Order::Ascending, usize::MAX)).unwrap();
    let mut refused = 0;
    for record in records.iter().filter(|record| !record.key.starts_with("audit")) {
        world.assert_hides("Record", record);
        world
            .store
            .write(|tx| tx.put(&record.key, &format!("\"{PLANTED}\""), ioenv::store::Precondition::Present))
            .unwrap();
        for session in world.sessions() {
            let results = [
                session.read_level(At::Path(acme, &at), LevelScope::Chain).map(drop),
                session.versions(At::Path(acme, &at), &Paging::new()).map(drop),
                session.key(At::Path(acme, &LevelPath::from(&shop))).map(drop),
                session.tokens(acme).map(drop),
                session.webhooks(At::Path(acme, &at)).map(drop),
                session.set_entries(At::Path(acme, &path("shop/prod")), &[entry("A", PLANTED)]).map(drop),
            ];
            for result in results.into_iter().filter(Result::is_err) {
                refused += 1;
                world.assert_refused(&record.key, result);
            }
        }
        world.store.write(|tx| tx.put(&record.key, &record.value, ioenv::store::Precondition::Present)).unwrap();
    }
    assert!(refused > 50, "{refused}");
}

#[test]
fn neither_the_file_nor_the_log_holds_a_secret() {
    let directory = tempfile::tempdir().unwrap();
    let world = world(Arc::new(Sqlite::create(directory.path().join("vault.db")).unwrap()));
    for session in world.sessions() {
        let mut out = Vec::new();
        let count = session.export_audit(world.acme, &AuditFilter::new(), &mut out).unwrap();
        let export = String::from_utf8(out).unwrap();
        assert!(count > 20 && export.contains("shown-1") && export.contains("TWICE"));
        assert!(!export.contains("soon-a-secret"), "it became one");
        world.assert_clean(&export, "the export");
    }
    let mut files = 0;
    for file in fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap().path();
        let bytes = fs::read(&file).unwrap();
        files += usize::from(bytes.windows(7).any(|window| window == b"shown-2"));
        for text in &world.planted {
            let is_in = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!is_in, "{}: {text}", file.display());
        }
    }
    assert!(files > 0, "variables are to be found");
}
