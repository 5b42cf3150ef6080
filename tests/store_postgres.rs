//! The store in PostgreSQL, against a real server.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(unix)]

mod postgres;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ioenv::ErrorKind;
use ioenv::store::{KeyRange, Order, Postgres, Precondition, Record, Store, StoreExt, conformance};

use self::postgres::{Cluster, execute, fresh};

fn record(key: &str, value: &str) -> Record {
    Record { key: key.to_owned(), value: value.to_owned() }
}

fn keys(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.key.as_str()).collect()
}

fn everything() -> KeyRange {
    KeyRange::prefix("")
}

fn count(store: &Postgres) -> usize {
    store.read(|tx| tx.scan(&everything(), Order::Ascending, usize::MAX)).unwrap().len()
}

/// Runs one of the tests below in a process of its own, where it is the one that `name` tells it is.
fn child(test: &str, variables: &[(&str, &str)]) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--test-threads=1", "--nocapture"]).envs(variables.iter().copied());
    command.stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn postgres_conforms() {
    // A connection to a server is worth sharing; a handle is one more user of the same pool.
    conformance::run(|| {
        let store = Arc::new(Postgres::connect(&fresh()).unwrap());
        Box::new(move || Box::new(Arc::clone(&store)) as Box<dyn Store>)
    });
}

