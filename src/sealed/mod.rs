//! The sealed file: several levels of one project, each sealed on its own, in one text file made to be committed.

mod binding;
mod disk;
mod format;
mod rotation;
mod source;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use self::disk::Lock;
pub use self::format::KeyDescriptor;
use self::format::{Contents, SealedLevel};
use crate::core::blob::SealedBlob;
use crate::core::cipher::{Aes256Gcm, Cipher as _};
use crate::core::document::Document;
use crate::core::key::{KeyDerivation, KeyString, LevelKey, Pbkdf2};
use crate::core::key_ring::KeyRing;
use crate::core::limits::MAX_FILE_BYTES;
use crate::core::merge::Layer;
use crate::core::name::Slug;
use crate::core::opening::{HOW_TO_GIVE_A_KEY, document};
use crate::core::path::LevelPath;
use crate::core::random::Random;
use crate::core::secret::SecretBytes;
use crate::error::{Error, ErrorKind, Result};
use crate::files::read::read_text;
use crate::files::replace::{Readers, replace, sync_directory};
use crate::system::SystemRandom;

/// An encrypted, hierarchical file such as `ioenv.sealed`: one project, its levels, and for each level a key.
///
/// Its text is made for `git diff` and `git merge`; `docs/sealed-file.md` specifies it to the byte. Which levels there
/// are and which key each uses is plain to see; names and values are not. Keys are not in it: each call that opens or
/// seals a level takes a [`KeyRing`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ioenv::{LevelKey, Document, KeyRing, SealedFile, SystemRandom};
///
/// let directory = tempfile::tempdir()?;
/// let file = directory.path().join("ioenv.sealed");
/// let key = LevelKey::generate(&SystemRandom)?;
/// let keys = KeyRing::from(&key);
///
/// let mut sealed = SealedFile::create(&file, "acme-store".parse()?)?;
/// sealed.add_key("main".parse()?, &key)?;
/// sealed.set_level(&"acme-store/dev".parse()?, &Document::parse("PORT=8080\n")?, &keys)?;
/// sealed.save()?;
///
/// let level = SealedFile::open(&file)?.level(&"acme-store/dev".parse()?, &keys)?;
/// assert_eq!(level.expect("just saved").get("PORT").unwrap().value().expose_secret(), "8080");
/// # Ok(())
/// # }
/// ```
pub struct SealedFile {
    contents: Contents,
    /// Where the file lies; text that was parsed lies nowhere.
    file: Option<PathBuf>,
    /// Whether the file is there, with the text the contents were read from; a file that is to be created is not.
    is_there: bool,
    lock: Option<Lock>,
}

impl SealedFile {
    /// Begins a file that is not there yet. Nothing is written before [`save`](Self::save).
    ///
    /// # Errors
    /// `Conflict`, when there is a file of that name.
    pub fn create(file: impl Into<PathBuf>, project: Slug) -> Result<Self> {
        let file = file.into();
        if file.symlink_metadata().is_ok() {
            return Err(already_there(&file));
        }
        Ok(Self { contents: Contents::new(project), file: Some(file), is_there: false, lock: None })
    }

    /// Reads a file, for looking at it or for a change that may be refused.
    ///
    /// No lock is taken: a file is replaced as a whole, so what is read is one state of it. If another program has
    /// changed the file by the time of [`save`](Self::save), that is a `Conflict`; see [`edit`](Self::edit).
    ///
    /// # Errors
    /// `Io`; `Limit`, beyond 16 MiB or 10,000,000 iterations; `UnsupportedVersion`; `Corrupt`, with the line.
    pub fn open(file: impl Into<PathBuf>) -> Result<Self> {
        let file = file.into();
        let mut text = read_text(&file, "sealed file", MAX_FILE_BYTES)?;
        let contents = Contents::parse(std::mem::take(&mut *text)).map_err(|error| error.with_file(&file))?;
        Ok(Self { contents, file: Some(file), is_there: true, lock: None })
    }

    /// Reads a file for a change, and keeps other writers waiting until the value is dropped.
    ///
    /// The lock is on `.NAME.lock` beside the file, which stays there.
    ///
    /// # Errors
    /// As [`open`](Self::open); and `Unavailable`, when another writer does not let go within 10 seconds.
    pub fn edit(file: impl AsRef<Path>) -> Result<Self> {
        let given = file.as_ref();
        // The file is replaced by a rename, so a link to it must be followed here.
        let file = given
            .canonicalize()
            .map_err(|error| Error::io(format!("cannot read the sealed file {}", given.display()), error))?;
        // Only what is a sealed file gets a lock file beside it.
        Self::open(&file)?;
        let lock = Lock::acquire(&file)?;
        let mut sealed = Self::open(file)?;
        sealed.lock = Some(lock);
        Ok(sealed)
    }

