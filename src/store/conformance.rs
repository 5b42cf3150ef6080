//! What every store must do, as checks that a store of one's own can be run through.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use ioenv::store::{Memory, Store, conformance};
//!
//! conformance::run(|| {
//!     let store = Arc::new(Memory::new()); // a fresh store for each check
//!     Box::new(move || Box::new(Arc::clone(&store)) as Box<dyn Store>) // one more handle on it
//! });
//! ```

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::store::record::{KeyRange, MAX_KEY_BYTES, MAX_RECORD_BYTES, Order, Record};
use crate::store::transaction::{Access, Precondition, Store, StoreExt as _, Transaction};

/// Opens one more handle on the store that a check works on. A store that has a file or a server opens it anew each
/// time; one that lives in the process gives out an `Arc` of it.
pub type Open = dyn Fn() -> Box<dyn Store> + Send + Sync;

/// One thing that a store must do.
#[derive(Clone, Copy)]
pub struct Check {
    name: &'static str,
    run: fn(&Open),
}

impl Check {
    /// What it checks.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs it on a store that is empty and that nobody else uses.
    ///
    /// # Panics
    /// When the store does something else.
    pub fn run(&self, open: &Open) {
        (self.run)(open);
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// All checks.
pub const CHECKS: &[Check] = &[
    Check { name: "records_are_put_read_and_deleted", run: records_are_put_read_and_deleted },
    Check { name: "preconditions_hold", run: preconditions_hold },
    Check { name: "a_transaction_sees_its_own_writes", run: a_transaction_sees_its_own_writes },
    Check { name: "an_error_rolls_back", run: an_error_rolls_back },
    Check { name: "a_panic_rolls_back", run: a_panic_rolls_back },
    Check { name: "reading_transactions_do_not_write", run: reading_transactions_do_not_write },
    Check { name: "scans_are_in_the_order_of_bytes", run: scans_are_in_the_order_of_bytes },
    Check { name: "pages_have_every_record_once", run: pages_have_every_record_once },
    Check { name: "json_comes_back_equal", run: json_comes_back_equal },
    Check { name: "sizes_are_bounded", run: sizes_are_bounded },
    Check { name: "nul_is_refused", run: nul_is_refused },
    Check { name: "an_append_is_all_or_nothing", run: an_append_is_all_or_nothing },
    Check { name: "handles_see_each_others_writes", run: handles_see_each_others_writes },
    Check { name: "readers_see_one_state", run: readers_see_one_state },
    Check { name: "there_is_no_write_skew", run: there_is_no_write_skew },
    Check {
        name: "ten_thousand_writes_of_eight_threads_are_there",
        run: ten_thousand_writes_of_eight_threads_are_there,
    },
    Check { name: "errors_of_others_cost_nothing", run: errors_of_others_cost_nothing },
];

/// Runs all checks, each on a store of its own: `fresh` makes an empty one and returns how it is opened.
///
/// # Panics
/// With the name of the first check that does not hold.
pub fn run(fresh: impl Fn() -> Box<Open>) {
    for check in CHECKS {
        let open = fresh();
        let held = catch_unwind(AssertUnwindSafe(|| check.run(&*open)));
        assert!(held.is_ok(), "the store does not conform: {}", check.name);
    }
}

/// Writes `count` records whose keys begin with `prefix` and a slash, by transactions and appends in turn.
///
/// Several processes do it at the same time, each with a prefix of its own; [`verify_many`] looks at the result.
///
/// # Panics
/// When a write fails.
pub fn write_many(store: &dyn Store, prefix: &str, count: usize) {
    for n in 0..count {
        let key = format!("{prefix}/{n:06}");
        let written = if n % 2 == 0 {
            patiently(|| {
                store.write(|tx| {
                    // All writers change this one; few enough of them that they do not only wait for each other.
                    if n % 16 == 0 {
                        let before = number(tx, COUNTER)?;
                        set(tx, COUNTER, before + 1)?;
                    }
                    tx.put(&key, &n.to_string(), Precondition::Always)
                })
            })
        } else {
            patiently(|| store.append(vec![record(&key, &n.to_string())]))
        };
        must(written, "a write is durable");
    }
}

/// Looks whether all is there that [`write_many`] wrote with each of the prefixes.
///
/// # Panics
/// When something is missing.
pub fn verify_many(store: &dyn Store, prefixes: &[&str], count: usize) {
    for prefix in prefixes {
        let found = all(store, &KeyRange::prefix(format!("{prefix}/")));
        assert_eq!(found.len(), count, "records of {prefix} that are there");
        for (n, record) in found.iter().enumerate() {
            assert_eq!((record.key.as_str(), &record.value), (format!("{prefix}/{n:06}").as_str(), &n.to_string()));
        }
    }
    let counted = must(store.read(|tx| number(tx, COUNTER)), "a read");
    let expected = i64::try_from(count.div_ceil(16) * prefixes.len()).unwrap_or(i64::MAX);
    assert_eq!(counted, expected, "no update of a record is lost");
}

const COUNTER: &str = "conformance/counter";

fn records_are_put_read_and_deleted(open: &Open) {
    let store = open();
    assert_eq!(value(&*store, "a"), None, "a store begins empty");
    put(&*store, "a", "1");
    put(&*store, "a", "2");
    assert_eq!(value(&*store, "a").as_deref(), Some("2"));
    assert!(must(store.write(|tx| tx.delete("a")), "delete"), "delete says that there was a record");
    assert!(!must(store.write(|tx| tx.delete("a")), "delete"), "delete says that there was none");
    assert_eq!(value(&*store, "a"), None);
    must(store.check(), "check finds no damage");
}

fn preconditions_hold(open: &Open) {
    let store = open();
    let put = |when| store.write(|tx| tx.put("a", "1", when));
    refused(put(Precondition::Present), ErrorKind::Conflict, "a put of a record that must be present, and is not");
    must(put(Precondition::Absent), "put");
    refused(put(Precondition::Absent), ErrorKind::Conflict, "a put of a record that must be absent, and is not");
    must(put(Precondition::Present), "put");
    let went_on = store.write(|tx| {
        let conflict = tx.put("a", "2", Precondition::Absent);
        assert!(conflict.is_err(), "the precondition fails");
        tx.put("b", "3", Precondition::Absent)
    });
    must(went_on, "a transaction goes on after a precondition that does not hold");
    assert_eq!(value(&*store, "a").as_deref(), Some("1"));
    assert_eq!(value(&*store, "b").as_deref(), Some("3"));
}

fn a_transaction_sees_its_own_writes(open: &Open) {
    let store = open();
    put(&*store, "k/2", "2");
    put(&*store, "k/3", "3");
    let seen = store.write(|tx| {
        tx.put("k/1", "1", Precondition::Absent)?;
        tx.put("k/3", "33", Precondition::Present)?;
        tx.delete("k/2")?;
        assert_eq!(tx.get("k/1")?.as_deref(), Some("1"), "get sees a put");
        assert_eq!(tx.get("k/2")?, None, "get sees a delete");
        tx.put("k/2", "22", Precondition::Absent)?;
        tx.delete("k/1")?;
        tx.scan(&KeyRange::prefix("k/"), Order::Descending, 10)
    });
    assert_eq!(must(seen, "scan"), [record("k/3", "33"), record("k/2", "22")], "scan sees what the transaction did");
}

fn an_error_rolls_back(open: &Open) {
    let store = open();
    put(&*store, "a", "1");
    let failed: Result<()> = store.write(|tx| {
        tx.put("a", "2", Precondition::Always)?;
        tx.put("b", "2", Precondition::Always)?;
        tx.delete("a")?;
        Err(Error::new(ErrorKind::NotFound, "the work has failed"))
    });
    refused(failed, ErrorKind::NotFound, "a work that fails, with its own error");
    assert_eq!(all(&*store, &KeyRange::prefix("")), [record("a", "1")], "nothing of it is left");
}

fn a_panic_rolls_back(open: &Open) {
    let store = open();
    put(&*store, "a", "1");
    for access in [Access::Write, Access::Read] {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            store.transaction(access, &mut |tx| {
                if access == Access::Write {
                    tx.put("a", "2", Precondition::Always)?;
                }
                // As `panic!`, without a message on the terminal of who runs the checks.
                std::panic::resume_unwind(Box::new("the work has panicked"))
            })
        }));
        assert!(panicked.is_err(), "a panic goes through");
        assert_eq!(value(&*store, "a").as_deref(), Some("1"), "nothing of the work is left");
        put(&*store, "b", "3");
    }
}

