//! What a level holds, now and formerly: read, written and kept.

use std::collections::{BTreeMap, BTreeSet};

use super::diff::Difference;
use super::entries::Entries;
use super::envelope::Row;
use super::keys;
use super::operation::OperationContext;
use super::place::Place;
use super::records::{
    ContentRecord, CounterRecord, KeyRecord, LevelRecord, NodeRecord, PlaceRecord, ProjectRecord, VersionRecord,
    damaged, decode, encode, get, put, require,
};
use super::scan::Scan;
use super::version::by_key::VersionKey;
use crate::core::blob::SealedBlob;
use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::core::document::{Document, Kind};
use crate::core::id::LevelId;
use crate::core::id::ProjectId;
use crate::core::name::VarName;
use crate::core::secret::{SecretBytes, SecretString};
use crate::core::version_action::VersionAction;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Order, Precondition};

/// Longest text of a blob, in bytes; base64 of a document of about 768 KiB.
pub const MAX_BLOB_BYTES: usize = 1024 * 1024;

/// Longest text of what is known of a level's entries: with the blob, as much as a record of a store holds.
const MAX_ENTRIES_BYTES: usize = 2 * 1024 * 1024;

/// A level that holds something.
pub(super) struct Level {
    pub(super) content: ContentRecord,
    /// When all of it was last read, as far as that is written down.
    pub(super) accessed_at: Option<Timestamp>,
}

/// The document of a level, opened.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) document: Document,
    pub(super) entries: Entries,
}

impl OperationContext<'_, '_> {
    /// What a level holds now.
    pub(super) fn level(&mut self, project: &ProjectRecord, node: LevelId) -> Result<Option<Level>> {
        Ok(self.levels_at(project, &[node])?.pop().flatten())
    }

    /// What levels hold now, in the order they are asked for.
    pub(super) fn levels_at(&mut self, project: &ProjectRecord, nodes: &[LevelId]) -> Result<Vec<Option<Level>>> {
        let pointers: Vec<String> = nodes.iter().map(|node| keys::level(project.id, *node)).collect();
        self.tx.prefetch(&pointers)?;
        let records: Vec<Option<LevelRecord>> = pointers.iter().map(|key| get(self.tx, key)).collect::<Result<_>>()?;
        let contents: Vec<String> =
            records.iter().flatten().map(|record| keys::content(project.id, record.number)).collect();
        self.tx.prefetch(&contents)?;
        let levels = nodes.iter().zip(records).map(|(node, record)| {
            let Some(record) = record else {
                return Ok(None);
            };
            let content = self.content(project.id, *node, record.number)?;
            Ok(Some(Level { content, accessed_at: record.accessed_at }))
        });
        levels.collect()
    }

    /// The content of that number, of the level of that id.
    pub(super) fn content(&mut self, project: ProjectId, node: LevelId, number: u32) -> Result<ContentRecord> {
        let content: ContentRecord = require(self.tx, &keys::content(project, number))?;
        // A row is opened for the place it names, so that must be where it was found.
        if (content.node, content.number) == (node, number) { Ok(content) } else { Err(damaged()) }
    }

    /// The blob of a content, as it was given or sealed.
    pub(super) fn blob(&mut self, project: &ProjectRecord, content: &ContentRecord) -> Result<SealedBlob> {
        let row = Row::Blob(content.node, content.number);
        let bytes = self.open_row(project, row, content.dek_version, &content.blob)?;
        SealedBlob::from_bytes(bytes.expose_secret().to_vec())
    }

    /// The document of a content; `ClientManaged`, when the vault does not hold the key.
    pub(super) fn document(&mut self, project: &ProjectRecord, content: &ContentRecord) -> Result<Document> {
        let key = self.level_key(project, content.key_version)?;
        let blob = self.blob(project, content)?;
        let bytes = self.vault.cipher.open(&key, &blob).map_err(|_| not_a_document())?;
        let text = std::str::from_utf8(bytes.expose_secret()).map_err(|_| not_a_document())?;
        Document::parse(text)
    }

