use std::borrow::Cow;

use memchr::memchr;
use zeroize::{Zeroize as _, Zeroizing};

use super::mark::{BLANKS, VARIABLE_MARK, mark};
use crate::core::document::{Document, Dollars, Entry, Kind, check_value, own_comment};
use crate::core::limits::{MAX_FILE_BYTES, MAX_VALUE_BYTES};
use crate::core::name::VarName;
use crate::error::{Error, ErrorKind, Result};

impl Document {
    /// Reads dotenv text of at most 16 MiB. `$` is literal here; see [`expand`](crate::expand).
    ///
    /// # Errors
    /// `Syntax`, `InvalidName`, `InvalidValue` or `Limit`, with line, column and, where it is known, the name; never
    /// with text of the input.
    pub fn parse(text: &str) -> Result<Self> {
        read(text)
    }
}

/// Reads a document from dotenv text.
fn read(text: &str) -> Result<Document> {
    with_lines(text, |text| Reader::new(text).document())
}

/// Hands on text of at most 16 MiB without its byte order mark, and with LF as every line end.
pub(super) fn with_lines<T>(text: &str, read: impl FnOnce(&str) -> Result<T>) -> Result<T> {
    if text.len() > MAX_FILE_BYTES {
        return Err(Error::new(ErrorKind::Limit, "the text is larger than 16 MiB"));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') {
        let text = Zeroizing::new(with_line_feeds(text));
        read(&text)
    } else {
        read(text)
    }
}

/// Every line end, CR LF or a lone CR, as LF: one rule for all three kinds of file, in quotes too.
fn with_line_feeds(text: &str) -> String {
    let mut lines = String::with_capacity(text.len());
    for line in text.split_inclusive('\r') {
        match line.strip_suffix('\r') {
            // The LF of a CR LF comes at the start of the next piece, and is dropped there.
            Some(line) => {
                lines.push_str(after_carriage_return(&lines, line));
                lines.push('\n');
            }
            None => lines.push_str(after_carriage_return(&lines, line)),
        }
    }
    lines
}

fn after_carriage_return<'a>(so_far: &str, piece: &'a str) -> &'a str {
    if so_far.is_empty() { piece } else { piece.strip_prefix('\n').unwrap_or(piece) }
}

pub(super) struct Reader<'a> {
    text: &'a str,
    /// Where the next line begins.
    at: usize,
    /// Where the last entry ends.
    read_to: usize,
    /// Whether a value can hold NUL at all.
    has_nul: bool,
    /// Whether a value can hold a command at all.
    has_commands: bool,
    /// The names whose value holds one.
    commands: Vec<VarName>,
}