fn reading_transactions_do_not_write(open: &Open) {
    let store = open();
    put(&*store, "a", "1");
    assert!(
        store.read(|tx| tx.put("b", "2", Precondition::Always)).is_err(),
        "a put in a reading transaction is refused"
    );
    assert!(store.read(|tx| tx.delete("a")).is_err(), "a delete in a reading transaction is refused");
    assert_eq!(all(&*store, &KeyRange::prefix("")), [record("a", "1")]);
}

fn scans_are_in_the_order_of_bytes(open: &Open) {
    let store = open();
    // The last two are in the other order where text is compared as UTF-16, the first three with a human's collation.
    let keys = ["B", "a", "b", "b/", "b0", "z", "\u{e4}", "\u{ffee}", "\u{1f600}"];
    for key in keys.iter().rev() {
        put(&*store, key, "1");
    }
    let scan = |range: KeyRange, order, limit| {
        let found = must(store.read(|tx| tx.scan(&range, order, limit)), "scan");
        found.into_iter().map(|record| record.key).collect::<Vec<_>>()
    };
    let range = |start: &str, end: Option<&str>| KeyRange { start: start.to_owned(), end: end.map(str::to_owned) };
    assert_eq!(scan(range("", None), Order::Ascending, 100), keys);
    let backwards: Vec<_> = keys.iter().rev().copied().collect();
    assert_eq!(scan(range("", None), Order::Descending, 100), backwards);
    assert_eq!(scan(range("b", Some("b0")), Order::Ascending, 100), ["b", "b/"], "the start is in, the end is not");
    assert_eq!(scan(range("b", Some("b0")), Order::Descending, 1), ["b/"]);
    assert_eq!(scan(range("z", None), Order::Ascending, 2), ["z", "\u{e4}"]);
    assert_eq!(scan(range("\u{ffee}", Some("\u{1f600}")), Order::Ascending, 9), ["\u{ffee}"]);
    for empty in [range("c", Some("c")), range("z", Some("a"))] {
        assert!(scan(empty, Order::Ascending, 9).is_empty(), "nothing is in an empty range");
    }
    assert!(scan(range("", None), Order::Ascending, 0).is_empty(), "no record is within a limit of none");
    assert_eq!(scan(range("", None), Order::Ascending, usize::MAX).len(), keys.len(), "a limit may be large");
}

