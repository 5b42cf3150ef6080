//! Dotenv text as a user of the crate meets it: read, merged, expanded and written again.
//!
//! `vectors/dotenv-parser.json` holds cases from the suites of nine parsers, each with what eight parsers answer. What
//! at least seven of them agree on must come out here too. Where they are divided, `vectors/dotenv-ours.json` holds
//! what this crate decided, and `docs/dotenv.md` why.

use std::collections::{BTreeMap, BTreeSet};

use ioenv::{
    Dialect, Document, Error, ErrorKind, Expansion, Kind, Layer, Resolved, SecretString, Variable, expand, merge,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde::Deserialize;
use serde_json::Value;

const DOCS: &str = include_str!("../docs/dotenv.md");

/// Cases that at least seven of eight parsers agree on and this crate answers otherwise.
const EXCEPTIONS: [(&str, &str); 5] = [
    ("dotenvy-041", "a cycle of references is an error, not an empty text"),
    ("dotenvy-043", "the process environment is not looked at"),
    ("dotenv-ng-subst-021", "the process environment is not looked at"),
    ("python-dotenv-046", "the process environment is not looked at"),
    ("python-dotenv-051", "the process environment is not looked at"),
];

#[derive(Deserialize)]
struct Case {
    id: String,
    input: String,
    expected: Option<Value>,
    #[serde(default)]
    error: bool,
    executed: bool,
    agree: Vec<String>,
}

impl Case {
    fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("vectors/dotenv-parser.json")).expect("the cases are of this form")
    }

    fn is_agreed(&self) -> bool {
        self.executed && self.agree.len() >= 7
    }

    fn is_exception(&self) -> bool {
        EXCEPTIONS.iter().any(|(id, _)| *id == self.id)
    }

    fn is_answered_as_expected(&self, answer: &Value) -> bool {
        if self.error { answer.is_string() } else { self.expected.as_ref() == Some(answer) }
    }
}

/// An object of names and expanded values, or the kind of the error as a string.
fn answer(text: &str) -> Value {
    match Document::parse(text).and_then(expanded) {
        Ok(resolved) => values(&resolved).into_iter().map(|(name, value)| (name, Value::from(value))).collect(),
        Err(error) => format!("{:?}", error.kind()).into(),
    }
}

fn single(document: Document) -> Resolved {
    merge(vec![layer("acme-store", document)])
}

fn expanded(document: Document) -> Result<Resolved, Error> {
    let mut resolved = single(document);
    expand(&mut resolved)?;
    Ok(resolved)
}

fn values(resolved: &Resolved) -> BTreeMap<String, String> {
    let pair = |variable: Variable<'_>| (variable.name().to_string(), variable.value().expose_secret().to_owned());
    resolved.iter().map(pair).collect()
}

/// All that a user can see of an entry.
type Seen = (String, String, Kind, Option<String>);

fn seen(document: &Document) -> Vec<Seen> {
    let entries = document.entries().iter();
    entries.map(|entry| (entry.name().to_string(), text_of(entry.value()), entry.kind(), entry.comment())).collect()
}

fn text_of(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
}

/// What expansion makes of a document: the values, or the kind of the error and the names in it.
fn outcome(document: &Document) -> Result<BTreeMap<String, String>, (ErrorKind, String)> {
    match expanded(document.clone()) {
        Ok(resolved) => Ok(values(&resolved)),
        Err(error) => Err((error.kind(), format!("{:?}", error.names()))),
    }
}

#[test]
fn what_seven_of_eight_parsers_agree_on_reads_the_same_here() {
    let agreed: Vec<Case> = Case::all().into_iter().filter(Case::is_agreed).collect();
    assert_eq!(agreed.len(), 118);
    let wrong: Vec<String> = agreed
        .iter()
        .map(|case| (case, answer(&case.input)))
        // An exception that is none any more is as wrong as a new one.
        .filter(|(case, answer)| case.is_answered_as_expected(answer) == case.is_exception())
        .map(|(case, answer)| format!("{}: {answer}", case.id))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(EXCEPTIONS.iter().all(|(id, _)| agreed.iter().any(|case| case.id == *id)));
}

