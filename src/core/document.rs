use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use super::dotenv::mark::is_mark;
use super::limits::MAX_VALUE_BYTES;
use super::name::VarName;
use super::secret::SecretString;
use super::words::words;
use crate::error::{Error, ErrorKind, Result};

words! {
    /// Whether a value may be shown.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    #[expect(clippy::exhaustive_enums, reason = "all three services know exactly these two")]
    pub enum Kind: "the kind of a value" {
        /// The value is masked wherever a person looks. An entry that says nothing is a secret.
        #[default]
        Secret = "secret",
        /// The value may be shown in full. At rest it is sealed like a secret.
        Variable = "variable",
    }
}

/// The contents of one level: `NAME=value` entries in order, each with a [`Kind`] and perhaps a comment.
///
/// A name stands once. The text form is dotenv text, whose grammar is in `docs/dotenv.md`; comments, blank lines and
/// the order of entries survive reading, changing and writing. Buffers are wiped when dropped, comments included:
/// people keep old passwords there.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::{Document, Kind};
///
/// let mut document = Document::parse("# what the server listens on\n# ioenv: variable\nPORT=8080\n")?;
/// let port = document.get("PORT").expect("just read");
/// assert_eq!(port.kind(), Kind::Variable);
/// assert_eq!(port.comment().as_deref(), Some("what the server listens on"));
///
/// document.set("API_KEY".parse()?, "it's $5")?;
/// assert!(document.to_text().expose_secret().ends_with("API_KEY=\"it's $5\"\n"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Document {
    entries: Vec<Entry>,
    /// Indices of `entries`, ascending by name.
    by_name: Vec<u32>,
    /// Comment and blank lines behind the last entry, each with its line end.
    tail: Zeroizing<String>,
    duplicates: Vec<VarName>,
    commands: Vec<VarName>,
}

/// One entry of a [`Document`].
#[derive(Clone)]
pub struct Entry {
    pub(super) name: VarName,
    pub(super) value: SecretString,
    pub(super) kind: Kind,
    /// What most entries do not have, so that a thousand of them stay small.
    extras: Option<Box<Extras>>,
}

#[derive(Clone, Default)]
pub(super) struct Extras {
    pub(super) dollars: Dollars,
    /// Comment and blank lines above, each with its line end; without the line that tells the kind.
    pub(super) lead: Zeroizing<String>,
    /// The comment behind the value, from its `#` on.
    pub(super) aside: Zeroizing<String>,
}

/// Which `$` of a value are meant as such, because they were written `\$` or between single quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dollars {
    /// None: every one may begin a reference.
    #[default]
    Expandable,
    /// All of them.
    Literal,
    /// Those at these offsets, ascending.
    Mixed(Box<[u32]>),
}

impl Dollars {
    /// Those of a value in which each `$` is meant as such.
    pub(crate) fn all_literal(value: &str) -> Self {
        if value.contains('$') { Self::Literal } else { Self::Expandable }
    }

    /// Whether the `$` at that offset is meant as such.
    pub(super) fn is_literal(&self, at: usize) -> bool {
        match self {
            Self::Expandable => false,
            Self::Literal => true,
            Self::Mixed(offsets) => u32::try_from(at).is_ok_and(|at| offsets.binary_search(&at).is_ok()),
        }
    }
}

/// What [`Document::update`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// Entries that were not there before.
    pub added: usize,
    /// Entries whose value or kind is another now.
    pub changed: usize,
}

impl Document {
    /// A document without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Entries in the order of the text. Where a name stood twice, the last one counted.
    pub(super) fn from_parts(mut entries: Vec<Entry>, mut tail: Zeroizing<String>) -> Self {
        let mut by_name = sorted_by_name(&entries);
        let is_same = |pair: &[u32]| entries[pair[0] as usize].name == entries[pair[1] as usize].name;
        let mut duplicates = Vec::new();
        if by_name.windows(2).any(is_same) {
            // The sort is stable, so of equal names the last in the text is the last here.
            let mut dropped: Vec<u32> = by_name.windows(2).filter(|pair| is_same(pair)).map(|pair| pair[0]).collect();
            duplicates.extend(dropped.iter().map(|&index| entries[index as usize].name.clone()));
            duplicates.dedup();
            dropped.sort_unstable();
            let mut above = Zeroizing::new(String::new());
            let mut kept = Vec::with_capacity(entries.len() - dropped.len());
            for (index, mut entry) in (0..).zip(entries) {
                if dropped.binary_search(&index).is_ok() {
                    above.push_str(entry.shared_lead());
                } else {
                    entry.prepend_lead(&std::mem::take(&mut above));
                    kept.push(entry);
                }
            }
            prepend(&mut tail, &above);
            entries = kept;
            by_name = sorted_by_name(&entries);
        }
        Self { entries, by_name, tail, duplicates, commands: Vec::new() }
    }

