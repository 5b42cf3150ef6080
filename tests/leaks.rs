//! Secrets are planted everywhere they can be, and every rendering is searched for them.
#![cfg(feature = "sealed")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use ioenv::dotenv_cloud::{KeyProof, Padded};
use std::fs;

use common::{Project, path};
use ioenv::{
    Aes256Gcm, Cipher as _, Document, Error, KeyDerivation as _, KeyRing, KeyString, Layer, LevelKey, Loader, Pbkdf2,
    SealedBlob, SealedFile, SecretBytes, SecretString, SystemRandom, expand, merge,
};

const PLANTED: &str = "planted4c1d";

/// A document with the plant in values and comments.
fn document() -> String {
    format!("# was {PLANTED}\nA={PLANTED} # {PLANTED}\nB='{PLANTED} ${{A}}'\n# ioenv: variable\nC=shown\n# {PLANTED}\n")
}

/// In any spelling a leak could have.
fn assert_clean(rendering: &str, what: &str) {
    let base64 = base64_of(PLANTED);
    for spelling in [PLANTED, "lanted4c1d", base64.trim_end_matches('='), "706c616e746564"] {
        assert!(!rendering.contains(spelling), "{what}: {rendering}");
    }
}

fn base64_of(text: &str) -> String {
    // The text of a blob is base64 of its bytes; 28 bytes are the least it takes.
    let blob = SealedBlob::from_bytes([text.as_bytes(), &[0; 28]].concat()).unwrap();
    blob.to_string()[..text.len() / 3 * 4].to_owned()
}

fn assert_clean_error(error: &Error, what: &str) {
    assert_clean(&format!("{error} {error:?} {error:#?} {:?}", error.names()), what);
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        assert_clean(&format!("{error} {error:?}"), what);
        cause = error.source();
    }
}

#[test]
fn no_debug_shows_a_secret() {
    let key = LevelKey::from_bytes(b"planted4c1dplanted4c1dplanted4c1");
    let string = KeyString::new(PLANTED).unwrap();
    let derivation = Pbkdf2::new(b"salt and more salt", 1).unwrap();
    let parsed = Document::parse(&document()).unwrap();
    let layer = || Layer::new(path("acme"), parsed.clone());
    let mut resolved = merge(vec![layer()]);
    expand(&mut resolved).unwrap();
    let mut sealed =
        SealedFile::parse(&SealedFile::create("/no/such/file", "acme".parse().unwrap()).unwrap().to_text()).unwrap();
    sealed.add_key("main".parse().unwrap(), &key).unwrap();
    sealed.set_level(&path("acme"), &parsed, &(&key).into()).unwrap();
    let blob = Aes256Gcm.seal(&key, PLANTED.as_bytes(), &SystemRandom).unwrap();
    let loader = Loader::new().path(path("acme")).key(&key).source(SealedFile::parse(&sealed.to_text()).unwrap());
    let shown = format!("{loader:?}");
    let env = loader.resolve().unwrap();

    let entry = parsed.get("A").unwrap();
    let renderings: Vec<(&str, String)> = vec![
        ("LevelKey", format!("{key:?} {key:#?}")),
        ("its text", format!("{:?}", key.to_text())),
        ("KeyString", format!("{string:?} {string:#?}")),
        ("derived", format!("{:?} {:?}", derivation.derive(&string).unwrap(), Padded.derive(&string).unwrap())),
        ("Pbkdf2", format!("{derivation:?}")),
        ("KeyProof", format!("{:?}", KeyProof::new(&string, &derivation))),
        ("KeyRing", format!("{:?}", KeyRing::parse(&format!("{PLANTED}\n{}", key.to_text().expose_secret())).unwrap())),
        ("SecretString", format!("{:?} {:#?}", SecretString::from(PLANTED), Some(SecretString::from(PLANTED)))),
        ("SecretBytes", format!("{:?}", SecretBytes::from(PLANTED.as_bytes().to_vec()))),
        ("Document", format!("{parsed:?} {parsed:#?}")),
        ("Entry", format!("{entry:?} {:?}", entry.value())),
        ("Layer", format!("{:?}", layer())),
        ("Resolved", format!("{resolved:?} {resolved:#?}")),
        ("Variable", format!("{:?} {:?}", resolved.get("A"), resolved.get("A").map(|one| one.origin()))),
        ("SealedBlob", format!("{blob:?}")),
        ("SealedFile", format!("{sealed:?} {:?} {}", sealed.keys(), sealed.to_text())),
        ("Loader", shown),
        ("Env", format!("{env:?} {env:#?}")),
    ];
    for (what, rendering) in renderings {
        assert!(!rendering.is_empty());
        assert_clean(&rendering, what);
    }
}