#[test]
fn records_come_and_go() {
    for store in [Postgres::connect(&fresh()).unwrap(), Postgres::connect_single(&fresh()).unwrap()] {
        assert_eq!(store.read(|tx| tx.get("a")).unwrap(), None);
        store.write(|tx| tx.put("a", r#"{"b":1}"#, Precondition::Absent)).unwrap();
        assert_eq!(store.read(|tx| tx.get("a")).unwrap().unwrap().replace(' ', ""), r#"{"b":1}"#);
        assert_eq!(store.read(|tx| tx.get("a\0")).unwrap(), None);

        let again = store.write(|tx| tx.put("a", "2", Precondition::Absent)).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Conflict);
        let missing = store.write(|tx| tx.put("b", "2", Precondition::Present)).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::Conflict);
        store.write(|tx| tx.put("a", "3", Precondition::Present)).unwrap();

        let seen = store
            .write(|tx| {
                assert!(tx.delete("a")? && !tx.delete("a")? && !tx.delete("no\0")?);
                tx.put("a", "4", Precondition::Absent)?;
                tx.put("b", "5", Precondition::Always)?;
                assert!(tx.delete("b")?);
                tx.get("a")
            })
            .unwrap();
        assert_eq!(seen.as_deref(), Some("4"));
        assert_eq!(store.read(|tx| Ok((tx.get("a")?, tx.get("b")?))).unwrap(), (Some("4".to_owned()), None));

        let refused: ioenv::Result<()> = store.write(|tx| {
            tx.put("a", "5", Precondition::Always)?;
            Err(ioenv::Error::new(ErrorKind::NotFound, "of the work"))
        });
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(store.read(|tx| tx.get("a")).unwrap().as_deref(), Some("4"));
        assert_eq!(
            store.read(|tx| tx.put("a", "5", Precondition::Always)).unwrap_err().kind(),
            ErrorKind::InvalidValue
        );
        store.append(vec![record("c", "1"), record("d", "2"), record("c", "3")]).unwrap();
        store.append(Vec::new()).unwrap();
        assert_eq!(store.read(|tx| tx.get("c")).unwrap().as_deref(), Some("3"));
        store.check().unwrap();
    }
}

#[test]
fn bounds_are_kept_and_errors_quote_nothing() {
    let store = Postgres::connect(&fresh()).unwrap();
    for (key, value, kind) in [
        ("", "1", ErrorKind::InvalidValue),
        ("a\0", "1", ErrorKind::InvalidValue),
        ("a", "\"\\u0000\"", ErrorKind::InvalidValue),
        ("a", "hunter2", ErrorKind::InvalidValue),
        ("a", "\"hunter2\\ud800\"", ErrorKind::InvalidValue),
        (&"k".repeat(1025), "1", ErrorKind::Limit),
        ("a", &format!("\"{}\"", "v".repeat(4 << 20)), ErrorKind::Limit),
    ] {
        for error in [
            store.write(|tx| tx.put(key, value, Precondition::Always)).unwrap_err(),
            store.append(vec![record(key, value)]).unwrap_err(),
        ] {
            assert_eq!(error.kind(), kind, "{error:?}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
    let largest = format!("\"{}\"", "v".repeat((4 << 20) - 2));
    let longest = "k".repeat(1024);
    store.write(|tx| tx.put(&longest, &largest, Precondition::Always)).unwrap();
    assert_eq!(store.read(|tx| tx.get(&longest)).unwrap().unwrap(), largest);
    assert_eq!(count(&store), 1);
}

#[test]
fn a_failure_ends_the_transaction_even_if_the_work_goes_on() {
    let store = Postgres::connect(&fresh()).unwrap();
    store.append(vec![record("a", "1")]).unwrap();
    // No text has this in it, so the first read passes and the transaction is refused at its end.
    let error = store.write(|tx| tx.get("a").and_then(|_| tx.put("b", "{", Precondition::Always))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    let panicked = thread::scope(|scope| {
        let work = || store.write(|tx| tx.get("a").map(|_| assert!(tx.get("b").unwrap().is_some(), "as it should")));
        scope.spawn(work).join().is_err()
    });
    assert!(panicked);
    store.write(|tx| tx.put("a", "2", Precondition::Present)).unwrap();

    let single = Postgres::connect_single(&fresh()).unwrap();
    let panicked = thread::scope(|scope| {
        scope.spawn(|| single.write(|tx| tx.get("a").map(|value| value.expect("there is none")))).join().is_err()
    });
    assert!(panicked);
    single.write(|tx| tx.put("a", "2", Precondition::Absent)).unwrap();
}

#[test]
fn keys_are_in_the_order_of_their_bytes() {
    let store = Postgres::connect(&fresh()).unwrap();
    let mut sorted = vec!["\u{1}", "!", "A", "Z", "_", "a", "a/", "a/b", "a0", "b", "ä", "é", "ﬀ", "\u{ffff}", "😀"];
    sorted.sort_unstable();
    store.append(sorted.iter().map(|key| record(key, "1")).collect()).unwrap();
    let scan = |range: &KeyRange, order, limit| store.read(|tx| tx.scan(range, order, limit)).unwrap();
    let ascending = scan(&everything(), Order::Ascending, usize::MAX);
    assert_eq!(keys(&ascending), sorted);
    let mut descending = scan(&everything(), Order::Descending, usize::MAX);
    descending.reverse();
    assert_eq!(descending, ascending);
    assert_eq!(keys(&scan(&KeyRange::prefix("a"), Order::Ascending, 2)), ["a", "a/"]);
    assert_eq!(keys(&scan(&KeyRange::prefix("a"), Order::Descending, 2)), ["a0", "a/b"]);
    assert_eq!(keys(&scan(&KeyRange::prefix("a").after("a\0"), Order::Ascending, 1)), ["a/"]);
    assert_eq!(keys(&scan(&everything().before("a\0"), Order::Descending, 1)), ["a"]);
    assert!(scan(&everything(), Order::Ascending, 0).is_empty());

    // What the transaction itself has written is among it.
    store
        .write(|tx| {
            tx.delete("a/")?;
            tx.put("a/a", "2", Precondition::Always)?;
            tx.put("a", "2", Precondition::Always)?;
            let found = tx.scan(&KeyRange::prefix("a"), Order::Ascending, 3)?;
            assert_eq!(found, [record("a", "2"), record("a/a", "2"), record("a/b", "1")]);
            let found = tx.scan(&KeyRange::prefix("a"), Order::Descending, 3)?;
            assert_eq!(found, [record("a0", "1"), record("a/b", "1"), record("a/a", "2")]);
            Ok(())
        })
        .unwrap();
    assert_eq!(keys(&scan(&KeyRange::prefix("a"), Order::Ascending, 9)), ["a", "a/a", "a/b", "a0"]);
}

#[test]
fn there_is_no_write_skew() {
    let store = Postgres::connect(&fresh()).unwrap();
    for round in 0..10 {
        let places: Vec<String> = (0..8).map(|place| format!("{round}/{place}")).collect();
        store.append(places.iter().map(|place| record(place, "1")).collect()).unwrap();
        // Each would go if another one stays. One of them must stay.
        thread::scope(|scope| {
            for place in &places {
                scope.spawn(|| {
                    store.write(|tx| {
                        let range = KeyRange::prefix(format!("{round}/"));
                        if tx.scan(&range, Order::Ascending, 9)?.len() > 1 {
                            assert!(tx.delete(place)?);
                        }
                        Ok(())
                    })
                });
            }
        });
        let left = store.read(|tx| tx.scan(&KeyRange::prefix(format!("{round}/")), Order::Ascending, 9)).unwrap();
        assert_eq!(left.len(), 1);
    }
}

#[test]
fn no_increment_is_lost() {
    let store = Postgres::connect(&fresh()).unwrap();
    store.append(vec![record("n", "0")]).unwrap();
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let outcome = store.write(|tx| {
                        let n: usize = tx.get("n")?.unwrap().parse().unwrap();
                        tx.put("n", &(n + 1).to_string(), Precondition::Present)
                    });
                    match outcome {
                        Ok(()) => _ = done.fetch_add(1, Ordering::Relaxed),
                        Err(error) => assert!(error.is_retryable(), "{error:?}"),
                    }
                }
            });
        }
    });
    let n = store.read(|tx| tx.get("n")).unwrap().unwrap();
    assert_eq!(n, done.into_inner().to_string());
    assert_eq!(n, "200", "nobody had to give up");
}

