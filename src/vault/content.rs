//! What a level holds, now and formerly: read, written and kept.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Custody;
use super::call::{Call, is_recent};
use super::key_cache::Row;
use super::keys;
use super::place::Place;
use super::records::{
    ContentRecord, LevelRecord, ProjectRecord, VersionRecord, Wrapped, damaged, decode, encode, get, put,
};
use crate::core::{Aes256Gcm, Cipher as _, DataKey, Document, Id, Kind, SealedBlob, SecretString, Timestamp, VarName};
use crate::store::{Transaction, When};
use crate::{Error, ErrorKind, Result};

/// Longest text of a blob, in bytes; base64 of a document of about 768 KiB.
pub const MAX_BLOB_BYTES: usize = 1024 * 1024;

/// The last access of an entry is written at most this often.
const ACCESS_EVERY: Duration = Duration::from_secs(60);

/// What was done to a level, and so displaced what it held before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum VersionAction {
    /// It was written anew.
    Update,
    /// It was deleted.
    Delete,
    /// A former content was put in its place.
    Restore,
    /// The same was sealed under another key.
    Rotate,
}

/// What is known of each entry of a document beside its value.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Entries {
    next_id: u32,
    entries: BTreeMap<VarName, EntryRecord>,
    /// Names that are gone, and the number of the content that no longer had them.
    gone: BTreeMap<VarName, u32>,
}

/// In this order, as an array, because there is one for each entry.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(into = "(u32, u32, u32, i64, i64)", from = "(u32, u32, u32, i64, i64)")]
pub(super) struct EntryRecord {
    /// The same through renames.
    pub(super) id: u32,
    /// From 1, one more with each change.
    pub(super) version: u32,
    /// Of the content that changed it last.
    changed_by: u32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl From<EntryRecord> for (u32, u32, u32, i64, i64) {
    fn from(entry: EntryRecord) -> Self {
        let EntryRecord { id, version, changed_by, created_at, updated_at } = entry;
        (id, version, changed_by, created_at.as_millis(), updated_at.as_millis())
    }
}

impl From<(u32, u32, u32, i64, i64)> for EntryRecord {
    fn from((id, version, changed_by, created_at, updated_at): (u32, u32, u32, i64, i64)) -> Self {
        let [created_at, updated_at] =
            [created_at, updated_at].map(|at| Timestamp::from_millis(at).unwrap_or(Timestamp::MAX));
        Self { id, version, changed_by, created_at, updated_at }
    }
}

impl Entries {
    pub(super) fn get(&self, name: &VarName) -> Option<&EntryRecord> {
        self.entries.get(name)
    }

    /// The name of the entry of that id.
    pub(super) fn name_of(&self, id: u32) -> Option<&VarName> {
        self.entries.iter().find(|(_, entry)| entry.id == id).map(|(name, _)| name)
    }

    /// What is known by now, with what was known before of entries that are gone.
    pub(super) fn returning(self, now: &Self) -> Self {
        let mut known = now.clone();
        let is_free = |entry: &EntryRecord| !now.entries.values().any(|other| other.id == entry.id);
        for (name, entry) in self.entries {
            if !known.entries.contains_key(&name) && is_free(&entry) {
                known.entries.insert(name, entry);
            }
        }
        known.next_id = known.next_id.max(self.next_id);
        known
    }

