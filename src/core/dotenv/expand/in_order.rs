//! Values that are expanded one after the other, as Stashbase's clients do it.

use std::collections::{BTreeMap, BTreeSet};

use super::outcome::{Process, Replacement, Unresolved, too_large};
use super::scan::{Action, Found, STASHBASE, Scanner, What};
use crate::core::document::{Dollars, Kind};
use crate::core::limits::MAX_FILE_BYTES;
use crate::core::merge::{Resolved, Variable};
use crate::core::name::VarName;
use crate::core::secret::SecretString;
use crate::core::secret_text::SecretText;
use crate::error::{Error, ErrorKind, Result};

/// Longest text that a value may be while it is expanded, in bytes.
const MAX_TEXT_BYTES: usize = 1 << 20;
/// Most replacements in one value: one that brings its own reference back would never come to an end.
const MAX_REPLACEMENTS: usize = 1000;
/// Most bytes that all replacements together may copy. Each of them copies its whole value.
const MAX_COPIED_BYTES: usize = 64 << 20;

/// The values that change, and the references that have no value.
pub(super) fn expand(resolved: &Resolved, process: Process<'_>) -> Result<(Vec<Replacement>, BTreeSet<Unresolved>)> {
    let mut sequence =
        Sequence { resolved, process, done: BTreeMap::new(), unresolved: BTreeSet::new(), bytes: 0, copied: 0 };
    for number in resolved.in_written_order() {
        sequence.push(number)?;
    }
    let replacement = |(number, done): (usize, Done)| Replacement {
        number,
        value: done.text,
        kind: (!done.is_own).then_some(done.kind),
    };
    let is_changed = |number: usize, done: &Done| {
        done.is_own || done.text.expose_secret() != resolved.nth(number).value().expose_secret()
    };
    let done = sequence.done.into_iter().filter(|(number, done)| is_changed(*number, done));
    Ok((done.map(replacement).collect(), sequence.unresolved))
}

struct Sequence<'a> {
    resolved: &'a Resolved,
    process: Process<'a>,
    /// The variables so far, by their numbers.
    done: BTreeMap<usize, Done>,
    unresolved: BTreeSet<Unresolved>,
    bytes: usize,
    copied: usize,
}

struct Done {
    text: SecretString,
    kind: Kind,
    /// Whether it is the process's own.
    is_own: bool,
}

impl Sequence<'_> {
    fn push(&mut self, number: usize) -> Result<()> {
        let variable = self.resolved.nth(number);
        let name = variable.name();
        let own = (self.process)(name.as_str());
        let own = own.filter(|own| own.expose_secret() != variable.value().expose_secret());
        let (text, kind) = match &own {
            Some(own) => (unescaped(own.expose_secret()), variable.kind()),
            None => self.expanded(&variable)?,
        };
        self.bytes += text.len();
        if self.bytes > MAX_FILE_BYTES {
            return Err(too_large(name, "1 MiB"));
        }
        self.done.insert(number, Done { text: text.into(), kind, is_own: own.is_some() });
        Ok(())
    }

    fn expanded(&mut self, variable: &Variable<'_>) -> Result<(SecretText, Kind)> {
        let name = variable.name();
        let mut kind = variable.kind();
        let mut text = escaped(variable);
        // The value before each replacement.
        let mut former: Vec<SecretText> = Vec::new();
        // No reference begins before it.
        let mut from = 0;
        loop {
            let scanner = Scanner::new(&STASHBASE, text.as_str(), &Dollars::Expandable);
            let Some(Found { range, what: What::Reference(reference) }) = scanner.next(from..text.len()) else {
                return Ok((unescaped(text.as_str()), kind));
            };
            let own = (self.process)(reference.name);
            let number = self.resolved.find(reference.name);
            let done = number.and_then(|number| self.done.get(&number));
            let found = own.as_ref().or(done.map(|done| &done.text)).map(SecretString::expose_secret);
            if found.is_none()
                && reference.operator.is_none()
                && let Ok(reference) = VarName::new(reference.name)
            {
                self.unresolved.insert(Unresolved { name: name.clone(), reference });
            }
            let operator = reference.operator;
            let value = found.filter(|found| !(operator.is_some_and(|one| one.ignores_empty) && found.is_empty()));
            let is_alternative = operator.is_some_and(|one| one.action == Action::Alternative);
            // A value that was the whole text before would come back for ever.
            let is_former =
                |value: &&str| *value == text.as_str() || former.iter().any(|former| former.as_str() == *value);
            let inserted = match value.filter(|value| !is_alternative && !is_former(value)) {
                Some(value) => {
                    // What a person may not see there, they may not see here.
                    let is_public = number.is_some_and(|number| self.resolved.nth(number).is_public());
                    if !is_public || done.is_some_and(|done| done.kind == Kind::Secret) {
                        kind = Kind::Secret;
                    }
                    value
                }
                None if is_alternative && value.is_none() => "",
                None => &text.as_str()[reference.word],
            };
            self.copied += text.len();
            if former.len() == MAX_REPLACEMENTS || self.copied > MAX_COPIED_BYTES {
                return Err(too_many(name));
            }
            from = begin(&text.as_str()[..range.start]);
            let mut next = SecretText::with_capacity(text.len() + inserted.len());
            for part in [&text.as_str()[..range.start], inserted, &text.as_str()[range.end..]] {
                next.push_within(part, MAX_TEXT_BYTES).ok_or_else(|| too_large(name, "1 MiB"))?;
            }
            let is_whole = done.is_some_and(|done| done.text.expose_secret() == next.as_str());
            former.push(std::mem::replace(&mut text, next));
            if is_whole {
                return Ok((unescaped(text.as_str()), kind));
            }
        }
    }
}

/// Where a reference can begin that ends behind a text without one: at a brace that is open, or at the last `$`.
fn begin(text: &str) -> usize {
    let brace = text.rfind(['{', '}']).map_or(0, |at| at + 1);
    let start = if text[..brace].ends_with("${") { brace - 2 } else { text.len() };
    if text.ends_with('$') { start.min(text.len() - 1) } else { start }
}

/// The value of a variable, with a backslash before each `$` that begins nothing.
fn escaped(variable: &Variable<'_>) -> SecretText {
    let value = variable.value().expose_secret();
    let dollars = variable.dollars().unwrap_or(&Dollars::Literal);
    let mut text = SecretText::with_capacity(value.len());
    let mut done = 0;
    for (at, _) in value.match_indices('$').filter(|(at, _)| dollars.is_literal(*at)) {
        text.push(&value[done..at]);
        text.push("\\");
        done = at;
    }
    text.push(&value[done..]);
    text
}

/// A text with `$` for each `\$`.
fn unescaped(value: &str) -> SecretText {
    let mut text = SecretText::with_capacity(value.len());
    let mut done = 0;
    for (at, _) in value.match_indices("\\$") {
        text.push(&value[done..at]);
        done = at + 1;
    }
    text.push(&value[done..]);
    text
}

#[cold]
fn too_many(name: &VarName) -> Error {
    let message =
        format!("expanding {name} takes more than {MAX_REPLACEMENTS} replacements, or too many in long values");
    Error::new(ErrorKind::Limit, message).with_names([name.clone()])
}
