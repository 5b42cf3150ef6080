use std::collections::BTreeMap;
use std::ops::Range;

use crate::core::document::Dollars;
use crate::core::name::{is_name_byte, is_var_name};

/// What begins with a `$`, in one notation.
pub(super) struct Syntax {
    /// Whether `$NAME` is a reference.
    has_bare_names: bool,
    /// Whether `$$` stands for one `$`.
    has_pairs: bool,
    backslash: Backslash,
    braces: Braces,
    /// Whether `${NAME}` treats an empty value as none.
    pub(super) ignores_empty: bool,
}

/// What a backslash before a `$` means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Backslash {
    /// Nothing.
    Ordinary,
    /// The `$` is text, and the backslash stays for a later step.
    Guard,
    /// Both together stand for one `$`.
    Escape,
}

/// What a reference in braces can hold.
enum Braces {
    /// A name that passes, of letters, digits, `_` and dots.
    Name(fn(&str) -> bool),
    /// Letters, digits and `_`; then nothing, or `:-`, `:+` or `:?` and a word with references of its own.
    Word,
    /// Anything but a brace. The first `:+`, `+`, `:-` or `-` parts the name from the word.
    Flat,
}

pub(super) const IOENV: Syntax = Syntax {
    has_bare_names: false,
    has_pairs: true,
    backslash: Backslash::Ordinary,
    braces: Braces::Name(is_var_name),
    ignores_empty: false,
};

pub(super) const DOTENV_CLOUD: Syntax = Syntax {
    has_bare_names: true,
    has_pairs: false,
    backslash: Backslash::Escape,
    braces: Braces::Word,
    ignores_empty: true,
};

/// What Stashbase's clients replace.
pub(super) const STASHBASE: Syntax = Syntax {
    has_bare_names: true,
    has_pairs: false,
    backslash: Backslash::Guard,
    braces: Braces::Flat,
    ignores_empty: false,
};

/// What Stashbase's server replaces. It leaves the rest to the clients.
#[cfg(feature = "server")]
pub(super) const STASHBASE_SERVER: Syntax = Syntax {
    has_bare_names: false,
    has_pairs: false,
    backslash: Backslash::Guard,
    braces: Braces::Name(is_upper_case_name),
    ignores_empty: false,
};

/// A part of a text that is to be replaced.
pub(super) struct Found<'a> {
    pub(super) range: Range<usize>,
    pub(super) what: What<'a>,
}

pub(super) enum What<'a> {
    /// It stands for one `$`.
    Dollar,
    Reference(Reference<'a>),
}

pub(super) struct Reference<'a> {
    pub(super) name: &'a str,
    pub(super) operator: Option<Operator>,
    /// Where the word behind the operator is.
    pub(super) word: Range<usize>,
}

#[derive(Clone, Copy)]
pub(super) struct Operator {
    pub(super) action: Action,
    /// Whether it treats an empty value as none.
    pub(super) ignores_empty: bool,
}

/// What an operator does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Takes the word if there is no value.
    Default,
    /// Takes the word if there is a value, and else nothing.
    Alternative,
    /// Fails if there is no value.
    Require,
}

