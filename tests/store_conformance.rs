//! The stores do what every store must do; the file of SQLite survives kills, and what is wrong with it is told.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ioenv::store::{self, KeyRange, Memory, Order, Precondition, Record, Sqlite, Store, StoreExt as _, conformance};
use ioenv::{Error, ErrorKind};
use tempfile::TempDir;

/// Set for the tests that are run as a process of their own.
const CHILD: &str = "IOENV_TEST_STORE_CHILD";

fn child(test: &str, argument: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD, argument).stdout(Stdio::piped());
    command
}

fn fresh() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.db");
    (directory, path)
}

fn record(key: &str) -> Record {
    Record { key: key.to_owned(), value: format!("\"{}\"", "x".repeat(200)) }
}

#[track_caller]
fn assert_kind<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind, text: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(error.to_string().contains(text), "{error:?}");
}

#[test]
fn memory_conforms() {
    conformance::run(|| {
        let store = Arc::new(Memory::new());
        Box::new(move || Box::new(Arc::clone(&store)) as Box<dyn Store>)
    });
}

#[test]
fn sqlite_conforms() {
    conformance::run(|| {
        let (directory, path) = fresh();
        drop(Sqlite::create(&path).unwrap());
        Box::new(move || {
            let _kept = &directory;
            Box::new(Sqlite::open(&path).unwrap()) as Box<dyn Store>
        })
    });
}

#[test]
fn four_processes_lose_nothing_of_ten_thousand_writes() {
    const PREFIXES: [&str; 4] = ["p/0", "p/1", "p/2", "p/3"];
    if let Ok(argument) = std::env::var(CHILD) {
        let (path, prefix) = argument.split_once('|').unwrap();
        return conformance::write_many(&Sqlite::open(path).unwrap(), prefix, 2500);
    }
    let (_directory, path) = fresh();
    let store = Sqlite::create(&path).unwrap();
    let children: Vec<Child> = PREFIXES
        .iter()
        .map(|prefix| {
            let argument = format!("{}|{prefix}", path.display());
            child("four_processes_lose_nothing_of_ten_thousand_writes", &argument).spawn().unwrap()
        })
        .collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    conformance::verify_many(&store, &PREFIXES, 2500);
    store.check().unwrap();
}

/// Acknowledges what it writes, from four threads, until it is killed.
fn write_until_killed(path: &str, round: &str) {
    let store = &Sqlite::open(path).unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for n in 0.. {
                    let key = format!("{round}/{thread}/{n}");
                    let two = [record(&key), record(&format!("{key}/2"))];
                    if n % 2 == 0 {
                        store.append(two.into()).unwrap();
                    } else {
                        store
                            .write(|tx| two.iter().try_for_each(|r| tx.put(&r.key, &r.value, Precondition::Absent)))
                            .unwrap();
                    }
                    println!("acknowledged {key}");
                }
            });
        }
    });
}

