//! The sealed file against files that another implementation made (`scripts/make-sealed-vector.py`): one that opens,
//! and many that must not.
#![cfg(feature = "sealed")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::{io::Write as _, process::Command, thread};

use ioenv::{Document, Error, ErrorKind, KeyRing, Kind, LevelPath, Result, SealedFile};
use serde_json::Value;

const GOOD: &str = include_str!("vectors/sealed-v1.sealed");

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn json(name: &str) -> Value {
    let text = fs::read_to_string(vectors().join(name)).expect("the vectors are there");
    serde_json::from_str(&text).expect("the index is JSON")
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} is no list"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is no text"))
}

fn path(text: &str) -> LevelPath {
    text.parse().expect("the vectors name levels")
}

/// All keys of the good file, as a key file has them.
fn ring(index: &Value) -> KeyRing {
    let lines: Vec<&str> = list(index, "keys").iter().map(|key| text(key, "text")).collect();
    KeyRing::parse(&lines.join("\n")).expect("the keys can be read")
}

/// What a document says, in the form of the index.
fn entries(document: &Document) -> Vec<Value> {
    let entry = |entry: &ioenv::Entry| {
        serde_json::json!({
            "name": entry.name().as_str(),
            "value": entry.value().expose_secret(),
            "kind": if entry.kind() == Kind::Variable { "variable" } else { "secret" },
            "comment": entry.comment(),
        })
    };
    document.entries().iter().map(entry).collect()
}

/// Asserts that the file says what the good one says.
fn assert_says_it_all(file: &SealedFile, index: &Value) {
    let keys = ring(index);
    let levels = list(index, "levels");
    let expected: Vec<LevelPath> = levels.iter().map(|level| path(text(level, "path"))).collect();
    assert!(file.paths().eq(&expected), "{:?}", file.paths().collect::<Vec<_>>());
    for (level, path) in levels.iter().zip(&expected) {
        let document = file.level(path, &keys).expect("opens").expect("is there");
        assert_eq!(document.to_text().expose_secret(), text(level, "text"), "{path}");
        assert_eq!(entries(&document), list(level, "entries"), "{path}");
        assert_eq!(file.key_of(path).map(AsRef::as_ref), Some(text(level, "key")), "{path}");
    }
}

/// Asserts that an error tells nothing that an error must not tell.
fn assert_is_discreet(error: &Error, index: &Value, name: &str) {
    let rendered = format!("{error}\n{error:?}\n{error:#?}");
    let keys = list(index, "keys").iter().map(|key| text(key, "text"));
    let values =
        list(index, "levels").iter().flat_map(|level| list(level, "entries")).map(|entry| text(entry, "value"));
    // Shorter values are found by accident.
    for secret in keys.chain(values).chain(["planted"]).filter(|secret| secret.len() > 4) {
        assert!(!rendered.contains(secret), "{name}: {rendered}");
    }
}

#[test]
fn a_file_of_another_implementation_opens_and_says_what_it_should() {
    let index = json("sealed-v1.json");
    let file = SealedFile::parse(GOOD).unwrap();
    assert_says_it_all(&file, &index);

    assert_eq!(file.project().as_str(), text(&index, "project"));
    let created = humantime::parse_rfc3339(text(&index, "created")).unwrap();
    let described: Vec<_> = file.keys().iter().map(|key| (key.id().as_str(), key.scheme(), key.created())).collect();
    let expected: Vec<_> =
        list(&index, "keys").iter().map(|key| (text(key, "id"), text(key, "scheme"), created)).collect();
    assert_eq!(described, expected);
}

#[test]
fn the_file_of_another_implementation_is_written_as_it_was_read() {
    assert_eq!(SealedFile::parse(GOOD).unwrap().to_text(), GOOD);
}

#[test]
fn a_chain_needs_the_keys_of_its_own_levels_alone() {
    let index = json("sealed-v1.json");
    let file = SealedFile::parse(GOOD).unwrap();
    let key = |id: &str| text(list(&index, "keys").iter().find(|key| key["id"] == id).unwrap(), "text");
    let main = KeyRing::parse(key("main")).unwrap();

    let layers = file.layers(&path("acme-store/backend"), &main).unwrap();
    let paths: Vec<&str> = layers.iter().map(|layer| layer.path().as_str()).collect();
    assert_eq!(paths, ["acme-store", "acme-store/backend"]);

    for id in ["production", "staging"] {
        let level = path(&format!("acme-store/backend/{id}"));
        let error = file.layers(&level, &main).unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::Config, Some(level.clone())), "{error}");
        assert!(error.to_string().contains(&format!("`{id}`")), "{error}");
        assert_is_discreet(&error, &index, id);

        let mut both = main.clone();
        both.extend(KeyRing::parse(key(id)).unwrap());
        assert_eq!(file.layers(&level, &both).unwrap().len(), 3, "{id}");
    }
}

