//! The snapshot, and what a program makes of it.
#![cfg(feature = "sealed")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeMap;
use std::process::Command;

use common::path;
use ioenv::source::{Reading, Request, Source};
use ioenv::{Document, Env, ErrorKind, Kind, Layer, Loader, Precedence, Result, SecretString};
use serde::Deserialize;

/// Levels that are there without a file.
#[derive(Debug)]
struct Levels(Vec<(&'static str, String)>);

impl Source for Levels {
    fn read(&self, _request: &Request<'_>) -> Result<Reading> {
        let layers = self.0.iter().map(|(level, text)| Ok(Layer::new(path(level), Document::parse(text)?)));
        Ok(Reading::new("levels in memory", layers.collect::<Result<_>>()?))
    }
}

fn loader(levels: &[(&'static str, &str)]) -> Loader {
    let levels = levels.iter().map(|(level, text)| (*level, (*text).to_owned())).collect();
    Loader::new().source(Levels(levels)).path(path("acme/dev")).precedence(Precedence::VaultWins)
}

fn env(text: &str) -> Env {
    loader(&[("acme", ""), ("acme/dev", text)]).resolve().unwrap()
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Fast,
    Safe,
}

#[derive(Debug, Deserialize)]
struct Config {
    port: u16,
    ratio: f64,
    verbose: bool,
    mode: Mode,
    hosts: Vec<String>,
    api_key: SecretString,
    absent: Option<u8>,
    #[serde(default)]
    retries: u8,
    #[serde(rename = "DATABASE_URL")]
    url: Wrapped,
}

#[derive(Debug, Deserialize)]
struct Wrapped(String);

#[derive(Deserialize)]
struct One {
    port: u16,
}

#[test]
fn a_struct_takes_what_it_names() {
    let config: Config = env(
        "PORT=8080\nRATIO=0.5\nVERBOSE=On\nMODE=fast\nHOSTS=a, b\nAPI_KEY=planted\nDATABASE_URL=postgres://x\nOTHER=1\n",
    )
    .deserialize()
    .unwrap();
    assert_eq!((config.port, config.ratio, config.verbose, config.mode), (8080, 0.5, true, Mode::Fast));
    assert_eq!((config.hosts, config.absent, config.retries), (vec!["a".to_owned(), "b".to_owned()], None, 0));
    assert_eq!((config.api_key.expose_secret(), config.url.0.as_str()), ("planted", "postgres://x"));
}

#[test]
fn a_map_takes_all_and_a_name_of_its_own_goes_before_one_in_another_case() {
    let all: BTreeMap<String, String> = env("A=1\nb=2\n").deserialize().unwrap();
    assert_eq!(all, BTreeMap::from([("A".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]));

    assert_eq!(env("PORT=1\nport=2\n").deserialize::<One>().unwrap().port, 2);
    assert_eq!(env("Port=3\n").deserialize::<One>().unwrap().port, 3);
}

#[test]
fn what_does_not_fit_is_named_and_never_shown() {
    let good = [
        ("PORT", "1"),
        ("RATIO", "1"),
        ("VERBOSE", "1"),
        ("MODE", "fast"),
        ("HOSTS", "a"),
        ("API_KEY", "k"),
        ("DATABASE_URL", "u"),
    ];
    for name in ["PORT", "RATIO", "VERBOSE", "MODE"] {
        let text: String = good
            .iter()
            .map(|(other, value)| format!("{other}={}\n", if *other == name { "planted" } else { value }))
            .collect::<Vec<_>>()
            .concat();
        let error = env(&text).deserialize::<Config>().unwrap_err();
        assert_eq!((error.kind(), error.names()[0].as_str()), (ErrorKind::InvalidValue, name));
        assert!(!format!("{error} {error:?}").contains("planted"), "{error:?}");
    }
    let error = env("RATIO=1\n").deserialize::<Config>().unwrap_err();
    assert_eq!((error.kind(), error.names()[0].as_str()), (ErrorKind::NotFound, "PORT"));
    assert!(
        error.to_string().starts_with("acme/dev: no level sets PORT: add it with `ioenv set PORT --path acme/dev`"),
        "{error}"
    );
    assert_eq!(env("A=1\n").deserialize::<u8>().unwrap_err().kind(), ErrorKind::InvalidValue);
}

#[test]
fn secrets_are_taken_from_other_formats_without_being_quoted() {
    let secret: SecretString = serde_json::from_str("\"planted\"").unwrap();
    assert_eq!(secret.expose_secret(), "planted");
    let error = serde_json::from_str::<SecretString>("[\"planted\"]").unwrap_err();
    assert!(!error.to_string().contains("planted"), "{error}");
}

#[test]
fn only_what_is_asked_for_is_taken() {
    let all = [("acme", "A=1\nB=2\n"), ("acme/dev", "B=3\nC=4\nPATH=/x\n")];
    let env = loader(&all).only(["B", "PATH", "NOT_THERE"]).resolve().unwrap();
    let names: Vec<&str> = env.names().map(ioenv::VarName::as_str).collect();
    assert_eq!(names, ["B", "PATH"]);
    assert_eq!(loader(&all).only(["A B"]).resolve().unwrap_err().kind(), ErrorKind::InvalidName);
    assert_eq!(loader(&all).resolve().unwrap().withheld()[0].as_str(), "PATH");
}

#[test]
fn what_is_required_is_reported_all_at_once() {
    let all = [("acme", "A=1\n"), ("acme/dev", "PATH=/x\n")];
    let error = loader(&all).require(["Z", "A"]).require(["Y", "X", "W", "V"]).resolve().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("required and set by no level: V, W, X, Y, Z"), "{error}");
    assert_eq!(error.path(), Some(path("acme/dev")));
    let error = loader(&all).require(["PATH"]).resolve().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
    let error = loader(&all).require(["PATH", "Z", "Y"]).resolve().unwrap_err();
    assert_eq!((error.kind(), error.names().len()), (ErrorKind::NotFound, 3));
    assert!(error.to_string().contains("by no level: Y, Z;") && error.to_string().contains("withheld"), "{error}");
    loader(&all).only(["PATH"]).require(["PATH"]).resolve().unwrap();
    // What `only` leaves out is not there.
    assert_eq!(loader(&all).only(["B"]).require(["A"]).resolve().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn references_are_expanded_when_that_is_asked_for() {
    let all = [("acme", "HOST=db\nPRICE='${HOST}'\n"), ("acme/dev", "URL=\"//${HOST}/${NOBODY}\"\n")];
    let env = loader(&all).resolve().unwrap();
    assert_eq!(env.var("URL").unwrap().expose_secret(), "//${HOST}/${NOBODY}");
    assert!(env.unresolved().is_empty());
    // A name that is left out can still be referred to.
    let env = loader(&all).expand(true).only(["URL", "PRICE"]).resolve().unwrap();
    assert_eq!(env.var("URL").unwrap().expose_secret(), "//db/${NOBODY}");
    assert_eq!(env.var("PRICE").unwrap().expose_secret(), "${HOST}");
    assert_eq!(env.unresolved().len(), 1);
    let circle = loader(&[("acme", "A=${B}\nB=${A}\n")]).expand(true).resolve().unwrap_err();
    assert_eq!((circle.kind(), circle.names().len()), (ErrorKind::InvalidValue, 2));
}

#[test]
fn a_snapshot_turns_back_into_a_document() {
    let env = loader(&[("acme", "# ioenv: variable\nB=2\nA=1\n"), ("acme/dev", "A=x y\n")]).resolve().unwrap();
    assert_eq!(env.to_document().to_text().expose_secret(), "A='x y'\n# ioenv: variable\nB=2\n");
    assert_eq!(env.get("B").unwrap().kind(), Kind::Variable);
    assert_eq!(env.path(), &path("acme/dev"));
}

#[test]
fn a_child_process_gets_all_and_keeps_its_own() {
    let mut child = Command::new("/bin/sh");
    env("A=1\nB='x  y'\n").apply_to(&mut child);
    let output = child.env("C", "3").args(["-c", "echo \"$A$B$C\""]).output().unwrap();
    assert_eq!(common::text(&output.stdout), "1x  y3\n");
}

#[test]
fn what_is_shared_can_be_shared_and_held_as_a_trait() {
    fn assert_shared<T: Send + Sync + 'static>() {}
    assert_shared::<Env>();
    assert_shared::<Loader>();
    assert_shared::<Box<dyn Source>>();
    assert_shared::<Box<dyn ioenv::Cipher>>();
    assert_shared::<Box<dyn ioenv::KeyDerivation>>();
    assert_shared::<Box<dyn ioenv::Random>>();
    let clone = env("A=1\n").clone();
    std::thread::spawn(move || assert!(clone.var("A").is_ok())).join().unwrap();
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    #[serde(rename = "A")]
    _a: String,
}

#[test]
fn a_struct_that_denies_what_it_does_not_know_says_so() {
    env("A=1\n").deserialize::<Strict>().unwrap();
    let error = env("A=1\nB=planted\n").deserialize::<Strict>().unwrap_err();
    assert!(error.to_string().contains("the struct has no field for B"), "{error}");
}

#[test]
fn a_source_can_be_boxed_and_can_fail_in_its_own_words() {
    #[derive(Debug)]
    struct Away;

    impl Source for Away {
        fn read(&self, _request: &Request<'_>) -> Result<Reading> {
            let cause = std::io::Error::other("connection refused");
            Err(ioenv::Error::new(ErrorKind::Unavailable, "the store does not answer").with_source(cause))
        }
    }

    let source: Box<dyn Source> = Box::new(Away);
    let error = Loader::new().source(source).path(path("acme")).resolve().unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(format!("{error:?}"), "the store does not answer\n  caused by: connection refused");
}

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
#[test]
fn a_vault_that_is_not_compiled_in_names_its_feature() {
    let directory = tempfile::tempdir().unwrap();
    for (vault, feature) in [("ioenv.vault", "sqlite"), ("postgres://u@h/d", "postgres")] {
        let text = format!("source = \"vault\"\npath = \"acme\"\nvault = \"{vault}\"\n");
        std::fs::write(directory.path().join("ioenv.toml"), text).unwrap();
        let configuration = ioenv::Configuration::discover_in(directory.path()).unwrap();
        let error = Loader::new().configuration(configuration).resolve().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CrateFeature);
        assert!(error.to_string().contains(&format!("needs the feature `{feature}`")), "{error}");
    }
}

#[test]
fn a_flattened_struct_is_named_as_the_reason() {
    #[derive(Debug, serde::Deserialize)]
    struct Flat {
        #[serde(flatten)]
        _database: Database,
    }
    #[derive(Debug, serde::Deserialize)]
    struct Database {
        _database_url: String,
    }
    #[derive(Debug, serde::Deserialize)]
    struct Renamed {
        #[serde(flatten)]
        database: RenamedDatabase,
    }
    #[derive(Debug, serde::Deserialize)]
    struct RenamedDatabase {
        #[serde(rename = "DATABASE_URL")]
        url: String,
    }
    let error = env("_DATABASE_URL=planted\n").deserialize::<Flat>().unwrap_err();
    let text = error.to_string();
    assert_eq!((error.kind(), error.names()[0].as_str()), (ErrorKind::InvalidValue, "_DATABASE_URL"));
    assert!(text.contains("flatten") && text.contains("rename") && !text.contains("planted"), "{text}");
    assert_eq!(env("A=1\n").deserialize::<Flat>().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(env("DATABASE_URL=u\n").deserialize::<Renamed>().unwrap().database.url, "u");
}

#[test]
fn a_field_takes_a_variable_with_dots() {
    #[derive(Debug, Deserialize)]
    struct Spring {
        #[serde(rename = "spring.datasource.url")]
        url: String,
        port: u16,
    }
    let spring: Spring = env("SPRING.datasource.url=u\nPORT=1\n").deserialize().unwrap();
    assert_eq!((spring.url.as_str(), spring.port), ("u", 1));
    let both: Spring = env("spring.datasource.url=own\nSpring.Datasource.Url=u\nPORT=1\n").deserialize().unwrap();
    assert_eq!(both.url, "own");
    let error = env("PORT=1\nspring=1\n").deserialize::<Spring>().unwrap_err();
    assert_eq!((error.kind(), error.names()[0].as_str()), (ErrorKind::NotFound, "spring.datasource.url"));
    let all: BTreeMap<String, String> = env("a.b=1\nA_B=2\n").deserialize().unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["A_B", "a.b"]);
    assert_eq!(env("a.b=1\n").var("a.b").unwrap().expose_secret(), "1");
}