/// Broken in every way that a cut or a changed character can break it.
#[test]
fn no_error_of_the_reader_repeats_the_text() {
    let mut errors = 0;
    let text = format!("{}D=\"{PLANTED}\\n\"\nE='x'\n", document());
    for (at, _) in text.char_indices() {
        let (before, after) = text.split_at(at);
        for broken in [
            before.to_owned(),
            format!("{before}\0{after}"),
            format!("{before}\"{after}"),
            format!("{before}\n{after}"),
            after.to_owned(),
        ] {
            if let Err(error) = Document::parse(&broken) {
                errors += 1;
                assert_clean_error(&error, "a broken document");
            }
        }
    }
    assert!(errors > 100, "{errors}");
}

#[test]
fn no_error_of_keys_files_and_names_repeats_what_it_refuses() {
    let text = format!("ioenv_key_{PLANTED}");
    let mut errors = vec![
        LevelKey::parse(&text).unwrap_err(),
        LevelKey::parse(PLANTED).unwrap_err(),
        KeyRing::parse(&text).unwrap_err(),
        format!("{PLANTED}=").parse::<ioenv::VarName>().unwrap_err(),
        format!("{PLANTED}/ ").parse::<ioenv::LevelPath>().unwrap_err(),
        format!("{PLANTED} ").parse::<ioenv::Slug>().unwrap_err(),
        format!("{PLANTED}!").parse::<SealedBlob>().unwrap_err(),
        SealedFile::parse(PLANTED).unwrap_err(),
        SealedFile::parse(&format!("ioenv-sealed {PLANTED}")).unwrap_err(),
        ioenv::var(&format!("{PLANTED} ")).unwrap_err(),
        KeyProof::establish(
            &KeyString::new("planted4c1dplanted4c1dplanted4c1").unwrap(),
            &Pbkdf2::new(b"", 1).unwrap(),
        )
        .unwrap_err(),
    ];
    // The wrong key, and every line of a sealed file made wrong.
    let project = Project::new(&[("acme", &document())]);
    let sealed = SealedFile::open(project.sealed_file()).unwrap();
    errors.push(sealed.layers(&path("acme"), &KeyString::new(PLANTED).unwrap().into()).unwrap_err());
    errors.push(sealed.layers(&path("acme"), &KeyRing::new()).unwrap_err());
    let lines: Vec<String> = fs::read_to_string(project.sealed_file()).unwrap().lines().map(str::to_owned).collect();
    for number in 0..lines.len() {
        let mut lines = lines.clone();
        lines[number] = PLANTED.to_owned();
        let read = SealedFile::parse(&lines.join("\n"));
        errors.extend(read.and_then(|sealed| sealed.layers(&path("acme"), &project.keys())).err());
    }
    assert!(errors.len() > 25, "{}", errors.len());
    for error in errors {
        assert_clean_error(&error, "an error");
    }
}

#[cfg(feature = "cli")]
#[test]
fn no_command_prints_a_secret_unasked() {
    let project = Project::new(&[("acme", &document()), ("acme/dev", &format!("A=\"{PLANTED}\"\n"))]);
    project.write("new.env", &format!("N={PLANTED}\n# {PLANTED}\n"));
    project.write("bad.env", &format!("{PLANTED}\n"));
    project.write("not.env", "A=1\n");
    project.write("other.key", &format!("{PLANTED}\n"));
    let commands: &[&[&str]] = &[
        &["list"],
        &["list", "--own"],
        &["list", "--format", "json"],
        &["explain", "A"],
        &["tree"],
        &["key"],
        &["key", "check"],
        &["import", "new.env"],
        &["import", "bad.env"],
        &["set", "A"],
        &["set", "A", PLANTED],
        &["set", "A", "x", PLANTED],
        &["set", &format!("A={PLANTED}")[..]],
        &["unset", "N"],
        &["get", &format!("A={PLANTED}")[..]],
        &["run", "--", "true"],
        &["run", "--", "/no/such/program"],
        &["export", "-o", "out.env"],
        &["export", "-o", "out.env"],
        &["list", "--key-file", "other.key"],
        &["key", "check", "--key-file", "other.key"],
        &["--help"],
    ];
    for args in commands {
        let output = common::run(project.ioenv(args).env("RUST_BACKTRACE", "1").env("SHADOW", PLANTED), PLANTED);
        assert_clean(&(common::text(&output.stdout) + &common::text(&output.stderr)), &format!("{args:?}"));
        assert!(!common::text(&output.stderr).contains("panicked"), "{args:?}");
    }
    // Nor does it stay anywhere but where it was put.
    for entry in fs::read_dir(project.directory()).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !["new.env", "bad.env", "other.key", "out.env"].contains(&name.as_str()) {
            assert_clean(&String::from_utf8_lossy(&fs::read(&file).unwrap()), &name);
        }
    }
    // The plant is really there.
    assert_eq!(project.stdout(&["get", "A"]), PLANTED);
}
