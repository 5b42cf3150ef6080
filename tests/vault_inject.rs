//! `ioenv::load()` from a vault: it leaves one thread behind, and injects.
#![expect(clippy::unwrap_used, reason = "a scenario that cannot go on has failed")]

mod common;
#[cfg(feature = "postgres")]
mod postgres;
mod scenarios;

use ioenv::dotenv_cloud::KeyProof;
use std::process::ExitCode;

use common::{Project, path, run};
use ioenv::store::{Sqlite, Store};
use ioenv::vault::{
    Actor, At, NewEnvironment, NewKey, NewOrganization, NewProject, NewToken, PermissionSet, RootKey, Vault, Vocabulary,
};
use ioenv::{Aes256Gcm, Cipher as _, Document, ErrorKind, SystemRandom, VarName};
use scenarios::{SCENARIO, Scenario};

const PLANTED: &str = "planted-9f2c";

const SCENARIOS: &[Scenario] = &[
    ("loads_and_injects", loads_and_injects),
    ("opens_what_the_vault_cannot", loads_and_injects),
    ("needs_no_key_file", loads_and_injects),
    ("says_which_key_is_missing", says_which_key_is_missing),
    ("needs_a_token", needs_a_token),
    #[cfg(feature = "postgres")]
    ("loads_from_postgres", loads_and_injects),
];

fn main() -> ExitCode {
    scenarios::main(SCENARIOS, |name| {
        // Its key file is that of a client-managed project.
        let project = Project::new(&[("unused", "")]);
        project.write("ioenv.toml", "source = \"vault\"\npath = \"acme/dev\"\n");
        let root = RootKey::generate(&SystemRandom).unwrap();
        let store = project.file("ioenv.vault");
        let mut child = project.program(std::env::current_exe().expect("this very file"));
        child.env(SCENARIO, name).env("IOENV_ROOT_KEY", root.to_text().expose_secret());
        let is_client = name == "opens_what_the_vault_cannot" || name == "says_which_key_is_missing";
        let token = match name {
            #[cfg(feature = "postgres")]
            "loads_from_postgres" => {
                let url = postgres::fresh().replace("127.0.0.1", "localhost");
                child.env("IOENV_VAULT", &url);
                fill(ioenv::store::Postgres::connect(&url).unwrap(), &root, &project, false)
            }
            _ => fill(Sqlite::create(store).unwrap(), &root, &project, is_client),
        };
        if name != "needs_a_token" {
            child.env("IOENV_TOKEN", &token);
        }
        if name == "needs_no_key_file" || name == "says_which_key_is_missing" {
            child.env("IOENV_KEY_FILE", "no/such/file");
        }
        (run(&mut child, ""), vec![PLANTED.to_owned(), token])
    })
}

/// Fills a vault, and returns a token that may read it.
fn fill(store: impl Store + 'static, root: &RootKey, project: &Project, is_client: bool) -> String {
    let vault = Vault::create(store, root).unwrap();
    let session = vault.session(Actor::system("test"));
    let organization = session.create_organization(&NewOrganization::new("Acme")).unwrap().id;
    let mut new = NewProject::new("acme");
    let proof = KeyProof::of(&project.key).to_text();
    if is_client {
        new = new.key(NewKey::Client { derivation: None, proof: proof.clone(), hint: None });
    }
    session.create_project(organization, &new).unwrap();
    session.create_environment(At::Path(organization, &path("acme")), &NewEnvironment::new("dev")).unwrap();
    for (level, text) in [("acme", "SHARED=from-project\n".to_owned()), ("acme/dev", format!("SECRET={PLANTED}\n"))] {
        if is_client {
            let blob = Aes256Gcm.seal(&project.key, text.as_bytes(), &SystemRandom).unwrap();
            let new = ioenv::vault::NewBlob::new(blob).key_proof(proof.clone());
            session.set_blob(At::Path(organization, &path(level)), &new).unwrap();
        } else {
            session.set_document(At::Path(organization, &path(level)), &Document::parse(&text).unwrap()).unwrap();
        }
    }
    let read: PermissionSet = Vocabulary::Ioenv.parse(["read"]).unwrap();
    let issued = session.issue_token(organization, &NewToken::new("test", read)).unwrap();
    issued.token.expose_secret().to_owned()
}

#[cfg(target_os = "linux")]
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn loads_and_injects() {
    let env = ioenv::load().unwrap();
    assert_eq!(std::env::var("SECRET").as_deref(), Ok(PLANTED));
    assert_eq!(std::env::var("SHARED").as_deref(), Ok("from-project"));
    assert_eq!(env.names().map(VarName::as_str).collect::<Vec<_>>(), ["SECRET", "SHARED"]);
    assert_eq!(env.origin("SHARED").unwrap().to_string(), "acme");
    #[cfg(target_os = "linux")]
    assert_eq!(threads(), 1);
}

fn says_which_key_is_missing() {
    let error = ioenv::load().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains("no/such/file"), "{error}");
    assert!(std::env::var("SECRET").is_err());
}

fn needs_a_token() {
    let error = ioenv::load().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().starts_with("no token is given: put one into IOENV_TOKEN"), "{error}");
}