    /// What a content holds; nothing, if the key it is said to be sealed with does not open it, because it was sealed
    /// by somebody else. `ClientManaged`, when the vault does not hold that key.
    pub(super) fn text(&mut self, project: &ProjectRecord, content: &ContentRecord) -> Result<Option<SecretBytes>> {
        let key = self.level_key(project, content.key_version)?;
        Ok(self.vault.cipher.open(&key, &self.blob(project, content)?).ok())
    }

    /// The document of a content; none, for a blob that was stored as it is and holds no document.
    pub(super) fn understood(&mut self, project: &ProjectRecord, content: &ContentRecord) -> Result<Option<Document>> {
        Ok(self.text(project, content)?.and_then(|text| parse(&text)))
    }

    /// As [`opened`](Self::opened); a blob that holds no document counts as an empty one.
    pub(super) fn opened_or_empty(&mut self, project: &ProjectRecord, level: Option<&Level>) -> Result<Opened> {
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
        let bytes = self.open_row(project, row, content.dek_version, sealed)?;
        decode(std::str::from_utf8(bytes.expose_secret()).map_err(|_| damaged())?)
    }

    pub(super) fn opened(&mut self, project: &ProjectRecord, level: Option<&Level>) -> Result<Opened> {
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
        let mut counter: CounterRecord = get(self.tx, &key)?.unwrap_or_default();
        counter.number = counter.number.checked_add(1).ok_or_else(|| {
            Error::new(ErrorKind::Limit, "the project has had 4 billion versions: go on in another project")
        })?;
        put(self.tx, &key, &counter, Precondition::Always)?;
        Ok(counter.number)
    }

