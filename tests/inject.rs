//! Writing into the process environment. What an async runtime changes is in `tests/full/inject_runtime.rs`.
#![expect(clippy::unwrap_used, reason = "a scenario that cannot go on has failed")]

mod common;
mod scenarios;

use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use common::{Project, path, run};
use ioenv::{ErrorKind, Inject, Loader, Precedence};
use scenarios::{SCENARIO, Scenario};

const PLANTED: &str = "planted-9f2c";

const SCENARIOS: &[Scenario] = &[
    ("load_writes_what_every_library_then_sees", load_writes_what_every_library_then_sees),
    ("the_process_keeps_what_it_has", the_process_keeps_what_it_has),
    ("the_vault_wins_when_it_is_told_to", the_vault_wins_when_it_is_told_to),
    ("a_second_thread_is_refused_and_nothing_changes", a_second_thread_is_refused_and_nothing_changes),
    ("a_thread_that_was_joined_does_not_count", a_thread_that_was_joined_does_not_count),
    ("an_overlay_writes_nothing_and_is_seen", an_overlay_writes_nothing_and_is_seen),
    ("the_first_load_is_kept", the_first_load_is_kept),
    ("what_fails_changes_nothing", what_fails_changes_nothing),
    ("loader_names_are_withheld", loader_names_are_withheld),
    ("loader_names_are_taken_by_name", loader_names_are_taken_by_name),
    ("a_value_that_is_not_utf8_is_named_and_not_shown", a_value_that_is_not_utf8_is_named_and_not_shown),
    ("unchecked_injection_writes_too", unchecked_injection_writes_too),
    ("a_child_gets_what_apply_to_gives_it", a_child_gets_what_apply_to_gives_it),
    ("loading_works_without_a_key_in_the_environment_and_from_memory", loading_from_memory),
];

fn main() -> ExitCode {
    scenarios::main(SCENARIOS, |name| {
        let project = Project::new(&[
            ("acme", "SHARED=from-project\nPORT=80\nspring.datasource.url=dotted\n"),
            ("acme/dev", &format!("PORT=8080\nSECRET={PLANTED}\nPATH=/nowhere\nLD_PRELOAD=/nowhere.so\n")),
        ]);
        let mut child = project.program(std::env::current_exe().expect("this very file"));
        child.env(SCENARIO, name).env("HAD", "before");
        if name.contains("utf8") {
            #[cfg(unix)]
            child.env("SECRET", std::os::unix::ffi::OsStrExt::from_bytes(b"planted-9f2c\xff") as &std::ffi::OsStr);
        }
        if name.starts_with("the_process") || name.starts_with("the_vault") {
            child.env("PORT", "9000");
        }
        (run(&mut child, ""), vec![PLANTED.to_owned()])
    })
}

fn process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn load_writes_what_every_library_then_sees() {
    let env = ioenv::load().unwrap();
    assert_eq!(process("SECRET").as_deref(), Some(PLANTED));
    assert_eq!(process("spring.datasource.url").as_deref(), Some("dotted"));
    assert_eq!(process("PORT").as_deref(), Some("8080"));
    assert_eq!(process("SHARED").as_deref(), Some("from-project"));
    assert_eq!(ioenv::var("PORT").unwrap().expose_secret(), "8080");
    assert_eq!(ioenv::var("HAD").unwrap().expose_secret(), "before");
    assert_eq!(ioenv::var("NOT_THERE").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(ioenv::var("A=B").unwrap_err().kind(), ErrorKind::InvalidName);
    assert_eq!(env.origin("PORT").unwrap().to_string(), "acme/dev, over acme");

    // Children inherit it; what the kernel shows of this process's start does not have it.
    let child = Command::new("/bin/sh").args(["-c", "test \"$SECRET\" = planted-9f2c"]).status().unwrap();
    assert!(child.success());
    #[cfg(target_os = "linux")]
    assert!(!String::from_utf8_lossy(&std::fs::read("/proc/self/environ").unwrap()).contains(PLANTED));
}

fn the_process_keeps_what_it_has() {
    let env = ioenv::load().unwrap();
    assert_eq!(process("PORT").as_deref(), Some("9000"));
    assert_eq!(env.var("PORT").unwrap().expose_secret(), "9000");
    assert_eq!(env.origin("PORT").unwrap().to_string(), "the process, over acme/dev, acme");
}

fn the_vault_wins_when_it_is_told_to() {
    let env = Loader::new().precedence(Precedence::VaultWins).load().unwrap();
    assert_eq!(process("PORT").as_deref(), Some("8080"));
    assert_eq!(env.origin("PORT").unwrap().to_string(), "acme/dev, over acme");
}

fn a_second_thread_is_refused_and_nothing_changes() {
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let thread = thread::spawn(move || stopped.recv());
    let error = ioenv::load().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MultiThreaded);
    let text = error.to_string();
    assert!(text.starts_with("2 threads are running") && text.contains("first statement of `main`"), "{text}");
    assert_eq!(process("SECRET"), None);
    assert_eq!(ioenv::var("SECRET").unwrap_err().kind(), ErrorKind::NotFound);
    // Reading stays possible, and loading too once the thread is gone.
    assert_eq!(ioenv::resolve().unwrap().var("PORT").unwrap().expose_secret(), "8080");
    drop(stop);
    thread.join().unwrap().unwrap_err();
    ioenv::load().unwrap();
    assert_eq!(process("SECRET").as_deref(), Some(PLANTED));
}