    /// Notes whose text has commands.
    pub(super) fn with_commands(mut self, mut commands: Vec<VarName>) -> Self {
        commands.sort_unstable();
        commands.dedup();
        self.commands = commands;
        self
    }

    /// The entries in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of that name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        let index = self.find(name).ok()?;
        Some(&self.entries[self.by_name[index] as usize])
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Names that the text had more than once, ascending; their last value counted.
    pub fn duplicates(&self) -> &[VarName] {
        &self.duplicates
    }

    /// Returns the names whose value had a command in the text that was read, `$(command)` or one between backticks,
    /// ascending. A shell would run it; here it is text like any other. Between single quotes there are no commands.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// let document = ioenv::Document::parse("A=$(date)\nB=\"`date`\"\nC='$(date)'\n")?;
    /// assert!(document.commands().iter().map(ioenv::VarName::as_str).eq(["A", "B"]));
    /// assert_eq!(document.get("A").unwrap().value().expose_secret(), "$(date)");
    /// # Ok(())
    /// # }
    /// ```
    pub fn commands(&self) -> &[VarName] {
        &self.commands
    }

    /// Sets a value. An entry that is there keeps its place, kind and comments; a new one comes last, as a secret.
    ///
    /// Each `$` of a new value may begin a reference. If the entry has this value already, each `$` keeps its meaning.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::Document;
    ///
    /// let mut document = Document::parse("PASSWORD='p${A}w'\n")?;
    /// document.set("PASSWORD".parse()?, "p${A}w")?;
    /// assert_eq!(document.to_text().expose_secret(), "PASSWORD='p${A}w'\n");
    /// document.set("PASSWORD".parse()?, "new-${A}")?;
    /// assert_eq!(document.to_text().expose_secret(), "PASSWORD=\"new-${A}\"\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidValue`, for a NUL byte; `Limit`, beyond 64 KiB.
    pub fn set(&mut self, name: VarName, value: impl Into<SecretString>) -> Result<()> {
        let value = value.into();
        let dollars = match self.get(name.as_str()) {
            Some(entry) if entry.value.expose_secret() == value.expose_secret() => entry.dollars().clone(),
            _ => Dollars::Expandable,
        };
        self.set_with(name, value, dollars)
    }