/// An entry where it stands.
pub(super) struct Found<'a> {
    /// Comment and blank lines above it.
    pub(super) lead: &'a str,
    /// Its own lines, each with its line end.
    #[cfg_attr(not(feature = "vault"), expect(dead_code, reason = "only an integration edits other programs' files"))]
    pub(super) lines: &'a str,
    pub(super) entry: Entry,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let has = |byte| memchr(byte, text.as_bytes()).is_some();
        Self {
            text,
            at: 0,
            read_to: 0,
            has_nul: has(0),
            has_commands: has(b'`') || text.contains("$("),
            commands: Vec::new(),
        }
    }

    fn document(mut self) -> Result<Document> {
        let mut entries = Vec::new();
        while let Some(Found { lead, mut entry, .. }) = self.next()? {
            if !lead.is_empty() {
                entry.kind = split_lead(lead, &mut entry.extras_mut().lead);
            }
            entries.push(entry);
        }
        let rest = self.rest();
        let mut tail = Zeroizing::new(String::with_capacity(rest.len() + 1));
        tail.push_str(rest);
        if !tail.is_empty() && !tail.ends_with('\n') {
            tail.push('\n');
        }
        Ok(Document::from_parts(entries, tail).with_commands(self.commands))
    }

    /// The next entry, without its lead.
    pub(super) fn next(&mut self) -> Result<Option<Found<'a>>> {
        let text = self.text;
        self.read_to = self.at;
        while self.at < text.len() {
            let start = self.at;
            let end = self.line_end(start);
            let line = text[start..end].trim_start_matches(BLANKS);
            if line.is_empty() || line.starts_with('#') {
                self.at = (end + 1).min(text.len());
                continue;
            }
            let lead = &text[self.read_to..start];
            let entry = self.entry(end - line.len(), end)?;
            self.read_to = self.at;
            return Ok(Some(Found { lead, lines: &text[start..self.at], entry }));
        }
        Ok(None)
    }

    /// What stands behind the last entry.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.read_to..]
    }

    /// The entry whose first line is `start..end`; leaves `at` behind its last line.
    fn entry(&mut self, start: usize, end: usize) -> Result<Entry> {
        let line = &self.text[start..end];
        if let Some(name) = VarName::before_equals(line) {
            let after = start + name.as_str().len() + 1;
            return self.value(name, after, end);
        }
        let Some(equals) = line.find('=') else {
            return Err(self.error(
                start,
                ErrorKind::Syntax,
                "a line without `=`: write NAME=value, or quote a value of several lines",
            ));
        };
        let mut name = line[..equals].trim_end_matches(BLANKS);
        if let Some(rest) = name.strip_prefix("export") {
            let exported = rest.trim_start_matches(BLANKS);
            if exported.len() < rest.len() {
                name = exported;
            }
        }
        let name = VarName::new(name).map_err(|error| self.error(start, error.kind(), error.to_string()))?;
        self.value(name, start + equals + 1, end)
    }

    /// The entry of that name, whose value begins at `after`, behind the `=`.
    fn value(&mut self, name: VarName, after: usize, end: usize) -> Result<Entry> {
        let value_start = end - self.text[after..end].trim_start_matches(BLANKS).len();
        let (value, dollars, aside) = match self.text.as_bytes().get(value_start) {
            Some(&quote @ (b'\'' | b'"')) => self.quoted(&name, value_start, quote)?,
            _ => {
                let found = self.unquoted(value_start, end);
                self.note_command(&name, &found.0);
                found
            }
        };
        // There is no NUL in most texts, which is known at once, and values are short.
        let checked = if self.has_nul || value.len() > MAX_VALUE_BYTES { check_value(&name, &value) } else { Ok(()) };
        let mut entry = Entry::new(name, value.as_ref().into(), Kind::Secret);
        if let Cow::Owned(mut unescaped) = value {
            unescaped.zeroize();
        }
        checked.map_err(|error| error.with_offset(self.text, value_start))?;
        entry.set_dollars(dollars);
        if !aside.is_empty() {
            entry.extras_mut().aside.push_str(aside);
        }
        Ok(entry)
    }

    /// A value to the end of its line, or to the first `#` behind a blank.
    fn unquoted(&mut self, start: usize, end: usize) -> (Cow<'a, str>, Dollars, &'a str) {
        self.at = (end + 1).min(self.text.len());
        let bytes = self.text.as_bytes();
        let mut value_end = end;
        let mut from = start;
        while let Some(found) = memchr(b'#', &bytes[from..end]) {
            let hash = from + found;
            if matches!(bytes[hash - 1], b' ' | b'\t') {
                value_end = hash;
                break;
            }
            from = hash + 1;
        }
        let value = self.text[start..value_end].trim_end_matches(BLANKS);
        (Cow::Borrowed(value), Dollars::Expandable, self.text[value_end..end].trim_end_matches(BLANKS))
    }

    /// A value between quotes, perhaps over several lines, with nothing but a comment behind it.
    fn quoted(&mut self, name: &VarName, open: usize, quote: u8) -> Result<(Cow<'a, str>, Dollars, &'a str)> {
        let Some(close) = self.closing(open + 1, quote) else {
            let message = format!("the value of {name} has no closing quote");
            return Err(self.error(open, ErrorKind::Syntax, message).with_names([name.clone()]));
        };
        let end = self.line_end(close + 1);
        let behind = self.text[close + 1..end].trim_matches(BLANKS);
        if !behind.is_empty() && !behind.starts_with('#') {
            let message =
                format!("text behind the closing quote of {name}: escape the quote, or put # before a comment");
            return Err(self.error(close + 1, ErrorKind::Syntax, message).with_names([name.clone()]));
        }
        self.at = (end + 1).min(self.text.len());
        let inner = &self.text[open + 1..close];
        let (value, dollars) = if quote == b'\'' {
            let dollars = Dollars::all_literal(inner);
            (Cow::Borrowed(inner), dollars)
        } else {
            self.note_command(name, inner);
            unescape(inner)
        };
        Ok((value, dollars, behind))
    }

    /// Notes the name if a shell would run a command in its value, which is not between single quotes.
    fn note_command(&mut self, name: &VarName, written: &str) {
        if self.has_commands && has_command(written) {
            self.commands.push(name.clone());
        }
    }

    /// Where the quote closes; within double quotes a backslash guards the character behind it.
    fn closing(&self, start: usize, quote: u8) -> Option<usize> {
        if quote == b'\'' {
            return Some(start + self.text[start..].find('\'')?);
        }
        let mut from = start;
        loop {
            let quote = from + self.text[from..].find('"')?;
            // An even number of backslashes before it guard each other.
            let backslashes = self.text.as_bytes()[from..quote].iter().rev().take_while(|&&byte| byte == b'\\').count();
            if backslashes % 2 == 0 {
                return Some(quote);
            }
            from = quote + 1;
        }
    }

    fn line_end(&self, from: usize) -> usize {
        memchr(b'\n', &self.text.as_bytes()[from..]).map_or(self.text.len(), |found| from + found)
    }

    #[cold]
    fn error(&self, at: usize, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, message).with_offset(self.text, at)
    }
}

