//! Values that depend on each other in any order. Each is expanded once, and a cycle is an error.

use std::collections::BTreeSet;
use std::ops::Range;

use super::outcome::{Process, Replacement, Unresolved, too_large};
use super::scan::{Action, Scanner, Syntax, What};
use crate::core::document::{Dollars, Kind};
use crate::core::limits::{MAX_FILE_BYTES, MAX_VALUE_BYTES};
use crate::core::merge::Resolved;
use crate::core::name::VarName;
use crate::core::secret_text::SecretText;
use crate::error::{Error, ErrorKind, Result};

/// Longest chain of references, from a value to what it finally stands on. A word inside a reference counts as one.
const MAX_DEPTH: usize = 64;

/// The values that change, and the references that have no value.
pub(super) fn expand(
    resolved: &Resolved,
    syntax: &Syntax,
    process: Process<'_>,
) -> Result<(Vec<Replacement>, BTreeSet<Unresolved>)> {
    let mut graph = Graph {
        resolved,
        syntax,
        process,
        states: (0..resolved.len()).map(|_| State::New).collect(),
        open: Vec::new(),
        words: 0,
        unresolved: BTreeSet::new(),
        bytes: 0,
    };
    for number in 0..resolved.len() {
        graph.visit(number)?;
    }
    let replacement = |(number, state)| match state {
        State::Done { value: Some(value), kind, .. } => {
            Some(Replacement { number, value: value.into(), kind: Some(kind) })
        }
        _ => None,
    };
    let values = graph.states.into_iter().enumerate().filter_map(replacement).collect();
    Ok((values, graph.unresolved))
}

struct Graph<'a> {
    resolved: &'a Resolved,
    syntax: &'a Syntax,
    process: Process<'a>,
    states: Vec<State>,
    /// The variables that are being expanded, each referred to by the one before.
    open: Vec<usize>,
    /// How many words they are being expanded in.
    words: usize,
    unresolved: BTreeSet<Unresolved>,
    bytes: usize,
}

enum State {
    New,
    Open,
    /// `value` is `None` where the entry's own stays. `depth` is the longest chain of references below.
    Done {
        value: Option<SecretText>,
        kind: Kind,
        depth: usize,
    },
}

/// A value that is being put together.
struct Value<'a> {
    name: &'a VarName,
    text: SecretText,
    kind: Kind,
    /// The longest chain of references so far.
    depth: usize,
}

/// What a reference stands for.
struct Part<'a> {
    text: &'a str,
    kind: Kind,
    depth: usize,
}

