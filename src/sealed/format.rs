//! The text of a sealed file, version 1; `docs/sealed-file.md` is its specification.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::{Range, RangeInclusive};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use memchr::memchr;

use crate::core::blob::SealedBlob;
use crate::core::key::Pbkdf2;
use crate::core::limits::MAX_FILE_BYTES;
use crate::core::name::Slug;
use crate::core::path::LevelPath;
use crate::error::{Error, ErrorKind, Result};

/// What stands first in every version.
const MAGIC: &str = "ioenv-sealed";
/// The version that this crate reads and writes.
pub(super) const VERSION: &str = "1";
/// Most keys in a file: each costs a look for every level, and a try for every key given.
const MAX_KEYS: usize = 256;
/// Characters of base64 in a line of a blob.
const LINE: usize = 76;
/// What stands before each line of a blob.
const INDENTATION: &str = "    ";
/// Bytes of a salt that are accepted.
const SALT_BYTES: RangeInclusive<usize> = 16..=64;

/// What a sealed file says.
#[derive(Clone, Debug)]
pub(super) struct Contents {
    /// The text this was read from; a file that is begun has none.
    pub(super) text: String,
    pub(super) project: Slug,
    pub(super) keys: Vec<KeyDescriptor>,
    pub(super) levels: BTreeMap<LevelPath, SealedLevel>,
}

/// A key of a sealed file, as far as everybody may know it.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::{LevelKey, SealedFile, SystemRandom};
///
/// let mut sealed = SealedFile::create("no-such.sealed", "acme-store".parse()?)?;
/// sealed.add_key("main".parse()?, &LevelKey::generate(&SystemRandom)?)?;
/// assert_eq!((sealed.keys()[0].id().as_str(), sealed.keys()[0].scheme()), ("main", "random"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct KeyDescriptor {
    pub(super) id: Slug,
    /// How the level key is derived from a key string; a random key is none.
    pub(super) derivation: Option<Pbkdf2>,
    pub(super) created: SystemTime,
    pub(super) check: [u8; 32],
    /// What took its place; such a key opens what it has sealed, and seals nothing new.
    pub(super) replacement: Option<Replacement>,
}

/// Which key took the place of another one, and the tag that proves it to whoever holds the old one.
#[derive(Clone, Debug)]
pub(super) struct Replacement {
    pub(super) by: Slug,
    pub(super) tag: [u8; 32],
}

impl KeyDescriptor {
    /// The name the key goes by within the file.
    pub fn id(&self) -> &Slug {
        &self.id
    }

    /// Where the level key comes from: `random` or `pbkdf2`.
    pub fn scheme(&self) -> &'static str {
        if self.derivation.is_some() { "pbkdf2" } else { "random" }
    }

    /// When the key was made, to the second.
    pub fn created(&self) -> SystemTime {
        self.created
    }

    /// Returns the id of the key that replaced this one, if it is retired. That is what the file says; it is proved where
    /// levels are sealed.
    pub fn replaced_by(&self) -> Option<&Slug> {
        self.replacement.as_ref().map(|replacement| &replacement.by)
    }
}

/// A level as it lies in the file. Its blob is not looked at before the level is opened.
#[derive(Clone, Debug)]
pub(super) struct SealedLevel {
    pub(super) key: Slug,
    pub(super) place: [u8; 32],
    blob: Blob,
}

#[derive(Clone, Debug)]
enum Blob {
    /// Lines of the text that was read, with their indentation. A start opens three levels of however many there are.
    At(Range<usize>),
    /// Base64 in one line.
    New(String),
}

impl Contents {
    pub(super) fn new(project: Slug) -> Self {
        Self { text: String::new(), project, keys: Vec::new(), levels: BTreeMap::new() }
    }

    /// The descriptor of that id.
    pub(super) fn key(&self, id: &Slug) -> Option<&KeyDescriptor> {
        self.keys.iter().find(|key| key.id == *id)
    }

    /// Adds a key whose id is new.
    pub(super) fn add_key(&mut self, key: KeyDescriptor) -> Result<()> {
        if self.keys.len() == MAX_KEYS {
            return Err(Error::new(ErrorKind::Limit, format!("a sealed file has at most {MAX_KEYS} keys")));
        }
        self.keys.push(key);
        Ok(())
    }