    /// Writes a document over what the level holds.
    pub(super) fn write_document(
        &mut self,
        place: &Place,
        level: Option<Level>,
        document: &Document,
        known: Entries,
        differences: &[Difference<'_>],
    ) -> Result<()> {
        let number = self.next_number(&place.project)?;
        let entries = known.follow(differences, number, self.now);
        let blob = self.seal_document(&place.project, document)?;
        check_blob(&blob)?;
        let (project, node, action) = (&place.project, place.id(), VersionAction::Update);
        if !differences.is_empty() || level.as_ref().is_some_and(|level| level.content.entries.is_none()) {
            self.content_changed(project, node)?;
        }
        self.write_content(project, node, level, number, &blob, Some((document, entries)), action, project.versioning)
    }

    /// A document, sealed with the key in use.
    pub(super) fn seal_document(&mut self, project: &ProjectRecord, document: &Document) -> Result<SealedBlob> {
        self.seal(project, document.to_text().expose_secret().as_bytes())
    }

    /// Bytes, sealed with the key in use.
    pub(super) fn seal(&mut self, project: &ProjectRecord, bytes: &[u8]) -> Result<SealedBlob> {
        let key = self.level_key(project, project.key_version)?;
        self.vault.cipher.seal(&key, bytes, &*self.vault.random)
    }

    /// Writes a blob over what the level holds, which is kept as a version unless it is not to be. `known` is what the
    /// blob holds, if the vault can tell.
    #[expect(clippy::too_many_arguments, reason = "all of them are what a level is written from")]
    pub(super) fn write_content(
        &mut self,
        project: &ProjectRecord,
        node: LevelId,
        level: Option<Level>,
        number: u32,
        blob: &SealedBlob,
        known: Option<(&Document, Entries)>,
        action: VersionAction,
        keep: bool,
    ) -> Result<()> {
        let is_new_blob = self.claim_iv(project.id, node, blob)?;
        self.count_seals(project, usize::from(is_new_blob))?;
        let accessed_at = level.as_ref().and_then(|level| level.accessed_at);
        let is_understood = level.as_ref().is_none_or(|level| level.content.entries.is_some());
        match level {
            Some(level) if keep => self.keep_version(project, &level.content, action, None)?,
            Some(level) => {
                self.tx.delete(&keys::content(project.id, level.content.number))?;
            }
            None => {}
        }
        if project.custody == Custody::Server && (known.is_none() || !is_understood) {
            self.forget_changes(project, node, number)?;
        }
        let variables = known.as_ref().map(|(document, _)| variables(document)).unwrap_or_default();
        let entries = match known {
            Some((_, mut entries)) => {
                if let Some(number) = entries.forget_gone() {
                    self.forget_changes(project, node, number)?;
                }
                let text: SecretString = encode(&entries)?.into();
                // What a store says of records would help nobody here.
                if text.expose_secret().len() > MAX_ENTRIES_BYTES {
                    return Err(too_many_entries());
                }
                Some(self.seal_row(project, Row::Entries(node, number), text.expose_secret().as_bytes())?)
            }
            None => None,
        };
        let content = ContentRecord {
            node,
            number,
            key_version: project.key_version,
            dek_version: project.dek_version,
            blob: self.seal_row(project, Row::Blob(node, number), blob.as_bytes())?,
            entries,
            written_at: self.now,
            written_by: self.principal.actor.clone(),
        };
        put(self.tx, &keys::content(project.id, number), &content, Precondition::Always)?;
        let level = LevelRecord { number, accessed_at, variables };
        put(self.tx, &keys::level(project.id, node), &level, Precondition::Always)
    }

    /// Tells those who wait for it that entries of a level have changed, and so those of the levels that inherit them.
    pub(super) fn content_changed(&mut self, project: &ProjectRecord, node: LevelId) -> Result<()> {
        if !project.has_webhooks && !project.has_integrations {
            return Ok(());
        }
        let below = match self.get_authenticated::<PlaceRecord>(&keys::node_id(node))? {
            Some(place) => place.path + "/",
            None => String::new(),
        };
        let mut concerned = BTreeSet::from([node]);
        let mut scan = Scan::new(keys::nodes(project.id, &below), Order::Ascending);
        while let Some(record) = scan.next(self.tx)? {
            concerned.insert(self.decode_authenticated::<NodeRecord>(&record)?.id);
        }
        if project.has_webhooks {
            self.notify_webhooks(project, &concerned)?;
        }
        if project.has_integrations {
            self.sync_integrations(project, &concerned)?;
        }
        Ok(())
    }

    /// Makes a version of a content that is being displaced, perhaps by nothing, which has a number then. The content
    /// itself stays where it is.
    pub(super) fn keep_version(
        &mut self,
        project: &ProjectRecord,
        content: &ContentRecord,
        action: VersionAction,
        emptied_by: Option<u32>,
    ) -> Result<()> {
        // A level that comes back after a rotation is under a former key, which others may hold than that in use.
        let custody = if content.key_version == project.key_version {
            project.custody
        } else {
            require::<KeyRecord>(self.tx, &keys::level_key(project.id, content.key_version))?.custody
        };
        let version = VersionRecord {
            number: content.number,
            action,
            key_version: content.key_version,
            custody,
            bytes: content.text_length(),
            written_at: content.written_at,
            created_at: self.now,
            created_by: self.principal.actor.clone(),
            emptied_by,
        };
        put(self.tx, &keys::version(project.id, content.node, content.number), &version, Precondition::Always)?;
        self.index_versions(project.id, &[VersionKey { number: content.number, key_version: content.key_version }])
    }

    /// Puts another blob in the place of a former content's: the same, sealed with the key in use. The caller moves the
    /// version in the index, with all others that it reseals, which counts them as sealed.
    pub(super) fn reseal_version(
        &mut self,
        project: &ProjectRecord,
        mut content: ContentRecord,
        blob: &SealedBlob,
    ) -> Result<VersionKey> {
        self.claim_iv(project.id, content.node, blob)?;
        if let Some(entries) = &content.entries {
            let row = Row::Entries(content.node, content.number);
            let bytes = self.open_row(project, row, content.dek_version, entries)?;
            content.entries = Some(self.seal_row(project, row, bytes.expose_secret())?);
        }
        content.dek_version = project.dek_version;
        content.blob = self.seal_row(project, Row::Blob(content.node, content.number), blob.as_bytes())?;
        content.key_version = project.key_version;
        let key = keys::version(project.id, content.node, content.number);
        let mut version: VersionRecord = require(self.tx, &key)?;
        let former = VersionKey { number: version.number, key_version: version.key_version };
        version.key_version = project.key_version;
        version.custody = project.custody;
        version.bytes = content.text_length();
        put(self.tx, &key, &version, Precondition::Present)?;
        put(self.tx, &keys::content(project.id, content.number), &content, Precondition::Present)?;
        Ok(former)
    }

    /// Notes that at that number a level lost what was known of its entries, and so which of them changed when. Its
    /// revisions, and those of the levels below it, go on from there.
    pub(super) fn forget_changes(&mut self, project: &ProjectRecord, node: LevelId, number: u32) -> Result<()> {
        let key = keys::floor(project.id, node);
        let before: u32 = get(self.tx, &key)?.unwrap_or_default();
        put(self.tx, &key, &number.max(before), Precondition::Always)
    }

    /// A counter of what an actor sees of a level: greater after every change of the level itself, or of a level above
    /// it that this one does not override. Never the same for two states.
    pub(super) fn revision(&mut self, place: &Place) -> Result<u64> {
        let ids: Vec<LevelId> = place.chain()?.into_iter().map(|(id, _)| id).collect();
        let levels = self.levels_at(&place.project, &ids)?;
        let levels: Vec<(LevelId, Option<Level>)> = ids.into_iter().zip(levels).collect();
        self.revision_of(&place.project, &levels)
    }

    /// The revision of the last one of `levels`, which stand broad to specific; only these count.
    pub(super) fn revision_of(&mut self, project: &ProjectRecord, levels: &[(LevelId, Option<Level>)]) -> Result<u64> {
        let mut own = 0;
        let mut inherited = 0;
        let mut below: BTreeSet<VarName> = BTreeSet::new();
        for (distance, (id, level)) in levels.iter().rev().enumerate() {
            let floor: u32 = get(self.tx, &keys::floor(project.id, *id))?.unwrap_or_default();
            if distance == 0 {
                own = floor;
            } else {
                inherited = inherited.max(floor);
            }
            let Some(level) = level else {
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
            if levels.len() == 1 {
                // There is nothing above that it could override.
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

pub(super) fn parse(text: &SecretBytes) -> Option<Document> {
    Document::parse(std::str::from_utf8(text.expose_secret()).ok()?).ok()
}

/// Bounds what a level may hold.
pub(super) fn check_blob(blob: &SealedBlob) -> Result<()> {
    if blob.as_bytes().len().div_ceil(3) * 4 > MAX_BLOB_BYTES {
        let message = "a level holds at most 1 MiB of base64 text: spread the entries over more levels";
        return Err(Error::new(ErrorKind::Limit, message));
    }
    Ok(())
}

#[cold]
fn too_many_entries() -> Error {
    let message = "a level holds at most some 40,000 entries: spread them over more levels";
    Error::new(ErrorKind::Limit, message)
}

/// The values that may be seen by whoever sees the database.
pub(super) fn variables(document: &Document) -> BTreeMap<String, String> {
    let variables = document.entries().iter().filter(|entry| entry.kind() == Kind::Variable);
    variables.map(|entry| (entry.name().to_string(), entry.value().expose_secret().to_owned())).collect()
}

#[cold]
fn not_a_document() -> Error {
    let message = "the key of the project opens no text in the blob: something else sealed it; read it as a blob";
    Error::new(ErrorKind::DecryptionFailed, message)
}