#[test]
fn what_was_decided_where_parsers_differ_has_not_changed() {
    let decided: BTreeMap<String, Value> = serde_json::from_str(include_str!("vectors/dotenv-ours.json")).unwrap();
    let cases = Case::all();
    let ours: BTreeMap<String, Value> = cases
        .iter()
        .filter(|case| !case.is_agreed() || case.is_exception())
        .map(|case| (case.id.clone(), answer(&case.input)))
        .collect();
    assert_eq!(ours.len(), 129 + EXCEPTIONS.len());
    let changed: Vec<String> = ours
        .iter()
        .filter(|(id, answer)| decided.get(*id) != Some(answer))
        .map(|(id, answer)| format!("\"{id}\": {answer},"))
        .collect();
    assert!(changed.is_empty(), "not in vectors/dotenv-ours.json:\n{}", changed.join("\n"));
    assert_eq!(decided.len(), ours.len(), "vectors/dotenv-ours.json holds ids that no case has");
}

#[test]
fn expansion_is_the_only_thing_that_touches_a_dollar() {
    let mut is_told_apart = false;
    for case in Case::all() {
        let Ok(document) = Document::parse(&case.input) else {
            continue;
        };
        let plain = values(&single(document.clone()));
        if let Ok(resolved) = expanded(document) {
            let is_same = values(&resolved) == plain;
            assert!(is_same || case.input.contains("${") || case.input.contains("$$"), "{}", case.id);
            is_told_apart |= !is_same;
        }
        if case.id == "dotenv-ng-018" {
            assert_eq!(plain["B"], "$A/${A}/$$");
        }
    }
    assert!(is_told_apart);
}

#[test]
fn the_documentation_names_every_decision_once() {
    let mut named: Vec<&str> = DOCS
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| word.len() > 4 && word.is_char_boundary(word.len() - 4))
        .filter(|word| {
            let (front, number) = word.split_at(word.len() - 4);
            front.starts_with(|c: char| c.is_ascii_lowercase())
                && number.strip_prefix('-').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        })
        .collect();
    named.sort_unstable();
    let cases = Case::all();
    let mut expected: Vec<&str> =
        cases.iter().filter(|case| !case.is_agreed() || case.is_exception()).map(|case| case.id.as_str()).collect();
    expected.sort_unstable();
    let missing: Vec<&&str> = expected.iter().filter(|id| !named.contains(id)).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
    assert_eq!(named, expected);
}

/// Blocks fenced as `text read`, `text expand`, `text rewrite` and `text export` hold a line an example.
#[test]
fn the_examples_in_the_documentation_are_true() {
    let mut counts = BTreeMap::new();
    let mut fence = "";
    for line in DOCS.lines() {
        if let Some(info) = line.strip_prefix("```") {
            fence = info.strip_prefix("text ").unwrap_or_default();
            continue;
        }
        if fence.is_empty() {
            continue;
        }
        let (given, result) = line.split_once(" → ").unwrap_or_else(|| panic!("no arrow: {line}"));
        let given = shown(given.trim());
        let document = || Document::parse(&given);
        let last = |resolved: &Resolved| {
            let last = document().unwrap().entries().last().unwrap().name().to_string();
            values(resolved)[&last].clone()
        };
        let foreign = |dialect| {
            let mut resolved = single(document()?);
            Expansion::new(dialect).apply(&mut resolved)?;
            Ok(resolved)
        };
        let found = match fence {
            "read" => document().map(|document| text_of(document.entries().last().unwrap().value())),
            "expand" => document().and_then(expanded).map(|resolved| last(&resolved)),
            "expand dotenv-cloud" => foreign(Dialect::DotenvCloud).map(|resolved| last(&resolved)),
            "expand stashbase" => foreign(Dialect::Stashbase).map(|resolved| last(&resolved)),
            "rewrite" => document().map(|document| text_of(&document.to_text())),
            "export" => {
                let mut document = Document::new();
                document.set("A".parse().unwrap(), given.as_str()).unwrap();
                Ok(text_of(&document.to_export()).trim_end_matches('\n').to_owned())
            }
            other => panic!("unknown kind of example: {other}"),
        };
        let found = found.unwrap_or_else(|error| {
            let place = error.position().map(|(line, column)| format!(" {line}:{column}"));
            format!("error {:?}{}", error.kind(), place.unwrap_or_default())
        });
        assert_eq!(found, shown(result.trim()), "{line}");
        *counts.entry(fence).or_insert(0) += 1;
    }
    let all = ["expand", "expand dotenv-cloud", "expand stashbase", "export", "read", "rewrite"];
    assert_eq!(counts.into_keys().collect::<Vec<_>>(), all);
}

