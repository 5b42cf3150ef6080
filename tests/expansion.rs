//! References in values, in the notation of each service.

use std::collections::BTreeMap;

use ioenv::{
    Dialect, Document, Error, ErrorKind, Expansion, Kind, Layer, MAX_VALUE_BYTES, Resolved, SecretString, merge,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

type Map = BTreeMap<String, String>;

/// Names with their values, in order. Every `$` can begin a reference.
fn document(secrets: &[(&str, &str)]) -> Document {
    let mut document = Document::new();
    for (name, value) in secrets {
        document.set(name.parse().expect("a name"), *value).expect("a value");
    }
    document
}

fn resolved(document: Document) -> Resolved {
    merge(vec![Layer::new("acme-store".parse().expect("a path"), document)])
}

/// The values after expansion, and the references without a value.
fn expand(dialect: Dialect, document: Document, process: &Map) -> Result<(Map, Vec<String>), Error> {
    let mut resolved = resolved(document);
    let process = |name: &str| process.get(name).map(|value| SecretString::from(value.as_str()));
    let unresolved = Expansion::new(dialect).process(&process).apply(&mut resolved)?;
    let unresolved = unresolved.iter().map(|one| format!("{} {}", one.name, one.reference)).collect();
    Ok((values(&resolved), unresolved))
}

fn values(resolved: &Resolved) -> Map {
    let variables = resolved.iter();
    variables.map(|one| (one.name().to_string(), one.value().expose_secret().to_owned())).collect()
}

fn map(pairs: &[(&str, &str)]) -> Map {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The value of `OUT`, which is set after the others.
fn out(dialect: Dialect, others: &[(&str, &str)], process: &[(&str, &str)], text: &str) -> Result<String, Error> {
    let mut document = document(others);
    document.set("OUT".parse()?, text)?;
    Ok(expand(dialect, document, &map(process))?.0["OUT"].clone())
}

mod dotenv_cloud {
    use super::*;

    const SET: [(&str, &str); 4] = [("X", "x"), ("EMPTY", ""), ("NEXT", "<$X>"), ("LONG_NAME_1", "long")];

    fn cloud(text: &str) -> String {
        out(Dialect::DotenvCloud, &SET, &[], text).expect("nothing is required")
    }

    #[test]
    fn each_form_is_replaced_as_its_service_does_it() {
        for (text, expected) in [
            ("$X ${X}", "x x"),
            ("$X$X-${X}y", "xx-xy"),
            ("$LONG_NAME_1.$LONG_NAME_1é", "long.longé"),
            ("${NEXT}/$NEXT", "<x>/<x>"),
            // Without a value it stays, and an empty one is none.
            ("$NONE ${NONE} $EMPTY ${EMPTY}", "$NONE ${NONE} $EMPTY ${EMPTY}"),
            ("${X:-word} ${EMPTY:-word} ${NONE:-word} ${NONE:-}", "x word word "),
            ("${X:+word} ${EMPTY:+word} ${NONE:+word} ${X:+}", "word   "),
            ("${X:?message}", "x"),
            ("${NONE:-a:-b} ${NONE:-a b\n$}", "a:-b a b\n$"),
            ("${NONE:-${X}} ${NONE:-$X!} ${X:+[${NEXT}]}", "x x! [<x>]"),
            ("${NONE:-${EMPTY:-${NONE:-deep}}}", "deep"),
            ("${NONE:-${NONE}}", "${NONE}"),
            ("${NONE:-{x}}", "{x}"),
            ("${X:-${NONE:?is not asked}}", "x"),
            // What is no reference stays, and what is inside of it is looked at.
            (
                "${X-word} ${X:=word} ${X:word} ${X+word} ${X?word}",
                "${X-word} ${X:=word} ${X:word} ${X+word} ${X?word}",
            ),
            ("${} ${ X } ${X", "${} ${ X } ${X"),
            ("${X-$X} ${ ${X} } ${NONE:-$X", "${X-x} ${ x } ${NONE:-x"),
            ("${NONE:-x${X}", "${NONE:-xx"),
            ("${A.B} ${ä} ${X }", "${A.B} ${ä} ${X }"),
            // A backslash keeps the `$`, and goes.
            ("\\$X \\${X} \\${NONE:-$X}", "$X ${X} ${NONE:-x}"),
            ("\\\\$X", "\\$X"),
            ("${NONE:-\\$X\\${X}}", "$X${X}"),
            ("\\X \\", "\\X \\"),
            // Two `$` are one and a reference.
            ("$$X $${X} $$", "$x $x $$"),
            ("$1 $ $-", "$1 $ $-"),
            // `1` can have no value.
            ("${1} ${1:-word} ${1:+word}", "${1} word "),
            ("$2b$10$abc", "$2b$10$abc"),
        ] {
            assert_eq!(cloud(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_inserted_is_not_searched_again() {
        let set = [("OPEN", "${"), ("DOLLAR", "\\$"), ("X", "x")];
        for (text, expected) in [("${OPEN}X}", "${X}"), ("${DOLLAR}X", "$X"), ("${DOLLAR}{X}", "${X}")] {
            assert_eq!(out(Dialect::DotenvCloud, &set, &[], text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn the_process_is_asked_for_what_no_level_sets() {
        let process = [("HOME", "/home/acme"), ("X", "theirs"), ("EMPTY", "theirs"), ("RAW", "$X"), ("NOTHING", "")];
        for (text, expected) in [
            ("$HOME/$X", "/home/acme/x"),
            ("$EMPTY${EMPTY:-none}", "$EMPTYnone"),
            ("$RAW", "$X"),
            ("${NOTHING:-none} ${HOME:+home} ${HOME:?}", "none home /home/acme"),
        ] {
            assert_eq!(out(Dialect::DotenvCloud, &SET, &process, text).unwrap(), expected, "{text}");
        }
        assert_eq!(cloud("$HOME"), "$HOME");
    }

    #[test]
    fn order_does_not_matter_and_only_real_cycles_are_errors() {
        let set = [("A", "${X}-${Y}"), ("X", "${Y}"), ("Y", "y"), ("Z", "${Y:-${Z}}")];
        let (found, _) = expand(Dialect::DotenvCloud, document(&set), &Map::new()).unwrap();
        assert_eq!(found, map(&[("A", "y-y"), ("X", "y"), ("Y", "y"), ("Z", "y")]));
        for circle in [
            &[("A", "$A")][..],
            &[("A", "$B"), ("B", "${A:-x}")],
            &[("A", "${A:+x}")],
            &[("A", "${NONE:-$B}"), ("B", "${C:?}"), ("C", "c$A")],
        ] {
            let error = expand(Dialect::DotenvCloud, document(circle), &Map::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            assert_eq!(error.names().len(), circle.len(), "{error}");
        }
    }

    #[test]
    fn what_is_required_and_has_no_value_is_an_error_without_the_message() {
        for text in ["${NONE:?planted}", "${EMPTY:?planted}", "${NONE:-${NONE:?planted}}", "${NONE:?${planted}}"] {
            let error = out(Dialect::DotenvCloud, &SET, &[], text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{text}");
            assert_eq!(error.names()[0].as_str(), "OUT");
            assert!(!format!("{error} {error:?}").contains("planted"));
        }
    }

    #[test]
    fn what_has_no_value_is_reported() {
        let set =
            [("A", "$NONE ${NONE} ${E} ${1} $E"), ("B", "${A}${NONE:-$OTHER} ${X:-$NOT_ASKED}"), ("E", ""), ("X", "x")];
        let (_, unresolved) = expand(Dialect::DotenvCloud, document(&set), &Map::new()).unwrap();
        assert_eq!(unresolved, ["A E", "A NONE", "B OTHER"]);
    }

    #[test]
    fn depth_is_bounded_in_words_and_in_chains() {
        let words = |depth: usize| format!("{}x{}", "${NONE:-".repeat(depth), "}".repeat(depth));
        assert_eq!(cloud(&words(64)), "x");
        for depth in [65, 5000] {
            assert_eq!(out(Dialect::DotenvCloud, &[], &[], &words(depth)).unwrap_err().kind(), ErrorKind::Limit);
        }
        let open = "${NONE:-".repeat(8000);
        assert_eq!(cloud(&open), open);
        // Each step is a word and a reference.
        for (steps, is_fine) in [(32, true), (33, false)] {
            let mut document = document(&[("N0", "end")]);
            for step in 1..=steps {
                document.set(format!("N{step}").parse().unwrap(), format!("${{NONE:-$N{}}}", step - 1)).unwrap();
            }
            assert_eq!(expand(Dialect::DotenvCloud, document, &Map::new()).is_ok(), is_fine, "{steps}");
        }
    }
}

mod stashbase {
    use super::*;

    #[test]
    fn a_client_loads_what_the_vectors_say() {
        let vectors: Value = serde_json::from_str(include_str!("vectors/stashbase.json")).unwrap();
        let cases = vectors["expansion"].as_array().unwrap();
        assert_eq!(cases.len(), 35);
        for case in cases {
            let pairs = case["secrets"].as_array().unwrap().iter();
            let pairs: Vec<(&str, &str)> =
                pairs.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect();
            let maps = ["process_env", "expect"].map(|member| serde_json::from_value(case[member].clone()).unwrap());
            let [process, expected]: [Map; 2] = maps;
            let (found, _) = expand(Dialect::Stashbase, document(&pairs), &process).unwrap();
            assert_eq!(found, expected, "{}", case["about"]);
        }
    }

    #[test]
    fn each_form_is_replaced_as_its_clients_do_it() {
        let set = [("ON", "on"), ("EMPTY", "")];
        for (text, expected) in [
            ("${ON:-dflt} ${ON-dflt} ${ON:+alt} ${ON+alt} ${ON}", "on on alt alt on"),
            ("${NONE:-dflt} ${NONE-dflt} ${NONE:+alt} ${NONE+alt} ${NONE}.", "dflt dflt   ."),
            ("${EMPTY:-dflt} ${EMPTY-dflt} ${EMPTY:+alt} ${EMPTY+alt} ${EMPTY}.", "dflt   alt ."),
            ("\\$ON \\${ON} \\\\$ON", "$ON ${ON} \\$ON"),
            ("cost $5 and $9x a$$ b $ a${ONE b ${} $", "cost $5 and $9x a$$ b $ a${ONE b ${} $"),
            ("${NONE:-a:-b} ${NONE:+a-b} [${NONE:-}] ${NONE-a+b}", "a:-b  [] a+b"),
            ("${NONE:-${NOR:-deep}} ${NONE:-p$ON} ${ON:+--path=${ON}}", "deep pon --path=on"),
            ("[${ ON }] [${ON:x}] [${ON }] ${:-word} ${+x}.", "[] [] [] word ."),
            ("$ONé ${né-ü}", "oné ü"),
            ("pa$word", "pa"),
            // What comes out of one replacement is a part of the next.
            ("${NONE:-$}ON", "on"),
            ("${${NONE:-ON}}", "on"),
            ("${NONE:-\\}$ON", "$ON"),
        ] {
            assert_eq!(out(Dialect::Stashbase, &set, &[], text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn the_process_comes_first_in_value_and_reference() {
        let set = [("A", "a"), ("B", "${A}1"), ("C", "$B.$OTHER")];
        let process = map(&[("A", "\\$x"), ("B", "${A}1"), ("OTHER", "$A")]);
        let (found, unresolved) = expand(Dialect::Stashbase, document(&set), &process).unwrap();
        assert_eq!(found, map(&[("A", "$x"), ("B", "$x1"), ("C", "$x1.$x")]));
        assert!(unresolved.is_empty());

        let mut resolved = resolved(document(&set));
        let process = |name: &str| process.get(name).map(|value| SecretString::from(value.as_str()));
        Expansion::new(Dialect::Stashbase).process(&process).apply(&mut resolved).unwrap();
        let own: Vec<bool> = resolved.iter().map(|variable| variable.origin().is_process()).collect();
        assert_eq!(own, [true, false, false]);
    }

    #[test]
    fn the_order_of_the_document_counts_and_the_level() {
        let broad = document(&[("Z", "z"), ("A", "$Z$B")]);
        let narrow = document(&[("C", "$A$B"), ("B", "b")]);
        let layer = |path: &str, document| Layer::new(path.parse().unwrap(), document);
        let mut resolved = merge(vec![layer("acme", broad), layer("acme/dev", narrow)]);
        let unresolved = Expansion::new(Dialect::Stashbase).apply(&mut resolved).unwrap();
        assert_eq!(values(&resolved), map(&[("A", "z"), ("B", "b"), ("C", "z"), ("Z", "z")]));
        let unresolved: Vec<String> = unresolved.iter().map(|one| format!("{} {}", one.name, one.reference)).collect();
        assert_eq!(unresolved, ["A B", "C B"]);
    }

    #[test]
    fn replacements_and_lengths_are_bounded() {
        let limit = |set: &[(&str, &str)], process: &[(&str, &str)]| {
            let error = expand(Dialect::Stashbase, document(set), &map(process)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit);
            error
        };
        // It brings itself in again and again.
        let error = limit(&[("A", "$B!")], &[("B", "x$B")]);
        assert!(error.to_string().contains("expanding A takes more than 1000 replacements"), "{error}");
        limit(&[("A", "$B!")], &[("B", "$B$B")]);
        let many = |count: usize| "$A".repeat(count);
        limit(&[("A", "a"), ("B", &many(1001))], &[]);
        let (found, _) = expand(Dialect::Stashbase, document(&[("A", "a"), ("B", &many(1000))]), &Map::new()).unwrap();
        assert_eq!(found["B"], "a".repeat(1000));

        let long = "x".repeat(MAX_VALUE_BYTES);
        let sixteen = |count: usize| "${A}".repeat(count);
        let set = [("A", long.as_str()), ("B", &sixteen(16))];
        assert_eq!(expand(Dialect::Stashbase, document(&set), &Map::new()).unwrap().0["B"].len(), 1 << 20);
        limit(&[("A", &long), ("B", &sixteen(17))], &[]);
        let names: Vec<String> = (0..16).map(|number| format!("B{number}")).collect();
        let value = sixteen(16);
        let mut set = vec![("A", long.as_str())];
        set.extend(names.iter().map(|name| (name.as_str(), value.as_str())));
        limit(&set, &[]);
    }
}

#[test]
fn a_literal_dollar_begins_nothing_in_any_notation() {
    let text = "A=a\nLITERAL='$A ${A} \\$A'\nMIXED=\"\\${A} ${A} x\\$A\"\n";
    for dialect in [Dialect::Ioenv, Dialect::DotenvCloud, Dialect::Stashbase] {
        let (found, unresolved) = expand(dialect, Document::parse(text).unwrap(), &Map::new()).unwrap();
        assert_eq!(found["LITERAL"], "$A ${A} \\$A", "{dialect:?}");
        assert_eq!(found["MIXED"], "${A} a x$A", "{dialect:?}");
        assert!(unresolved.is_empty());
    }
}

#[test]
fn a_value_with_a_secret_in_it_is_a_secret() {
    let text = "# ioenv: variable\nA=a\nS=s\n# ioenv: variable\nB=${A}\n# ioenv: variable\nC=${S}\n\
                # ioenv: variable\nD=${C}\n# ioenv: variable\nE=${HOME}\n";
    for dialect in [Dialect::DotenvCloud, Dialect::Stashbase] {
        let mut resolved = resolved(Document::parse(text).unwrap());
        let process = |name: &str| (name == "HOME").then(|| SecretString::from("/home/acme"));
        Expansion::new(dialect).process(&process).apply(&mut resolved).unwrap();
        let variables: Vec<&str> = resolved
            .iter()
            .filter(|variable| variable.kind() == Kind::Variable)
            .map(|variable| variable.name().as_str())
            .collect();
        assert_eq!(variables, ["A", "B"], "{dialect:?}");
        assert_eq!(resolved.get("E").unwrap().value().expose_secret(), "/home/acme");
    }
}

/// The rules of Stashbase's clients, step by step. `None` where a bound is passed.
fn stashbase_by_the_book(secrets: &[(&str, &str)], process: &Map) -> Option<Map> {
    let mut results = Map::new();
    for (name, raw) in secrets {
        let value = match process.get(*name) {
            Some(own) if own != raw => own.clone(),
            _ => expanded_by_the_book(raw, process, &results)?,
        };
        results.insert((*name).to_owned(), value.replace("\\$", "$"));
    }
    Some(results)
}

fn expanded_by_the_book(raw: &str, process: &Map, results: &Map) -> Option<String> {
    let mut value: Vec<char> = raw.chars().collect();
    let mut seen = Vec::new();
    let is_letter = |c: &char| c.is_ascii_alphabetic() || *c == '_';
    for _ in 0..=1000 {
        let mut found = None;
        for at in (0..value.len()).filter(|&at| value[at] == '$' && (at == 0 || value[at - 1] != '\\')) {
            let rest = &value[at + 1..];
            if rest.first() == Some(&'{') {
                let inner: Vec<char> = rest[1..].iter().take_while(|c| !"{}".contains(**c)).copied().collect();
                if !inner.is_empty() && rest.get(1 + inner.len()) == Some(&'}') {
                    found = Some((at, at + inner.len() + 3, inner));
                    break;
                }
            } else if rest.first().is_some_and(is_letter) {
                let name: Vec<char> = rest.iter().take_while(|c| is_letter(c) || c.is_ascii_digit()).copied().collect();
                found = Some((at, at + 1 + name.len(), name));
                break;
            }
        }
        let Some((start, end, expression)) = found else {
            return Some(value.into_iter().collect());
        };
        let expression: String = expression.into_iter().collect();
        seen.push(value.iter().collect::<String>());
        let operators = [":+", ":-", "+", "-"].into_iter();
        let first = operators.filter_map(|one| expression.find(one).map(|at| (at, std::cmp::Reverse(one.len()), one)));
        let (key, operator, word) = match first.min() {
            Some((at, _, one)) => (&expression[..at], one, &expression[at + one.len()..]),
            None => (expression.as_str(), "", ""),
        };
        let x = process.get(key).or_else(|| results.get(key)).map(String::as_str);
        let is_full = x.is_some_and(|x| !x.is_empty());
        let or_word = |is_set: bool| match x {
            Some(x) if is_set && !seen.iter().any(|seen| seen == x) => x,
            _ => word,
        };
        let new = match operator {
            ":+" => {
                if is_full {
                    word
                } else {
                    ""
                }
            }
            "+" => {
                if x.is_some() {
                    word
                } else {
                    ""
                }
            }
            ":-" => or_word(is_full),
            _ => or_word(x.is_some()),
        };
        value.splice(start..end, new.chars());
        let whole: String = value.iter().collect();
        if whole.len() > 1 << 20 {
            return None;
        }
        if results.get(key) == Some(&whole) {
            return Some(whole);
        }
    }
    None
}

const PIECES: [&str; 34] = [
    "$", "$$", "${", "}", "{", "$A", "$B", "$C", "${A}", "${B}", "${C}", "${NONE}", "${A:-", "${NONE:-", "${B-",
    "${C:+", "${NONE+", "${A:?", "\\", "\\$", ":-", "+", "-", ":", "A", "B", "C", " ", "é", "x", "1", "${ A }", "${1}",
    "$1",
];

fn pieces() -> impl Strategy<Value = String> {
    vec(select(&PIECES[..]), 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn stashbase_is_as_its_rules_say(
        values in vec(pieces(), 3),
        process in proptest::collection::btree_map(select(&["A", "B", "C", "NONE"][..]), pieces(), 0..3),
        copies: bool,
    ) {
        let secrets: Vec<(&str, &str)> = ["A", "B", "C"].into_iter().zip(values.iter().map(String::as_str)).collect();
        let mut process: Map = process.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if copies {
            // The process has what the secret has.
            process.insert("B".to_owned(), values[1].clone());
        }
        let found = expand(Dialect::Stashbase, document(&secrets), &process).map(|(values, _)| values);
        prop_assert_eq!(found.ok(), stashbase_by_the_book(&secrets, &process));
    }

    #[test]
    fn expansion_ends_within_its_bounds(values in vec(pieces(), 3), process in vec(pieces(), 2)) {
        let secrets: Vec<(&str, &str)> = ["A", "B", "C"].into_iter().zip(values.iter().map(String::as_str)).collect();
        let process = map(&[("NONE", process[0].as_str()), ("A", process[1].as_str())]);
        for (dialect, longest) in
            [(Dialect::Ioenv, MAX_VALUE_BYTES), (Dialect::DotenvCloud, MAX_VALUE_BYTES), (Dialect::Stashbase, 1 << 20)]
        {
            match expand(dialect, document(&secrets), &process) {
                Ok((values, _)) => prop_assert!(values.values().all(|value| value.len() <= longest)),
                Err(error) => prop_assert!(
                    matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::Limit | ErrorKind::NotFound),
                    "{}", error
                ),
            }
        }
    }

    #[test]
    fn text_without_a_reference_is_left_alone(values in vec("[^$\0]{0,40}", 3)) {
        let secrets: Vec<(&str, &str)> = ["A", "B", "C"].into_iter().zip(values.iter().map(String::as_str)).collect();
        for dialect in [Dialect::Ioenv, Dialect::DotenvCloud, Dialect::Stashbase] {
            let (found, unresolved) = expand(dialect, document(&secrets), &Map::new()).unwrap();
            prop_assert_eq!(found, map(&secrets));
            prop_assert!(unresolved.is_empty());
        }
    }
}