/// Finds the references in one text. All of a text takes time in proportion to its length.
pub(super) struct Scanner<'a> {
    syntax: &'a Syntax,
    text: &'a str,
    dollars: &'a Dollars,
    /// For each `${`, by the offset of its `$`, the offset of its `}`. Only where words hold references.
    ends: BTreeMap<usize, usize>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(syntax: &'a Syntax, text: &'a str, dollars: &'a Dollars) -> Self {
        let mut scanner = Self { syntax, text, dollars, ends: BTreeMap::new() };
        if matches!(syntax.braces, Braces::Word) {
            let mut open = Vec::new();
            for (at, _) in text.match_indices(['$', '}']) {
                if text.as_bytes()[at] == b'}' {
                    scanner.ends.extend(open.pop().map(|start| (start, at)));
                } else if text[at..].starts_with("${") && !scanner.is_text(at) {
                    open.push(at);
                }
            }
        }
        scanner
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The first part of a range that is to be replaced. A range begins at the start of the text, of a word, or where
    /// the last part ended.
    pub(super) fn next(&self, range: Range<usize>) -> Option<Found<'a>> {
        let text = &self.text[..range.end];
        let dollars = text[range.start..].match_indices('$').map(|(at, _)| range.start + at);
        for at in dollars.filter(|at| !self.dollars.is_literal(*at)) {
            let is_guarded = text[..at].ends_with('\\');
            if is_guarded && self.syntax.backslash == Backslash::Escape {
                return Some(Found { range: at - 1..at + 1, what: What::Dollar });
            }
            if self.syntax.has_pairs && text[at + 1..].starts_with('$') && !self.dollars.is_literal(at + 1) {
                return Some(Found { range: at..at + 2, what: What::Dollar });
            }
            if is_guarded && self.syntax.backslash == Backslash::Guard {
                continue;
            }
            let found = if text[at + 1..].starts_with('{') { self.braced(text, at) } else { self.bare(text, at) };
            if let Some((reference, end)) = found {
                return Some(Found { range: at..end, what: What::Reference(reference) });
            }
        }
        None
    }

    /// Whether a part that is not to be replaced has what begins a reference elsewhere.
    pub(super) fn finds_foreign(&self) -> bool {
        let last_brace = self.text.rfind('}').unwrap_or_default();
        let is_foreign = |at: usize| {
            let rest = &self.text[at + 1..];
            let is_guarded = self.dollars.is_literal(at) || self.text[..at].ends_with('\\');
            let name = rest.strip_prefix('{').filter(|_| at < last_brace).unwrap_or(rest);
            !is_guarded && begins_name(leading(name, is_word_byte))
        };
        let mut start = 0;
        loop {
            let found = self.next(start..self.text.len());
            let end = found.as_ref().map_or(self.text.len(), |found| found.range.start);
            if self.text[start..end].match_indices('$').any(|(at, _)| is_foreign(start + at)) {
                return true;
            }
            match found {
                Some(found) => start = found.range.end,
                None => return false,
            }
        }
    }

    /// Whether the `$` at an offset begins nothing.
    fn is_text(&self, at: usize) -> bool {
        self.dollars.is_literal(at) || (self.syntax.backslash != Backslash::Ordinary && self.text[..at].ends_with('\\'))
    }

    /// The reference `$NAME` at an offset, and where it ends.
    fn bare(&self, text: &'a str, at: usize) -> Option<(Reference<'a>, usize)> {
        let name = leading(&text[at + 1..], is_word_byte);
        let is_name = self.syntax.has_bare_names && begins_name(name);
        let end = at + 1 + name.len();
        is_name.then_some((Reference { name, operator: None, word: end..end }, end))
    }

    /// The reference in the braces behind the `$` at an offset, and where it ends.
    fn braced(&self, text: &'a str, at: usize) -> Option<(Reference<'a>, usize)> {
        let start = at + "${".len();
        let inner = match self.syntax.braces {
            Braces::Name(_) => leading(&text[start..], is_name_byte),
            Braces::Word => leading(&text[start..], is_word_byte),
            Braces::Flat => leading(&text[start..], |byte| !matches!(byte, b'{' | b'}')),
        };
        let end = start + inner.len();
        let is_closed = text[end..].starts_with('}');
        let (name, operator, word) = match self.syntax.braces {
            Braces::Name(is_name) if !is_closed || !is_name(inner) => return None,
            Braces::Name(_) => (inner, None, end..end),
            Braces::Word if inner.is_empty() => return None,
            Braces::Word if is_closed => (inner, None, end..end),
            Braces::Word => {
                let action = match &text.as_bytes()[end..] {
                    [b':', b'-', ..] => Action::Default,
                    [b':', b'+', ..] => Action::Alternative,
                    [b':', b'?', ..] => Action::Require,
                    _ => return None,
                };
                let word = end + 2..*self.ends.get(&at)?;
                (inner, Some(Operator { action, ignores_empty: true }), word)
            }
            Braces::Flat if inner.is_empty() || !is_closed => return None,
            Braces::Flat => match inner.find(['+', '-']) {
                None => (inner, None, end..end),
                Some(sign) => {
                    let action = if inner.as_bytes()[sign] == b'+' { Action::Alternative } else { Action::Default };
                    let name = inner[..sign].strip_suffix(':');
                    let operator = Operator { action, ignores_empty: name.is_some() };
                    (name.unwrap_or(&inner[..sign]), Some(operator), start + sign + 1..end)
                }
            },
        };
        let end = word.end + "}".len();
        Some((Reference { name, operator, word }, end))
    }
}

/// The longest start of a text whose bytes all pass. They must be ASCII, or all but some that are.
fn leading(text: &str, is_inside: impl Fn(u8) -> bool) -> &str {
    &text[..text.bytes().position(|byte| !is_inside(byte)).unwrap_or(text.len())]
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// `[A-Z_][A-Z0-9_]*`.
#[cfg(feature = "server")]
fn is_upper_case_name(text: &str) -> bool {
    begins_name(text) && text.bytes().all(|byte| is_word_byte(byte) && !byte.is_ascii_lowercase())
}

fn begins_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}