/// The examples show what is not seen.
fn shown(text: &str) -> String {
    let text = if text == "(empty)" { "" } else { text };
    text.replace('⏎', "\n").replace('␍', "\r").replace('⇥', "\t").replace('·', " ").replace('␀', "\0")
}

const PEM: &str = "-----BEGIN KEY-----\nMIIB+/=\n-----END KEY-----\n";

/// Values and how they were written when bash, Node's dotenv, python-dotenv and dotenvy were tried on them.
#[rustfmt::skip]
const WRITTEN: [(&str, &str); 33] = [
    ("https://api.internal", "https://api.internal"), ("", ""), ("a=b=c", "a=b=c"), ("QUJD==", "QUJD=="),
    ("hello world", "'hello world'"), (" before", "' before'"), ("after ", "'after '"), ("a#b", "'a#b'"),
    ("a #b", "'a #b'"), ("pa$WORD", "'pa$WORD'"), ("say \"hi\"", "'say \"hi\"'"), ("{\"a\":1}", "'{\"a\":1}'"),
    ("C:\\dir\\n", "'C:\\dir\\n'"), ("line1\nline2", "'line1\nline2'"),
    (PEM, "'-----BEGIN KEY-----\nMIIB+/=\n-----END KEY-----\n'"), ("a\tb", "'a\tb'"), ("~/x", "'~/x'"), ("*", "'*'"),
    ("a;b&c|d", "'a;b&c|d'"), ("a`b", "'a`b'"), ("a!b", "'a!b'"), ("größe", "'größe'"), ("\n", "'\n'"),
    ("raw\n", "'raw\n'"), ("\\", "'\\'"), ("it's", "\"it's\""), ("it's\nx", "\"it's\nx\""), ("a'\"b", "\"a'\\\"b\""),
    ("it's $5", "\"it's \\$5\""), ("it's C:\\new", "\"it's C:\\\\new\""), ("a'`b", "\"a'\\`b\""),
    ("a\r\nb", "\"a\\r\nb\""), ("'$(id)`id`${HOME}\\", "\"'\\$(id)\\`id\\`\\${HOME}\\\\\""),
];

#[test]
fn the_export_is_written_as_other_readers_were_seen_to_read_it() {
    for (value, written) in WRITTEN {
        let mut document = Document::new();
        document.set("K".parse().unwrap(), value).unwrap();
        let text = text_of(&document.to_export());
        assert_eq!(text, format!("K={written}\n"));
        assert_eq!(seen(&Document::parse(&text).unwrap())[0].1, value);
    }
}

