//! Sources of a program's own, behind a loader.
#![cfg(feature = "sealed")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use common::path;
use ioenv::source::{Freshness, Reading, Request, Revision, Source};
use ioenv::{Configuration, Document, Error, ErrorKind, KeyRing, Layer, LevelKey, Loader, Result};

/// A level that is there without a file, and without a key.
#[derive(Debug)]
struct Fixed;

impl Source for Fixed {
    fn read(&self, request: &Request<'_>) -> Result<Reading> {
        let layer = Layer::new(request.path().clone(), Document::parse("PORT=8080\n")?);
        Ok(Reading::new("fixed levels", vec![layer]))
    }
}

/// The same, but it asks for keys.
#[derive(Debug)]
struct Keyed;

impl Source for Keyed {
    fn read(&self, request: &Request<'_>) -> Result<Reading> {
        request.keys()?;
        Fixed.read(request)
    }
}

/// A project whose key file is as `write` leaves it.
fn with_key_file(write: impl FnOnce(&Path)) -> (tempfile::TempDir, Configuration) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("ioenv.toml"), "path = \"acme\"\nkey_file = \"the.key\"\n").unwrap();
    write(&directory.path().join("the.key"));
    let configuration = Configuration::discover_in(directory.path()).unwrap();
    (directory, configuration)
}

#[test]
fn a_source_that_needs_no_keys_does_not_read_the_key_file() {
    type Write = fn(&Path);
    let bad: [(Write, ErrorKind); 3] = [
        (|_| {}, ErrorKind::Io),
        (|file| fs::create_dir(file).unwrap(), ErrorKind::Io),
        (|file| fs::write(file, "ioenv_key_typo\n").unwrap(), ErrorKind::InvalidValue),
    ];
    for (write, kind) in bad {
        let (_directory, configuration) = with_key_file(write);
        let env = Loader::new().configuration(configuration).source(Fixed).resolve().unwrap();
        assert_eq!(env.var("PORT").unwrap().expose_secret(), "8080");

        let (_directory, configuration) = with_key_file(write);
        let error = Loader::new().configuration(configuration).source(Keyed).resolve().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");

        // Keys that the program gives stand in for the file.
        let (_directory, configuration) = with_key_file(write);
        let keys = KeyRing::from(LevelKey::from_bytes(&[1; 32]));
        Loader::new().configuration(configuration).key(keys).source(Keyed).resolve().unwrap();
    }
}

#[test]
fn a_loader_asks_for_layers_and_takes_nothing_else() {
    #[derive(Debug)]
    struct Lazy;
    impl Source for Lazy {
        fn read(&self, request: &Request<'_>) -> Result<Reading> {
            assert_eq!(request.revision(), None);
            Ok(Reading::not_modified("a lazy source", Revision::new("7")))
        }
    }
    let error = Loader::new().source(Lazy).path(path("acme")).resolve().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    assert!(error.to_string().starts_with("a lazy source says that nothing was modified"), "{error}");
}

#[test]
fn a_source_can_stand_before_others_and_the_environment_says_which_one_answered() {
    #[derive(Debug)]
    struct Away;
    impl Source for Away {
        fn read(&self, _request: &Request<'_>) -> Result<Reading> {
            Err(Error::new(ErrorKind::Unavailable, "the store does not answer"))
        }
    }

    /// Asks one source after the other, as long as they are away.
    #[derive(Debug)]
    struct Chain(Vec<Box<dyn Source>>);
    impl Source for Chain {
        fn read(&self, request: &Request<'_>) -> Result<Reading> {
            let mut last = Error::new(ErrorKind::Config, "the chain is empty");
            for source in &self.0 {
                match source.read(request) {
                    Err(error) if error.is_retryable() => last = error,
                    answered => return answered,
                }
            }
            Err(last)
        }
    }

    /// Says how old its copy is.
    #[derive(Debug)]
    struct Cached(SystemTime);
    impl Source for Cached {
        fn read(&self, request: &Request<'_>) -> Result<Reading> {
            let layers = Fixed.read(request)?.into_layers()?;
            Ok(Reading::new("a copy", layers).with_freshness(Freshness::Stale { since: self.0 }))
        }
    }

    let since = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let load = |sources: Vec<Box<dyn Source>>| Loader::new().source(Chain(sources)).path(path("acme")).resolve();

    let env = load(vec![Box::new(Fixed), Box::new(Cached(since))]).unwrap();
    assert_eq!((env.source(), env.freshness()), ("fixed levels", Freshness::Live));
    let env = load(vec![Box::new(Away), Box::new(Cached(since))]).unwrap();
    assert_eq!((env.source(), env.freshness()), ("a copy", Freshness::Stale { since }));
    assert_eq!(load(vec![Box::new(Away)]).unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn a_source_reports_as_well_as_our_own() {
    #[derive(Debug)]
    struct Missing;
    impl Source for Missing {
        fn read(&self, request: &Request<'_>) -> Result<Reading> {
            let error = Error::new(ErrorKind::NotFound, "the store has no value for PORT");
            Err(error.with_names(["PORT".parse()?]).with_path(request.path()).with_path(&path("acme")))
        }
    }
    let error = Loader::new().source(Missing).path(path("acme/dev")).resolve().unwrap_err();
    assert_eq!(error.to_string(), "acme/dev: the store has no value for PORT");
    assert_eq!((error.path(), error.names()[0].as_str()), (Some(path("acme/dev")), "PORT"));
}