/// `each` records under a prefix, half of them in transactions and half appended.
fn write_many(store: &Postgres, prefix: &str, each: usize) {
    for n in 0..each {
        let key = format!("{prefix}/{n:05}");
        if n % 2 == 0 {
            store.write(|tx| tx.put(&key, "{\"n\": 1}", Precondition::Absent)).unwrap();
        } else {
            store.append(vec![record(&key, "{\"n\": 1}")]).unwrap();
        }
    }
}

#[test]
fn eight_threads_write_ten_thousand() {
    let store = Postgres::connect(&fresh()).unwrap();
    thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || write_many(store, &thread.to_string(), 1250));
        }
    });
    assert_eq!(count(&store), 10_000);
}

#[test]
fn four_processes_write_ten_thousand() {
    if let (Ok(url), Ok(name)) = (std::env::var("IOENV_WRITER_URL"), std::env::var("IOENV_WRITER_NAME")) {
        write_many(&Postgres::connect(&url).unwrap(), &name, 2500);
        return;
    }
    let url = fresh();
    let children = ["0", "1", "2", "3"].map(|name| {
        child("four_processes_write_ten_thousand", &[("IOENV_WRITER_URL", &url), ("IOENV_WRITER_NAME", name)])
    });
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(count(&Postgres::connect(&url).unwrap()), 10_000);
}