#[cfg(unix)]
#[test]
fn a_shell_reads_the_export_as_it_was_meant() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    // A shell knows no escape for CR.
    let expected: Vec<&str> = WRITTEN.iter().map(|(value, _)| *value).filter(|value| !value.contains('\r')).collect();
    let mut document = Document::new();
    let mut print = r"printf '%s\0'".to_owned();
    for (number, value) in expected.iter().enumerate() {
        document.set(format!("K{number}").parse().unwrap(), *value).unwrap();
        print.extend([" \"$K", &number.to_string(), "\""]);
    }
    let mut shell = Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let script = format!("{}{print}\n", document.to_export().expose_secret());
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = String::from_utf8(shell.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(output.split_terminator('\0').collect::<Vec<_>>(), expected);
}

const NAMES: [&str; 6] = ["A", "B", "C", "http_proxy", "_X", "Z9"];

/// What makes trouble in dotenv text, with room for ordinary characters between.
const TROUBLE: [&str; 36] = [
    "'",
    "\"",
    "\\",
    "\\\\",
    "$",
    "$$",
    "${A}",
    "${B}",
    "${",
    "}",
    "$A",
    "\\$",
    "\\n",
    "\\\"",
    "#",
    " #",
    " ",
    "  ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\n\r",
    "`",
    "=",
    "export ",
    "\nB=2",
    "# ioenv: variable\n",
    "\u{feff}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "é",
    "🦀",
    "~",
    "!",
];

