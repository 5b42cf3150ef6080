use zeroize::Zeroizing;

use crate::core::document::{Dollars, Kind};
use crate::core::limits::{MAX_FILE_BYTES, MAX_VALUE_BYTES};
use crate::core::merge::Resolved;
use crate::core::name::{VarName, is_var_name};
use crate::error::{Error, ErrorKind, Result};

/// Longest chain of references, from a value to what it finally stands on.
const MAX_DEPTH: usize = 64;

/// A reference to a name that no level sets; it stayed as it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Unresolved {
    /// The variable whose value holds the reference.
    pub name: VarName,
    /// The name that is not set.
    pub reference: VarName,
}

/// Replaces `${NAME}` by the value of `NAME` in every value of a resolved chain, and returns what could not be.
///
/// `$$` gives one `$`. Every other `$` stays: `$NAME`, `${}`, `${NAME:-default}`, and all that was written `\$` or in
/// single quotes. The process environment is not looked at. A value becomes a secret if a part of it is one.
///
/// # Errors
/// `InvalidValue`, with the names of a cycle; `Limit`, for a chain of more than 64 references, a value beyond 64 KiB,
/// or more than 16 MiB in all. Nothing is replaced then.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::{Document, Layer, expand, merge};
///
/// let text = "HOST=db.internal\nURL=\"postgres://${HOST}/shop\"\nPRICE='${HOST}'\n";
/// let mut resolved = merge(vec![Layer::new("acme-store".parse()?, Document::parse(text)?)]);
/// let unresolved = expand(&mut resolved)?;
/// assert!(unresolved.is_empty());
/// assert_eq!(resolved.get("URL").unwrap().value().expose_secret(), "postgres://db.internal/shop");
/// assert_eq!(resolved.get("PRICE").unwrap().value().expose_secret(), "${HOST}");
/// # Ok(())
/// # }
/// ```
pub fn expand(resolved: &mut Resolved) -> Result<Vec<Unresolved>> {
    let mut expansion = Expansion {
        resolved,
        states: (0..resolved.len()).map(|_| State::New).collect(),
        open: Vec::new(),
        unresolved: Vec::new(),
        bytes: 0,
    };
    for number in 0..expansion.resolved.len() {
        expansion.visit(number)?;
    }
    let Expansion { states, mut unresolved, .. } = expansion;
    for (number, state) in states.into_iter().enumerate() {
        if let State::Done { value: Some(value), kind, .. } = state {
            resolved.replace_by_expansion(number, value.as_str().into(), kind);
        }
    }
    unresolved.sort_unstable();
    unresolved.dedup();
    Ok(unresolved)
}

struct Expansion<'a> {
    resolved: &'a Resolved,
    states: Vec<State>,
    /// The variables that are being expanded, each referred to by the one before.
    open: Vec<usize>,
    unresolved: Vec<Unresolved>,
    bytes: usize,
}

enum State {
    New,
    Open,
    /// `value` is `None` where the entry's own stays. `depth` is the longest chain of references below.
    Done {
        value: Option<Zeroizing<String>>,
        kind: Kind,
        depth: usize,
    },
}

impl Expansion<'_> {
    /// Leaves the state of the `number`th variable done.
    fn visit(&mut self, number: usize) -> Result<()> {
        match self.states[number] {
            State::Done { .. } => return Ok(()),
            State::Open => return Err(self.cycle(number)),
            State::New if self.open.len() > MAX_DEPTH => return Err(self.too_deep()),
            State::New => {}
        }
        self.states[number] = State::Open;
        self.open.push(number);
        let done = self.expanded(number)?;
        self.open.pop();
        self.states[number] = done;
        Ok(())
    }

    fn expanded(&mut self, number: usize) -> Result<State> {
        let variable = self.resolved.nth(number);
        let text = variable.value().expose_secret();
        let dollars = variable.dollars().unwrap_or(&Dollars::Literal);
        let mut kind = variable.kind();
        let mut depth = 0;
        let mut value = Zeroizing::new(String::new());
        // Up to where `text` is dealt with: copied, or replaced.
        let mut done = 0;
        for (at, _) in text.match_indices('$') {
            if at < done || dollars.is_literal(at) {
                continue;
            }
            let rest = &text[at + 1..];
            if rest.starts_with('$') && !dollars.is_literal(at + 1) {
                append(&mut value, &text[done..=at], &mut self.bytes).ok_or_else(|| too_large(variable.name()))?;
                done = at + 2;
                continue;
            }
            let Some(name) = reference(rest) else {
                continue;
            };
            let Some(target) = self.resolved.find(name) else {
                let one = Unresolved { name: variable.name().clone(), reference: VarName::new(name)? };
                // A text can repeat a reference millions of times.
                if self.unresolved.last() != Some(&one) {
                    self.unresolved.push(one);
                }
                continue;
            };
            self.visit(target)?;
            let State::Done { value: part, kind: part_kind, depth: part_depth } = &self.states[target] else {
                unreachable!("invariant: a visit that succeeds leaves its target done");
            };
            depth = depth.max(part_depth + 1);
            // What a person may not see there, they may not see here.
            if *part_kind == Kind::Secret || !self.resolved.nth(target).is_public() {
                kind = Kind::Secret;
            }
            let part =
                part.as_deref().map_or_else(|| self.resolved.nth(target).value().expose_secret(), String::as_str);
            append(&mut value, &text[done..at], &mut self.bytes)
                .and_then(|()| append(&mut value, part, &mut self.bytes))
                .ok_or_else(|| too_large(variable.name()))?;
            done = at + "${}".len() + name.len();
        }
        if depth > MAX_DEPTH {
            return Err(self.too_deep());
        }
        let value = if done == 0 {
            None
        } else {
            append(&mut value, &text[done..], &mut self.bytes).ok_or_else(|| too_large(variable.name()))?;
            Some(value)
        };
        Ok(State::Done { value, kind, depth })
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

/// The name in a text that begins with `{NAME}`.
fn reference(text: &str) -> Option<&str> {
    let text = text.strip_prefix('{')?;
    // No name is longer than 255 bytes, and looking further for a brace would cost the square of the text.
    let end = text.bytes().take(256).position(|byte| byte == b'}')?;
    let name = &text[..end];
    is_var_name(name).then_some(name)
}

/// `None`, when a bound is passed: 64 KiB for the value, 16 MiB for all of them.
fn append(value: &mut Zeroizing<String>, part: &str, bytes: &mut usize) -> Option<()> {
    *bytes += part.len();
    if value.len() + part.len() > MAX_VALUE_BYTES || *bytes > MAX_FILE_BYTES {
        return None;
    }
    if value.capacity() - value.len() < part.len() {
        // Growing in place would leave a part of the value behind that nobody wipes.
        let mut larger = Zeroizing::new(String::with_capacity(2 * (value.len() + part.len())));
        larger.push_str(value);
        *value = larger;
    }
    value.push_str(part);
    Some(())
}

#[cold]
fn too_large(name: &VarName) -> Error {
    let message = format!("expanding {name} gives more than 64 KiB, or all values together more than 16 MiB");
    Error::new(ErrorKind::Limit, message).with_names([name.clone()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::document::Document;
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
