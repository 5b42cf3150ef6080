//! The keys that replaced others: a retired key opens what it has sealed, and seals nothing new.

use super::SealedFile;
use super::binding;
use super::find;
use super::format::{KeyDescriptor, Replacement};
use crate::core::key::LevelKey;
use crate::core::key_ring::KeyRing;
use crate::core::name::Slug;
use crate::core::path::LevelPath;
use crate::error::{Error, ErrorKind, Result};
use crate::system::SystemRandom;

impl SealedFile {
    /// Replaces a key by another key of the file: seals its levels with the new key, and marks the old one as retired.
    /// Returns the levels that were sealed again.
    ///
    /// The descriptor of the old key stays, so that a level that a merge brings in under it can still be opened. Levels
    /// under keys that `old` replaced before are moved too, as far as those keys are among `keys`; so is what came in under
    /// an `old` that is retired already. If the file does not have `old` any more, levels that a merge has brought in under it
    /// are moved all the same, unless it is a passphrase.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::{Document, KeyRing, LevelKey, SealedFile, SystemRandom};
    ///
    /// let [old, new] = [LevelKey::generate(&SystemRandom)?, LevelKey::generate(&SystemRandom)?];
    /// let mut keys = KeyRing::from(&old);
    /// keys.extend(&new);
    /// let mut sealed = SealedFile::create("no-such.sealed", "acme-store".parse()?)?;
    /// sealed.add_key("main".parse()?, &old)?;
    /// sealed.set_level(&"acme-store".parse()?, &Document::parse("PORT=8080\n")?, &keys)?;
    ///
    /// sealed.add_key("main-2".parse()?, &new)?;
    /// let moved = sealed.replace_key(&"main".parse()?, &"main-2".parse()?, &keys)?;
    /// assert_eq!(moved, ["acme-store".parse()?]);
    /// assert_eq!(sealed.keys()[0].replaced_by(), Some(&"main-2".parse()?));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`, when there is no such key; `Conflict`, when the two are one, or the new one is retired; `Config` and
    /// `DecryptionFailed`, when one of them is not among `keys`; `Corrupt`, for a level that was changed or moved. Nothing
    /// is changed then.
    pub fn replace_key(&mut self, old: &Slug, new: &Slug, keys: &KeyRing) -> Result<Vec<LevelPath>> {
        if !self.contents.levels.values().any(|level| level.key == *old) {
            self.described(old)?;
        }
        let check = self.usable(new)?.check;
        if old == new {
            return Err(self.error(ErrorKind::Conflict, "a key cannot replace itself: name another one"));
        }
        self.unlock(new, keys)?;
        let retired = self.replaced_with(old, keys)?;

        let levels = self.contents.levels.iter().filter_map(|(path, level)| {
            let (_, key) = retired.iter().find(|(id, _)| *id == level.key)?;
            Some(self.open_level(path, level, key).map(|document| (path.clone(), document)))
        });
        let levels = levels.collect::<Result<Vec<_>>>()?;
        for (path, document) in &levels {
            self.seal(path, document, new, keys, &SystemRandom)?;
        }
        for (id, key) in retired {
            let tag = binding::replacement_tag(&key, &id, new, &check);
            let descriptor = self.contents.keys.iter_mut().find(|key| key.id == id);
            if let Some(descriptor) = descriptor {
                descriptor.replacement = Some(Replacement { by: new.clone(), tag });
            }
        }
        Ok(levels.into_iter().map(|(path, _)| path).collect())
    }

