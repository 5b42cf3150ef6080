//! References such as `${NAME}` in values, for whoever asks for what they stand for.
//!
//! Only those are replaced that name another secret of the environment. What a client makes of the rest, such as `$NAME`,
//! `${NAME:-word}` and `\${NAME}`, is the client's.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use crate::SecretString;

/// Longest value that references may make, in bytes. Where one would be longer, it stays as it is stored.
const MAX_VALUE_BYTES: usize = 1 << 20;
/// How much is made of references for one answer, in bytes, and by how many of them.
const MAX_ALL_BYTES: usize = 16 << 20;
const MAX_REFERENCES: usize = 100_000;

/// The secrets of an environment, to be looked up by their names.
pub(super) struct References<'a> {
    values: BTreeMap<&'a str, &'a str>,
    bytes: usize,
    count: usize,
}

/// A value that is being read.
struct Frame<'a> {
    name: &'a str,
    rest: &'a str,
}

impl<'a> References<'a> {
    pub(super) fn new(secrets: impl Iterator<Item = (&'a str, &'a SecretString)>) -> Self {
        let values = secrets.map(|(name, value)| (name, value.expose_secret())).collect();
        Self { values, bytes: MAX_ALL_BYTES, count: MAX_REFERENCES }
    }

    /// The value of a name with what its references stand for.
    pub(super) fn expand(&mut self, name: &'a str, value: &'a SecretString) -> SecretString {
        if next_reference(value.expose_secret()).is_none() {
            return value.clone();
        }
        self.try_expand(name, value.expose_secret()).unwrap_or_else(|| value.clone())
    }

    /// Without recursion, because a value may refer to as many as there are.
    fn try_expand(&mut self, name: &'a str, value: &'a str) -> Option<SecretString> {
        let limit = MAX_VALUE_BYTES.min(self.bytes);
        let mut expanded = Zeroizing::new(String::with_capacity(value.len()));
        let mut frames = vec![Frame { name, rest: value }];
        let mut open = BTreeSet::from([name]);
        while let Some(frame) = frames.last_mut() {
            let Some((before, found, after)) = next_reference(frame.rest) else {
                push(&mut expanded, frame.rest, limit)?;
                open.remove(frame.name);
                frames.pop();
                continue;
            };
            let reference = &frame.rest[before.len()..frame.rest.len() - after.len()];
            frame.rest = after;
            push(&mut expanded, before, limit)?;
            self.count = self.count.checked_sub(1)?;
            match self.values.get_key_value(found) {
                Some((name, value)) if open.insert(name) => frames.push(Frame { name, rest: value }),
                _ => push(&mut expanded, reference, limit)?,
            }
        }
        self.bytes -= expanded.len();
        Some(SecretString::from(expanded.as_str()))
    }
}

/// Appends, unless that were too much. No smaller buffer is left behind with a part of a secret in it.
fn push(text: &mut Zeroizing<String>, more: &str, limit: usize) -> Option<()> {
    let length = text.len() + more.len();
    if length > limit {
        return None;
    }
    if length > text.capacity() {
        let mut longer = Zeroizing::new(String::with_capacity((2 * length).min(limit)));
        longer.push_str(text);
        *text = longer;
    }
    text.push_str(more);
    Some(())
}