    /// From the names that entries have by now to those they have here.
    pub(super) fn renames_since(&self, now: &Self) -> Vec<(VarName, VarName)> {
        let by_id: BTreeMap<u32, &VarName> = now.entries.iter().map(|(name, entry)| (entry.id, name)).collect();
        let both =
            self.entries.iter().filter_map(|(name, entry)| Some(((*by_id.get(&entry.id)?).clone(), name.clone())));
        both.filter(|(from, to)| from != to).collect()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &VarName> {
        self.entries.keys()
    }

    /// The number of the content that changed a name last, of all names that `counts` takes; 0 for none.
    fn last_change(&self, counts: impl Fn(&VarName) -> bool) -> u32 {
        let there = self.entries.iter().map(|(name, entry)| (name, entry.changed_by));
        let gone = self.gone.iter().map(|(name, number)| (name, *number));
        there.chain(gone).filter(|(name, _)| counts(name)).map(|(_, number)| number).max().unwrap_or_default()
    }

    /// What is known of the entries of `new`, which was `old` before it was written as the content of that number.
    /// `renames` are from old names to new ones.
    pub(super) fn follow(
        &self,
        old: &Document,
        new: &Document,
        renames: &[(VarName, VarName)],
        number: u32,
        now: Timestamp,
    ) -> Self {
        let mut next = Self { next_id: self.next_id, entries: BTreeMap::new(), gone: self.gone.clone() };
        for entry in new.entries() {
            let name = entry.name();
            let old_name = renames.iter().find(|(_, to)| to == name).map_or(name, |(from, _)| from);
            let is_taken = renames.iter().any(|(from, _)| from == name) && old_name == name;
            let record = match self.entries.get(old_name).filter(|_| !is_taken) {
                Some(record) => match old.get(old_name.as_str()) {
                    Some(before) if old_name == name && is_same(before, entry) => *record,
                    _ => EntryRecord { version: record.version + 1, changed_by: number, updated_at: now, ..*record },
                },
                None => {
                    next.next_id += 1;
                    EntryRecord { id: next.next_id, version: 1, changed_by: number, created_at: now, updated_at: now }
                }
            };
            next.gone.remove(name);
            next.entries.insert(name.clone(), record);
        }
        for name in self.entries.keys().filter(|name| new.get(name.as_str()).is_none()) {
            next.gone.insert(name.clone(), number);
        }
        next
    }
}

/// Whether two entries differ in nothing that a change would be recorded for.
pub(super) fn is_same(a: &crate::core::Entry, b: &crate::core::Entry) -> bool {
    a.value().expose_secret() == b.value().expose_secret() && a.kind() == b.kind() && a.comment() == b.comment()
}

/// The document of a level, opened.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) document: Document,
    pub(super) entries: Entries,
}

impl Call<'_, '_> {
    pub(super) fn level(&mut self, project: &ProjectRecord, node: Id) -> Result<Option<LevelRecord>> {
        get(self.tx, &keys::level(project.id, node))
    }

    /// The blob of a content, as it was given or sealed.
    pub(super) fn blob(&mut self, project: &ProjectRecord, content: &ContentRecord) -> Result<SealedBlob> {
        let row = Row::Blob(content.node, content.number);
        let bytes = self.open_row(project, row, content.storage_version, &content.blob)?;
        SealedBlob::from_bytes(bytes.expose_secret().to_vec())
    }

    /// The document of a content; `ClientManaged`, when the vault does not hold the key.
    pub(super) fn document(&mut self, project: &ProjectRecord, content: &ContentRecord) -> Result<Document> {
        let key = self.data_key(project, content.key_version)?;
        let blob = self.blob(project, content)?;
        let bytes = Aes256Gcm.open(&key, &blob).map_err(|_| not_a_document())?;
        let text = std::str::from_utf8(bytes.expose_secret()).map_err(|_| not_a_document())?;
        Document::parse(text)
    }

    /// The document of a content; none, for a blob that was stored as it is and holds no document.
    pub(super) fn understood(&mut self, project: &ProjectRecord, content: &ContentRecord) -> Result<Option<Document>> {
        let key = self.data_key(project, content.key_version)?;
        let blob = self.blob(project, content)?;
        Ok(read_document(&key, &blob))
    }

    /// As [`opened`](Self::opened); a blob that holds no document counts as an empty one.
    pub(super) fn opened_or_empty(&mut self, project: &ProjectRecord, level: Option<&LevelRecord>) -> Result<Opened> {
        let Some(level) = level else {
            return Ok(Opened::default());
        };
        match self.understood(project, &level.content)? {
            Some(document) => Ok(Opened { document, entries: self.entries(project, &level.content)? }),
            None => Ok(Opened::default()),
        }
    }

    /// What is known of the entries of a content.
    pub(super) fn entries(&mut self, project: &ProjectRecord, content: &ContentRecord) -> Result<Entries> {
        let Some(sealed) = &content.entries else {
            return Ok(Entries::default());
        };
        let row = Row::Entries(content.node, content.number);
        let bytes = self.open_row(project, row, content.storage_version, sealed)?;
        decode(std::str::from_utf8(bytes.expose_secret()).map_err(|_| damaged())?)
    }

    pub(super) fn opened(&mut self, project: &ProjectRecord, level: Option<&LevelRecord>) -> Result<Opened> {
        match level {
            Some(level) => Ok(Opened {
                document: self.document(project, &level.content)?,
                entries: self.entries(project, &level.content)?,
            }),
            None => Ok(Opened::default()),
        }
    }

    /// The number of the content that is about to be written.
    pub(super) fn next_number(&mut self, project: &ProjectRecord) -> Result<u32> {
        let key = keys::counter(project.id);
        let last: u32 = get(self.tx, &key)?.unwrap_or_default();
        let next = last.checked_add(1).ok_or_else(|| {
            Error::new(ErrorKind::Limit, "the project has had 4 billion versions: go on in another project")
        })?;
        put(self.tx, &key, &next, When::Always)?;
        Ok(next)
    }

