//! A record that somebody changed in the database makes errors, and neither a panic nor a value that was never set.
//!
//! The first byte says which record of a small vault gets the rest as its text.
#![no_main]

use std::hint::black_box;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ioenv::store::{KeyRange, Memory, Order, Precondition, Record, StoreExt as _};
use ioenv::vault::{
    Actor, At, AuditFilter, Clock, EntryScope, HistoryPolicy, LevelScope, NewEntry, NewOrganization, NewProject,
    NewTarget, NewToken, OrganizationId, Paging, PermissionSet, Restore, RootKey, Search, Session, Timestamp, Token,
    VaultOptions,
};
use ioenv::{Document, LevelPath, Random, Result, Slug};
use libfuzzer_sys::fuzz_target;

/// What the levels say. Nothing else may come out of them.
const VALUES: [&str; 4] = ["80", "planted-1", "planted-2", ""];

/// The same bytes in the same order, so that an input means the same each time.
#[derive(Debug)]
struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        for byte in bytes {
            // The high bits of a multiplicative sequence have no short period.
            let number = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            *byte = number.to_be_bytes()[0];
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_927_857_906_789).expect("it is in this century")
    }
}

struct Small {
    records: Vec<Record>,
    organization: OrganizationId,
    token: Token,
}

static SMALL: LazyLock<Small> = LazyLock::new(|| small().expect("a vault can be made"));

/// The random bytes are those of the sequence behind `start`: a vault refuses an initialization vector that it has seen.
fn options(start: u64) -> VaultOptions {
    VaultOptions::new(&RootKey::from_bytes(&[7; 32])).clock(Stopped).random(Counted(AtomicU64::new(start)))
}

fn path(text: &str) -> LevelPath {
    text.parse().expect("it is a path")
}

fn shop() -> Slug {
    "shop".parse().expect("it is a slug")
}

/// A vault with some of everything.
fn small() -> Result<Small> {
    let vault = options(0).create(Memory::new())?;
    let session = vault.session(Actor::system("fuzz"));
    let organization = session.create_organization(&NewOrganization::new("Acme"))?.id;
    let project = NewProject::new("shop").has_base(true);
    session.create_project(organization, &project)?;
    session.create_target(At::Path(organization, &LevelPath::from(&shop())), &NewTarget::new("api"))?;
    for text in ["# ioenv: variable\nPORT=80\nKEY=planted-1\n", "KEY=planted-2\nEMPTY=\n"] {
        for level in ["shop", "shop/dev", "shop/api"] {
            session.set_document(At::Path(organization, &path(level)), &Document::parse(text)?)?;
        }
    }
    session.rotate_key(At::Path(organization, &LevelPath::from(&shop())), HistoryPolicy::Reencrypt)?;
    let token = NewToken::new("worker", PermissionSet::ALL).scope(path("shop/dev"));
    let token = session.issue_token(organization, &token)?.token;
    let mut records = vault.store().read(|tx| tx.scan(&KeyRange::prefix(""), Order::Ascending, usize::MAX))?;
    // Of the log, some are enough.
    let mut logged = 0;
    records.retain(|record| {
        logged += usize::from(record.key.starts_with("audit"));
        !record.key.starts_with("audit") || logged < 8
    });
    Ok(Small { records, organization, token })
}

fuzz_target!(|input: (u8, &str)| {
    let (which, text) = input;
    let small = &*SMALL;
    let which = usize::from(which) % small.records.len();
    let store = Memory::new();
    let stored = store.write(|tx| {
        for (number, record) in small.records.iter().enumerate() {
            tx.put(&record.key, if number == which { text } else { &record.value }, Precondition::Absent)?;
        }
        Ok(())
    });
    if stored.is_err() {
        return;
    }
    let Ok(vault) = options(1 << 32).open(store) else {
        return;
    };
    let acme = small.organization;
    for session in [vault.session(Actor::system("fuzz")), vault.session(small.token.clone())] {
        for level in ["shop", "shop/dev", "shop/api"] {
            let level = path(level);
            if let Ok(content) = session.read_level(At::Path(acme, &level), LevelScope::Chain) {
                assert!(content.resolve().iter().all(|one| VALUES.contains(&one.value().expose_secret())));
            }
            if let Ok(found) = session.entries(At::Path(acme, &level), EntryScope::Own) {
                assert!(found.entries.iter().all(|one| VALUES.contains(&one.value.expose_secret())));
            }
            look(&session, acme, &level);
        }
        let _ = black_box((
            session.organizations(),
            session.projects(acme),
            session.project(At::Path(acme, &LevelPath::from(&shop()))),
        ));
        let _ = black_box((
            session.targets(At::Path(acme, &LevelPath::from(&shop()))),
            session.environments(At::Path(acme, &path("shop"))),
        ));
        let _ = black_box((
            session.own_token(),
            session.tokens(acme),
            session.key(At::Path(acme, &LevelPath::from(&shop()))),
        ));
        let _ = black_box((
            session.keys(At::Path(acme, &LevelPath::from(&shop()))),
            session.pending_versions(At::Path(acme, &LevelPath::from(&shop())), 9),
        ));
        let _ =
            black_box(session.search_entries(At::Path(acme, &LevelPath::from(&shop())), &Search::Value("80".into())));
        let _ = black_box(session.audit(acme, &AuditFilter::new(), &Paging::new()));
        let _ = black_box(session.export_audit(acme, &AuditFilter::new(), &mut Vec::new()));
        // From here on, what is there changes.
        let dev = path("shop/dev");
        let entry = NewEntry::new("NEW".parse().expect("it is a name"), "1");
        let _ = black_box(session.set_entries(At::Path(acme, &dev), &[entry]));
        for id in 1..9 {
            let _ = black_box(session.restore_version(acme, (1 << 32) + id, &Restore::new()));
        }
        let _ = black_box(session.continue_rotation(At::Path(acme, &LevelPath::from(&shop())), 9));
        let _ = black_box(session.rotate_project_dek(At::Path(acme, &LevelPath::from(&shop()))));
        let _ = black_box(session.continue_rotation(At::Path(acme, &LevelPath::from(&shop())), 99));
        let _ = black_box(session.rotate_organization_kek(acme));
        let _ = black_box(session.delete_level(At::Path(acme, &dev)));
    }
    let _ = black_box((vault.statistics(), vault.sweep()));
    let system = vault.session(Actor::system("fuzz"));
    let _ =
        black_box((system.delete_project(At::Path(acme, &LevelPath::from(&shop()))), system.delete_organization(acme)));
});

/// Reads whatever can be read of a level.
fn look(session: &Session<'_>, acme: OrganizationId, level: &LevelPath) {
    let _ =
        black_box((session.read_level(At::Path(acme, level), LevelScope::Own), session.blobs(At::Path(acme, level))));
    let _ = black_box((
        session.entry_metadata(At::Path(acme, level)),
        session.changes(At::Path(acme, level), &Paging::new()),
    ));
    if let Ok(page) = session.versions(At::Path(acme, level), &Paging::new()) {
        for version in page.items {
            let _ = black_box(session.version(acme, version.id));
        }
    }
}