#[test]
fn every_damaged_file_gives_its_error_and_stays_as_it_is() {
    let index = json("sealed-v1.json");
    let keys = ring(&index);
    let bad = json("sealed-bad/index.json");
    let directory = tempfile::tempdir().unwrap();
    for record in list(&bad, "files") {
        let name = text(record, "file");
        let bytes = fs::read(vectors().join("sealed-bad").join(name)).unwrap();
        let file = directory.path().join(name);
        fs::write(&file, &bytes).unwrap();

        let opened = SealedFile::open(&file);
        let Some(kind) = record["kind"].as_str() else {
            assert_says_it_all(&opened.unwrap_or_else(|error| panic!("{name}: {error}")), &index);
            continue;
        };
        let error = if let Some(level) = record["level"].as_str() {
            let opened = opened.unwrap_or_else(|error| panic!("{name}: {error}"));
            let error = opened.level(&path(level), &keys).expect_err(name);
            // The command and `load` come this way.
            assert_eq!(opened.layers(&path(level), &keys).expect_err(name).kind(), error.kind(), "{name}");
            // One level that is damaged takes no other one with it.
            let others = opened.paths().filter(|path| path.as_str() != level);
            if error.kind() != ErrorKind::Config {
                assert_eq!(others.filter(|path| opened.level(path, &keys).is_err()).count(), 0, "{name}");
            }
            error
        } else {
            let error = opened.expect_err(name);
            assert_eq!(SealedFile::edit(&file).expect_err(name).kind(), error.kind(), "{name}");
            let line = record["line"].as_u64().and_then(|line| usize::try_from(line).ok());
            if let Some(line) = line {
                assert_eq!(error.position(), Some((line, 1)), "{name}: {error}");
            }
            error
        };
        assert_eq!(format!("{:?}", error.kind()), kind, "{name}: {error}");
        assert!(error.to_string().contains(name), "the error names no file: {error}");
        assert_is_discreet(&error, &index, name);
        assert_eq!(fs::read(&file).unwrap(), bytes, "{name}");
    }
}

#[test]
fn every_damaged_file_is_in_the_index() {
    let bad = json("sealed-bad/index.json");
    let mut listed: Vec<&str> = list(&bad, "files").iter().map(|record| text(record, "file")).collect();
    listed.push("index.json");
    listed.sort_unstable();
    let there = fs::read_dir(vectors().join("sealed-bad")).unwrap();
    let mut there: Vec<String> = there.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    there.sort_unstable();
    assert_eq!(there, listed);
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_corrupt() {
    for length in 0..GOOD.len() - 1 {
        let error = SealedFile::parse(&GOOD[..length]).expect_err("something is missing");
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{length} bytes: {error}");
    }
    assert!(SealedFile::parse(&GOOD[..GOOD.len() - 1]).is_ok(), "only the last line end is missing");
}

#[test]
fn a_flipped_bit_anywhere_but_in_a_date_is_noticed() {
    let index = json("sealed-v1.json");
    let keys = ring(&index);
    // Without the passphrase, which costs too much to be stretched ten thousand times.
    let sections: Vec<&str> = GOOD.split("\n\n").filter(|section| !section.contains("staging")).collect();
    let good = sections.join("\n\n");
    let opens = |text: &str| -> Result<Vec<(LevelPath, String)>> {
        let file = SealedFile::parse(text)?;
        let level = |path: &LevelPath| {
            let document = file.level(path, &keys)?.expect("the path is one of the file's");
            Ok((path.clone(), document.to_text().expose_secret().to_owned()))
        };
        file.paths().map(level).collect()
    };
    let expected = opens(&good).unwrap();
    assert_eq!(expected.len(), 4);

    let mut start = 0;
    for line in good.split_inclusive('\n') {
        for bit in start * 8..(start + line.len()) * 8 {
            let mut bytes = good.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(Ok(said)) = String::from_utf8(bytes).map(|text| opens(&text)) else {
                continue;
            };
            assert!(line.starts_with("  created "), "bit {} of {line:?}", bit - start * 8);
            assert_eq!(said, expected);
        }
        start += line.len();
    }
}

#[test]
fn text_that_is_not_utf_8_is_corrupt() {
    let index = json("sealed-v1.json");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ioenv.sealed");
    let utf16: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut one_byte = GOOD.as_bytes().to_vec();
    one_byte[GOOD.len() / 2] = 0xff;
    for bytes in [utf16, one_byte, b"\xff\xfeplanted".to_vec()] {
        fs::write(&file, &bytes).unwrap();
        let error = SealedFile::open(&file).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert_is_discreet(&error, &index, "not UTF-8");
        assert_eq!(fs::read(&file).unwrap(), bytes);
    }
}

#[cfg(unix)]
fn assert_is_too_large(file: &Path) {
    let error = SealedFile::open(file).expect_err("it is too large");
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
}

#[cfg(unix)] // elsewhere a file with holes costs what it seems to hold
#[test]
fn a_file_beyond_16_mib_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let zeros = directory.path().join("zeros");
    for bytes in [16 * 1024 * 1024 + 1, 17 * 1024 * 1024, 10 * 1024 * 1024 * 1024] {
        File::create(&zeros).unwrap().set_len(bytes).unwrap();
        assert_is_too_large(&zeros);
        assert_eq!(fs::metadata(&zeros).unwrap().len(), bytes);
    }
    // Exactly 16 MiB are read, and are no sealed file.
    File::create(&zeros).unwrap().set_len(16 * 1024 * 1024).unwrap();
    assert_eq!(SealedFile::open(&zeros).unwrap_err().kind(), ErrorKind::Corrupt);
}

