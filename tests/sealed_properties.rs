//! What must hold of sealed files, paths, names and the text of keys, whatever is in them.
#![cfg(feature = "sealed")]

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL};
use hkdf::Hkdf;
use ioenv::{
    Document, ErrorKind, KeyDerivation as _, KeyRing, KeyString, Kind, LevelKey, LevelPath, Pbkdf2, SealedFile, Slug,
    VarName,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use sha2::Sha256;

const PASSPHRASE: &str = "tide-pool ledger 41";
/// The keys of the files below; the last one is the passphrase.
const KEYS: [&str; 3] = ["main", "production", "staging"];

fn level_key(number: u8) -> LevelKey {
    LevelKey::from_bytes(&[number; 32])
}

/// The line of a key file for each of `KEYS`.
fn key_lines() -> Vec<String> {
    let level_keys = [1, 2].map(|number| level_key(number).to_text().expose_secret().to_owned());
    level_keys.into_iter().chain([PASSPHRASE.to_owned()]).collect()
}

fn ring(lines: &[String]) -> KeyRing {
    KeyRing::parse(&lines.join("\n")).expect("the keys can be read")
}

fn slug(text: &str) -> Slug {
    text.parse().expect("a slug")
}

fn path(text: &str) -> LevelPath {
    text.parse().expect("a path")
}

/// A file with all of `KEYS` and no level. Ten iterations, not 600,000, are what a debug build can do many times.
fn file_with_keys() -> SealedFile {
    let derived = Pbkdf2::new(&[5; 16], 10)
        .expect("few iterations")
        .derive(&KeyString::new(PASSPHRASE).expect("a key"))
        .expect("derives");
    let text = derived.to_text();
    let text = text.expose_secret().strip_prefix(LevelKey::PREFIX).expect("the prefix of a key");
    let mut check = [0; 32];
    let bytes = BASE64URL.decode(text).expect("base64url");
    Hkdf::<Sha256>::new(None, &bytes[..32]).expand(b"ioenv:check:v1", &mut check).expect("32 bytes are few");
    let text = format!(
        "ioenv-sealed 1\nproject p\n\nkey {}\n  scheme pbkdf2\n  salt {}\n  iterations 10\n  created {}\n  check {}\n\nend\n",
        KEYS[2],
        BASE64.encode([5; 16]),
        "2026-01-02T03:04:05Z",
        BASE64.encode(check)
    );
    let mut file = SealedFile::parse(&text).expect("the file is well formed");
    for (number, id) in (1..).zip(&KEYS[..2]) {
        file.add_key(slug(id), &level_key(number)).expect("the id is free");
    }
    file
}

fn var_name() -> impl Strategy<Value = String> {
    "[A-Za-z_][A-Za-z0-9_.]{0,11}"
}

/// Any text that a variable can hold, with more of what is special in dotenv text than chance would give.
fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[^\0]{0,30}", "[ \t\r\n'\"`$\\\\#={}aé🔑]{0,20}", "[!-~]{50,300}"]
}

fn document() -> impl Strategy<Value = Document> {
    let entry = (value(), any::<bool>(), proptest::option::of("[^\0\r\n]{0,20}"));
    (btree_map(var_name(), entry, 0..6), "(# tail\n|\n){0,2}").prop_map(|(entries, tail)| {
        let mut text = String::new();
        for (name, (value, is_variable, comment)) in &entries {
            let mut one = Document::new();
            one.set(name.parse().expect("a name"), value.as_str()).expect("a value");
            one.set_kind(name, if *is_variable { Kind::Variable } else { Kind::Secret });
            if let Some(comment) = comment {
                writeln!(text, "# {comment}").expect("a string takes all");
            }
            text.push_str(one.to_text().expose_secret());
        }
        Document::parse(&(text + &tail)).expect("what was written can be read")
    })
}

fn level_path() -> impl Strategy<Value = String> {
    "p(/[a-c]{1,2}){0,2}"
}

/// Levels with the number of their key.
fn levels() -> impl Strategy<Value = Vec<(LevelPath, usize, Document)>> {
    btree_map(level_path(), (0..KEYS.len(), document()), 0..5)
        .prop_map(|levels| levels.into_iter().map(|(text, (key, document))| (path(&text), key, document)).collect())
}

fn sealed(levels: &[(LevelPath, usize, Document)]) -> SealedFile {
    let mut file = file_with_keys();
    let keys = ring(&key_lines());
    for (path, key, document) in levels {
        file.set_level_key(path, &slug(KEYS[*key]), &keys).expect("the key is there");
        file.set_level(path, document, &keys).expect("the level can be sealed");
    }
    file
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_sealed_opens_again_with_the_keys_in_any_order(
        levels in levels(),
        lines in Just(key_lines()).prop_shuffle(),
    ) {
        let file = SealedFile::parse(&sealed(&levels).to_text()).unwrap();
        let keys = ring(&lines);
        prop_assert!(file.paths().eq(levels.iter().map(|(path, _, _)| path)));
        for (path, key, document) in &levels {
            let (opened, expected) = (file.level(path, &keys).unwrap().unwrap().to_text(), document.to_text());
            prop_assert_eq!(opened.expose_secret(), expected.expose_secret());
            prop_assert_eq!(file.key_of(path).unwrap().as_str(), KEYS[*key]);
            let chain: Vec<LevelPath> = file.layers(path, &keys).unwrap().iter().map(|layer| layer.path().clone()).collect();
            let expected: Vec<LevelPath> =
                path.chain().filter(|above| levels.iter().any(|(path, _, _)| path == above)).collect();
            prop_assert_eq!(chain, expected);
        }
    }

    #[test]
    fn the_text_of_a_file_is_a_fixed_point(levels in levels()) {
        let text = sealed(&levels).to_text();
        prop_assert_eq!(SealedFile::parse(&text).unwrap().to_text(), text);
    }

    #[test]
    fn a_change_of_one_level_changes_no_line_of_another(
        levels in levels(),
        changed in level_path(),
        document in document(),
    ) {
        let mut file = sealed(&levels);
        let before = file.to_text();
        let changed = path(&changed);
        file.set_level_key(&changed, &slug(KEYS[0]), &ring(&key_lines())).unwrap();
        file.set_level(&changed, &document, &ring(&key_lines())).unwrap();
        let after = file.to_text();
        let own = format!("level {changed}\n");
        let others = |text: &str| -> Vec<String> {
            text.split("\n\n").filter(|section| !section.starts_with(&own)).map(str::to_owned).collect()
        };
        prop_assert_eq!(others(&before), others(&after));
        file.remove_level(&changed);
        prop_assert_eq!(others(&before), others(&file.to_text()));
    }

    #[test]
    fn what_is_set_to_what_it_is_stays_to_the_byte(levels in levels()) {
        let mut file = sealed(&levels);
        let text = file.to_text();
        for (path, _, document) in &levels {
            file.set_level(path, document, &ring(&key_lines())).unwrap();
        }
        prop_assert_eq!(file.to_text(), text);
    }

    #[test]
    fn a_wrong_key_is_named_as_one(document in document(), key in 0..KEYS.len(), wrong in 3_u8.., other in "[a-z]{1,20}") {
        let file = sealed(&[(path("p"), key, document)]);
        for line in [level_key(wrong).to_text().expose_secret().to_owned(), other] {
            for error in [
                file.level(&path("p"), &ring(std::slice::from_ref(&line))).unwrap_err(),
                file.layers(&path("p"), &ring(std::slice::from_ref(&line))).unwrap_err(),
            ] {
                prop_assert_eq!(error.kind(), ErrorKind::DecryptionFailed, "{}", error);
                prop_assert!(error.to_string().contains(&format!("`{}`", KEYS[key])), "{}", error);
            }
        }
    }

    #[test]
    fn a_missing_key_is_named_before_any_blob_is_opened(document in document(), missing in 0..2_usize) {
        let other = 1 - missing;
        let file = sealed(&[(path("p"), other, document.clone()), (path("p/a"), missing, document)]);
        // The level whose key is there is damaged, and that must not be what is reported.
        let text = file.to_text();
        let blob = text.find("  blob\n    ").unwrap() + "  blob\n    ".len();
        let flipped = if &text[blob..=blob] == "A" { "B" } else { "A" };
        let file = SealedFile::parse(&format!("{}{flipped}{}", &text[..blob], &text[blob + 1..])).unwrap();

        let keys = ring(&key_lines()[other..=other]);
        prop_assert_eq!(file.level(&path("p"), &keys).unwrap_err().kind(), ErrorKind::Corrupt);
        let error = file.layers(&path("p/a"), &keys).unwrap_err();
        prop_assert_eq!((error.kind(), error.path()), (ErrorKind::Config, Some(path("p/a"))), "{}", error);
        prop_assert!(error.to_string().contains(&format!("`{}`", KEYS[missing])), "{}", error);
    }
}

proptest! {
    #[test]
    fn a_path_reads_back_as_it_is_written(segments in vec("[A-Za-z0-9_-]{1,100}", 1..=3)) {
        let text = segments.join("/");
        let path: LevelPath = text.parse().unwrap();
        prop_assert_eq!(path.to_string(), text);
        prop_assert_eq!(path.segments().collect::<Vec<_>>(), segments.iter().collect::<Vec<_>>());
        prop_assert_eq!(path.project(), &segments[0]);
        let chain: Vec<String> = path.chain().map(|level| level.to_string()).collect();
        let prefixes: Vec<String> = (1..=segments.len()).map(|count| segments[..count].join("/")).collect();
        prop_assert_eq!(&chain, &prefixes);
        prop_assert_eq!(path.parent().map(|parent| parent.to_string()), prefixes.iter().rev().nth(1).cloned());
    }

    #[test]
    fn a_path_of_anything_but_one_to_three_slugs_is_refused(
        text in prop_oneof!["[a/_. ]{0,9}", "(/?[a-z]{0,2}){0,5}", any::<String>()],
    ) {
        let segments: Vec<&str> = text.split('/').collect();
        let is_path = segments.len() <= 3 && segments.iter().all(|segment| Slug::new(segment).is_ok());
        let path = text.parse::<LevelPath>();
        prop_assert_eq!(path.is_ok(), is_path);
        if let Err(error) = path {
            prop_assert_eq!(error.kind(), ErrorKind::InvalidName);
        }
    }

    #[test]
    fn a_name_is_letters_digits_underscores_and_dots(text in prop_oneof!["[A-Za-z0-9_=. -]{0,6}", "[A-Z_]{250,260}", any::<String>()]) {
        let mut characters = text.chars();
        let is_name = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && characters.all(|character| character.is_ascii_alphanumeric() || "_.".contains(character))
            && text.len() <= 255;
        match text.parse::<VarName>() {
            Ok(name) => {
                prop_assert!(is_name);
                prop_assert_eq!(name.is_shell_name(), !text.contains('.'));
                prop_assert_eq!(name.to_string(), text);
            }
            Err(error) => {
                prop_assert!(!is_name);
                prop_assert_eq!(error.kind(), ErrorKind::InvalidName);
            }
        }
    }

    #[test]
    fn a_slug_is_1_to_100_of_its_characters(text in prop_oneof!["[A-Za-z0-9_/. -]{0,6}", "[a-z-]{95,105}", any::<String>()]) {
        let is_slug = (1..=100).contains(&text.len())
            && text.chars().all(|character| character.is_ascii_alphanumeric() || "_-".contains(character));
        match text.parse::<Slug>() {
            Ok(slug) => {
                prop_assert!(is_slug);
                prop_assert_eq!(slug.to_string(), text);
            }
            Err(error) => {
                prop_assert!(!is_slug);
                prop_assert_eq!(error.kind(), ErrorKind::InvalidName);
            }
        }
    }

    #[test]
    fn the_text_of_a_key_reads_back_as_that_key(bytes: [u8; 32], before in "[ \t\r\n]{0,3}", after in "[ \t\r\n]{0,3}") {
        let text = LevelKey::from_bytes(&bytes).to_text();
        let read = LevelKey::parse(&format!("{before}{}{after}", text.expose_secret())).unwrap().to_text();
        prop_assert_eq!(read.expose_secret(), text.expose_secret());
        let encoded = text.expose_secret().strip_prefix("ioenv_key_").unwrap();
        prop_assert_eq!(&BASE64URL.decode(encoded).unwrap()[..32], &bytes);
    }

    #[test]
    fn every_character_of_a_key_counts(bytes: [u8; 32], other: char, printable in "[!-~]") {
        let text = LevelKey::from_bytes(&bytes).to_text().expose_secret().to_owned();
        let (printable, mut wrong) = (printable.chars().next().unwrap(), Vec::new());
        for at in 0..text.len() {
            let (before, after) = (&text[..at], &text[at + 1..]);
            wrong.push(format!("{before}{after}"));
            for other in [other, printable] {
                wrong.push(format!("{before}{other}{after}"));
                wrong.push(format!("{before}{other}{}", &text[at..]));
            }
            if let Some(next) = after.chars().next() {
                wrong.push(format!("{before}{next}{}{}", &text[at..=at], &after[1..]));
            }
        }
        // White space around a key is ignored, so it is no change there.
        for wrong in wrong.iter().filter(|wrong| wrong.trim() != text) {
            let error = LevelKey::parse(wrong).expect_err(wrong);
            prop_assert_eq!(error.kind(), ErrorKind::InvalidValue);
            let rendered = format!("{error:?}");
            prop_assert!(!rendered.contains(&text[15..30]));
        }
    }

    #[test]
    fn a_ring_holds_every_line_that_is_a_key(
        lines in vec(prop_oneof!["", "[ \t]{1,3}", "#", "# [a-z]{0,9}", "[a-z#]{2,20}", Just(String::from("key"))], 0..12),
        number: u8,
    ) {
        let key = level_key(number);
        let of_key = |line: &String| if line == "key" { key.to_text().expose_secret().to_owned() } else { line.clone() };
        let text: Vec<String> = lines.iter().map(of_key).collect();
        let ring = ring(&text);
        let is_key = |line: &&String| !(line.trim().is_empty() || *line == "#" || line.starts_with("# "));
        prop_assert_eq!(ring.len(), lines.iter().filter(is_key).count());

        let mut file = SealedFile::parse("ioenv-sealed 1\nproject p\n\nend\n").unwrap();
        file.add_key(slug("main"), &key).unwrap();
        file.set_level(&path("p"), &Document::parse("A=1\n").unwrap(), &KeyRing::from(&key)).unwrap();
        prop_assert_eq!(file.level(&path("p"), &ring).is_ok(), lines.contains(&String::from("key")));
    }

    #[test]
    fn a_typo_in_a_ring_is_found_by_its_line(before in vec("[a-z]{1,9}|", 0..9), cut in 10..58_usize) {
        let typo = level_key(9).to_text().expose_secret()[..cut].to_owned();
        let mut lines = before.clone();
        lines.push(typo.clone());
        let error = KeyRing::parse(&lines.join("\r\n")).unwrap_err();
        prop_assert_eq!((error.kind(), error.position()), (ErrorKind::InvalidValue, Some((lines.len(), 1))));
        let rendered = format!("{error:?}");
        prop_assert!(cut < 20 || !rendered.contains(&typo));
    }
}

/// In a debug build this takes two derivations of about three seconds each, which is why there is but one such test.
#[test]
fn a_new_passphrase_is_stretched_600_000_times() {
    let passphrase = KeyString::new(PASSPHRASE).unwrap();
    let mut file = SealedFile::parse("ioenv-sealed 1\nproject p\n\nend\n").unwrap();
    file.add_passphrase(slug("staging"), &passphrase).unwrap();

    let text = file.to_text();
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    assert_eq!(file.keys()[0].scheme(), "pbkdf2");
    assert_eq!(field("  iterations "), "600000");
    let salt = BASE64.decode(field("  salt ")).unwrap();
    assert_eq!(salt.len(), 16);

    // The derived key given as such saves the derivation.
    let derived = KeyRing::from(Pbkdf2::new(&salt, 600_000).unwrap().derive(&passphrase).unwrap());
    file.set_level(&path("p"), &Document::parse("A=1\n").unwrap(), &derived).unwrap();
    assert_eq!(file.level(&path("p"), &derived).unwrap().unwrap().len(), 1);
    assert!(!file.to_text().contains(PASSPHRASE));
}