#[test]
fn a_writer_killed_twenty_times_loses_nothing_it_acknowledged() {
    if let Ok(argument) = std::env::var(CHILD) {
        let (path, round) = argument.split_once('|').unwrap();
        return write_until_killed(path, round);
    }
    let (_directory, path) = fresh();
    drop(Sqlite::create(&path).unwrap());
    let mut count = 0;
    for round in 0..20_u64 {
        let argument = format!("{}|{round:02}", path.display());
        let mut child = child("a_writer_killed_twenty_times_loses_nothing_it_acknowledged", &argument).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).split(b'\n').map(Result::unwrap);
        // After some acknowledgements, at a moment that differs from round to round.
        let mut acknowledged: Vec<_> =
            lines.by_ref().filter(|line| line.starts_with(b"acknowledged")).take(10).collect();
        let killer = thread::spawn(move || {
            thread::sleep(Duration::from_micros(1 + round * 7919 % 60_000));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        acknowledged.extend(lines);
        killer.join().unwrap();
        // It may have been killed within a line.
        acknowledged.pop();
        count += acknowledged.len();

        let store = Sqlite::open(&path).unwrap();
        store.check().unwrap();
        for line in &acknowledged {
            let line = std::str::from_utf8(line).unwrap();
            let key = line.strip_prefix("acknowledged ").unwrap();
            for key in [key.to_owned(), format!("{key}/2")] {
                assert!(store.read(|tx| tx.get(&key)).unwrap().is_some(), "{key} of round {round} is lost");
            }
        }
        let all = store.read(|tx| tx.scan(&KeyRange::prefix(format!("{round:02}/")), Order::Ascending, 1_000_000));
        assert_eq!(all.unwrap().len() % 2, 0, "there is no half of a write");
    }
    assert!(count >= 20 * 9, "each had acknowledged ten, of which the last may have been cut: {count}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_what_is_created() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/for it/vault.db");
    let store = Sqlite::create(&path).unwrap();
    store.append(vec![record("a")]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for name in ["vault.db", "vault.db-wal", "vault.db-shm"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
}

#[test]
fn what_is_not_a_store_is_told() {
    let (directory, path) = fresh();
    assert_kind(Sqlite::open(&path), ErrorKind::NotFound, "correct the path, or create one");
    assert!(!path.exists());
    assert_kind(Sqlite::open(directory.path()), ErrorKind::Io, "not a file");
    for text in ["", "this is no database, however long one may look at it. ".repeat(100).as_str()] {
        fs::write(&path, text).unwrap();
        assert_kind(Sqlite::open(&path), ErrorKind::Corrupt, "not a store");
        assert_kind(Sqlite::create(&path), ErrorKind::Conflict, "open it, or name another one");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "it is as it was");
    }
}

#[test]
fn a_special_name_of_sqlite_is_a_name_like_others() {
    let directory = tempfile::tempdir().unwrap();
    for name in [":memory:", "file:a?mode=memory"] {
        let path = directory.path().join(name);
        Sqlite::create(&path).unwrap().append(vec![record("a")]).unwrap();
        assert!(Sqlite::open(&path).unwrap().read(|tx| tx.get("a")).unwrap().is_some());
    }
}

#[test]
fn files_of_other_programs_and_versions_are_left_alone() {
    let (_directory, path) = fresh();
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE record (key TEXT, value TEXT)").unwrap();
    drop(foreign);
    assert_kind(Sqlite::open(&path), ErrorKind::Corrupt, "not a store");

    fs::remove_file(&path).unwrap();
    drop(Sqlite::create(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
    assert_kind(Sqlite::open(&path), ErrorKind::UnsupportedVersion, "newer version");
}

#[test]
fn a_damaged_page_is_found() {
    let (_directory, path) = fresh();
    let store = Sqlite::create(&path).unwrap();
    store.append((0..500).map(|n| record(&format!("{n:04}"))).collect()).unwrap();
    store.check().unwrap();
    // The last one who closes it brings everything into the one file.
    drop(store);
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(4 * 4096)).unwrap();
    file.write_all(&[0xa5; 4096]).unwrap();
    drop(file);
    let store = Sqlite::open(&path).unwrap();
    assert_kind(store.check(), ErrorKind::Corrupt, "restore it from a backup");
    let all = store.read(|tx| tx.scan(&KeyRange::prefix(""), Order::Ascending, 1000));
    assert_kind(all, ErrorKind::Corrupt, "restore it from a backup");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_only_be_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    if let Ok(path) = std::env::var(CHILD) {
        return assert_kind(Sqlite::open(path), ErrorKind::Io, "let this user write the file and its directory");
    }
    let (directory, path) = fresh();
    drop(Sqlite::create(&path).unwrap());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let mut child = child("a_file_that_may_only_be_read_is_told", path.to_str().unwrap());
    // Root may write everything, so somebody else has to try.
    if OpenOptions::new().write(true).open(&path).is_ok() {
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        child.uid(65534);
    }
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_store_is_copied_while_others_write() {
    let (_directory, path) = fresh();
    let (from, to) = (Sqlite::create(&path).unwrap(), Sqlite::create(path.with_file_name("copy.db")).unwrap());
    from.append((0..1000).map(|n| record(&format!("a/{n}"))).collect()).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            (0..100).for_each(|n| from.append(vec![record(&format!("b/{n}")), record(&format!("c/{n}"))]).unwrap());
        });
        let copied = store::copy(&from, &to).unwrap();
        assert!(copied >= 1000 && copied.is_multiple_of(2), "{copied} is one state");
    });
    assert_kind(store::copy(&from, &to), ErrorKind::Conflict, "name an empty one");
}

/// Puts a file that is a store itself, and has `"other"` at `a`, in the place of another one.
#[cfg(unix)]
fn put_other(path: &Path) {
    let other = path.with_extension("other");
    let store = Sqlite::create(&other).unwrap();
    store.write(|tx| tx.put("a", "\"other\"", Precondition::Always)).unwrap();
    drop(store);
    fs::rename(&other, path).unwrap();
}

