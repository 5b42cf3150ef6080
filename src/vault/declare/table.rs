//! Tables of TOML that tell where they stand, and what they have that nobody asks for.

use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};

/// Largest declaration, in bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Line and column, both from 1.
pub(super) type Position = (usize, usize);

/// A table that is taken apart field by field, and then asked whether anything is left.
pub(super) struct Table<'i> {
    text: &'i str,
    /// What it says something about, with its article.
    what: &'static str,
    at: usize,
    fields: Vec<Field<'i>>,
    known: Vec<&'static str>,
}

/// One field, or one member of a list.
pub(super) struct Field<'i> {
    text: &'i str,
    pub(super) name: String,
    at: usize,
    value: DeValue<'i>,
}

impl<'i> Table<'i> {
    /// Reads a whole text.
    pub(super) fn parse(text: &'i str) -> Result<Self> {
        if text.len() > MAX_BYTES {
            return Err(Error::new(ErrorKind::Limit, "a declaration has at most 4 MiB: split it"));
        }
        // The parser's own message shows the line, and there may be a secret in it.
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            Error::new(ErrorKind::Config, "this is not TOML").with_offset(text, at)
        })?;
        Ok(Self::new(text, "a declaration", 0, table.into_inner()))
    }

    fn new(text: &'i str, what: &'static str, at: usize, table: DeTable<'i>) -> Self {
        let fields = table.into_iter().map(|(name, value)| {
            let at = name.span().start;
            Field { text, name: name.into_inner().into_owned(), at, value: value.into_inner() }
        });
        let mut fields: Vec<Field<'i>> = fields.collect();
        // As they are written, which is the order in which things are made.
        fields.sort_by_key(|field| field.at);
        Self { text, what, at, fields, known: Vec::new() }
    }

    pub(super) fn position(&self) -> Position {
        position(self.text, self.at)
    }

    /// An error about this table.
    pub(super) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, message).with_offset(self.text, self.at)
    }

    pub(super) fn take(&mut self, name: &'static str) -> Option<Field<'i>> {
        self.known.push(name);
        let at = self.fields.iter().position(|field| field.name == name)?;
        Some(self.fields.remove(at))
    }

    pub(super) fn required(&mut self, name: &'static str) -> Result<Field<'i>> {
        self.take(name).ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> Error {
        self.error(ErrorKind::Config, format!("{} needs a `{name}`", self.what))
    }

    pub(super) fn string(&mut self, name: &'static str) -> Result<Option<String>> {
        self.take(name).map(Field::string).transpose()
    }

    pub(super) fn parsed<T: FromStr<Err = Error>>(&mut self, name: &'static str) -> Result<Option<T>> {
        self.take(name).map(|field| field.parsed(T::from_str)).transpose()
    }

    pub(super) fn bool(&mut self, name: &'static str) -> Result<Option<bool>> {
        self.take(name)
            .map(|field| match field.value {
                DeValue::Boolean(value) => Ok(value),
                _ => Err(field.mistyped("true or false")),
            })
            .transpose()
    }

    pub(super) fn number(&mut self, name: &'static str) -> Result<Option<u32>> {
        self.take(name)
            .map(|field| match &field.value {
                DeValue::Integer(value) if value.radix() == 10 => {
                    value.as_str().parse().map_err(|_| field.mistyped("a number from 0 to 4294967295"))
                }
                _ => Err(field.mistyped("a number")),
            })
            .transpose()
    }

    /// The members of a list, none where there is no list.
    pub(super) fn list(&mut self, name: &'static str) -> Result<Option<Vec<Field<'i>>>> {
        self.take(name)
            .map(|field| match field.value {
                DeValue::Array(members) => Ok(members_of(field.text, &field.name, members)),
                _ => Err(field.mistyped("a list, between brackets")),
            })
            .transpose()
    }

    /// The tables of a list of tables, none where there is no list.
    pub(super) fn tables(&mut self, name: &'static str, what: &'static str) -> Result<Vec<Self>> {
        let Some(field) = self.take(name) else {
            return Ok(Vec::new());
        };
        let error =
            field.error(ErrorKind::Config, format!("write each `{name}` as a table of its own, as in [[...{name}]]"));
        let DeValue::Array(members) = field.value else {
            return Err(error);
        };
        let tables = members_of(field.text, name, members).into_iter().map(|member| match member.value {
            DeValue::Table(table) => Some(Self::new(member.text, what, member.at, table)),
            _ => None,
        });
        tables.collect::<Option<_>>().ok_or(error)
    }

    pub(super) fn table(&mut self, name: &'static str, what: &'static str) -> Result<Option<Self>> {
        self.take(name).map(|field| field.table(what)).transpose()
    }

    /// All fields, whatever they are called.
    pub(super) fn into_fields(self) -> Vec<Field<'i>> {
        self.fields
    }

    /// Refuses what nobody has taken.
    pub(super) fn finish(self) -> Result<()> {
        match self.fields.first() {
            None => Ok(()),
            // The name is not repeated: it may be a secret in the wrong place.
            Some(field) => {
                let message = format!("{} has no such field; it has: {}", self.what, self.known.join(", "));
                Err(field.error(ErrorKind::Config, message))
            }
        }
    }
}

impl<'i> Field<'i> {
    pub(super) fn position(&self) -> Position {
        position(self.text, self.at)
    }

    pub(super) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, message).with_offset(self.text, self.at)
    }

    /// The names of entries are the only ones that are somebody's own, and may be anything.
    fn mistyped(&self, wanted: &str) -> Error {
        self.error(ErrorKind::Config, format!("this must be {wanted}"))
    }

    pub(super) fn string(self) -> Result<String> {
        match self.value {
            DeValue::String(text) => Ok(text.into_owned()),
            _ => Err(self.mistyped("a string, between quotes")),
        }
    }

    pub(super) fn secret(self) -> Result<SecretString> {
        self.string().map(SecretString::from)
    }

    /// A string, or a time as TOML has it.
    pub(super) fn string_or_time(self) -> Result<String> {
        match self.value {
            DeValue::Datetime(time) => Ok(time.to_string()),
            _ => self.string(),
        }
    }

    /// A string that something is read from.
    pub(super) fn parsed<T>(self, parse: impl FnOnce(&str) -> Result<T>) -> Result<T> {
        let (text, at) = (self.text, self.at);
        parse(&self.string()?).map_err(|error| error.with_offset(text, at))
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    pub(super) fn table(self, what: &'static str) -> Result<Table<'i>> {
        match self.value {
            DeValue::Table(table) => Ok(Table::new(self.text, what, self.at, table)),
            _ => Err(self.mistyped("a table")),
        }
    }
}

fn members_of<'i>(text: &'i str, name: &str, members: DeArray<'i>) -> Vec<Field<'i>> {
    let field = |member: Spanned<DeValue<'i>>| {
        let at = member.span().start;
        Field { text, name: name.to_owned(), at, value: member.into_inner() }
    };
    members.into_iter().map(field).collect()
}

fn position(text: &str, at: usize) -> Position {
    Error::new(ErrorKind::Config, "").with_offset(text, at).position().unwrap_or((1, 1))
}