#[test]
fn a_single_connection_has_no_threads() {
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    if let Ok(url) = std::env::var("IOENV_SINGLE_URL") {
        let before = threads();
        let store = Postgres::connect_single(&url).unwrap();
        store.write(|tx| tx.put("a", "1", Precondition::Always)).unwrap();
        assert_eq!(threads(), before, "during");
        drop(store);
        assert_eq!(threads(), before, "after");
        return;
    }
    let cluster = Cluster::start(&[]);
    let numeric = cluster.fresh();
    for url in [numeric.replace("127.0.0.1", "localhost"), numeric] {
        assert!(child("a_single_connection_has_no_threads", &[("IOENV_SINGLE_URL", &url)]).wait().unwrap().success());
    }
    let socket = cluster.socket_url();
    assert!(child("a_single_connection_has_no_threads", &[("IOENV_SINGLE_URL", &socket)]).wait().unwrap().success());
}

#[test]
fn eight_may_make_the_tables_at_once() {
    let url = fresh();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| Postgres::connect_single(&url).unwrap().check().unwrap());
        }
    });
}

#[test]
fn other_versions_are_refused() {
    let url = fresh();
    let open = Postgres::connect(&url).unwrap();
    execute(&url, "UPDATE ioenv_schema SET version = 2");
    for error in [Postgres::connect(&url).unwrap_err(), open.check().unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::UnsupportedVersion, "{error:?}");
    }
    execute(&url, "DELETE FROM ioenv_schema");
    assert_eq!(open.check().unwrap_err().kind(), ErrorKind::Corrupt);
    execute(&url, "DROP TABLE ioenv_record");
    assert_eq!(open.read(|tx| tx.get("a")).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn a_server_may_go_and_come_back_under_eight_writers() {
    let cluster = Cluster::start(&[]);
    let store = Postgres::connect(&cluster.fresh()).unwrap();
    let (stop, acknowledged, errors) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    // The writers get on, or the test ends; a minute is longer than a server takes to start anywhere.
    let until_more_is_written = || {
        let (begun, goal) = (Instant::now(), acknowledged.load(Ordering::Relaxed) + 100);
        while acknowledged.load(Ordering::Relaxed) < goal && begun.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(1));
        }
        acknowledged.load(Ordering::Relaxed) >= goal
    };
    let (written, goes_on): (Vec<BTreeSet<String>>, bool) = thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (store, stop, acknowledged, errors) = (&store, &stop, &acknowledged, &errors);
                scope.spawn(move || {
                    let mut written = BTreeSet::new();
                    for n in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let key = format!("{writer}/{n}");
                        let outcome = if n % 2 == 0 {
                            store.write(|tx| tx.put(&key, "1", Precondition::Absent))
                        } else {
                            store.append(vec![record(&key, "1")])
                        };
                        match outcome {
                            Ok(()) => {
                                written.insert(key);
                                acknowledged.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(error) => {
                                assert!(error.is_retryable(), "{error:?}");
                                errors.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    }
                    written
                })
            })
            .collect();
        let mut goes_on = until_more_is_written();
        for mode in ["fast", "immediate"] {
            cluster.down(mode);
            cluster.up();
            goes_on &= until_more_is_written();
        }
        stop.store(true, Ordering::Relaxed);
        (writers.into_iter().map(|writer| writer.join().unwrap()).collect(), goes_on)
    });
    assert!(goes_on, "the writers got stuck");
    let there = store.read(|tx| tx.scan(&everything(), Order::Ascending, usize::MAX)).unwrap();
    let there: BTreeSet<&str> = keys(&there).into_iter().collect();
    let written: Vec<&String> = written.iter().flatten().collect();
    println!("{} acknowledged, {} there, {} errors", written.len(), there.len(), errors.into_inner());
    assert!(written.iter().all(|key| there.contains(key.as_str())), "an acknowledged record is gone");
    store.check().unwrap();

    // All connections of the pool are dead now, and the next call works all the same.
    let single = Postgres::connect_single(&cluster.url()).unwrap();
    cluster.down("immediate");
    let error = single.append(vec![record("a", "1")]).unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(Postgres::connect(&cluster.url()).unwrap_err().is_retryable());
    cluster.up();
    store.write(|tx| tx.put("after", "1", Precondition::Absent)).unwrap();
    single.write(|tx| tx.put("after", "1", Precondition::Absent)).unwrap();
}

