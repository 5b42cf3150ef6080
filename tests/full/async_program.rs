//! How an asynchronous program loads its environment, and how it calls a vault.
//!
//! `cargo run -p ioenv-tests --features full --example async_program`

use std::error::Error;
use std::sync::Arc;

use ioenv::store::Memory;
use ioenv::vault::{Actor, At, NewOrganization, NewProject, RootKey, Vault};
use ioenv::{Document, KeyRing, LevelKey, LevelPath, Loader, SealedFile, SystemRandom};
use tokio::runtime::Builder;
use tokio::task;

fn main() -> Result<(), Box<dyn Error>> {
    // The threads of a runtime make it unsafe to write the process environment. So a plain `main` loads, and builds the
    // runtime afterwards. In an `async fn main`, load with `Inject::Overlay` and read with `ioenv::var`.
    load()?;
    Builder::new_multi_thread().enable_all().build()?.block_on(serve())
}

/// Stands for `ioenv::load()`, without its file.
fn load() -> ioenv::Result<()> {
    let key = LevelKey::generate(&SystemRandom)?;
    let keys = KeyRing::from(&key);
    let mut sealed = SealedFile::create("unsaved.sealed", "acme".parse()?)?;
    sealed.add_key("main".parse()?, &key)?;
    sealed.set_level(&"acme".parse()?, &Document::parse("PORT=8080\n")?, &keys)?;
    Loader::new().source(sealed).key(keys).path("acme".parse()?).load()?;
    Ok(())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    println!("PORT={}", std::env::var("PORT")?);

    // A call of a vault waits for its store. `spawn_blocking` keeps that away from the threads that run tasks; the vault
    // is `Send` and `Sync`, so all tasks share one.
    let vault = Arc::new(Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?);
    let entries = task::spawn_blocking({
        let vault = Arc::clone(&vault);
        move || -> ioenv::Result<usize> {
            let session = vault.session(Actor::system("example"));
            let acme = session.create_organization(&NewOrganization::new("Acme"))?.id;
            session.create_project(acme, &NewProject::new("store"))?;
            let store: LevelPath = "store".parse()?;
            session.set_document(At::Path(acme, &store), &Document::parse("PORT=8080\n")?)?;
            Ok(session.entry_metadata(At::Path(acme, &store))?.len())
        }
    })
    .await??;
    println!("the vault holds {entries} entry");
    Ok(())
}