    /// Writes a document over what the level holds.
    pub(super) fn write_document(
        &mut self,
        place: &Place,
        level: Option<LevelRecord>,
        opened: &Opened,
        document: &Document,
        renames: &[(VarName, VarName)],
        action: VersionAction,
    ) -> Result<u32> {
        let number = self.next_number(&place.project)?;
        let entries = opened.entries.follow(&opened.document, document, renames, number, self.now);
        let key = self.data_key(&place.project, place.project.key_version)?;
        let blob = Aes256Gcm.seal(&key, document.to_text().expose_secret().as_bytes(), &*self.vault.random)?;
        check_blob(&blob)?;
        self.write_content(place, level, number, &blob, Some((document, &entries)), action, true)?;
        Ok(number)
    }

    /// Writes a blob over what the level holds, which is kept as a version unless it is not to be. `known` is what the
    /// blob holds, if the vault can tell.
    #[expect(clippy::too_many_arguments, reason = "all of them are what a level is written from")]
    pub(super) fn write_content(
        &mut self,
        place: &Place,
        level: Option<LevelRecord>,
        number: u32,
        blob: &SealedBlob,
        known: Option<(&Document, &Entries)>,
        action: VersionAction,
        keep: bool,
    ) -> Result<()> {
        let (project, node) = (&place.project, place.id());
        let accessed_at = level.as_ref().and_then(|level| level.accessed_at);
        let is_understood = level.as_ref().is_none_or(|level| level.content.entries.is_some());
        if let Some(level) = level
            && keep
            && project.versioning
        {
            self.keep_version(project, level.content, action)?;
        }
        if project.custody == Custody::Server && (known.is_none() || !is_understood) {
            self.forget_changes(project, node, number)?;
        }
        let entries = match known {
            Some((_, entries)) => {
                let text: SecretString = encode(entries)?.into();
                Some(self.seal_row(project, Row::Entries(node, number), text.expose_secret().as_bytes())?)
            }
            None => None,
        };
        let content = ContentRecord {
            node,
            number,
            key_version: project.key_version,
            storage_version: project.storage_version,
            blob: self.seal_row(project, Row::Blob(node, number), blob.as_bytes())?,
            entries,
            written_at: self.now,
            written_by: self.who.actor.clone(),
        };
        let variables = known.map(|(document, _)| variables(document)).unwrap_or_default();
        let level = LevelRecord { content, accessed_at, variables };
        put(self.tx, &keys::level(project.id, node), &level, When::Always)
    }

    /// Keeps a content that is being displaced, as it lies: nothing of it is opened.
    pub(super) fn keep_version(
        &mut self,
        project: &ProjectRecord,
        content: ContentRecord,
        action: VersionAction,
    ) -> Result<()> {
        let version = VersionRecord {
            number: content.number,
            action,
            key_version: content.key_version,
            custody: project.custody,
            bytes: content.text_length(),
            written_at: content.written_at,
            created_at: self.now,
            created_by: self.who.actor.clone(),
        };
        put(self.tx, &keys::version(project.id, content.node, content.number), &version, When::Always)?;
        put(self.tx, &keys::version_content(project.id, content.number), &content, When::Always)
    }

    /// Notes that at that number a level lost what was known of its entries, and so which of them changed when. Its
    /// revisions, and those of the levels below it, go on from there.
    pub(super) fn forget_changes(&mut self, project: &ProjectRecord, node: Id, number: u32) -> Result<()> {
        put(self.tx, &keys::floor(project.id, node), &number, When::Always)
    }

