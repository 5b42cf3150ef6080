//! A secrets service inside a program: `cargo run --features sqlite --example vault`.
//!
//! Makes a vault in a temporary directory, fills it, hands out a token, loads with it, changes and rolls back a value,
//! and reads who did what.

use std::error::Error;
use std::sync::Arc;

use ioenv::store::Sqlite;
use ioenv::vault::{
    Actor, At, AuditFilter, HistoryPolicy, LevelScope, NewEnvironment, NewOrganization, NewProject, NewTarget,
    NewToken, OrganizationId, Paging, Restore, RootKey, Vault, VaultSource, Vocabulary,
};
use ioenv::{Document, LevelPath, Loader, SystemRandom};

const LEVELS: [(&str, &str); 3] = [
    ("acme-store", "# ioenv: variable\nLOG_LEVEL=info\nSTRIPE_KEY=sk_test_1\n"),
    ("acme-store/backend", "DATABASE_URL=postgres://localhost/shop\n"),
    ("acme-store/backend/production", "STRIPE_KEY=sk_live_1\n"),
];

fn main() -> Result<(), Box<dyn Error>> {
    // The root key opens the vault, and is kept elsewhere: nothing in the file can be read without it.
    let directory = tempfile::tempdir()?;
    let root = RootKey::generate(&SystemRandom)?;
    let vault = Arc::new(Vault::create(Sqlite::create(directory.path().join("ioenv.vault"))?, &root)?);
    let operator = vault.session(Actor::system("example"));

    let acme = operator.create_organization(&NewOrganization::new("Acme"))?.id;
    operator.create_project(acme, &NewProject::new("acme-store"))?;
    operator.create_target(At::Path(acme, &"acme-store".parse()?), &NewTarget::new("backend"))?;
    operator.create_environment(At::Path(acme, &"acme-store/backend".parse()?), &NewEnvironment::new("production"))?;
    for (path, text) in LEVELS {
        operator.set_document(At::Path(acme, &path.parse()?), &Document::parse(text)?)?;
    }
    println!("1. A project with {} levels, each inheriting from those above it.", LEVELS.len());

    // A server gets a token that reads its own environment, and nothing else.
    let production: LevelPath = "acme-store/backend/production".parse()?;
    let new = NewToken::new("server", Vocabulary::Ioenv.parse(["read"])?).scope(production.clone());
    let issued = operator.issue_token(acme, &new)?;
    println!("2. A token, {}, that reads {production} and nothing else.", issued.info.hint);

    let source = VaultSource::new(Arc::clone(&vault), issued.token.clone());
    let env = Loader::new().source(source.clone()).path(production.clone()).resolve()?;
    println!("3. What a program with that token sees:");
    for variable in env.iter() {
        let value = if variable.is_public() { variable.value().expose_secret() } else { "••••••" };
        println!("     {:<14} {value:<8} decided by {}", variable.name(), variable.origin());
    }
    let refused = vault.session(issued.token).read_level(At::Path(acme, &"acme-store".parse()?), LevelScope::Own);
    println!("   Of the level above it hears: {}.", refused.expect_err("it is bound to another one"));

    // Keys change without anybody noticing.
    operator.rotate_key(At::Path(acme, &"acme-store".parse()?), HistoryPolicy::Keep)?;
    operator.rotate_organization_kek(acme)?;

    // Every write keeps what was there before.
    operator.set_document(At::Path(acme, &production), &Document::parse("STRIPE_KEY=sk_broken\n")?)?;
    let former = operator.versions(At::Path(acme, &production), &Paging::new())?.items;
    operator.restore_version(acme, former[0].id, &Restore::new())?;
    let env = Loader::new().source(source).path(production.clone()).resolve()?;
    let is_back = env.var("STRIPE_KEY")?.expose_secret() == "sk_live_1";
    println!(
        "4. A bad value was written and rolled back: the right one {}.",
        if is_back { "is back" } else { "is gone" }
    );

    print_audit(&vault, acme, &production)
}

/// Whatever was done, refusals aside, was recorded in the same transaction.
fn print_audit(vault: &Vault, acme: OrganizationId, path: &LevelPath) -> Result<(), Box<dyn Error>> {
    println!("5. The audit log of {path}, newest first:");
    let filter = AuditFilter::new().path(path.clone());
    let page = vault.session(Actor::system("example")).audit(acme, &filter, &Paging::new().limit(6))?;
    for record in page.items {
        let who = record.actor.name.unwrap_or_default();
        let what = record.resource.key.map(|name| format!(" {name}")).unwrap_or_default();
        println!("     {}  {who:<8} {}{what}", record.timestamp, record.action.as_str());
    }
    Ok(())
}
