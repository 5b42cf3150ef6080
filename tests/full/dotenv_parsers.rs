//! What dotenv parsers of other projects read of an export. `docs/dotenv.md` names what each of them cannot read back.
//!
//! dotenvy is always there. `scripts/dotenv-parsers` installs the others and runs the tests that need them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use ioenv::{Document, VarName};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Reads dotenv texts from a list in JSON, and writes what each amounts to, or null.
const NODE: &str = "
const { readFileSync } = require('fs');
const parse = process.argv[1] === 'own' ? require('util').parseEnv : require('dotenv').parse;
const read = text => { try { return parse(text) } catch { return null } };
process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(read)));
";
const PYTHON: &str = "
import io, json, logging, sys
from dotenv import dotenv_values
logging.disable(logging.CRITICAL)
def read(text):
    values = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return None if None in values.values() else values
sys.stdout.write(json.dumps([read(text) for text in json.loads(sys.stdin.buffer.read())]))
";

#[derive(Clone, Copy, Debug)]
enum Parser {
    Dotenvy,
    /// The package dotenv.
    NodeDotenv,
    /// `util.parseEnv`, which reads the files of `node --env-file`.
    Node,
    PythonDotenv,
}

type Values = BTreeMap<String, String>;

impl Parser {
    /// What the parser makes of each text; `None` where it fails.
    fn read(self, texts: &[String]) -> Vec<Option<Values>> {
        let directory = || std::env::var("IOENV_DOTENV_PARSERS").expect("run it with scripts/dotenv-parsers");
        let mut command = match self {
            Self::Dotenvy => {
                let read = |text: &String| dotenvy::from_read_iter(text.as_bytes()).collect::<Result<_, _>>().ok();
                return texts.iter().map(read).collect();
            }
            Self::NodeDotenv | Self::Node => {
                let mut command = Command::new("node");
                command.env("NODE_PATH", format!("{}/node/node_modules", directory())).args(["-e", NODE]);
                command.arg(if matches!(self, Self::Node) { "own" } else { "package" });
                command
            }
            Self::PythonDotenv => {
                let mut command = Command::new(format!("{}/python/bin/python", directory()));
                command.args(["-c", PYTHON]);
                command
            }
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = serde_json::to_string(texts).unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{self:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Whether the parser reads back the value as it is exported. The two forms with quotes are told apart as
    /// `docs/dotenv.md` has it.
    fn carries(self, value: &str) -> bool {
        let has = |characters: &[char]| value.contains(characters);
        let is_in_double_quotes = has(&['\'', '\r']);
        match self {
            Self::Dotenvy if is_in_double_quotes => !has(&['\r', '`']),
            Self::Dotenvy => is_bare(value) || value.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 0,
            Self::NodeDotenv => !is_in_double_quotes || !has(&['\\', '"', '$', '`']),
            Self::Node => !is_in_double_quotes || !has(&['\\', '"', '$', '`', '\r']),
            Self::PythonDotenv if is_in_double_quotes => !has(&['$', '`']),
            Self::PythonDotenv => !value.contains("\\\\") && !value.ends_with('\\'),
        }
    }
}

fn is_bare(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_./:@%+,=-".contains(&byte))
}

/// A file with the value between two others, in both ways in which values leave: an export, and the `file` integration.
fn texts(value: &str) -> [String; 2] {
    let mut document = Document::new();
    for (name, value) in [("A", "before"), ("k.1", value), ("z", "after")] {
        document.set_literal(VarName::new(name).unwrap(), value).unwrap();
    }
    [document.to_export(), document.to_text()].map(|text| text.expose_secret().to_owned())
}

fn expected(value: &str) -> Values {
    [("A", "before"), ("k.1", value), ("z", "after")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn value() -> impl Strategy<Value = String> {
    let special = r#"['"\\$`\r\n\t #={}anrt\u{e4}\u{1f600}]{0,8}"#;
    prop_oneof![4 => special, 1 => "[A-Za-z0-9_./:@%+,=-]{0,8}", 1 => "[ -~]{0,30}"]
}

/// Thousands of values with one start of the parser.
fn check(parser: Parser) {
    let mut runner = TestRunner::new(Config { cases: 1, failure_persistence: None, ..Config::default() });
    runner
        .run(&prop::collection::vec(value(), 3000), |values| {
            let texts: Vec<String> = values.iter().flat_map(|value| texts(value)).collect();
            let read = parser.read(&texts);
            prop_assert_eq!(read.len(), texts.len());
            for (at, (text, read)) in texts.iter().zip(read).enumerate() {
                let value = &values[at / 2];
                let is_read_back = read.as_ref() == Some(&expected(value));
                prop_assert_eq!(is_read_back, parser.carries(value), "{:?} reads {:?} as {:?}", parser, text, read);
            }
            // All that it can read, in one file.
            let mut document = Document::new();
            let mut all = Values::new();
            for (at, value) in values.iter().enumerate().filter(|(_, value)| parser.carries(value)) {
                // Node's dotenv takes what follows for a comment, so the next value must not begin with `#`.
                if matches!(parser, Parser::NodeDotenv) && value.ends_with('\\') {
                    continue;
                }
                document.set(VarName::new(&format!("V{at}")).unwrap(), value.as_str()).unwrap();
                all.insert(format!("V{at}"), value.clone());
            }
            let export = document.to_export().expose_secret().to_owned();
            prop_assert!(parser.read(&[export])[0].as_ref() == Some(&all), "{:?}: all in one file", parser);
            Ok(())
        })
        .unwrap();
}

/// Values as people have them, and which parsers read them back: dotenvy, the package dotenv, Node's own, python-dotenv.
const KNOWN: &[(&str, [bool; 4])] = &[
    ("https://api.internal", [true; 4]),
    ("", [true; 4]),
    ("a=b=c", [true; 4]),
    ("QUJD==", [true; 4]),
    ("hello world", [true; 4]),
    (" edges ", [true; 4]),
    ("a#b", [true; 4]),
    ("a #b", [true; 4]),
    ("pa$WORD", [true; 4]),
    ("p${A}w", [true; 4]),
    ("say \"hi\"", [true; 4]),
    ("{\"a\":1}", [true; 4]),
    ("C:\\dir\\n", [true; 4]),
    ("line1\nline2", [true; 4]),
    ("-----BEGIN KEY-----\nMIIB+/=\n-----END KEY-----\n", [true; 4]),
    ("a\tb", [true; 4]),
    ("~/x", [true; 4]),
    ("*", [true; 4]),
    ("a;b&c|d", [true; 4]),
    ("a`b", [true; 4]),
    ("a!b", [true; 4]),
    ("größe", [true; 4]),
    ("$(touch x)", [true; 4]),
    ("it's", [true; 4]),
    ("it's\nx", [true; 4]),
    ("a'\"b", [true, false, false, true]),
    ("it's $5", [true, false, false, false]),
    ("it's C:\\new", [true, false, false, true]),
    ("a'`b", [false; 4]),
    ("a\r\nb", [false, true, false, true]),
    ("\\\\host\\share", [true, true, true, false]),
    ("C:\\dir\\", [false, true, true, false]),
];

/// Each line of the table, in both ways.
fn check_known(parser: Parser, column: usize) {
    for (value, carried) in KNOWN {
        assert_eq!(parser.carries(value), carried[column], "{value:?}");
    }
    let texts: Vec<String> = KNOWN.iter().flat_map(|(value, _)| texts(value)).collect();
    for (at, read) in parser.read(&texts).iter().enumerate() {
        let (value, carried) = KNOWN[at / 2];
        assert_eq!(
            read.as_ref() == Some(&expected(value)),
            carried[column],
            "{parser:?} reads {:?} as {read:?}",
            texts[at]
        );
    }
}

#[test]
fn dotenvy_reads_what_it_can() {
    check_known(Parser::Dotenvy, 0);
    check(Parser::Dotenvy);
}

#[test]
#[ignore = "needs Node and its package dotenv: run scripts/dotenv-parsers"]
fn node_dotenv_reads_what_it_can() {
    check_known(Parser::NodeDotenv, 1);
    check(Parser::NodeDotenv);
    // A backslash before the closing quote counts only if what follows can be read as a comment.
    let text = "K='a\\'\nZ='#'\n".to_owned();
    assert_ne!(Parser::NodeDotenv.read(&[text])[0].as_ref().unwrap()["K"], "a\\");
}

#[test]
#[ignore = "needs Node: run scripts/dotenv-parsers"]
fn node_reads_what_it_can() {
    check_known(Parser::Node, 2);
    check(Parser::Node);
}

#[test]
#[ignore = "needs Python and its package python-dotenv: run scripts/dotenv-parsers"]
fn python_dotenv_reads_what_it_can() {
    check_known(Parser::PythonDotenv, 3);
    check(Parser::PythonDotenv);
}

/// The page for readers names each parser and what it cannot read.
#[test]
fn the_documentation_names_every_parser() {
    let page = include_str!("../../docs/dotenv.md");
    for parser in ["dotenvy 0.15.7", "Node's dotenv 18.0.10", "Node's own parser", "python-dotenv 1.2.4"] {
        assert!(page.contains(&format!("| {parser}")), "{parser}");
    }
}