impl Graph<'_> {
    /// Leaves the state of the `number`th variable done.
    fn visit(&mut self, number: usize) -> Result<()> {
        match self.states[number] {
            State::Done { .. } => return Ok(()),
            State::Open => return Err(self.cycle(number)),
            State::New if self.level() > MAX_DEPTH => return Err(self.too_deep()),
            State::New => {}
        }
        self.states[number] = State::Open;
        self.open.push(number);
        let done = self.expanded(number)?;
        self.open.pop();
        self.states[number] = done;
        Ok(())
    }

    /// How deep the recursion is.
    fn level(&self) -> usize {
        self.open.len() + self.words
    }

    fn expanded(&mut self, number: usize) -> Result<State> {
        let variable = self.resolved.nth(number);
        let text = variable.value().expose_secret();
        let scanner = Scanner::new(self.syntax, text, variable.dollars().unwrap_or(&Dollars::Literal));
        let mut value = Value { name: variable.name(), text: SecretText::default(), kind: variable.kind(), depth: 0 };
        let done = self.write(&scanner, 0..text.len(), &mut value)?;
        if value.depth > MAX_DEPTH {
            return Err(self.too_deep());
        }
        let text = if done == 0 {
            None
        } else {
            append(&mut value, &text[done..], &mut self.bytes)?;
            Some(value.text)
        };
        Ok(State::Done { value: text, kind: value.kind, depth: value.depth })
    }

    /// Appends a range of a text to the value, with what its references stand for, up to the end of the last of them.
    /// Returns where that is, or else the start of the range.
    fn write(&mut self, scanner: &Scanner<'_>, range: Range<usize>, value: &mut Value<'_>) -> Result<usize> {
        let text = scanner.text();
        // Up to where the text is dealt with: copied, or replaced.
        let mut done = range.start;
        let mut next = range.start;
        while let Some(found) = scanner.next(next..range.end) {
            next = found.range.end;
            let before = &text[done..found.range.start];
            let reference = match found.what {
                What::Dollar => {
                    append(value, before, &mut self.bytes)?;
                    append(value, "$", &mut self.bytes)?;
                    done = next;
                    continue;
                }
                What::Reference(reference) => reference,
            };
            let number = self.resolved.find(reference.name);
            let process = match number {
                Some(number) => {
                    self.visit(number)?;
                    None
                }
                None => (self.process)(reference.name),
            };
            let part = match (number, &process) {
                (Some(number), _) => Some(part(self.resolved, &self.states, number)),
                (None, Some(text)) => Some(Part { text: text.expose_secret(), kind: Kind::Secret, depth: 0 }),
                (None, None) => None,
            };
            value.depth = value.depth.max(part.as_ref().map_or(0, |part| part.depth + 1));
            let ignores_empty = reference.operator.map_or(self.syntax.ignores_empty, |operator| operator.ignores_empty);
            let part = part.filter(|part| !(ignores_empty && part.text.is_empty()));
            let takes_word = match (reference.operator.map(|operator| operator.action), part) {
                (None, None) => {
                    // `${1}` is a reference at dotenv.cloud, and 1 is not a name.
                    if let Ok(reference) = VarName::new(reference.name) {
                        self.unresolved.insert(Unresolved { name: value.name.clone(), reference });
                    }
                    continue;
                }
                (Some(Action::Require), None) => return Err(missing(value.name, reference.name)),
                (None | Some(Action::Default | Action::Require), Some(part)) => {
                    if part.kind == Kind::Secret {
                        value.kind = Kind::Secret;
                    }
                    append(value, before, &mut self.bytes)?;
                    append(value, part.text, &mut self.bytes)?;
                    false
                }
                (Some(Action::Alternative), part) => {
                    append(value, before, &mut self.bytes)?;
                    part.is_some()
                }
                (Some(Action::Default), None) => {
                    append(value, before, &mut self.bytes)?;
                    true
                }
            };
            if takes_word {
                self.write_word(scanner, reference.word, value)?;
            }
            done = next;
        }
        Ok(done)
    }

    fn write_word(&mut self, scanner: &Scanner<'_>, word: Range<usize>, value: &mut Value<'_>) -> Result<()> {
        self.words += 1;
        // The variable itself is open, and is no step.
        if self.level() > MAX_DEPTH + 1 {
            return Err(self.too_deep());
        }
        let depth = std::mem::take(&mut value.depth);
        let end = word.end;
        let done = self.write(scanner, word, value)?;
        append(value, &scanner.text()[done..end], &mut self.bytes)?;
        value.depth = depth.max(value.depth + 1);
        self.words -= 1;
        Ok(())
    }

    #[cold]
    fn cycle(&self, number: usize) -> Error {
        let start = self.open.iter().position(|&open| open == number).unwrap_or_default();
        let names: Vec<VarName> =
            self.open[start..].iter().map(|&open| self.resolved.nth(open).name().clone()).collect();
        let list: Vec<&str> = names.iter().chain(names.first()).map(VarName::as_str).collect();
        Error::new(ErrorKind::InvalidValue, format!("references go round in a circle: {}", list.join(" -> ")))
            .with_names(names)
    }

    #[cold]
    fn too_deep(&self) -> Error {
        let names = self.open.first().map(|&open| self.resolved.nth(open).name().clone());
        let message = format!("a chain of references is longer than {MAX_DEPTH}");
        Error::new(ErrorKind::Limit, message).with_names(names)
    }
}

/// What a variable that is done stands for.
fn part<'a>(resolved: &'a Resolved, states: &'a [State], number: usize) -> Part<'a> {
    let State::Done { value, kind, depth } = &states[number] else {
        unreachable!("invariant: a visit that succeeds leaves its target done");
    };
    let variable = resolved.nth(number);
    let text = value.as_ref().map_or_else(|| variable.value().expose_secret(), SecretText::as_str);
    // What a person may not see there, they may not see here.
    let kind = if variable.is_public() { *kind } else { Kind::Secret };
    Part { text, kind, depth: *depth }
}

fn append(value: &mut Value<'_>, part: &str, bytes: &mut usize) -> Result<()> {
    *bytes += part.len();
    if *bytes > MAX_FILE_BYTES || value.text.push_within(part, MAX_VALUE_BYTES).is_none() {
        return Err(too_large(value.name, "64 KiB"));
    }
    Ok(())
}