#[cfg(unix)]
fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

/// What somebody does to the files of a store.
#[cfg(unix)]
type Replacement = fn(&Path);

#[cfg(unix)]
#[test]
fn a_file_that_is_replaced_while_it_is_used_is_noticed() {
    let replacements: [(&str, Replacement); 8] = [
        ("another store", put_other),
        ("a copy of itself", |path| {
            fs::copy(path, path.with_extension("copy")).unwrap();
            fs::rename(path.with_extension("copy"), path).unwrap();
        }),
        ("nothing", |path| fs::remove_file(path).unwrap()),
        ("none of the three", |path| {
            for ending in ["", "-wal", "-shm"] {
                fs::remove_file(beside(path, ending)).unwrap();
            }
        }),
        ("no -wal", |path| fs::remove_file(beside(path, "-wal")).unwrap()),
        ("another -wal", |path| {
            fs::remove_file(beside(path, "-wal")).unwrap();
            fs::write(beside(path, "-wal"), "").unwrap();
        }),
        ("no -shm", |path| fs::remove_file(beside(path, "-shm")).unwrap()),
        ("no directory", |path| {
            let directory = path.parent().unwrap();
            fs::rename(directory, directory.with_extension("gone")).unwrap();
        }),
    ];
    for (what, replace) in replacements {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("vaults")).unwrap();
        let path = directory.path().join("vaults/vault.db");
        let store = Sqlite::create(&path).unwrap();
        store.write(|tx| tx.put("a", "\"ours\"", Precondition::Always)).unwrap();
        store.read(|tx| tx.get("a")).unwrap();
        replace(&path);
        let moved = "another file is in the place of the store";
        // More often than there are idle connections, and with each kind of call.
        for _ in 0..3 {
            assert_kind(store.read(|tx| tx.get("a")), ErrorKind::Unavailable, moved);
            assert_kind(store.write(|tx| tx.put("b", "1", Precondition::Always)), ErrorKind::Unavailable, moved);
            assert_kind(store.write(|tx| tx.get("a")), ErrorKind::Unavailable, moved);
            assert_kind(store.append(vec![record("c")]), ErrorKind::Unavailable, moved);
            assert_kind(store.check(), ErrorKind::Unavailable, moved);
        }
        drop(store);
        if what == "another store" {
            // They belong to the file that is gone: SQLite would put what is in them into this one.
            for ending in ["-wal", "-shm"] {
                let _ = fs::remove_file(beside(&path, ending));
            }
            let other = Sqlite::open(&path).unwrap();
            let found = other.read(|tx| tx.scan(&KeyRange::prefix(""), Order::Ascending, 9)).unwrap();
            assert_eq!(
                found,
                [Record { key: "a".to_owned(), value: "\"other\"".to_owned() }],
                "it is as it was put there"
            );
            other.check().unwrap();
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_is_put_back_is_used_again() {
    let (_directory, path) = fresh();
    let store = Sqlite::create(&path).unwrap();
    store.write(|tx| tx.put("a", "1", Precondition::Always)).unwrap();
    let away = path.with_extension("away");
    fs::rename(&path, &away).unwrap();
    assert_kind(store.read(|tx| tx.get("a")), ErrorKind::Unavailable, "put the files back");
    fs::rename(&away, &path).unwrap();
    assert_eq!(store.read(|tx| tx.get("a")).unwrap().as_deref(), Some("1"));
    store.write(|tx| tx.put("a", "2", Precondition::Always)).unwrap();
}

/// The link is what the path names, so where it leads counts.
#[cfg(unix)]
#[test]
fn a_link_that_leads_elsewhere_by_now_is_noticed() {
    let (directory, path) = fresh();
    drop(Sqlite::create(&path).unwrap());
    let (link, other) = (directory.path().join("link"), directory.path().join("other"));
    drop(Sqlite::create(&other).unwrap());
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let store = Sqlite::open(&link).unwrap();
    store.write(|tx| tx.put("a", "1", Precondition::Always)).unwrap();
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&other, &link).unwrap();
    assert_kind(store.write(|tx| tx.put("a", "2", Precondition::Always)), ErrorKind::Unavailable, "another file");
    assert!(Sqlite::open(&other).unwrap().read(|tx| tx.get("a")).unwrap().is_none());
}