fn pages_have_every_record_once(open: &Open) {
    let store = open();
    let keys: Vec<String> = (0..95).map(|n| format!("page/{n:02}")).collect();
    must(store.append(keys.iter().map(|key| record(key, "1")).collect()), "append");
    put(&*store, "pagf", "1");
    for order in [Order::Ascending, Order::Descending] {
        let mut found = must(store.read(|tx| pages(tx, &KeyRange::prefix("page/"), order)), "scan");
        if order == Order::Descending {
            found.reverse();
        }
        assert!(found.iter().map(|record| &record.key).eq(&keys), "{order:?}");
    }
}

fn json_comes_back_equal(open: &Open) {
    let store = open();
    let texts = [
        "null",
        "true",
        "-12",
        "9007199254740993",
        "0.5",
        "\"\"",
        "\"\u{e4} \u{1f600} \\\" \\\\ \\n \\u001f \\u20ac\"",
        "[]",
        "{}",
        "{\"b\": [1, {\"c\": null}], \"a\": {\"z\": \"\\\\u0000\", \"\": false}}",
    ];
    for text in texts {
        put(&*store, "json", text);
        let back = value(&*store, "json").unwrap_or_default();
        assert_eq!(json(&back), json(text), "what was put as {text}");
    }
}

fn sizes_are_bounded(open: &Open) {
    let store = open();
    let value_of = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let put = |key: &str, value: &str| store.write(|tx| tx.put(key, value, Precondition::Always));
    let (key, large) = ("k".repeat(MAX_KEY_BYTES), value_of(MAX_RECORD_BYTES));
    must(put(&key, &large), "the largest record");
    assert_eq!(value(&*store, &key).map(|back| json(&back)), Some(json(&large)), "the largest record comes back");
    refused(put("a", &value_of(MAX_RECORD_BYTES + 1)), ErrorKind::Limit, "a value that is too large");
    refused(put(&format!("{key}k"), "1"), ErrorKind::Limit, "a key that is too long");
    refused(
        store.append(vec![record(&format!("{key}k"), "1")]),
        ErrorKind::Limit,
        "an append of a key that is too long",
    );
    refused(put("", "1"), ErrorKind::InvalidValue, "an empty key");
    assert_eq!(value(&*store, &format!("{key}k")), None, "a key that is too long is in no record");
}