    /// The blob of a level of this file, as base64.
    pub(super) fn blob(&self, level: &SealedLevel) -> Cow<'_, str> {
        match &level.blob {
            Blob::At(range) => self.lines(range).collect::<String>().into(),
            Blob::New(blob) => blob.clone().into(),
        }
    }

    /// Lines of a blob without what indents them.
    fn lines(&self, range: &Range<usize>) -> impl Iterator<Item = &str> {
        self.text[range.clone()].lines().map(|line| line.strip_prefix(INDENTATION).unwrap_or(line))
    }

    pub(super) fn to_text(&self) -> String {
        let length = |level: &SealedLevel| match &level.blob {
            Blob::At(range) => range.len(),
            Blob::New(blob) => blob.len() + blob.len() / 8,
        };
        let blobs: usize = self.levels.values().map(|level| length(level) + 256).sum();
        let mut text = String::with_capacity(blobs + 256 * self.keys.len() + 256);
        let written = self.write(&mut text);
        written.expect("invariant: a string takes all that is written to it");
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "{MAGIC} {VERSION}\nproject {}", self.project)?;
        for key in &self.keys {
            writeln!(text, "\nkey {}", key.id)?;
            writeln!(text, "  scheme {}", key.scheme())?;
            if let Some(derivation) = &key.derivation {
                writeln!(text, "  salt {}", BASE64.encode(derivation.salt()))?;
                writeln!(text, "  iterations {}", derivation.iterations())?;
            }
            writeln!(text, "  created {}", humantime::format_rfc3339_seconds(key.created))?;
            writeln!(text, "  check {}", BASE64.encode(key.check))?;
            if let Some(Replacement { by, tag }) = &key.replacement {
                writeln!(text, "  replaced-by {by} {}", BASE64.encode(tag))?;
            }
        }
        for (path, level) in &self.levels {
            writeln!(text, "\nlevel {path}")?;
            writeln!(text, "  key {}", level.key)?;
            writeln!(text, "  place {}", BASE64.encode(level.place))?;
            writeln!(text, "  blob")?;
            match &level.blob {
                Blob::At(range) => {
                    for line in self.lines(range) {
                        writeln!(text, "{INDENTATION}{line}")?;
                    }
                }
                Blob::New(blob) => {
                    let mut rest = blob.as_str();
                    while !rest.is_empty() {
                        let (line, after) = rest.split_at(rest.len().min(LINE));
                        writeln!(text, "{INDENTATION}{line}")?;
                        rest = after;
                    }
                }
            }
        }
        writeln!(text, "\nend")
    }

    pub(super) fn parse(text: String) -> Result<Self> {
        if text.len() > MAX_FILE_BYTES {
            return Err(Error::new(ErrorKind::Limit, "the sealed file is larger than 16 MiB"));
        }
        let mut contents = Lines::new(&text).contents()?;
        contents.text = text;
        Ok(contents)
    }
}

impl SealedLevel {
    pub(super) fn new(key: Slug, place: [u8; 32], blob: &SealedBlob) -> Self {
        Self { key, place, blob: Blob::New(blob.to_string()) }
    }
}