    /// Sets a value in which each `$` stands for itself, whether or not references are replaced, and which a shell that
    /// reads the text takes as it is. It keeps the place, the kind and the comments of an entry that is there.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::Document;
    ///
    /// let mut document = Document::new();
    /// document.set_literal("PASSWORD".parse()?, "p${A}w")?;
    /// assert_eq!(document.to_text().expose_secret(), "PASSWORD='p${A}w'\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_literal(&mut self, name: VarName, value: impl Into<SecretString>) -> Result<()> {
        let value = value.into();
        let dollars = Dollars::all_literal(value.expose_secret());
        self.set_with(name, value, dollars)
    }

    /// Sets a value and the meaning of each of its `$`.
    pub(crate) fn set_with(&mut self, name: VarName, value: SecretString, dollars: Dollars) -> Result<()> {
        check_value(&name, value.expose_secret())?;
        let entry = match self.find(name.as_str()) {
            Ok(found) => {
                let entry = &mut self.entries[self.by_name[found] as usize];
                entry.value = value;
                entry
            }
            Err(place) => {
                let last = self.entries.len();
                self.by_name.insert(place, index(last));
                self.entries.push(Entry::new(name, value, Kind::Secret));
                &mut self.entries[last]
            }
        };
        entry.set_dollars(dollars);
        Ok(())
    }

    /// Sets the kind of an entry; `false`, when there is none of that name.
    pub fn set_kind(&mut self, name: &str, kind: Kind) -> bool {
        let Ok(found) = self.find(name) else {
            return false;
        };
        self.entries[self.by_name[found] as usize].kind = kind;
        true
    }

    /// Sets or removes the comment of an entry; `false`, when there is none of that name.
    ///
    /// # Errors
    /// `InvalidValue`, for a NUL character, and for a line that would mark the entry as a variable.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// let mut document = ioenv::Document::parse("PORT=8080\n")?;
    /// document.set_comment("PORT", Some("what the server\nlistens on"))?;
    /// assert_eq!(document.to_text().expose_secret(), "# what the server\n# listens on\nPORT=8080\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_comment(&mut self, name: &str, comment: Option<&str>) -> Result<bool> {
        let mut lines = Zeroizing::new(String::new());
        if let Some(comment) = comment.filter(|comment| !comment.is_empty()) {
            // A lone carriage return ends a line, too.
            for line in comment.replace("\r\n", "\n").split(['\n', '\r']) {
                lines.push('#');
                if !line.is_empty() {
                    lines.push(' ');
                    lines.push_str(line);
                }
                lines.push('\n');
            }
            if lines.contains('\0') || lines.lines().any(is_mark) {
                let message = "this cannot be a comment: a NUL is in it, or a line that marks a variable";
                return Err(Error::new(ErrorKind::InvalidValue, message));
            }
        }
        let Ok(found) = self.find(name) else {
            return Ok(false);
        };
        let entry = &mut self.entries[self.by_name[found] as usize];
        if !lines.is_empty() || entry.extras.is_some() {
            lines.insert_str(0, entry.shared_lead());
            let extras = entry.extras_mut();
            extras.lead = lines;
            extras.aside = Zeroizing::default();
        }
        Ok(true)
    }

    /// Gives entries other names, all at the same time, so that two can swap theirs. Each keeps its place, value, kind
    /// and comments; a name that is not there is passed over.
    ///
    /// # Errors
    /// `Conflict`, with the names that two entries would have; nothing is renamed then.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// let mut document = ioenv::Document::parse("A=1\nB=2\n")?;
    /// document.rename(&[("A".parse()?, "B".parse()?), ("B".parse()?, "A".parse()?)])?;
    /// assert_eq!(document.to_text().expose_secret(), "B=1\nA=2\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn rename(&mut self, renames: &[(VarName, VarName)]) -> Result<()> {
        let mut new_names: Vec<VarName> = self.entries.iter().map(|entry| entry.name.clone()).collect();
        for (old, new) in renames {
            if let Ok(found) = self.find(old.as_str()) {
                new_names[self.by_name[found] as usize] = new.clone();
            }
        }
        let mut sorted: Vec<&VarName> = new_names.iter().collect();
        sorted.sort_unstable();
        let mut twice: Vec<VarName> =
            sorted.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone()).collect();
        twice.dedup();
        if !twice.is_empty() {
            let names: Vec<&str> = twice.iter().map(VarName::as_str).collect();
            let message = format!("there would be two entries of the same name: {}", names.join(", "));
            return Err(Error::new(ErrorKind::Conflict, message).with_names(twice));
        }
        for (entry, name) in self.entries.iter_mut().zip(new_names) {
            entry.name = name;
        }
        self.by_name = sorted_by_name(&self.entries);
        Ok(())
    }

    /// Removes an entry and the comments that belong to it; `false`, when there is none of that name.
    ///
    /// Comments above a blank line speak of more than one entry, and stay.
    pub fn remove(&mut self, name: &str) -> bool {
        let Ok(found) = self.find(name) else {
            return false;
        };
        let removed = self.by_name.remove(found);
        for index in &mut self.by_name {
            *index -= u32::from(*index > removed);
        }
        let entry = self.entries.remove(removed as usize);
        match self.entries.get_mut(removed as usize) {
            Some(next) => next.prepend_lead(entry.shared_lead()),
            None => prepend(&mut self.tail, entry.shared_lead()),
        }
        true
    }

    /// Takes over all entries of `other`: values and marks of variables, and for names that are new also comments.
    pub fn update(&mut self, other: Self) -> Changes {
        let mut changes = Changes::default();
        if self.entries.is_empty() {
            changes.added = other.len();
            let mut head = std::mem::replace(self, other);
            // What stood there spoke of no entry. It must not come to speak of one now: it could be a mark.
            if !own_comment(&head.tail).is_empty() {
                head.tail = Zeroizing::new([head.tail.as_str(), "\n"].concat());
            }
            match self.entries.first_mut() {
                Some(first) => first.prepend_lead(&head.tail),
                None => prepend(&mut self.tail, &head.tail),
            }
            return changes;
        }
        for entry in other.entries {
            match self.find(entry.name.as_str()) {
                Ok(found) => {
                    let old = &mut self.entries[self.by_name[found] as usize];
                    let kind = if entry.kind == Kind::Variable { Kind::Variable } else { old.kind };
                    let is_same = old.has_same_value(&entry) && old.kind == kind;
                    changes.changed += usize::from(!is_same);
                    old.set_dollars(entry.dollars().clone());
                    old.value = entry.value;
                    old.kind = kind;
                }
                // Found by name only after all are there: they differ from each other.
                Err(_) => {
                    changes.added += 1;
                    self.entries.push(entry);
                }
            }
        }
        self.by_name = sorted_by_name(&self.entries);
        changes
    }

    /// Wipes the values that do not count, and all comments; names and kinds stay.
    pub(super) fn forget(&mut self, counts: &[bool]) {
        self.tail = Zeroizing::default();
        for (entry, counts) in self.entries.iter_mut().zip(counts) {
            if *counts {
                if let Some(extras) = &mut entry.extras {
                    extras.lead = Zeroizing::default();
                    extras.aside = Zeroizing::default();
                }
            } else {
                entry.value = "".into();
                entry.extras = None;
            }
        }
    }

    /// The entries, ascending by name.
    pub(super) fn by_name(&self) -> impl Iterator<Item = &Entry> {
        self.by_name.iter().map(|&index| &self.entries[index as usize])
    }

    /// The entry that is `rank`th by name, with its index.
    pub(super) fn nth_by_name(&self, rank: usize) -> Option<(u32, &Entry)> {
        let index = *self.by_name.get(rank)?;
        Some((index, &self.entries[index as usize]))
    }

    pub(super) fn tail(&self) -> &str {
        &self.tail
    }

    /// The rank by name, or the one to insert at.
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.by_name.binary_search_by(|&index| self.entries[index as usize].name.as_str().cmp(name))
    }
}