/// What stands before the first reference, the name in it, and what stands behind it.
fn next_reference(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(found) = text[from..].find("${") {
        let start = from + found;
        from = start + 2;
        let length = text[from..].bytes().take_while(|byte| is_name_byte(*byte)).count();
        let name = &text[from..from + length];
        let is_name = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        let is_escaped = text[..start].ends_with('\\');
        if is_name && !is_escaped && text[from + length..].starts_with('}') {
            return Some((&text[..start], name, &text[from + length + 1..]));
        }
    }
    None
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(secrets: &[(&str, &str)]) -> Vec<String> {
        let secrets: Vec<(&str, SecretString)> =
            secrets.iter().map(|(name, value)| (*name, SecretString::from(*value))).collect();
        let mut references = References::new(secrets.iter().map(|(name, value)| (*name, value)));
        secrets.iter().map(|(name, value)| references.expand(name, value).expose_secret().to_owned()).collect()
    }

    #[test]
    fn references_are_what_they_name() {
        assert_eq!(
            expand(&[("URL", "pg://${HOST}:${PORT}/${HOST}"), ("HOST", "db.${ZONE}"), ("ZONE", "é"), ("PORT", "1")]),
            ["pg://db.é:1/db.é", "db.é", "é", "1"]
        );
        assert_eq!(expand(&[("AA", "[${BB}]"), ("BB", "")]), ["[]", ""]);
    }

    #[test]
    fn what_is_no_reference_stays() {
        for text in [
            "${NOPE}",
            "$AA",
            "${AA:-x}",
            "\\${AA}",
            "\\\\${AA}",
            "${aa}",
            "${}",
            "${AA",
            "$${",
            "${ AA }",
            "${1A}",
            "$",
            "é${",
        ] {
            assert_eq!(expand(&[("AA", "1"), ("TEXT", text)]), ["1", text]);
        }
        assert_eq!(expand(&[("AA", "1"), ("TEXT", "$${AA}${${AA}}")]), ["1", "$1${1}"]);
    }

    #[test]
    fn what_refers_to_itself_does_so_in_the_end() {
        assert_eq!(expand(&[("AA", "x${AA}")]), ["x${AA}"]);
        assert_eq!(expand(&[("AA", "a${BB}"), ("BB", "b${AA}")]), ["ab${AA}", "ba${BB}"]);
        assert_eq!(
            expand(&[("AA", "a${BB}${CC}"), ("BB", "${CC}"), ("CC", "${AA}")]),
            ["a${AA}${AA}", "a${BB}${AA}".replace("${AA}", "${CC}").as_str(), "a${CC}${CC}"]
        );
    }

    #[test]
    fn too_much_stays_as_it_is() {
        let long = "x".repeat(1 << 14);
        let many = "${LONG}".repeat(100);
        assert_eq!(expand(&[("LONG", &long), ("MANY", &many)])[1], many);
        let names: Vec<String> = (0..40).map(|number| format!("N{number}")).collect();
        let values: Vec<String> = (1..=40).map(|number| format!("${{N{number}}}${{N{number}}}")).collect();
        let doubled: Vec<(&str, &str)> = names.iter().zip(&values).map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(expand(&[&doubled[..], &[("N40", "")]].concat())[0], values[0], "2^40 references to nothing");
    }

    #[test]
    fn all_of_one_answer_has_a_bound() {
        let (long, many) = ("x".repeat(1 << 14), "${LONG}".repeat(64));
        let names: Vec<String> = (0..20).map(|number| format!("N{number}")).collect();
        let mut secrets: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), many.as_str())).collect();
        secrets.push(("LONG", &long));
        let expanded = expand(&secrets);
        assert_eq!((expanded[15].len(), &expanded[16]), (1 << 20, &many));
    }

    #[test]
    fn a_chain_may_be_as_long_as_there_are_secrets() {
        let names: Vec<String> = (0..=3000).map(|number| format!("N{number}")).collect();
        let values: Vec<String> = (1..=3000).map(|number| format!("${{N{number}}}")).collect();
        let mut chain: Vec<(&str, &str)> = names.iter().zip(&values).map(|(a, b)| (a.as_str(), b.as_str())).collect();
        chain.push(("N3000", "end"));
        assert_eq!(expand(&chain)[0], "end");
    }

    #[test]
    fn one_level_is_as_the_client_does_it() {
        let vectors = include_str!("../../../../tests/vectors/stashbase.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        // Where the client differs: it knows no backslash, and no cycle.
        for case in vectors["one_level_references"].as_array().unwrap() {
            let secrets: Vec<(&str, &str)> = case["secrets"]
                .as_array()
                .unwrap()
                .iter()
                .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
                .collect();
            let about = case["about"].as_str().unwrap();
            if about.contains("backslash") || about.contains("self reference") {
                continue;
            }
            for ((name, _), value) in secrets.iter().zip(expand(&secrets)) {
                assert_eq!(case["expect"][name], value, "{about}");
            }
        }
    }
}