#[cold]
fn missing(name: &VarName, reference: &str) -> Error {
    let names = [Some(name.clone()), VarName::new(reference).ok()];
    let message = format!("{name} requires {reference}, which has no value");
    Error::new(ErrorKind::NotFound, message).with_names(names.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::document::Document;
    use crate::core::dotenv::expand::expand;
    use crate::core::merge::{Layer, merge};

    fn resolved(text: &str) -> Resolved {
        merge(vec![Layer::new("a".parse().unwrap(), Document::parse(text).unwrap())])
    }

    fn value(text: &str) -> String {
        let mut resolved = resolved(text);
        expand(&mut resolved).unwrap();
        resolved.get("A").unwrap().value().expose_secret().to_owned()
    }

    #[test]
    fn only_braced_names_are_references() {
        let others = "B=b\nEMPTY=\n";
        for (written, expected) in [
            ("${B}", "b"),
            ("x${B}y${B}", "xbyb"),
            ("${EMPTY}", ""),
            ("$B", "$B"),
            ("$$", "$"),
            ("$${B}", "${B}"),
            ("$$$B", "$$B"),
            ("$$${B}", "$b"),
            ("${B", "${B"),
            ("${}", "${}"),
            ("${B:-x}", "${B:-x}"),
            ("${ B }", "${ B }"),
            ("${MISSING}", "${MISSING}"),
            ("${MISSING}${B}", "${MISSING}b"),
            ("$", "$"),
            ("$2b$10$abc", "$2b$10$abc"),
            ("'${B} $$'", "${B} $$"),
            ("\"\\${B} ${B} \\$\\$ $$\"", "${B} b $$ $"),
        ] {
            assert_eq!(value(&format!("{others}A={written}\n")), expected, "{written}");
        }
    }

    #[test]
    fn references_are_followed_and_inserted_text_is_not_read_again() {
        assert_eq!(value("A=${B}!\nB=${C}\nC=c\n"), "c!");
        assert_eq!(value("A=${B}{C}\nB='$'\nC=c\n"), "${C}");
    }

    #[test]
    fn unknown_names_are_reported_once_with_their_place() {
        let found = expand(&mut resolved("A=${X}${X}\nB=${A}${Y}\n")).unwrap();
        let found: Vec<String> = found.iter().map(|one| format!("{} {}", one.name, one.reference)).collect();
        assert_eq!(found, ["A X", "B Y"]);
    }

    #[test]
    fn a_circle_names_its_members_only() {
        let mut circle = resolved("A=${B}\nB=${C}\nC=x${B}\n");
        let error = expand(&mut circle).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert_eq!(error.to_string(), "references go round in a circle: B -> C -> B");
        assert_eq!(circle.get("A").unwrap().value().expose_secret(), "${B}");
        assert!(expand(&mut resolved("A=${A}\n")).is_err());
        // Named twice on the way, but no circle.
        assert_eq!(value("A=${X}-${Y}\nX=${Y}\nY=y\n"), "y-y");
    }

    #[test]
    fn depth_is_bounded_in_whatever_order_names_come() {
        for descending in [false, true] {
            let name = |n: usize| format!("N{:03}", if descending { 500 - n } else { n });
            let chain = |length: usize| {
                let mut lines: Vec<String> = (0..length).map(|n| format!("{}=${{{}}}", name(n), name(n + 1))).collect();
                lines.push(format!("{}=end\n", name(length)));
                lines.join("\n")
            };
            assert!(expand(&mut resolved(&chain(MAX_DEPTH))).is_ok(), "{descending}");
            let error = expand(&mut resolved(&chain(MAX_DEPTH + 1))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit, "{descending}");
        }
    }

    #[test]
    fn size_is_bounded() {
        let mut lines = vec!["V00=0123456789".to_owned()];
        lines.extend((1..40).map(|n| format!("V{n:02}=${{V{0:02}}}${{V{0:02}}}", n - 1)));
        assert_eq!(expand(&mut resolved(&lines.join("\n"))).unwrap_err().kind(), ErrorKind::Limit);
    }

    #[test]
    fn a_part_that_is_secret_makes_a_secret() {
        let mut resolved =
            resolved("# ioenv: variable\nA=${B}\nB=b\n# ioenv: variable\nC=${D}\n# ioenv: variable\nD=d\n");
        expand(&mut resolved).unwrap();
        assert_eq!(resolved.get("A").unwrap().kind(), Kind::Secret);
        assert_eq!(resolved.get("C").unwrap().kind(), Kind::Variable);
    }
}