pub(super) fn prepend(lines: &mut Zeroizing<String>, above: &str) {
    if !above.is_empty() {
        *lines = Zeroizing::new([above, lines.as_str()].concat());
    }
}

/// Entries are counted in four bytes each way.
pub(super) fn index(number: usize) -> u32 {
    u32::try_from(number).expect("invariant: memory ends before 2^32 entries")
}

/// The indices of `entries`, ascending by name; of equal names, in order.
fn sorted_by_name(entries: &[Entry]) -> Vec<u32> {
    // With the beginnings of names beside them, few comparisons have to look for the names themselves.
    let mut keyed: Vec<(u128, u32)> = entries.iter().map(|entry| beginning(&entry.name)).zip(0..).collect();
    keyed.sort_unstable_by(|(a_begins, a), (b_begins, b)| {
        let by_name = || entries[*a as usize].name.cmp(&entries[*b as usize].name);
        a_begins.cmp(b_begins).then_with(by_name).then(a.cmp(b))
    });
    keyed.into_iter().map(|(_, index)| index).collect()
}

/// The first 16 bytes of a name, as a number of the same order.
fn beginning(name: &VarName) -> u128 {
    let name = name.as_str().as_bytes();
    let mut bytes = [0; 16];
    let length = name.len().min(bytes.len());
    bytes[..length].copy_from_slice(&name[..length]);
    u128::from_be_bytes(bytes)
}

/// The bounds of a value, wherever it comes from.
pub(crate) fn check_value(name: &VarName, value: &str) -> Result<()> {
    if value.len() > MAX_VALUE_BYTES {
        let error = Error::new(ErrorKind::Limit, format!("the value of {name} is longer than 64 KiB"));
        return Err(error.with_names([name.clone()]));
    }
    if value.contains('\0') {
        let error = Error::new(
            ErrorKind::InvalidValue,
            format!("the value of {name} holds a NUL byte, which no process environment can"),
        );
        return Err(error.with_names([name.clone()]));
    }
    Ok(())
}

impl Entry {
    pub(super) fn new(name: VarName, value: SecretString, kind: Kind) -> Self {
        Self { name, value, kind, extras: None }
    }

    pub(crate) fn dollars(&self) -> &Dollars {
        self.extras.as_ref().map_or(&Dollars::Expandable, |extras| &extras.dollars)
    }

    pub(super) fn lead(&self) -> &str {
        self.extras.as_ref().map_or("", |extras| &extras.lead)
    }