/// A stop between the first statement and the commit: the work runs again.
#[test]
fn work_that_lost_its_connection_runs_again() {
    let cluster = Cluster::start(&[]);
    let store = Postgres::connect(&cluster.fresh()).unwrap();
    let mut runs = 0;
    store
        .write(|tx| {
            runs += 1;
            tx.get("a")?;
            if runs == 1 {
                cluster.down("fast");
                cluster.up();
            }
            // The read meets the dead connection; what it answers is for the store alone.
            let _ = tx.get("b");
            tx.put("a", "1", Precondition::Absent)
        })
        .unwrap();
    assert_eq!(runs, 2);
    assert_eq!(count(&store), 1);

    let mut runs = 0;
    let unknown = store.write(|tx| {
        runs += 1;
        tx.get("a")?;
        cluster.down("immediate");
        cluster.up();
        tx.put("a", "2", Precondition::Present)
    });
    let unknown = unknown.unwrap_err();
    assert!(unknown.is_retryable() && unknown.to_string().contains("unknown"), "{unknown:?}");
    assert_eq!(runs, 1, "a commit is not repeated");
}

fn openssl(directory: &std::path::Path, arguments: &str) {
    let output = Command::new("openssl").current_dir(directory).args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn certificates_are_verified() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    openssl(at, "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=test-ca -days 2");
    openssl(at, "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost");
    std::fs::write(at.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    openssl(
        at,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.crt -days 2 -extfile names",
    );
    let cluster = Cluster::prepare();
    for file in ["server.crt", "server.key"] {
        cluster.write(file, &std::fs::read(at.join(file)).unwrap());
    }
    cluster.up_with(&["ssl=on"]);
    execute(&cluster.url(), "CREATE ROLE reader LOGIN PASSWORD 'hunter2'");

    let root = format!("sslrootcert={}", at.join("ca.pem").display());
    let by_name = cluster.url().replace("127.0.0.1", "localhost");
    for mode in ["prefer", "require", "verify-full"] {
        let store = Postgres::connect(&format!("{by_name}?sslmode={mode}&{root}")).unwrap();
        store.write(|tx| tx.put("a", "1", Precondition::Always)).unwrap();
        // Without the authority, and under a name that the certificate does not have.
        for url in [format!("{by_name}?sslmode={mode}"), format!("{}?sslmode={mode}&{root}", cluster.url())] {
            let error = Postgres::connect(&url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
            assert!(error.to_string().contains("certificate"), "{error:?}");
        }
    }
    Postgres::connect_single(&format!("{by_name}?sslmode=disable")).unwrap();

    let plain = Cluster::start(&[]);
    let error = Postgres::connect(&format!("{}?sslmode=require", plain.url())).unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains("offers no TLS"), "{error:?}");
}

#[test]
fn nothing_shows_the_password() {
    let cluster = Cluster::prepare();
    cluster.write("pg_hba.conf", b"local all all trust\nhost all postgres all trust\nhost all all all scram-sha-256\n");
    cluster.up_with(&[]);
    execute(&cluster.url(), "CREATE ROLE guest LOGIN PASSWORD 'correct-horse'; CREATE SCHEMA AUTHORIZATION guest");
    let url = |user: &str, database: &str| format!("postgres://{user}@127.0.0.1:{}/{database}", cluster.port);

    let store = Postgres::connect(&url("guest:correct-horse", "postgres")).unwrap();
    store.write(|tx| tx.put("a", "1", Precondition::Always)).unwrap();
    assert_eq!(format!("{store:?} {store:#?}"), "Postgres { .. } Postgres { .. }");

    execute(&cluster.url(), "CREATE ROLE stranger LOGIN PASSWORD 'hunter2'");
    for (user, database, kind) in [
        ("guest:hunter2", "postgres", ErrorKind::Config),
        ("nobody:hunter2", "postgres", ErrorKind::Config),
        ("guest", "postgres", ErrorKind::Config),
        ("postgres:hunter2", "hunter2", ErrorKind::Config),
        ("stranger:hunter2", "postgres", ErrorKind::Config),
    ] {
        for error in [
            Postgres::connect(&url(user, database)).unwrap_err(),
            Postgres::connect_single(&url(user, database)).unwrap_err(),
        ] {
            assert_eq!(error.kind(), kind, "{user}: {error:?}");
            let text = format!("{error:?}");
            assert!(!text.contains("hunter2") && !text.contains("postgres:"), "{text}");
        }
    }
    // Nobody listens there.
    let error = Postgres::connect("postgres://u:hunter2@127.0.0.1:1/d").unwrap_err();
    assert!(error.is_retryable() && !format!("{error:?}").contains("hunter2"), "{error:?}");
}

/// The last transaction of a name is read ahead, and what has changed since then counts.
#[test]
fn what_is_read_ahead_is_what_there_is_now() {
    let url = fresh();
    let (store, other) = (Postgres::connect(&url).unwrap(), Postgres::connect(&url).unwrap());
    let put = |key: &str, value: &str| other.write(|tx| tx.put(key, value, Precondition::Always)).unwrap();
    let read = |keys: &[&str]| {
        let read = store.read(|tx| {
            tx.named("reader");
            keys.iter().map(|key| tx.get(key)).collect::<Result<Vec<_>, _>>()
        });
        read.unwrap().into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>()
    };
    put("a", "1");
    for round in 2..5 {
        assert_eq!(read(&["a", "b"]), [(round - 1).to_string(), String::new()]);
        put("a", &round.to_string());
    }
    // One that was not there, one that nobody asked for before, and one that is gone.
    put("b", "7");
    put("c", "8");
    assert_eq!(read(&["a", "b", "c"]), ["4", "7", "8"]);
    other.write(|tx| tx.delete("a")).unwrap();
    assert_eq!(read(&["a", "c"]), ["", "8"]);
    // A range, and an error of the work.
    let scanned = store.read(|tx| {
        tx.named("reader");
        let first = tx.get("c")?;
        Ok((first, tx.scan(&KeyRange::prefix(""), Order::Ascending, 9)?.len()))
    });
    assert_eq!(scanned.unwrap(), (Some("8".to_owned()), 2));
    let failed = store.read(|tx| {
        tx.named("reader");
        tx.get("c")?;
        tx.put("c", "9", Precondition::Always)
    });
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::InvalidValue);
    assert_eq!(read(&["c"]), ["8"]);
}

#[test]
fn a_pool_has_no_more_connections_than_are_allowed() {
    let cluster = Cluster::start(&["superuser_reserved_connections=3"]);
    let admin = cluster.url();
    assert_eq!(Postgres::connect_pool(&admin, 200).unwrap().pool_size().connections(), 100);
    execute(&admin, "CREATE ROLE few LOGIN CONNECTION LIMIT 2; CREATE ROLE many LOGIN");
    execute(&admin, "GRANT ALL ON SCHEMA public TO few, many; GRANT ALL ON ALL TABLES IN SCHEMA public TO few, many");
    let url = |user: &str| admin.replace("postgres@", &format!("{user}@"));
    assert_eq!(Postgres::connect_pool(&url("many"), 200).unwrap().pool_size().allowed, Some(97));
    let store = Postgres::connect_pool(&url("few"), 8).unwrap();
    assert_eq!((store.pool_size().wanted, store.pool_size().connections()), (8, 2));
    thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                let key = format!("t/{thread}");
                store.write(|tx| tx.put(&key, "1", Precondition::Always)).unwrap();
            });
        }
    });
    assert_eq!(Postgres::connect_single(&admin).unwrap().pool_size().connections(), 1);
}