fn nul_is_refused(open: &Open) {
    let store = open();
    for (key, value) in [("a\0b", "1"), ("a", "\"\0\""), ("a", "\"\\u0000\""), ("a", "{\"\\\\\\u0000\": 1}")] {
        refused(store.write(|tx| tx.put(key, value, Precondition::Always)), ErrorKind::InvalidValue, "a put of NUL");
        refused(store.append(vec![record(key, value)]), ErrorKind::InvalidValue, "an append of NUL");
    }
    assert!(all(&*store, &KeyRange::prefix("")).is_empty());
}

fn an_append_is_all_or_nothing(open: &Open) {
    let store = open();
    must(store.append(Vec::new()), "an append of nothing");
    refused(
        store.append(vec![record("a/1", "1"), record("", "1")]),
        ErrorKind::InvalidValue,
        "an append of an empty key",
    );
    assert!(all(&*store, &KeyRange::prefix("")).is_empty(), "nothing of it is left");

    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let store = &store;
                scope.spawn(move || {
                    for n in 0..50 {
                        let three = (0..3).map(|part| record(&format!("b/{writer}/{n}/{part}"), "1")).collect();
                        must(patiently(|| store.append(Vec::clone(&three))), "append");
                    }
                })
            })
            .collect();
        let (store, done) = (open(), &done);
        let reader = scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(all(&*store, &KeyRange::prefix("b/")).len() % 3, 0, "a reader sees all of an append");
            }
        });
        let joined: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        assert!(joined.into_iter().chain([reader.join()]).all(|thread| thread.is_ok()));
    });
    assert_eq!(all(&*store, &KeyRange::prefix("b/")).len(), 600);
}

fn handles_see_each_others_writes(open: &Open) {
    let (one, other) = (open(), open());
    for n in 0..20 {
        put(&*one, "a", &n.to_string());
        assert_eq!(value(&*other, "a"), Some(n.to_string()), "what another handle has written");
        put(&*other, "a", "\"back\"");
        assert_eq!(value(&*one, "a").as_deref(), Some("\"back\""));
    }
}

fn readers_see_one_state(open: &Open) {
    const ACCOUNTS: [&str; 4] = ["account/a", "account/b", "account/c", "account/d"];
    let store = open();
    must(store.append(ACCOUNTS.map(|key| record(key, "100")).into()), "append");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let store = open();
                scope.spawn(move || {
                    for n in 0..100 {
                        let (from, to) = (ACCOUNTS[(n + writer) % 4], ACCOUNTS[(n * writer + 1) % 4]);
                        let moved = patiently(|| {
                            store.write(|tx| {
                                let amount = number(tx, from)?;
                                set(tx, from, amount - 1)?;
                                let amount = number(tx, to)?;
                                set(tx, to, amount + 1)
                            })
                        });
                        must(moved, "a transaction among others");
                    }
                })
            })
            .collect();
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let (store, done) = (open(), &done);
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        // One record after the other, so that a writer may come in between.
                        let sum = patiently(|| {
                            store.read(|tx| {
                                let mut sum = 0;
                                for key in ACCOUNTS {
                                    sum += number(tx, key)?;
                                    thread::yield_now();
                                }
                                Ok(sum)
                            })
                        });
                        assert_eq!(must(sum, "a read"), 400, "the sum of what is only moved");
                    }
                })
            })
            .collect();
        let joined: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        let joined = joined.into_iter().chain(readers.into_iter().map(thread::ScopedJoinHandle::join));
        assert!(joined.into_iter().all(|thread| thread.is_ok()), "a reader sees no half of a transaction");
    });
    let sum = must(store.read(|tx| ACCOUNTS.iter().map(|key| number(tx, key)).sum::<Result<i64>>()), "a read");
    assert_eq!(sum, 400, "no update is lost");
}

/// Each of two doctors may go if the other one stays.
fn there_is_no_write_skew(open: &Open) {
    let stores = [open(), open()];
    for round in 0..50 {
        must(stores[0].append(vec![record("on/0", "1"), record("on/1", "1")]), "append");
        thread::scope(|scope| {
            for n in 0..4 {
                let store = &stores[n % 2];
                scope.spawn(move || {
                    let left = patiently(|| {
                        store.write(|tx| {
                            if number(tx, "on/0")? + number(tx, "on/1")? == 2 {
                                set(tx, if n / 2 == 0 { "on/0" } else { "on/1" }, 0)?;
                            }
                            Ok(())
                        })
                    });
                    must(left, "a transaction among others");
                });
            }
        });
        let on = must(stores[1].read(|tx| Ok(number(tx, "on/0")? + number(tx, "on/1")?)), "a read");
        assert_eq!(on, 1, "exactly one has gone in round {round}");
    }
}