    /// Returns the id of the key that seals what a key would have sealed: its own, or if it is retired, that of the key
    /// which replaced it, proved with the old key out of the keys given.
    ///
    /// # Errors
    /// `Corrupt`, when the file does not know the key, or its replacement was changed by somebody without the key; `Config`
    /// and `DecryptionFailed`, when a retired key is not among `keys`.
    pub fn sealing_key<'a>(&'a self, id: &'a Slug, keys: &KeyRing) -> Result<&'a Slug> {
        let mut descriptor = self.descriptor(id)?;
        // Each key can be replaced once, unless somebody has made a circle.
        for _ in 0..self.contents.keys.len() {
            let Some(Replacement { by, tag }) = &descriptor.replacement else {
                return Ok(&descriptor.id);
            };
            let key = self.unlock(&descriptor.id, keys)?;
            let Some(next) = self.contents.key(by) else {
                let message = format!(
                    "the retired key `{}` was replaced by the key `{by}`, which is not in the file: name another one with \
                     `ioenv key rotate {} KEY`",
                    descriptor.id, descriptor.id
                );
                return Err(self.error(ErrorKind::Corrupt, message));
            };
            if !binding::is_replacement_tag(&key, &descriptor.id, by, &next.check, tag) {
                break;
            }
            descriptor = next;
        }
        let message = format!(
            "what the file says of the key that replaced `{id}` was changed by somebody without the key: restore the file, \
             or name the right one with `ioenv key rotate {id} KEY`"
        );
        Err(self.error(ErrorKind::Corrupt, message))
    }

    /// A key, and those that are retired for the same key as it: as far as they are among `keys`, which the key itself
    /// must be.
    fn replaced_with(&self, id: &Slug, keys: &KeyRing) -> Result<Vec<(Slug, LevelKey)>> {
        let key = match self.contents.key(id) {
            Some(_) => self.unlock(id, keys)?,
            None => self.key_of_removed(id, keys)?,
        };
        let mut found = vec![(id.clone(), key)];
        let Ok(end) = self.sealing_key(id, keys) else {
            return Ok(found);
        };
        let retired = self.contents.keys.iter().filter(|key| key.replacement.is_some() && key.id != *id);
        for descriptor in retired {
            if let Some(key) = find(descriptor, keys)?
                && self.sealing_key(&descriptor.id, keys).is_ok_and(|other| other == end)
            {
                found.push((descriptor.id.clone(), key));
            }
        }
        Ok(found)
    }

    /// A key whose descriptor was removed, found by what it has sealed.
    fn key_of_removed(&self, id: &Slug, keys: &KeyRing) -> Result<LevelKey> {
        let sealed = self.contents.levels.iter().find(|(_, level)| level.key == *id);
        let found = match sealed {
            Some((path, level)) => {
                let blob = self.contents.blob(level).parse()?;
                keys.find(None, |key| binding::is_place_tag(key, path, &blob, &level.place))?
            }
            None => None,
        };
        found.ok_or_else(|| self.unknown_key())
    }

    /// The key of that id, which a caller names.
    fn described(&self, id: &Slug) -> Result<&KeyDescriptor> {
        self.contents.key(id).ok_or_else(|| {
            let ids: Vec<&str> = self.contents.keys.iter().map(|key| key.id.as_str()).collect();
            self.error(ErrorKind::NotFound, format!("there is no key `{id}`; there is: {}", ids.join(", ")))
        })
    }

    /// The key of that id, which a caller names to seal with it.
    pub(super) fn usable(&self, id: &Slug) -> Result<&KeyDescriptor> {
        let descriptor = self.described(id)?;
        match descriptor.replaced_by() {
            None => Ok(descriptor),
            Some(by) => Err(self.error(
                ErrorKind::Conflict,
                format!("the key `{id}` is retired, and seals nothing new: it was replaced by `{by}`"),
            )),
        }
    }

    /// The key of that id, which a level names.
    pub(super) fn descriptor(&self, id: &Slug) -> Result<&KeyDescriptor> {
        self.contents.key(id).ok_or_else(|| self.unknown_key())
    }

    /// The id is not repeated: nothing of the file vouches for it.
    #[cold]
    fn unknown_key(&self) -> Error {
        let message = "the level is sealed with a key that the file does not have: one side of a merge has removed it. \
                       `ioenv tree` shows its ID. With that key at hand, `ioenv key rotate ID KEY` seals the level with \
                       another one; for a passphrase, put its section back first, which `git log -p -S 'key ID'` shows; \
                       `ioenv unset --all --force --path LEVEL` removes the level";
        self.error(ErrorKind::Corrupt, message)
    }
}
