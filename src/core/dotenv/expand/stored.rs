//! Values of an environment that Stashbase's server expands, one for each request or all of them.
//!
//! Only references to other secrets of the environment are replaced. What a client makes of the rest, such as `$NAME`,
//! `${NAME:-word}` and `\${NAME}`, is the client's business.

use std::collections::{BTreeMap, BTreeSet};

use super::scan::{STASHBASE_SERVER, Scanner, What};
use crate::core::document::Dollars;
use crate::core::secret::SecretString;
use crate::core::secret_text::SecretText;

/// Longest value that references may make, in bytes. Where one would be longer, it stays as it is stored.
const MAX_VALUE_BYTES: usize = 1 << 20;
/// How much is made of references for one response, in bytes, and by how many of them.
const MAX_ALL_BYTES: usize = 16 << 20;
const MAX_REFERENCES: usize = 100_000;

/// The secrets of an environment by their names, and what is left of the bounds of one response.
pub(crate) struct References<'a> {
    values: BTreeMap<&'a str, (&'a str, &'a Dollars)>,
    bytes: usize,
    count: usize,
}

/// A value that is being read.
struct Frame<'a> {
    name: &'a str,
    scanner: Scanner<'a>,
    next: usize,
}

impl<'a> Frame<'a> {
    fn new(name: &'a str, value: &'a str, dollars: &'a Dollars) -> Self {
        Self { name, scanner: Scanner::new(&STASHBASE_SERVER, value, dollars), next: 0 }
    }
}

impl<'a> References<'a> {
    /// Takes each secret with which `$` of its value are literal.
    pub(crate) fn new(secrets: impl Iterator<Item = (&'a str, &'a SecretString, &'a Dollars)>) -> Self {
        let values = secrets.map(|(name, value, dollars)| (name, (value.expose_secret(), dollars))).collect();
        Self { values, bytes: MAX_ALL_BYTES, count: MAX_REFERENCES }
    }

    /// The value of a name with what its references stand for. A reference to a name that is not there, or that leads
    /// back to itself, stays. So does a literal `$`.
    pub(crate) fn expand(&mut self, name: &'a str, value: &'a SecretString, dollars: &'a Dollars) -> SecretString {
        self.try_expand(name, value.expose_secret(), dollars).unwrap_or_else(|| value.clone())
    }

    /// Without recursion, because a chain may be as long as there are secrets. `None` where the value stays as it is.
    fn try_expand(&mut self, name: &'a str, value: &'a str, dollars: &'a Dollars) -> Option<SecretString> {
        let limit = MAX_VALUE_BYTES.min(self.bytes);
        let first = Frame::new(name, value, dollars);
        first.scanner.next(0..value.len())?;
        let mut frames = vec![first];
        let mut expanded = SecretText::with_capacity(value.len());
        let mut open = BTreeSet::from([name]);
        while let Some(frame) = frames.last_mut() {
            let text = frame.scanner.text();
            let Some(found) = frame.scanner.next(frame.next..text.len()) else {
                expanded.push_within(&text[frame.next..], limit)?;
                open.remove(frame.name);
                frames.pop();
                continue;
            };
            expanded.push_within(&text[frame.next..found.range.start], limit)?;
            frame.next = found.range.end;
            self.count = self.count.checked_sub(1)?;
            let target = match found.what {
                What::Reference(reference) => self.values.get_key_value(reference.name),
                What::Dollar => None,
            };
            match target {
                Some((name, (value, dollars))) if open.insert(name) => frames.push(Frame::new(name, value, dollars)),
                _ => expanded.push_within(&text[found.range], limit)?,
            }
        }
        self.bytes -= expanded.len();
        Some(expanded.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(secrets: &[(&str, &str)]) -> Vec<String> {
        let secrets: Vec<(&str, SecretString)> =
            secrets.iter().map(|(name, value)| (*name, SecretString::from(*value))).collect();
        let dollars = &Dollars::Expandable;
        let mut references = References::new(secrets.iter().map(|(name, value)| (*name, value, dollars)));
        let expanded = secrets.iter().map(|(name, value)| references.expand(name, value, dollars));
        expanded.map(|value| value.expose_secret().to_owned()).collect()
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