/// The lines of a file, each looked at once.
struct Lines<'a> {
    text: &'a str,
    /// Where the next line begins.
    at: usize,
    /// The line that was taken last, and its number.
    line: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: "", number: 0 }
    }

    fn contents(mut self) -> Result<Contents> {
        self.version()?;
        let project = match self.next().and_then(|line| line.strip_prefix("project ")) {
            Some(project) => self.slug(project)?,
            None => return Err(self.corrupt("the second line must name the project")),
        };
        let mut contents = Contents::new(project);
        loop {
            let Some(line) = self.next() else {
                return Err(self.corrupt("the file ends before its last line, `end`: it was cut off"));
            };
            if line.is_empty() {
                continue;
            }
            if line == "end" {
                break;
            }
            if let Some(id) = line.strip_prefix("key ") {
                let key = self.key(id)?;
                if contents.key(&key.id).is_some() {
                    return Err(self.corrupt("a key of that id stands above already"));
                }
                contents.add_key(key).map_err(|error| error.with_position(self.number, 1))?;
            } else if let Some(path) = line.strip_prefix("level ") {
                let path = LevelPath::new(path).map_err(|_| self.corrupt("this is not the path of a level"))?;
                if path.project() != contents.project.as_str() {
                    return Err(self.corrupt("this level belongs to another project"));
                }
                let level = self.level()?;
                if contents.levels.insert(path, level).is_some() {
                    return Err(self.corrupt("this level stands above already; keep one of the two"));
                }
            } else {
                return Err(self.corrupt("no key and no level begins like this"));
            }
        }
        while let Some(line) = self.next() {
            if !line.is_empty() {
                return Err(self.corrupt("there is more after the last line, `end`"));
            }
        }
        // A level may name a key that is not there: a merge brings in both, the level and the removal of its key. It
        // fails when it is opened, and no other one with it.
        Ok(contents)
    }

    /// The version stands first and is read first: all behind it is the business of that version.
    fn version(&mut self) -> Result<()> {
        let Some(version) = self.next().and_then(|line| line.strip_prefix(MAGIC)?.strip_prefix(' ')) else {
            return Err(self.corrupt("this is not a sealed file: its first line is not `ioenv-sealed 1`"));
        };
        if version == VERSION {
            return Ok(());
        }
        if version.is_empty()
            || version.len() > 9
            || version.starts_with('0')
            || !version.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(self.corrupt("this is not a sealed file: its version is not a number"));
        }
        let message =
            format!("the file has version {version}, and this program reads version {VERSION}: use a newer ioenv");
        Err(Error::new(ErrorKind::UnsupportedVersion, message))
    }

    fn key(&mut self, id: &str) -> Result<KeyDescriptor> {
        let id = self.slug(id)?;
        let scheme = self.field("scheme")?;
        let derivation = match scheme {
            "random" => None,
            "pbkdf2" => {
                let salt = self.field("salt")?;
                let salt = BASE64.decode(salt).ok().filter(|salt| SALT_BYTES.contains(&salt.len()));
                let salt = salt.ok_or_else(|| self.corrupt("a salt is 16 to 64 bytes in base64"))?;
                let iterations = self.field("iterations")?;
                if !iterations.bytes().all(|byte| byte.is_ascii_digit())
                    || iterations.starts_with('0')
                    || iterations.is_empty()
                {
                    return Err(self.corrupt("this is not a number of iterations"));
                }
                // Digits only, so what does not fit is too large.
                let iterations = iterations.parse().unwrap_or(i64::MAX);
                Some(Pbkdf2::new(&salt, iterations).map_err(|error| error.with_position(self.number, 1))?)
            }
            _ => return Err(self.corrupt("the scheme of a key is `random` or `pbkdf2`")),
        };
        let created = self.field("created")?;
        let created =
            humantime::parse_rfc3339(created).map_err(|_| self.corrupt("this is not a time as in RFC 3339"))?;
        let check = self.field("check")?;
        let check = self.bytes32(check)?;
        let is_replaced = self.text[self.at..].starts_with("  replaced-by ");
        let replacement = is_replaced.then(|| self.replacement()).transpose()?;
        Ok(KeyDescriptor { id, derivation, created, check, replacement })
    }

    fn replacement(&mut self) -> Result<Replacement> {
        let (by, tag) = self
            .field("replaced-by")?
            .split_once(' ')
            .ok_or_else(|| self.corrupt("here should stand the line `  replaced-by KEY TAG`"))?;
        Ok(Replacement { by: self.slug(by)?, tag: self.bytes32(tag)? })
    }

    fn level(&mut self) -> Result<SealedLevel> {
        let key = self.field("key")?;
        let key = self.slug(key)?;
        let place = self.field("place")?;
        let place = self.bytes32(place)?;
        if self.next() != Some("  blob") {
            return Err(self.corrupt("here should stand the line `  blob`"));
        }
        let start = self.at;
        while self.text[self.at..].starts_with(INDENTATION) {
            self.next();
            // One is part of a line end; a second one would become it when the line is written.
            if self.line.ends_with('\r') {
                return Err(self.corrupt("a line of a blob is base64"));
            }
        }
        Ok(SealedLevel { key, place, blob: Blob::At(start..self.at) })
    }

    /// The value of the field that must stand on the next line.
    fn field(&mut self, name: &str) -> Result<&'a str> {
        let value = self.next().and_then(|line| line.strip_prefix("  ")?.strip_prefix(name)?.strip_prefix(' '));
        value.ok_or_else(|| self.corrupt(&format!("here should stand the line `  {name} ...`")))
    }

    fn slug(&self, text: &str) -> Result<Slug> {
        Slug::new(text).map_err(|_| self.corrupt("a name is 1 to 100 of A-Z, a-z, 0-9, _ and -"))
    }

    fn bytes32(&self, text: &str) -> Result<[u8; 32]> {
        let bytes = BASE64.decode(text).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| self.corrupt("this is not 32 bytes in base64"))
    }

    fn next(&mut self) -> Option<&'a str> {
        self.number += 1;
        self.line = "";
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let end = memchr(b'\n', rest.as_bytes());
        self.at += end.map_or(rest.len(), |end| end + 1);
        let line = &rest[..end.unwrap_or(rest.len())];
        self.line = line.strip_suffix('\r').unwrap_or(line);
        Some(self.line)
    }

    #[cold]
    fn corrupt(&self, what: &str) -> Error {
        let is_conflict = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|mark| self.line.starts_with(mark));
        let what = if is_conflict {
            "a merge left a conflict here: of two sides of one level keep one; two different levels both stay; then remove the marks"
        } else {
            what
        };
        Error::new(ErrorKind::Corrupt, what).with_position(self.number, 1)
    }
}