/// Copies comment and blank lines without the mark of the kind, which stands among the lines right above the entry.
fn split_lead(lines: &str, lead: &mut String) -> Kind {
    // All at once, so that it never grows and leaves a part of itself behind.
    lead.reserve_exact(lines.len());
    if !lines.contains("ioenv:") {
        lead.push_str(lines);
        return Kind::Secret;
    }
    let own = own_comment(lines);
    // Above a blank line a mark marks nothing, and stays what it looks like.
    lead.push_str(&lines[..lines.len() - own.len()]);
    let mut kind = Kind::Secret;
    for line in own.split_inclusive('\n') {
        match mark(line) {
            Some(VARIABLE_MARK) => kind = Kind::Variable,
            Some(_) => kind = Kind::Secret,
            None => lead.push_str(line),
        }
    }
    kind
}

/// Whether a text has `$(`, or two backticks, with no backslash before them.
fn has_command(text: &str) -> bool {
    let is_guarded = |at: usize| text[..at].bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1;
    let begins = |start: &str| text.match_indices(start).filter(|(at, _)| !is_guarded(*at)).count();
    begins("$(") > 0 || begins("`") > 1
}

/// One pass over what stands between double quotes.
fn unescape(inner: &str) -> (Cow<'_, str>, Dollars) {
    if !inner.contains('\\') {
        return (Cow::Borrowed(inner), Dollars::Expandable);
    }
    // Never longer than what it is read from, so it never grows and leaves no copy behind.
    let mut value = String::with_capacity(inner.len());
    let mut literal = Vec::new();
    let mut rest = inner;
    while let Some(backslash) = rest.find('\\') {
        value.push_str(&rest[..backslash]);
        let mut escaped = rest[backslash + 1..].chars();
        match escaped.next() {
            Some('n') => value.push('\n'),
            Some('r') => value.push('\r'),
            Some('t') => value.push('\t'),
            Some('$') => {
                literal.push(u32::try_from(value.len()).expect("invariant: the text is at most 16 MiB"));
                value.push('$');
            }
            Some(character @ ('\\' | '"' | '`')) => value.push(character),
            Some(character) => {
                value.push('\\');
                value.push(character);
            }
            None => value.push('\\'),
        }
        rest = escaped.as_str();
    }
    value.push_str(rest);
    let dollars = if literal.is_empty() {
        Dollars::Expandable
    } else if value.matches('$').count() == literal.len() {
        Dollars::Literal
    } else {
        Dollars::Mixed(literal.into())
    };
    (Cow::Owned(value), dollars)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        read(text).unwrap().get("A").unwrap().value().expose_secret().to_owned()
    }

    fn dollars(text: &str) -> Dollars {
        read(text).unwrap().get("A").unwrap().dollars().clone()
    }

    fn error(text: &str) -> (ErrorKind, Option<(usize, usize)>) {
        let error = read(text).unwrap_err();
        (error.kind(), error.position())
    }

    #[test]
    fn comments_begin_behind_a_blank() {
        for (text, expected) in [
            ("A=x # c", "x"),
            ("A=x\t# c", "x"),
            ("A=x#c", "x#c"),
            ("A=x#c # d", "x#c"),
            ("A= # c", ""),
            ("A=#c", "#c"),
            ("A=\"x\"# c", "x"),
            ("A='x' # say 'hi'", "x"),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn escapes_count_in_double_quotes_only() {
        assert_eq!(value(r#"A="\n\r\t\\\"\$\`\q\é""#), "\n\r\t\\\"$`\\q\\é");
        assert_eq!(value(r"A='a\nb'"), r"a\nb");
        assert_eq!(value(r"A=C:\temp\new"), r"C:\temp\new");
        assert_eq!(value(r#"A="x\\""#), r"x\");
        assert_eq!(value("A=`x`"), "`x`");
    }

    #[test]
    fn dollars_remember_how_they_were_written() {
        assert_eq!(dollars("A=$x"), Dollars::Expandable);
        assert_eq!(dollars("A=\"${x}\""), Dollars::Expandable);
        assert_eq!(dollars("A='${x}'"), Dollars::Literal);
        assert_eq!(dollars("A='x'"), Dollars::Expandable);
        assert_eq!(dollars(r#"A="\${x}""#), Dollars::Literal);
        assert_eq!(dollars(r#"A="\$5 ${x} \$""#), Dollars::Mixed([0, 8].into()));
    }

    #[test]
    fn every_line_end_reads_the_same() {
        for text in ["A='1\n2'\nB=3\n", "A='1\r\n2'\r\nB=3\r\n", "A='1\r2'\rB=3\r", "\r\n\nA='1\n2'\r\rB=3"] {
            let document = read(text).unwrap();
            assert_eq!(value(text), "1\n2", "{text:?}");
            assert_eq!(document.get("B").unwrap().value().expose_secret(), "3", "{text:?}");
        }
        assert_eq!(with_line_feeds("a\r\n\nb\r\rc\n\r"), "a\n\nb\n\nc\n\n");
    }

    #[test]
    fn errors_say_where_and_never_what() {
        for (text, expected) in [
            ("A=1\n  planted\n", (ErrorKind::Syntax, Some((2, 3)))),
            ("A=1\nplanted key=1\n", (ErrorKind::InvalidName, Some((2, 1)))),
            ("=planted", (ErrorKind::InvalidName, Some((1, 1)))),
            ("É=\"planted", (ErrorKind::InvalidName, Some((1, 1)))),
            ("A=\"planted\\\"\nB=1", (ErrorKind::Syntax, Some((1, 3)))),
            ("A='planted", (ErrorKind::Syntax, Some((1, 3)))),
            ("# é\nA = \"é\"planted", (ErrorKind::Syntax, Some((2, 8)))),
            ("A=1\nB=planted\0", (ErrorKind::InvalidValue, Some((2, 3)))),
        ] {
            assert_eq!(error(text), expected, "{text:?}");
            let error = read(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("planted"), "{text:?}");
        }
    }

    #[test]
    fn a_mark_counts_right_above_its_entry() {
        for (text, expected) in [
            ("# ioenv: variable\nA=1", Kind::Variable),
            ("  #ioenv: variable \n# why\nA=1", Kind::Variable),
            ("# ioenv: variable\n\nA=1", Kind::Secret),
            ("# ioenv: variables\nA=1", Kind::Secret),
            ("## ioenv: variable\nA=1", Kind::Secret),
            ("# ioenv: variable\u{a0}\nA=1", Kind::Secret),
            ("A=1", Kind::Secret),
        ] {
            assert_eq!(read(text).unwrap().get("A").unwrap().kind(), expected, "{text}");
        }
    }
}
