//! Loading where an async runtime is: it must be refused if the runtime has threads of its own.
#![allow(clippy::unwrap_used, reason = "a scenario that cannot go on has failed")]

#[path = "../scenarios/mod.rs"]
mod scenarios;

use std::process::{Command, ExitCode};

use ioenv::{Document, Env, ErrorKind, Inject, KeyRing, LevelKey, Loader, Result, SealedFile, SystemRandom};
use scenarios::{SCENARIO, Scenario};
use tokio::runtime::{Builder, Runtime};

const PLANTED: &str = "planted-9f2c";

const SCENARIOS: &[Scenario] = &[
    ("a_multi_threaded_runtime_is_refused", a_multi_threaded_runtime_is_refused),
    ("a_current_thread_runtime_is_not", a_current_thread_runtime_is_not),
    ("an_overlay_works_in_a_multi_threaded_runtime", an_overlay_works_in_a_multi_threaded_runtime),
];

fn main() -> ExitCode {
    scenarios::main(SCENARIOS, |name| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.env(SCENARIO, name).env_remove("SECRET");
        (child.output().unwrap(), vec![PLANTED.to_owned()])
    })
}

/// Loads one level that sets `SECRET`.
fn load(inject: Inject) -> Result<Env> {
    let key = LevelKey::generate(&SystemRandom).unwrap();
    let keys = KeyRing::from(&key);
    let level = Document::parse(&format!("SECRET={PLANTED}\n")).unwrap();
    let mut sealed = SealedFile::create("unsaved.sealed", "acme".parse().unwrap()).unwrap();
    sealed.add_key("main".parse().unwrap(), &key).unwrap();
    sealed.set_level(&"acme".parse().unwrap(), &level, &keys).unwrap();
    Loader::new().source(sealed).key(keys).path("acme".parse().unwrap()).inject(inject).load()
}

fn process_has_the_secret() -> bool {
    std::env::var("SECRET").is_ok_and(|value| value == PLANTED)
}

fn multi_threaded() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

fn a_multi_threaded_runtime_is_refused() {
    let error = multi_threaded().block_on(async { load(Inject::Process) }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MultiThreaded);
    assert!(!process_has_the_secret());
}

fn a_current_thread_runtime_is_not() {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { load(Inject::Process) }).unwrap();
    assert!(process_has_the_secret());
}

fn an_overlay_works_in_a_multi_threaded_runtime() {
    multi_threaded().block_on(async {
        load(Inject::Overlay).unwrap();
        assert_eq!(ioenv::var("SECRET").unwrap().expose_secret(), PLANTED);
    });
    assert!(!process_has_the_secret());
}