    /// A counter of what an actor sees of a level: greater after every change of the level itself, or of a level above
    /// it that this one does not override. Never the same for two states.
    pub(super) fn revision(&mut self, place: &Place) -> Result<u64> {
        let project = &place.project;
        let ids: Vec<Id> = [project.id].into_iter().chain(place.nodes.iter().map(|node| node.id)).collect();
        let mut own = 0;
        let mut inherited = 0;
        let mut below: Vec<VarName> = Vec::new();
        for (distance, id) in ids.into_iter().rev().enumerate() {
            let floor: u32 = get(self.tx, &keys::floor(project.id, id))?.unwrap_or_default();
            if distance == 0 {
                own = floor;
            } else {
                inherited = inherited.max(floor);
            }
            let Some(level) = self.level(project, id)? else {
                continue;
            };
            if distance == 0 {
                own = level.content.number;
            }
            if level.content.entries.is_none() {
                // Nobody here can see into the blob, so every change of it counts.
                inherited = inherited.max(if distance == 0 { 0 } else { level.content.number });
                continue;
            }
            let entries = self.entries(project, &level.content)?;
            if distance > 0 {
                inherited = inherited.max(entries.last_change(|name| !below.contains(name)));
            }
            below.extend(entries.names().cloned());
        }
        Ok(u64::from(own) << 32 | u64::from(inherited))
    }
}

impl ContentRecord {
    /// The length of the blob's text: base64 of what is below the wrapping.
    fn text_length(&self) -> u32 {
        let bytes = self.blob.0.len().saturating_sub(SealedBlob::IV_BYTES + SealedBlob::TAG_BYTES);
        u32::try_from(bytes.div_ceil(3) * 4).unwrap_or(u32::MAX)
    }
}

/// The document in a blob, if the key opens it and dotenv text is in it.
pub(super) fn read_document(key: &DataKey, blob: &SealedBlob) -> Option<Document> {
    let bytes = Aes256Gcm.open(key, blob).ok()?;
    Document::parse(std::str::from_utf8(bytes.expose_secret()).ok()?).ok()
}

/// Bounds what a level may hold.
pub(super) fn check_blob(blob: &SealedBlob) -> Result<()> {
    if blob.as_bytes().len().div_ceil(3) * 4 > MAX_BLOB_BYTES {
        let message = "a level holds at most 1 MiB of base64 text: spread the entries over more levels";
        return Err(Error::new(ErrorKind::Limit, message));
    }
    Ok(())
}

/// The values that may be seen by whoever sees the database.
fn variables(document: &Document) -> BTreeMap<String, String> {
    let variables = document.entries().iter().filter(|entry| entry.kind() == Kind::Variable);
    variables.map(|entry| (entry.name().to_string(), entry.value().expose_secret().to_owned())).collect()
}

#[cold]
fn not_a_document() -> Error {
    let message = "the key of the project opens no text in the blob: something else sealed it; read it as a blob";
    Error::new(ErrorKind::Corrupt, message)
}

/// Values that were served, which is written down beside what a use case does.
pub(super) enum Accessed {
    /// All of the level at that key.
    Level(String),
    /// Some, whose times are in the record that is to be put at that key.
    Names(String, String),
}

impl Accessed {
    pub(super) fn write(&self, tx: &mut dyn Transaction, now: Timestamp) -> Result<()> {
        match self {
            Self::Level(key) => {
                // Read again: it may have been written or deleted since.
                if let Some(mut level) = get::<LevelRecord>(tx, key)? {
                    level.accessed_at = Some(now);
                    put(tx, key, &level, When::Present)?;
                }
                Ok(())
            }
            Self::Names(key, record) => tx.put(key, record, When::Always),
        }
    }
}

/// When entries were last read one by one.
pub(super) type AccessTimes = BTreeMap<VarName, Timestamp>;

#[derive(Serialize, Deserialize)]
pub(super) struct AccessRecord {
    pub(super) storage_version: u32,
    pub(super) times: Wrapped,
}

impl Call<'_, '_> {
    /// Notes that all values of a level were served.
    pub(super) fn accessed_all(&mut self, project: &ProjectRecord, level: &LevelRecord) {
        if !is_recent(level.accessed_at, self.now, ACCESS_EVERY) {
            self.touch(Accessed::Level(keys::level(project.id, level.content.node)));
        }
    }

    /// Notes that the values of these names were served.
    pub(super) fn accessed(&mut self, project: &ProjectRecord, level: &LevelRecord, names: &[VarName]) -> Result<()> {
        let node = level.content.node;
        let mut times = self.access_times(project, node)?;
        let is_recent = |at: Option<Timestamp>| is_recent(at, self.now, ACCESS_EVERY);
        if is_recent(level.accessed_at) || names.iter().all(|name| is_recent(times.get(name).copied())) {
            return Ok(());
        }
        times.extend(names.iter().map(|name| (name.clone(), self.now)));
        let times = self.seal_row(project, Row::Access(node), encode(&times)?.as_bytes())?;
        let record = AccessRecord { storage_version: project.storage_version, times };
        self.touch(Accessed::Names(keys::access(project.id, node), encode(&record)?));
        Ok(())
    }

    pub(super) fn access_times(&mut self, project: &ProjectRecord, node: Id) -> Result<AccessTimes> {
        let Some(record) = get::<AccessRecord>(self.tx, &keys::access(project.id, node))? else {
            return Ok(AccessTimes::default());
        };
        let bytes = self.open_row(project, Row::Access(node), record.storage_version, &record.times)?;
        decode(std::str::from_utf8(bytes.expose_secret()).map_err(|_| damaged())?)
    }
}