fn ten_thousand_writes_of_eight_threads_are_there(open: &Open) {
    let prefixes = ["t/0", "t/1", "t/2", "t/3", "t/4", "t/5", "t/6", "t/7"];
    let stores = [open(), open()];
    thread::scope(|scope| {
        for (n, prefix) in prefixes.into_iter().enumerate() {
            // Most share a handle, some have another one.
            let store = &stores[usize::from(n > 5)];
            scope.spawn(move || write_many(&**store, prefix, 1250));
        }
    });
    verify_many(&*open(), &prefixes, 1250);
    must(stores[0].check(), "check finds no damage");
}

fn errors_of_others_cost_nothing(open: &Open) {
    let store = open();
    thread::scope(|scope| {
        for writer in 0..6 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..60 {
                    let key = format!("{writer}/{n:02}");
                    let mut work = |tx: &mut dyn Transaction| {
                        tx.put(&key, "1", Precondition::Absent)?;
                        match writer {
                            0 => Err(Error::new(ErrorKind::NotFound, "the work has failed")),
                            1 => std::panic::resume_unwind(Box::new("the work has panicked")),
                            _ => Ok(()),
                        }
                    };
                    let write = AssertUnwindSafe(|| patiently(|| store.transaction(Access::Write, &mut work)));
                    match catch_unwind(write) {
                        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => assert_eq!(writer, 0),
                        Ok(written) => must(written, "a write beside works that fail"),
                        Err(_) => assert_eq!(writer, 1, "only this one panics"),
                    }
                }
            });
        }
    });
    let found = all(&*store, &KeyRange::prefix(""));
    let expected = (2..6).flat_map(|writer| (0..60).map(move |n| format!("{writer}/{n:02}")));
    assert!(
        found.iter().map(|record| record.key.clone()).eq(expected),
        "all that succeeded is there, and nothing else"
    );
}

/// Tries again what other transactions were in the way of, as a caller would.
fn patiently<T>(mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..1000 {
        match attempt() {
            Err(error) if error.is_retryable() => thread::yield_now(),
            done => return done,
        }
    }
    attempt()
}

fn record(key: &str, value: &str) -> Record {
    Record { key: key.to_owned(), value: value.to_owned() }
}

fn put(store: &dyn Store, key: &str, value: &str) {
    must(store.write(|tx| tx.put(key, value, Precondition::Always)), "put");
}

fn value(store: &dyn Store, key: &str) -> Option<String> {
    must(store.read(|tx| tx.get(key)), "get")
}

fn number(tx: &mut dyn Transaction, key: &str) -> Result<i64> {
    Ok(tx.get(key)?.map_or(0, |text| json(&text).as_i64().unwrap_or_else(|| panic!("{key} holds a number"))))
}

fn set(tx: &mut dyn Transaction, key: &str, number: i64) -> Result<()> {
    tx.put(key, &number.to_string(), Precondition::Always)
}

fn all(store: &dyn Store, range: &KeyRange) -> Vec<Record> {
    must(patiently(|| store.read(|tx| pages(tx, range, Order::Ascending))), "scan")
}

fn pages(tx: &mut dyn Transaction, range: &KeyRange, order: Order) -> Result<Vec<Record>> {
    let (mut rest, mut found) = (range.clone(), Vec::new());
    loop {
        let page = tx.scan(&rest, order, 10)?;
        assert!(page.len() <= 10, "a scan returns no more than its limit");
        let Some(last) = page.last() else { return Ok(found) };
        rest = match order {
            Order::Ascending => rest.after(&last.key),
            Order::Descending => rest.before(&last.key),
        };
        found.extend(page);
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("the store returns JSON: {error}"))
}

fn must<T>(result: Result<T>, what: &str) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {error:?}"))
}

fn refused<T>(result: Result<T>, kind: ErrorKind, what: &str) {
    match result {
        Ok(_) => panic!("{what} must be refused"),
        Err(error) => assert_eq!(error.kind(), kind, "{what}: {error:?}"),
    }
}