    /// Reads the text of a file, as for `SealedFile::parse(include_str!("../ioenv.sealed"))`.
    ///
    /// # Errors
    /// As [`open`](Self::open), but for `Io`.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self { contents: Contents::parse(text.to_owned())?, file: None, is_there: false, lock: None })
    }

    /// The text, as it would be saved.
    pub fn to_text(&self) -> String {
        self.contents.to_text()
    }

    /// The project that all levels belong to.
    pub fn project(&self) -> &Slug {
        &self.contents.project
    }

    /// The levels there are, ascending.
    pub fn paths(&self) -> impl Iterator<Item = &LevelPath> {
        self.contents.levels.keys()
    }

    /// The keys there are, in the order they were added.
    pub fn keys(&self) -> &[KeyDescriptor] {
        &self.contents.keys
    }

    /// The id of the key that a level is sealed with. If a merge has brought in a level whose key was removed, it is none of
    /// the [`keys`](Self::keys).
    pub fn key_of(&self, path: &LevelPath) -> Option<&Slug> {
        self.contents.levels.get(path).map(|level| &level.key)
    }

    /// Adds a random key. The file keeps a check value of it, not the key.
    ///
    /// # Errors
    /// `Conflict`, when there is a key of that id; `Limit`, beyond 256 keys.
    pub fn add_key(&mut self, id: Slug, key: &LevelKey) -> Result<()> {
        self.describe(id, None, key)
    }

    /// Adds a passphrase. Opening a level with it then costs 600,000 iterations of PBKDF2.
    ///
    /// # Errors
    /// `Conflict`, when there is a key of that id; `Limit`, beyond 256 keys.
    pub fn add_passphrase(&mut self, id: Slug, key: &KeyString) -> Result<()> {
        let derivation = Pbkdf2::generate(&SystemRandom)?;
        let derived = derivation.derive(key)?;
        self.describe(id, Some(derivation), &derived)
    }

    /// Removes a key that no level uses; `false`, when there is none of that id. A level that a merge brings in under it
    /// later cannot be opened; see [`replace_key`](Self::replace_key) for what keeps such levels.
    ///
    /// # Errors
    /// `Conflict`, when a level uses it, or a retired key was replaced by it.
    pub fn remove_key(&mut self, id: &Slug) -> Result<bool> {
        if let Some((path, _)) = self.contents.levels.iter().find(|(_, level)| level.key == *id) {
            let message = format!("the level still uses the key `{id}`: seal it with another key first");
            return Err(self.error(ErrorKind::Conflict, message).with_path(path));
        }
        if let Some(old) = self.contents.keys.iter().find(|key| key.replaced_by() == Some(id) && key.id != *id) {
            let message = format!("the retired key `{}` was replaced by the key `{id}`: remove that one first", old.id);
            return Err(self.error(ErrorKind::Conflict, message));
        }
        let before = self.contents.keys.len();
        self.contents.keys.retain(|key| key.id != *id);
        Ok(self.contents.keys.len() < before)
    }

    fn describe(&mut self, id: Slug, derivation: Option<Pbkdf2>, key: &LevelKey) -> Result<()> {
        if self.contents.key(&id).is_some() {
            return Err(self.error(ErrorKind::Conflict, format!("there is a key `{id}` already")));
        }
        // The file holds whole seconds, and what is in memory shall be what is read back.
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let created = UNIX_EPOCH + Duration::from_secs(seconds);
        let key = KeyDescriptor { id, derivation, created, check: binding::check(key), replacement: None };
        self.contents.add_key(key).map_err(|error| self.locate(error))
    }

    /// What a level says itself, or nothing where there is no such level.
    ///
    /// # Errors
    /// `Config`, without a key, or when another key of the file is given; `DecryptionFailed`, with a wrong one; `Corrupt`, when the level was changed or moved.
    pub fn level(&self, path: &LevelPath, keys: &KeyRing) -> Result<Option<Document>> {
        let Some(level) = self.contents.levels.get(path) else {
            return Ok(None);
        };
        let key = self.unlock(&level.key, keys).map_err(|error| error.with_path(path))?;
        self.open_level(path, level, &key).map(Some)
    }

    /// The levels of the chain of `path` that exist, broad to specific. All their keys are found before the first blob
    /// is opened.
    ///
    /// # Errors
    /// `NotFound`, when the level at `path` itself is not there; otherwise as [`level`](Self::level).
    pub fn layers(&self, path: &LevelPath, keys: &KeyRing) -> Result<Vec<Layer>> {
        self.open_chain(self.chain(path)?, keys)
    }

    /// The levels of the chain of `path` that exist, broad to specific, as they are sealed.
    fn chain(&self, path: &LevelPath) -> Result<Vec<(LevelPath, &SealedLevel)>> {
        if !self.contents.levels.contains_key(path) {
            let some: Vec<&str> = self.paths().map(LevelPath::as_str).take(20).collect();
            let there = match self.contents.levels.len() - some.len() {
                0 if some.is_empty() => "no level".to_owned(),
                0 => some.join(", "),
                more => format!("{} and {more} more", some.join(", ")),
            };
            let message = format!("there is no such level in the file; there is: {there}");
            return Err(self.error(ErrorKind::NotFound, message).with_path(path));
        }
        Ok(path.chain().filter_map(|path| Some((path.clone(), self.contents.levels.get(&path)?))).collect())
    }

    fn open_chain(&self, chain: Vec<(LevelPath, &SealedLevel)>, keys: &KeyRing) -> Result<Vec<Layer>> {
        let mut unlocked: BTreeMap<&Slug, LevelKey> = BTreeMap::new();
        for (path, level) in &chain {
            if !unlocked.contains_key(&level.key) {
                unlocked.insert(&level.key, self.unlock(&level.key, keys).map_err(|error| error.with_path(path))?);
            }
        }
        let layers = chain.into_iter().map(|(path, level)| {
            let document = self.open_level(&path, level, &unlocked[&level.key])?;
            Ok(Layer::new(path, document))
        });
        layers.collect()
    }

    /// Sets what a level says. A new level is sealed with the key of the nearest level above it, or else with the
    /// file's only key; instead of a retired key, the one that replaced it is taken. A document that is there already, to
    /// the byte, is not sealed anew.
    ///
    /// # Errors
    /// As [`level`](Self::level); `Config`, when several keys could be meant; `InvalidName`, for another project's level.
    pub fn set_level(&mut self, path: &LevelPath, document: &Document, keys: &KeyRing) -> Result<()> {
        let id = self.key_for(path, keys)?.clone();
        self.seal(path, document, &id, keys, &SystemRandom)
    }

    /// Seals a level with the key of that id from now on, making the level where there is none.
    ///
    /// # Errors
    /// As [`set_level`](Self::set_level); `NotFound`, when there is no such key; `Conflict`, when it is retired.
    pub fn set_level_key(&mut self, path: &LevelPath, id: &Slug, keys: &KeyRing) -> Result<()> {
        self.check_project(path)?;
        self.usable(id)?;
        let document = self.level(path, keys)?.unwrap_or_default();
        self.seal(path, &document, id, keys, &SystemRandom)
    }

    /// The key that [`set_level`](Self::set_level) seals a level with, out of the keys given.
    ///
    /// # Errors
    /// As [`set_level`](Self::set_level).
    pub fn level_key(&self, path: &LevelPath, keys: &KeyRing) -> Result<LevelKey> {
        self.unlock(self.key_for(path, keys)?, keys)
    }

    /// The blob of a level as it stands in the file, for whoever has the key and can take it unopened.
    ///
    /// # Errors
    /// As [`level`](Self::level): a blob that does not belong to its place is not handed out.
    pub fn blob(&self, path: &LevelPath, keys: &KeyRing) -> Result<Option<SealedBlob>> {
        let Some(level) = self.contents.levels.get(path) else {
            return Ok(None);
        };
        let key = self.unlock(&level.key, keys).map_err(|error| error.with_path(path))?;
        self.open_blob(path, level, &key)?;
        self.contents.blob(level).parse().map(Some).map_err(|error: Error| self.locate(error.with_path(path)))
    }

    /// Sets a level to a blob that was sealed elsewhere with its [`level_key`](Self::level_key). It is kept as it is.
    ///
    /// # Errors
    /// As [`set_level`](Self::set_level); `DecryptionFailed`, when the blob was sealed with another key; `Corrupt` and
    /// those of a document, when it holds none.
    pub fn set_blob(&mut self, path: &LevelPath, blob: &SealedBlob, keys: &KeyRing) -> Result<()> {
        let id = self.key_for(path, keys)?.clone();
        let key = self.unlock(&id, keys)?;
        let bytes = Aes256Gcm.open(&key, blob).map_err(|_| {
            let message = format!("the blob was not sealed with the key `{id}`: open it and set what it says");
            self.error(ErrorKind::DecryptionFailed, message).with_path(path)
        })?;
        document(&bytes).map_err(|error| self.locate(error.with_path(path)))?;
        let place = binding::place_tag(&key, path, blob);
        self.contents.levels.insert(path.clone(), SealedLevel::new(id, place, blob));
        Ok(())
    }

    /// Removes a level; `false`, when there is none.
    pub fn remove_level(&mut self, path: &LevelPath) -> bool {
        self.contents.levels.remove(path).is_some()
    }

    /// Writes the file as a whole, if it is another one than before: beside, synced, renamed, and the rename synced.
    ///
    /// # Errors
    /// `Conflict`, when the file was changed or made by another program since it was opened or created; `Unavailable`;
    /// `Io`, such as for a full disk; `Config`, for text that was parsed and lies nowhere. The file is then as it was, but
    /// for one case: an `Io` that says the directory could not be synced comes after the file was replaced.
    pub fn save(&mut self) -> Result<()> {
        let Some(file) = &self.file else {
            return Err(Error::new(ErrorKind::Config, "this sealed file was read from text: there is no file to save"));
        };
        let text = self.contents.to_text();
        if self.is_there && text == self.contents.text {
            return Ok(());
        }
        if text.len() > MAX_FILE_BYTES {
            return Err(self.error(ErrorKind::Limit, "the file would be larger than 16 MiB"));
        }
        // A link to the file is followed, because the rename would replace the link itself.
        let file = &file.canonicalize().unwrap_or_else(|_| file.clone());
        // Until the end: the file beside has one name, so there must be one writer.
        let _acquired = match &self.lock {
            Some(_) => None,
            None => Some(Lock::acquire(file)?),
        };
        // Under our own lock too: git, or an editor, takes none.
        self.check_unchanged(file)?;
        replace(file, ".tmp", &text, Readers::AsBefore)
            .map_err(|error| Error::io(format!("cannot write {}; it is as it was", file.display()), error))?;
        let synced = sync_directory(file).map_err(|error| {
            Error::io(format!("{} was written, and its directory cannot be synced", file.display()), error)
        });
        self.contents = Contents::parse(text)?;
        self.is_there = true;
        synced
    }

    /// With the lock in hand: that the file is still the one this value was read from.
    fn check_unchanged(&self, file: &Path) -> Result<()> {
        if !self.is_there {
            return if file.symlink_metadata().is_ok() { Err(already_there(file)) } else { Ok(()) };
        }
        if *read_text(file, "sealed file", MAX_FILE_BYTES)? == self.contents.text {
            return Ok(());
        }
        Err(self.error(ErrorKind::Conflict, "another program has changed the file: open it again"))
    }

    fn check_project(&self, path: &LevelPath) -> Result<()> {
        if path.project() == self.contents.project.as_str() {
            return Ok(());
        }
        let message = format!("the file holds the project {}", self.contents.project);
        Err(self.error(ErrorKind::InvalidName, message).with_path(path))
    }

    /// The key a level is sealed with when nobody names one.
    fn key_for(&self, path: &LevelPath, keys: &KeyRing) -> Result<&Slug> {
        self.check_project(path)?;
        let mut above = Some(path.clone());
        while let Some(path) = above {
            if let Some(level) = self.contents.levels.get(&path) {
                return self.sealing_key(&level.key, keys).map_err(|error| error.with_path(&path));
            }
            above = path.parent();
        }
        let usable: Vec<&Slug> =
            self.contents.keys.iter().filter(|key| key.replacement.is_none()).map(|key| &key.id).collect();
        match usable.as_slice() {
            [id] => Ok(id),
            [] => Err(self.error(ErrorKind::Config, "the file has no key to seal with yet: add one first")),
            ids => {
                let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
                let message = format!(
                    "several keys could seal this new level ({}): make the level above it first",
                    ids.join(", ")
                );
                Err(self.error(ErrorKind::Config, message).with_path(path))
            }
        }
    }

    fn seal(
        &mut self,
        path: &LevelPath,
        document: &Document,
        id: &Slug,
        keys: &KeyRing,
        random: &dyn Random,
    ) -> Result<()> {
        let key = self.unlock(id, keys)?;
        let text = document.to_text();
        if let Some(level) = self.contents.levels.get(path).filter(|level| level.key == *id) {
            let old = self.open_blob(path, level, &key)?;
            if old.expose_secret() == text.expose_secret().as_bytes() {
                return Ok(());
            }
        }
        let blob = Aes256Gcm.seal(&key, text.expose_secret().as_bytes(), random)?;
        let place = binding::place_tag(&key, path, &blob);
        self.contents.levels.insert(path.clone(), SealedLevel::new(id.clone(), place, &blob));
        Ok(())
    }

    fn open_level(&self, path: &LevelPath, level: &SealedLevel, key: &LevelKey) -> Result<Document> {
        let bytes = self.open_blob(path, level, key)?;
        document(&bytes).map_err(|error| self.locate(error.with_path(path)))
    }

    /// `key` has passed its check, so what fails here is not the key's fault.
    fn open_blob(&self, path: &LevelPath, level: &SealedLevel, key: &LevelKey) -> Result<SecretBytes> {
        let blob: SealedBlob =
            self.contents.blob(level).parse().map_err(|error: Error| self.locate(error.with_path(path)))?;
        let changed = || {
            let message = "the level was changed or moved from another place since it was sealed: restore the file";
            self.error(ErrorKind::Corrupt, message).with_path(path)
        };
        if !binding::is_place_tag(key, path, &blob, &level.place) {
            return Err(changed());
        }
        Aes256Gcm.open(key, &blob).map_err(|_| changed())
    }

    /// The level key of that id, out of the keys given.
    fn unlock(&self, id: &Slug, keys: &KeyRing) -> Result<LevelKey> {
        let descriptor = self.descriptor(id)?;
        if keys.is_empty() {
            let message = format!("no key is given, and `{id}` is needed: {HOW_TO_GIVE_A_KEY}");
            return Err(self.error(ErrorKind::Config, message));
        }
        if let Some(key) = find(descriptor, keys)? {
            return Ok(key);
        }
        // A ring that opens another key of the file is not wrong but incomplete.
        for other in &self.contents.keys {
            if keys.find(None, |key| binding::is_check(key, &other.check))?.is_some() {
                let message =
                    format!("the key `{id}` is missing among the keys given: {HOW_TO_GIVE_A_KEY}, one key a line");
                return Err(self.error(ErrorKind::Config, message));
            }
        }
        let message = format!("decryption failed: no key given is the key `{id}` of this file; {HOW_TO_GIVE_A_KEY}");
        Err(self.error(ErrorKind::DecryptionFailed, message))
    }

    /// The keys, and with them the level keys that their passphrases give for the keys of these ids, so that a passphrase
    /// is stretched once and not for every level.
    ///
    /// # Errors
    /// Those of the derivation.
    pub fn stretch(&self, ids: &[&Slug], keys: &KeyRing) -> Result<KeyRing> {
        let mut stretched = keys.clone();
        for descriptor in self.contents.keys.iter().filter(|key| key.derivation.is_some() && ids.contains(&&key.id)) {
            if let Some(key) = find(descriptor, keys)? {
                stretched.extend(key);
            }
        }
        Ok(stretched)
    }

    #[cold]
    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        self.locate(Error::new(kind, message))
    }

    #[cold]
    fn locate(&self, error: Error) -> Error {
        match &self.file {
            Some(file) => error.with_file(file),
            None => error,
        }
    }
}

fn find(descriptor: &KeyDescriptor, keys: &KeyRing) -> Result<Option<LevelKey>> {
    let derivation = descriptor.derivation.as_ref().map(|derivation| derivation as &dyn KeyDerivation);
    keys.find(derivation, |key| binding::is_check(key, &descriptor.check))
}

#[cold]
fn already_there(file: &Path) -> Error {
    Error::new(ErrorKind::Conflict, "there is a file of that name already; nothing was written").with_file(file)
}

impl FromStr for SealedFile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedFile")
            .field("file", &self.file)
            .field("project", &self.contents.project)
            .field("levels", &self.contents.levels.keys())
            .finish_non_exhaustive()
    }
}