/// Any text without NUL, up to a few hundred characters.
fn any_value() -> impl Strategy<Value = String> {
    let ordinary = any::<char>().prop_filter("NUL cannot be", |&c| c != '\0').prop_map(String::from);
    let piece = prop_oneof![4 => select(&TROUBLE[..]).prop_map(str::to_owned), 1 => ordinary];
    vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

/// Text that may be anything, but often is nearly dotenv text.
fn any_text() -> impl Strategy<Value = String> {
    let entry = (select(&NAMES[..]), select(&["=", " = ", "='", "=\""][..]));
    let piece = prop_oneof![
        3 => select(&TROUBLE[..]).prop_map(str::to_owned),
        3 => entry.prop_map(|(name, equals)| format!("\n{name}{equals}")),
        1 => any::<char>().prop_map(String::from),
        1 => Just("\n".to_owned()),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// An entry in one of its spellings, with what it means.
#[derive(Clone, Debug)]
struct Spelled {
    lines_above: Vec<&'static str>,
    kind: Kind,
    text: String,
    value: String,
    /// The lines right above without the marks, or else what stands behind.
    comment: Option<String>,
}

/// A value as it is written behind `=`, and as it is meant.
fn spelled_value() -> impl Strategy<Value = (String, String)> {
    let word =
        select(&["x", "é", "a#b", "a'b", "a\"b", "\\n", "\\", "`", "=", "$A", "${B}", "$$", "${C:-x}", "\u{a0}"][..]);
    let plain = vec((word, select(&[" ", "\t", "  "][..])), 0..5).prop_map(|words| {
        let text: String = words.iter().flat_map(|(word, gap)| [*word, *gap]).collect();
        let text = text.trim_end_matches([' ', '\t']).to_owned();
        (text.clone(), text)
    });
    let inner = select(&["x", "é", "\"", "\\", "#", " # ", "\n", "\t", "`", "${B}", "$$", "$", "A=1\n"][..]);
    let single_quoted = vec(inner, 0..8).prop_map(|pieces| (format!("'{}'", pieces.concat()), pieces.concat()));
    let escaped = select(
        &[
            ("x", "x"),
            ("é", "é"),
            ("'", "'"),
            ("\\\"", "\""),
            ("\\\\", "\\"),
            ("\\n", "\n"),
            ("\\r", "\r"),
            ("\\t", "\t"),
            ("\\$", "$"),
            ("\\`", "`"),
            ("\\q", "\\q"),
            ("\\'", "\\'"),
            ("\n", "\n"),
            (" # ", " # "),
            ("$", "$"),
            ("${A}", "${A}"),
            ("{C}", "{C}"),
        ][..],
    );
    let double_quoted = vec(escaped, 0..8).prop_map(|pieces| {
        let (written, meant): (Vec<&str>, Vec<&str>) = pieces.into_iter().unzip();
        (format!("\"{}\"", written.concat()), meant.concat())
    });
    prop_oneof![plain, single_quoted, double_quoted]
}

fn spelled(name: &'static str) -> impl Strategy<Value = Spelled> {
    let blank = select(&["", "  ", "\t"][..]);
    let comment = select(&["# c", "  #  c", "#c#", "#", "# B=2", "# it's \"", "# ioenv: variables"][..]);
    let mark = select(&["# ioenv: variable", "\t#ioenv: variable ", "#  ioenv: secret"][..]);
    let above = vec(prop_oneof![blank, comment, mark], 0..5);
    let indent = select(&["", "  ", "export ", "\texport\t "][..]);
    let equals = select(&["=", " =", "= ", "\t=\t"][..]);
    let aside = select(&["", " # why", "\t#", "  # it's \"odd\" # ", " # ioenv: variable"][..]);
    (above, indent, equals, spelled_value(), aside).prop_map(
        move |(lines_above, indent, equals, (written, value), aside)| {
            let mut kind = Kind::Secret;
            let mut own = Vec::new();
            for line in &lines_above {
                match line.trim().strip_prefix('#').map(|text| (text, text.trim())) {
                    None => (kind, own) = (Kind::Secret, Vec::new()),
                    Some((_, "ioenv: variable")) => kind = Kind::Variable,
                    Some((_, "ioenv: secret")) => kind = Kind::Secret,
                    Some((text, _)) => own.push(text),
                }
            }
            if own.is_empty() {
                own.extend(aside.trim().strip_prefix('#'));
            }
            let own: Vec<&str> = own.into_iter().map(|text| text.strip_prefix(' ').unwrap_or(text)).collect();
            let comment = (!own.is_empty()).then(|| own.join("\n"));
            let text = format!("{indent}{name}{equals}{written}{aside}");
            Spelled { lines_above, kind, text, value, comment }
        },
    )
}

/// Entries of different names in any order, and comment lines at the end.
fn spelled_document() -> impl Strategy<Value = (Vec<(&'static str, Spelled)>, Vec<&'static str>)> {
    let names = subsequence(NAMES.to_vec(), 0..=NAMES.len()).prop_shuffle();
    let entries = names.prop_flat_map(|names| {
        names.into_iter().map(|name| spelled(name).prop_map(move |entry| (name, entry))).collect::<Vec<_>>()
    });
    (entries, vec(select(&["# end", "", " # ioenv: variable"][..]), 0..3))
}

fn written(entries: &[(&str, Spelled)], tail: &[&str]) -> String {
    let lines = entries.iter().flat_map(|(_, entry)| entry.lines_above.iter().copied().chain([entry.text.as_str()]));
    lines.chain(tail.iter().copied()).flat_map(|line| [line, "\n"]).collect()
}

/// For each name its value in text and what the expanded value must be; references are to names before it.
fn references() -> impl Strategy<Value = Vec<(String, String)>> {
    #[derive(Clone, Debug)]
    enum Piece {
        Text(&'static str, &'static str),
        Reference(usize),
    }
    let text = select(
        &[
            ("x", "x"),
            ("{A}", "{A}"),
            ("\\$", "$"),
            ("$$", "$"),
            ("$A", "$A"),
            ("${}", "${}"),
            ("${A:-x}", "${A:-x}"),
            ("${NONE}", "${NONE}"),
        ][..],
    );
    let piece = prop_oneof![
        text.prop_map(|(written, meant)| Piece::Text(written, meant)),
        any::<usize>().prop_map(Piece::Reference),
    ];
    vec(vec(piece, 0..5), 1..=NAMES.len()).prop_map(|values| {
        let mut all: Vec<(String, String)> = Vec::new();
        for pieces in values {
            let mut one = (String::new(), String::new());
            for piece in pieces {
                match piece {
                    Piece::Text(written, meant) => {
                        one.0.push_str(written);
                        one.1.push_str(meant);
                    }
                    Piece::Reference(number) if !all.is_empty() => {
                        let number = number % all.len();
                        one.0.extend(["${", NAMES[number], "}"]);
                        one.1.push_str(&all[number].1);
                    }
                    Piece::Reference(_) => {}
                }
            }
            all.push(one);
        }
        all
    })
}

fn with_line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The text of a level: names once each, in any order.
fn level() -> impl Strategy<Value = Vec<String>> {
    let names = subsequence(NAMES.to_vec(), 0..=NAMES.len()).prop_shuffle();
    let value = select(&["1", "2", "", "'${A}'", "${B}", "\"\\$$ ${A}\"", "'two words'"][..]);
    names.prop_flat_map(move |names| {
        let entry = |name| {
            (value.clone(), any::<bool>()).prop_map(move |(value, is_variable)| {
                format!("{}{name}={value}\n", if is_variable { "# ioenv: variable\n" } else { "" })
            })
        };
        names.into_iter().map(entry).collect::<Vec<_>>()
    })
}

fn layer(path: &str, document: Document) -> Layer {
    Layer::new(path.parse().expect("the paths of these tests are paths"), document)
}

type Row = (String, String, Kind);

/// Values and kinds, ascending by name, and what expansion makes of them.
fn told(mut resolved: Resolved) -> (Vec<Row>, Result<BTreeMap<String, String>, ErrorKind>) {
    let row = |variable: Variable<'_>| (variable.name().to_string(), text_of(variable.value()), variable.kind());
    let rows = resolved.iter().map(row).collect();
    let expanded = expand(&mut resolved).map(|_| values(&resolved)).map_err(|error| error.kind());
    (rows, expanded)
}

fn origins(resolved: &Resolved) -> Vec<String> {
    resolved.iter().map(|variable| variable.origin().to_string()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_without_nul_reads_back_from_both_writers(value in any_value()) {
        let mut document = Document::new();
        // Neighbours, which a quote that does not close would swallow.
        for (name, value) in [("A", "before"), ("B", value.as_str()), ("C", "after")] {
            document.set(name.parse().unwrap(), value).unwrap();
        }
        for text in [document.to_text(), document.to_export()] {
            let again = Document::parse(text.expose_secret()).unwrap();
            prop_assert_eq!(seen(&again), seen(&document));
        }
    }

    #[test]
    fn an_exported_value_is_never_expanded(value in any_value()) {
        let mut document = Document::new();
        document.set("A".parse().unwrap(), value.as_str()).unwrap();
        document.set("B".parse().unwrap(), "planted").unwrap();
        let exported = Document::parse(document.to_export().expose_secret()).unwrap();
        prop_assert_eq!(&values(&expanded(exported).unwrap())["A"], &value);
    }

    #[test]
    fn every_spelling_is_read_as_it_is_meant((entries, tail) in spelled_document()) {
        let document = Document::parse(&written(&entries, &tail)).unwrap();
        let meant: Vec<Seen> = entries
            .into_iter()
            .map(|(name, entry)| (name.to_owned(), entry.value, entry.kind, entry.comment))
            .collect();
        prop_assert_eq!(seen(&document), meant);
    }

    #[test]
    fn rewriting_keeps_entries_comments_kinds_and_order((entries, tail) in spelled_document()) {
        let text = written(&entries, &tail);
        let document = Document::parse(&text).unwrap();
        let rewritten = document.to_text();
        let again = Document::parse(rewritten.expose_secret()).unwrap();
        prop_assert_eq!(seen(&again), seen(&document));
        prop_assert_eq!(text_of(&again.to_text()), text_of(&rewritten));
        // Every line that is no entry is there still, in order, but for the marks, which the writer sets itself.
        let mut rest = rewritten.expose_secret().lines();
        for &line in entries.iter().flat_map(|(_, entry)| &entry.lines_above) {
            let is_mark = line.trim().ends_with("ioenv: variable") || line.trim().ends_with("ioenv: secret");
            prop_assert!(is_mark || rest.any(|found| found == line), "{line:?} is lost");
        }
        let tail: String = tail.iter().flat_map(|line| [*line, "\n"]).collect();
        prop_assert!(rewritten.expose_secret().ends_with(&tail));
    }

    #[test]
    fn rewriting_keeps_which_dollars_are_literal((entries, tail) in spelled_document()) {
        let document = Document::parse(&written(&entries, &tail)).unwrap();
        let again = Document::parse(document.to_text().expose_secret()).unwrap();
        prop_assert_eq!(outcome(&again), outcome(&document));
    }

    #[test]
    fn any_text_that_is_read_can_be_written_and_read_again(text in any_text()) {
        if let Ok(document) = Document::parse(&text) {
            let rewritten = document.to_text();
            let again = Document::parse(rewritten.expose_secret()).unwrap();
            prop_assert_eq!(seen(&again), seen(&document));
            prop_assert_eq!(outcome(&again), outcome(&document));
            prop_assert_eq!(text_of(&again.to_text()), text_of(&rewritten));
        }
    }

    #[test]
    fn an_error_says_where_and_never_repeats_the_text(before in any_text(), after in any_text()) {
        // No name holds `-`, and names are all that an error or a `Debug` may repeat.
        let text = format!("{before}zqx-vjk{after}");
        let rendered = match Document::parse(&text) {
            Ok(document) => format!("{document:?} {:?}", single(document.clone())),
            Err(error) => {
                let (line, column) = error.position().expect("every error of the reader has a position");
                let text = with_line_feeds(text.strip_prefix('\u{feff}').unwrap_or(&text));
                let width = text.split('\n').nth(line - 1).expect("the line is there").chars().count();
                prop_assert!((1..=width + 1).contains(&column), "column {column} of {width}");
                format!("{error} {error:?}")
            }
        };
        prop_assert!(!rendered.contains("zqx") && !rendered.contains("vjk"), "{rendered}");
    }

    #[test]
    fn every_line_end_and_a_byte_order_mark_read_the_same(text in any_text()) {
        let read = |text: &str| match Document::parse(text) {
            Ok(document) => Ok((seen(&document), text_of(&document.to_text()))),
            Err(error) => Err((error.kind(), error.position())),
        };
        let text = with_line_feeds(text.trim_start_matches('\u{feff}'));
        let expected = read(&text);
        prop_assert_eq!(read(&text.replace('\n', "\r\n")), expected.clone());
        prop_assert_eq!(read(&text.replace('\n', "\r")), expected.clone());
        prop_assert_eq!(read(&format!("\u{feff}{text}")), expected);
    }

    #[test]
    fn expansion_replaces_references_and_nothing_else(values_by_name in references()) {
        // Written last name first, so that what is referred to stands behind.
        let line = |((written, _), name): (&(String, String), &str)| format!("{name}=\"{written}\"\n");
        let lines: String = values_by_name.iter().zip(NAMES).rev().map(line).collect();
        let document = Document::parse(&lines).unwrap();
        let meant = values_by_name.iter().zip(NAMES).map(|((_, meant), name)| (name.to_owned(), meant.clone()));
        prop_assert_eq!(values(&expanded(document).unwrap()), meant.collect::<BTreeMap<_, _>>());
    }

    #[test]
    fn what_was_expanded_is_not_expanded_again_when_it_was_written(values_by_name in references()) {
        let line = |((written, _), name): (&(String, String), &str)| format!("{name}=\"{written}\"\n");
        let lines: String = values_by_name.iter().zip(NAMES).map(line).collect();
        let once = expanded(Document::parse(&lines).unwrap()).unwrap();
        let again = Document::parse(once.to_document().to_text().expose_secret()).unwrap();
        prop_assert_eq!(values(&expanded(again).unwrap()), values(&once));
    }

    #[test]
    fn merging_an_empty_level_changes_nothing(entries in level()) {
        let document = Document::parse(&entries.concat()).unwrap();
        let alone = || merge(vec![layer("a/b", document.clone())]);
        let empty = || Document::parse("# nothing here\n").unwrap();
        for layers in [
            vec![layer("a", empty()), layer("a/b", document.clone())],
            vec![layer("a/b", document.clone()), layer("a/b/c", empty())],
        ] {
            let resolved = merge(layers);
            prop_assert_eq!(origins(&resolved), origins(&alone()));
            prop_assert_eq!(told(resolved), told(alone()));
        }
    }

    #[test]
    fn merging_is_associative(a in level(), b in level(), c in level()) {
        let [a, b, c] = [a, b, c].map(|entries| Document::parse(&entries.concat()).unwrap());
        let at_once = merge(vec![layer("a", a.clone()), layer("a/b", b.clone()), layer("a/b/c", c.clone())]);
        let first_two = merge(vec![layer("a", a.clone()), layer("a/b", b.clone())]).to_document();
        let last_two = merge(vec![layer("a/b", b), layer("a/b/c", c.clone())]).to_document();
        let at_once = told(at_once);
        prop_assert_eq!(&told(merge(vec![layer("a", first_two), layer("a/b/c", c)])), &at_once);
        prop_assert_eq!(&told(merge(vec![layer("a", a), layer("a/b", last_two)])), &at_once);
    }

    #[test]
    fn the_last_level_that_has_a_name_wins(levels in vec(level(), 1..4)) {
        let paths = ["a", "a/b", "a/b/c"];
        let documents = || levels.iter().map(|entries| Document::parse(&entries.concat()).unwrap());
        let resolved = merge(paths.iter().zip(documents()).map(|(path, document)| layer(path, document)).collect());
        let mut expected = BTreeMap::new();
        for (path, document) in paths.iter().zip(documents()) {
            for (name, value, kind, _) in seen(&document) {
                expected.insert(name, (value, kind, (*path).to_owned()));
            }
        }
        let found: Vec<_> = resolved
            .iter()
            .map(|variable| {
                let level = variable.origin().level().unwrap().to_string();
                (variable.name().to_string(), (text_of(variable.value()), variable.kind(), level))
            })
            .collect();
        // In this order: ascending by name.
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn the_order_of_entries_does_not_change_the_result(
        (one, other) in level().prop_flat_map(|entries| (Just(entries.clone()), Just(entries).prop_shuffle())),
        above in level(),
    ) {
        let merged = |entries: &[String]| {
            let document = Document::parse(&entries.concat()).unwrap();
            merge(vec![layer("a", Document::parse(&above.concat()).unwrap()), layer("a/b", document)])
        };
        prop_assert_eq!(origins(&merged(&one)), origins(&merged(&other)));
        prop_assert_eq!(told(merged(&one)), told(merged(&other)));
    }
}

#[test]
fn the_generators_reach_what_they_are_for() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..500 {
        let text = any_text().new_tree(&mut runner).unwrap().current();
        reached.insert(match Document::parse(&text) {
            Ok(document) if document.is_empty() => "empty".to_owned(),
            Ok(_) => "read".to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        });
        let (entries, tail) = spelled_document().new_tree(&mut runner).unwrap().current();
        let document = Document::parse(&written(&entries, &tail)).unwrap();
        let outcome = outcome(&document);
        reached.insert(match outcome {
            Ok(values) if values == self::values(&single(document)) => "not expanded".to_owned(),
            Ok(_) => "expanded".to_owned(),
            Err((kind, _)) => format!("expansion {kind:?}"),
        });
    }
    let expected = ["InvalidName", "Syntax", "empty", "expanded", "expansion InvalidValue", "not expanded", "read"];
    assert_eq!(reached.iter().map(String::as_str).filter(|&kind| kind != "InvalidValue").collect::<Vec<_>>(), expected);
}