/// The other side of a pipe sees how much is read.
#[cfg(unix)]
#[test]
fn no_more_than_16_mib_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let written = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut file = File::options().write(true).open(&pipe).unwrap();
            let chunk = vec![0; 1 << 16];
            let mut written = 0;
            while file.write_all(&chunk).is_ok() {
                written += chunk.len();
            }
            written
        });
        assert_is_too_large(&pipe);
        writer.join().unwrap()
    });
    let most = 16 * 1024 * 1024;
    assert!((most..=most + (1 << 20)).contains(&written), "{written} bytes, of which the pipe holds some");
}

#[cfg(unix)]
#[test]
fn a_device_without_end_is_refused() {
    assert_is_too_large(Path::new("/dev/zero"));
    #[cfg(target_os = "linux")]
    {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kib < 256 * 1024, "{kib} KiB were in memory at once");
    }
}

/// The specification's own example, taken from the page itself.
#[test]
fn the_worked_example_of_the_specification_is_true() {
    let page = include_str!("../docs/sealed-file.md");
    let blocks: Vec<&str> = page.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [file, key, level, ..] = blocks.as_slice() else {
        panic!("the page begins with a file, its key and a level");
    };
    let sealed = SealedFile::parse(file).unwrap();
    let keys = KeyRing::parse(key).unwrap();
    let path = |text: &str| -> LevelPath { text.parse().unwrap() };
    let document = sealed.level(&path("acme-store"), &keys).unwrap().unwrap();
    assert_eq!(document.to_text().expose_secret(), *level);
    assert!(sealed.level(&path("acme-store/empty"), &keys).unwrap().unwrap().is_empty());
    assert_eq!(sealed.to_text(), *file);
}

/// Of two carriage returns the first would turn into a part of the line end when the file is written.
#[test]
fn a_carriage_return_too_many_is_corrupt() {
    let text = include_str!("vectors/sealed-v1.sealed");
    let at = text.find("blob\n").unwrap() + "blob\n".len();
    let end = at + text[at..].find('\n').unwrap();
    let with = |line_end: &str| format!("{}{line_end}{}", &text[..end], &text[end + 1..]);
    assert!(SealedFile::parse(&with("\r\n")).is_ok());
    assert_eq!(SealedFile::parse(&with("\r\r\n")).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_file_of_too_many_keys_is_refused_at_once() {
    let key = |n: usize| {
        format!("\nkey k{n}\n  scheme random\n  created 2026-01-02T03:04:05Z\n  check {}\n", "A".repeat(43) + "=")
    };
    let file = |count: usize| {
        let keys: String = (0..count).map(key).collect::<Vec<_>>().concat();
        format!("ioenv-sealed 1\nproject acme\n{keys}\nend\n")
    };
    assert_eq!(SealedFile::parse(&file(256)).unwrap().keys().len(), 256);
    assert_eq!(SealedFile::parse(&file(100_000)).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn a_file_that_is_no_sealed_file_gets_no_lock_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notes.txt");
    for text in ["", "notes\n", "ioenv-sealed 9\n", "ioenv-sealed\n"] {
        fs::write(&file, text).unwrap();
        SealedFile::edit(&file).unwrap_err();
        let names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
        assert_eq!(names, ["notes.txt"], "{text:?}");
    }
}