    pub(super) fn aside(&self) -> &str {
        self.extras.as_ref().map_or("", |extras| &extras.aside)
    }

    pub(super) fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    pub(super) fn set_dollars(&mut self, dollars: Dollars) {
        if *self.dollars() != dollars {
            self.extras_mut().dollars = dollars;
        }
    }

    fn prepend_lead(&mut self, above: &str) {
        if !above.is_empty() {
            prepend(&mut self.extras_mut().lead, above);
        }
    }

    /// The name.
    pub fn name(&self) -> &VarName {
        &self.name
    }

    /// Returns whether each `$` of the value stands for itself, whether or not references are replaced.
    pub fn is_literal(&self) -> bool {
        *self.dollars() == Dollars::Literal || !self.value.expose_secret().contains('$')
    }

    /// Returns whether the other entry has the same value, in which each `$` has the same meaning.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::Document;
    ///
    /// let document = Document::parse("A='${X}'\nB=\"\\${X}\"\nC=${X}\n")?;
    /// let [a, b, c] = document.entries() else { unreachable!("there are three") };
    /// assert!(a.has_same_value(b));
    /// assert!(!a.has_same_value(c));
    /// # Ok(())
    /// # }
    /// ```
    pub fn has_same_value(&self, other: &Self) -> bool {
        self.value.expose_secret() == other.value.expose_secret() && self.dollars() == other.dollars()
    }

    /// The value, as written: references such as `${HOST}` are not expanded.
    pub fn value(&self) -> &SecretString {
        &self.value
    }

    /// Whether the value may be shown.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The comment lines right above the entry, or else the comment behind its value, without `#` and one space.
    pub fn comment(&self) -> Option<String> {
        let own = self.own_comment();
        let lines = if own.is_empty() { self.aside() } else { own };
        let text = |line: &str| {
            let line = line.trim_start_matches([' ', '\t']);
            let line = line.strip_prefix('#').unwrap_or(line);
            line.strip_prefix(' ').unwrap_or(line).to_owned()
        };
        let lines: Vec<String> = lines.lines().map(text).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// What stands above the entry and speaks of others too.
    fn shared_lead(&self) -> &str {
        &self.lead()[..self.lead().len() - self.own_comment().len()]
    }

    /// The comment lines that belong to this entry and to no other.
    fn own_comment(&self) -> &str {
        own_comment(self.lead())
    }
}

/// The end of a run of comment and blank lines in which no line is blank.
pub(super) fn own_comment(lines: &str) -> &str {
    let mut start = lines.len();
    for line in lines.split_inclusive('\n').rev() {
        if line.trim().is_empty() {
            break;
        }
        start -= line.len();
    }
    &lines[start..]
}

impl FromStr for Document {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.entries).finish()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(document: &Document) -> Vec<&str> {
        document.entries().iter().map(|entry| entry.name().as_str()).collect()
    }

    #[test]
    fn the_last_of_a_name_counts_and_is_reported() {
        let document = Document::parse("B=1\nA=1\nB=2\nC=1\nB=3\n").unwrap();
        assert_eq!(names(&document), ["A", "C", "B"]);
        assert_eq!(document.get("B").unwrap().value().expose_secret(), "3");
        assert_eq!(document.duplicates(), ["B".parse().unwrap()]);
    }

    #[test]
    fn what_stands_above_a_duplicate_stays() {
        let document = Document::parse("# the file\n\n# first\nA=1\nB=1\n# last\nA=2\n").unwrap();
        assert_eq!(document.to_text().expose_secret(), "# the file\n\nB=1\n# last\nA=2\n");
    }

    #[test]
    fn a_mark_above_a_blank_line_stays_a_comment() {
        let text = "# ioenv: variable\n\nA=1\n";
        assert_eq!(Document::parse(text).unwrap().to_text().expose_secret(), text);
    }

    #[test]
    fn an_update_of_no_entries_keeps_what_stood_there_first() {
        let mut document = Document::parse("# head\n").unwrap();
        document.update(Document::parse("A=1\n# tail\n").unwrap());
        assert_eq!(document.to_text().expose_secret(), "# head\n\nA=1\n# tail\n");
    }

