use ioenv::{Changes, Document, Layer, LevelPath, SealedFile, VarName};

use super::{Levels, NewValue, no_such_entry};
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

/// The levels of the sealed file.
pub(super) struct SealedLevels<'a> {
    project: &'a Project,
}

impl<'a> SealedLevels<'a> {
    pub(super) fn new(project: &'a Project) -> Self {
        Self { project }
    }

    /// Changes a level as one step: no other writer comes between reading and writing.
    fn change<T>(&self, path: &LevelPath, change: impl FnOnce(&mut Document, &SealedFile) -> Result<T>) -> Result<T> {
        let mut sealed = self.project.edit()?;
        let keys = sealed.stretch(sealed.key_of(path).as_slice(), &self.project.keys()?)?;
        let level = sealed.level(path, &keys)?;
        let is_new = level.is_none();
        let mut document = level.unwrap_or_default();
        let result = change(&mut document, &sealed)?;
        sealed.set_level(path, &document, &keys)?;
        sealed.save()?;
        if let Some(key) = sealed.key_of(path).filter(|_| is_new) {
            terminal::note(format!("made the level {path}, sealed with the key {key}"));
        }
        Ok(result)
    }
}

impl Levels for SealedLevels<'_> {
    fn layers(&self, path: &LevelPath) -> Result<Vec<Layer>> {
        Ok(self.project.open()?.layers(path, &self.project.keys()?)?)
    }

    /// It needs no key but the level's own.
    fn own(&self, path: &LevelPath) -> Result<Document> {
        match self.project.open()?.level(path, &self.project.keys()?)? {
            Some(level) => Ok(level),
            None => Err(format!("there is no level {path}; `ioenv tree` shows what there is").into()),
        }
    }

    fn tree(&self) -> Result<Vec<(LevelPath, String)>> {
        let sealed = self.project.open()?;
        // Levels of which only those below exist are shown too, for what they hold.
        let paths = sealed.paths().flat_map(LevelPath::chain);
        let with_key = |path: LevelPath| {
            let key = match sealed.key_of(&path) {
                Some(key) => match sealed.keys().iter().find(|described| described.id() == key) {
                    Some(described) if described.replaced_by().is_some() => format!("(key {key}, retired)"),
                    Some(_) => format!("(key {key})"),
                    None => format!("(key {key}, which is not in the file)"),
                },
                None => "(no level of its own)".to_owned(),
            };
            (path, key)
        };
        Ok(paths.map(with_key).collect())
    }

    fn import(&self, path: &LevelPath, imported: Document, replace: bool) -> Result<String> {
        let count = imported.len();
        let changes = self.change(path, |document, _| {
            if replace {
                *document = imported;
                return Ok(Changes::default());
            }
            Ok(document.update(imported))
        })?;
        let same = count - changes.added - changes.changed;
        Ok(format!("{} added, {} changed, {same} as before", changes.added, changes.changed))
    }

    fn set(&self, path: &LevelPath, new: &NewValue) -> Result {
        self.change(path, |document, _| Ok(new.apply(document)?))
    }

    fn unset(&self, path: &LevelPath, names: &[VarName]) -> Result {
        self.change(path, |document, sealed| {
            if sealed.key_of(path).is_none() {
                return Err(no_level(path).into());
            }
            for name in names {
                if !document.remove(name.as_str()) {
                    return Err(no_such_entry(path, name).into());
                }
            }
            Ok(())
        })
    }

    /// Needs no key: what is sealed goes as it is.
    fn remove(&self, path: &LevelPath, force: bool) -> Result {
        let mut sealed = self.project.edit()?;
        // Nothing brings it back but git, and without its key nobody here can tell what it holds.
        if !force && let Err(error) = sealed.level(path, &self.project.keys()?) {
            return Err(format!("{error}; to remove the level all the same, add --force").into());
        }
        if !sealed.remove_level(path) {
            return Err(no_level(path).into());
        }
        sealed.save()?;
        terminal::note(format!("removed the level {path}"));
        Ok(())
    }
}

fn no_level(path: &LevelPath) -> String {
    format!("there is no level {path}, so nothing was changed; `ioenv tree` shows what there is")
}