/// The kernel lists a thread for a moment after `join` has returned, in a few of a thousand cases; the retry is what
/// keeps `load` from refusing then. Each round needs a process of its own, since a process loads once.
fn a_thread_that_was_joined_does_not_count() {
    if process("TEST_ROUND").is_some() {
        thread::spawn(|| thread::sleep(Duration::from_micros(50))).join().unwrap();
        ioenv::load().unwrap();
        return;
    }
    for _ in 0..300 {
        let mut child = Command::new(std::env::current_exe().unwrap());
        assert!(child.env("TEST_ROUND", "1").status().unwrap().success());
    }
}

fn an_overlay_writes_nothing_and_is_seen() {
    thread::spawn(|| Loader::new().inject(Inject::Overlay).load()).join().unwrap().unwrap();
    assert_eq!(process("SECRET"), None);
    assert_eq!(ioenv::var("SECRET").unwrap().expose_secret(), PLANTED);
}

fn the_first_load_is_kept() {
    let first = ioenv::load().unwrap();
    let again = Loader::new().path(path("acme/dev")).load().unwrap();
    assert!(first.names().eq(again.names()));
    assert_eq!(Loader::new().require(["NOPE"]).load().unwrap_err().kind(), ErrorKind::NotFound);
    for loader in [Loader::new().path(path("acme")), Loader::new().inject(Inject::Overlay)] {
        assert_eq!(loader.load().unwrap_err().kind(), ErrorKind::AlreadyLoaded);
    }
    assert_eq!(Loader::new().path(path("acme")).resolve().unwrap().var("PORT").unwrap().expose_secret(), "80");
}

fn what_fails_changes_nothing() {
    let error = Loader::new().require(["SECRET", "ONE", "TWO", "THREE", "FOUR", "FIVE"]).load().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.names().len(), 5);
    assert!(error.to_string().contains("FIVE, FOUR, ONE, THREE, TWO"), "{error}");
    assert_eq!(process("SECRET"), None);
    assert_eq!(ioenv::var("SECRET").unwrap_err().kind(), ErrorKind::NotFound);
    Loader::new().require(["SECRET"]).load().unwrap();
}

fn loader_names_are_withheld() {
    let before = process("PATH");
    let error = Loader::new().require(["PATH"]).load().unwrap_err();
    assert_eq!((error.kind(), error.names()[0].as_str()), (ErrorKind::InvalidName, "PATH"));
    let env = Loader::new().precedence(Precedence::VaultWins).load().unwrap();
    let withheld: Vec<&str> = env.withheld().iter().map(ioenv::VarName::as_str).collect();
    assert_eq!(withheld, ["LD_PRELOAD", "PATH"]);
    assert_eq!((process("PATH"), process("LD_PRELOAD")), (before, None));
    assert!(env.var("LD_PRELOAD").is_err());
}

fn loader_names_are_taken_by_name() {
    let env = Loader::new().only(["LD_PRELOAD", "PORT"]).require(["LD_PRELOAD"]).load().unwrap();
    assert_eq!(env.names().map(ToString::to_string).collect::<Vec<_>>(), ["LD_PRELOAD", "PORT"]);
    assert_eq!(process("LD_PRELOAD").as_deref(), Some("/nowhere.so"));
    assert_eq!(process("SECRET"), None);
    assert!(env.withheld().is_empty());
}

#[cfg(unix)]
fn a_value_that_is_not_utf8_is_named_and_not_shown() {
    for error in [ioenv::load().unwrap_err(), ioenv::var("SECRET").unwrap_err()] {
        assert_eq!((error.kind(), error.names()[0].as_str()), (ErrorKind::InvalidValue, "SECRET"));
        assert!(!format!("{error} {error:?}").contains("planted"));
    }
    assert_eq!(process("SHARED"), None);
    Loader::new().precedence(Precedence::VaultWins).load().unwrap();
}

#[cfg(not(unix))]
fn a_value_that_is_not_utf8_is_named_and_not_shown() {}

fn unchecked_injection_writes_too() {
    let env = ioenv::resolve().unwrap();
    assert_eq!(process("SECRET"), None);
    #[expect(unsafe_code, reason = "it is what is tested")]
    // SAFETY: this process runs one thread.
    unsafe {
        env.inject_unchecked();
    }
    assert_eq!(process("SECRET").as_deref(), Some(PLANTED));
}

fn a_child_gets_what_apply_to_gives_it() {
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let thread = thread::spawn(move || stopped.recv());
    let mut child = Command::new("/bin/sh");
    ioenv::resolve().unwrap().apply_to(&mut child);
    let output = run(child.args(["-c", "test \"$SECRET\" = planted-9f2c && test \"$PORT\" = 8080"]), "");
    assert!(output.status.success());
    assert_eq!(process("SECRET"), None);
    drop(stop);
    thread.join().unwrap().unwrap_err();
}

fn loading_from_memory() {
    let text = std::fs::read_to_string("ioenv.sealed").unwrap();
    let key = ioenv::KeyRing::parse(&std::fs::read_to_string("ioenv.key").unwrap()).unwrap();
    for file in ["ioenv.sealed", "ioenv.key", "ioenv.toml"] {
        std::fs::remove_file(file).unwrap();
    }
    let sealed = ioenv::SealedFile::parse(&text).unwrap();
    let env = Loader::new().source(sealed).key(key).path(path("acme")).load().unwrap();
    assert_eq!(env.names().count(), 3);
    assert_eq!(process("PORT").as_deref(), Some("80"));
}