    /// A comment at the end of an empty level must not mark what is put below it.
    #[test]
    fn a_mark_that_marked_nothing_does_not_come_to_mark_something() {
        let mut document = Document::parse("# ioenv: variable\n# PORT=8080\n").unwrap();
        document.update(Document::parse("SECRET=1\n").unwrap());
        let again = Document::parse(document.to_text().expose_secret()).unwrap();
        assert_eq!(again.get("SECRET").unwrap().kind(), Kind::Secret);
    }

    #[test]
    fn setting_keeps_place_kind_and_comment() {
        let mut document = Document::parse("# why\n# ioenv: variable\nA=1\nB=2\n").unwrap();
        document.set("A".parse().unwrap(), "3").unwrap();
        document.set("C".parse().unwrap(), "4").unwrap();
        assert_eq!(document.to_text().expose_secret(), "# why\n# ioenv: variable\nA=3\nB=2\nC=4\n");
    }

    #[test]
    fn removing_keeps_what_speaks_of_others() {
        let mut document = Document::parse("# the file\n\n# of A\nA=1\n# of B\nB=2\n").unwrap();
        assert!(document.remove("A"));
        assert!(!document.remove("A"));
        assert_eq!(document.to_text().expose_secret(), "# the file\n\n# of B\nB=2\n");
        assert!(document.remove("B"));
        assert_eq!(document.to_text().expose_secret(), "# the file\n\n");
    }

    #[test]
    fn an_update_keeps_comments_and_marks() {
        let mut document = Document::parse("# mine\n# ioenv: variable\nA=1\nB=2\n").unwrap();
        let changes = document.update(Document::parse("# theirs\nA=1\nB=3\n# new\nC=4\n# end\n").unwrap());
        assert_eq!((changes.added, changes.changed), (1, 1));
        assert_eq!(document.to_text().expose_secret(), "# mine\n# ioenv: variable\nA=1\nB=3\n# new\nC=4\n");
    }

    #[test]
    fn values_are_bounded() {
        let mut document = Document::new();
        let name = || VarName::new("A").unwrap();
        let error = document.set(name(), "x".repeat(MAX_VALUE_BYTES + 1)).unwrap_err();
        assert_eq!((error.kind(), error.names()), (ErrorKind::Limit, vec![name()]));
        assert_eq!(document.set(name(), "a\0b").unwrap_err().kind(), ErrorKind::InvalidValue);
        document.set(name(), "x".repeat(MAX_VALUE_BYTES)).unwrap();
    }

    #[test]
    fn a_comment_is_set_and_marks_nothing() {
        let mut document = Document::parse("# the file\n\n# of A\nA=1 # aside\nB=2\n").unwrap();
        assert!(document.set_comment("A", Some("one\r\n\n two")).unwrap());
        assert!(!document.set_comment("C", None).unwrap());
        assert_eq!(document.to_text().expose_secret(), "# the file\n\n# one\n#\n#  two\nA=1\nB=2\n");
        assert_eq!(document.get("A").unwrap().comment().as_deref(), Some("one\n\n two"));
        assert!(document.set_comment("A", None).unwrap());
        assert_eq!(document.get("A").unwrap().comment(), None);
        for bad in ["ioenv: variable", "why\rioenv: secret", "a\0b"] {
            assert_eq!(document.set_comment("B", Some(bad)).unwrap_err().kind(), ErrorKind::InvalidValue, "{bad:?}");
        }
    }

    #[test]
    fn renaming_is_all_or_nothing() {
        let name = |text: &str| VarName::new(text).unwrap();
        let mut document = Document::parse("# a\nA=1\nB=2\nC=3\n").unwrap();
        let error = document.rename(&[(name("A"), name("D")), (name("B"), name("C"))]).unwrap_err();
        assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, vec![name("C")]));
        document.rename(&[(name("A"), name("C")), (name("C"), name("A")), (name("X"), name("Y"))]).unwrap();
        assert_eq!(document.to_text().expose_secret(), "# a\nC=1\nB=2\nA=3\n");
        assert_eq!(document.get("A").unwrap().value().expose_secret(), "3");
    }

    #[test]
    fn comments_come_without_their_marks() {
        let document = Document::parse("#\n# far\n\n#  near\n#er\nA=1\nB=2 # aside\nC=3\n").unwrap();
        assert_eq!(document.get("A").unwrap().comment().as_deref(), Some(" near\ner"));
        assert_eq!(document.get("B").unwrap().comment().as_deref(), Some("aside"));
        assert_eq!(document.get("C").unwrap().comment(), None);
    }
}
