//! The table of sealed records: each kind of record that holds something wrapped, under which key, and where.
//!
//! Rotations, the integrity check, the removal of former keys and that of projects go through this table, so that a kind
//! that is in it is forgotten by none of them.

use serde::Serialize;

use super::authenticated_record::{AuthenticatedRecord, RecordAuthenticator};
use super::engine::check_context;
use super::envelope::Row;
use super::keys;
use super::operation::OperationContext;
use super::records::{
    AccessRecord, ContentRecord, IntegrationRecord, KeyRecord, PlainRecord, VaultRecord, WebhookRecord, Wrapped,
    WrappedKeyRecord, WrittenRecord, damaged, decode, encode, id_in, last_two_ids, number_in,
};
use super::scan::Scan;
use super::sealed_record_kind::SealedRecordKind;
use crate::core::aes_key::AesKey;
use crate::core::id::{Id, OrganizationId, ProjectId};
use crate::core::wrap::{Context, unwrap, wrap};
use crate::error::Result;
use crate::store::{KeyRange, Order, Precondition, Record};

/// All kinds of sealed records. Those under one key stand in the order of their ranges, which is the order in which a
/// rotation reaches them.
pub(super) const SEALED_RECORDS: [SealedRecords; 9] = [
    SealedRecords {
        kind: SealedRecordKind::RootKeyCheck,
        wrapped_with: WrappingKey::Root,
        range: |owner| matches!(owner, Owner::Vault).then(keys::vault),
        visit: visit::<VaultRecord>,
    },
    SealedRecords {
        kind: SealedRecordKind::OrganizationKek,
        wrapped_with: WrappingKey::Root,
        range: |owner| match owner {
            Owner::Organization(id) => Some(keys::organization_keks(id)),
            _ => None,
        },
        visit: visit::<OrganizationKek>,
    },
    SealedRecords {
        kind: SealedRecordKind::ProjectDek,
        wrapped_with: WrappingKey::OrganizationKek,
        range: |owner| owner.of_project(keys::project_deks),
        visit: visit::<ProjectDek>,
    },
    SealedRecords {
        kind: SealedRecordKind::AccessTimes,
        wrapped_with: WrappingKey::ProjectDek,
        range: |owner| owner.of_project(keys::accesses),
        visit: visit::<AccessRecord>,
    },
    SealedRecords {
        kind: SealedRecordKind::Content,
        wrapped_with: WrappingKey::ProjectDek,
        range: |owner| owner.of_project(keys::contents),
        visit: visit::<ContentRecord>,
    },
    SealedRecords {
        kind: SealedRecordKind::Written,
        wrapped_with: WrappingKey::ProjectDek,
        range: |owner| owner.of_project(keys::project_integration_writings),
        visit: visit::<WrittenRecord>,
    },
    SealedRecords {
        kind: SealedRecordKind::Credentials,
        wrapped_with: WrappingKey::ProjectDek,
        range: |owner| owner.of_project(keys::integrations),
        visit: visit_authenticated::<IntegrationRecord>,
    },
    SealedRecords {
        kind: SealedRecordKind::LevelKey,
        wrapped_with: WrappingKey::ProjectDek,
        range: |owner| owner.of_project(keys::level_keys),
        visit: visit::<KeyRecord>,
    },
    SealedRecords {
        kind: SealedRecordKind::SigningSecret,
        wrapped_with: WrappingKey::ProjectDek,
        range: |owner| owner.of_project(keys::project_webhooks),
        visit: visit::<WebhookRecord>,
    },
];

/// One kind of sealed record.
pub(super) struct SealedRecords {
    pub(super) kind: SealedRecordKind,
    wrapped_with: WrappingKey,
    range: fn(Owner) -> Option<KeyRange>,
    visit: fn(&RecordAuthenticator, Owner, &Record, &mut Visitor<'_>) -> Result<Option<String>>,
}

impl SealedRecords {
    /// Returns the kinds that are wrapped with a kind of key.
    pub(super) fn wrapped_with(key: WrappingKey) -> impl Iterator<Item = &'static Self> {
        SEALED_RECORDS.iter().filter(move |records| records.wrapped_with == key)
    }

    /// Returns where the records of an owner lie, or `None` if an owner of that kind has none.
    pub(super) fn range(&self, owner: Owner) -> Option<KeyRange> {
        (self.range)(owner)
    }
}

/// A kind of key that wraps records.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WrappingKey {
    Root,
    OrganizationKek,
    ProjectDek,
}

/// What sealed records belong to.
#[derive(Clone, Copy)]
pub(super) enum Owner {
    Vault,
    Organization(OrganizationId),
    Project(OrganizationId, ProjectId),
}

impl Owner {
    fn of_project(self, range: fn(ProjectId) -> KeyRange) -> Option<KeyRange> {
        self.project().ok().map(|(_, project)| range(project))
    }

    /// Returns the ids of the project, which every record has that lies in the range of a project.
    fn project(self) -> Result<(OrganizationId, ProjectId)> {
        match self {
            Self::Project(organization, project) => Ok((organization, project)),
            Self::Vault | Self::Organization(_) => Err(damaged()),
        }
    }
}

/// The sealed fields of a record.
pub(super) struct Parts<'r> {
    /// The version of the key they are wrapped with; `None`, for a kind of key that has no versions.
    wrapped_by: Option<&'r mut u32>,
    fields: Vec<(Place, &'r mut Wrapped)>,
}

/// What a sealed field is bound to, beside the version of the key it is wrapped with.
#[derive(Clone, Copy)]
enum Place {
    RootKeyCheck(Id),
    OrganizationKek(OrganizationId, u32),
    ProjectDek(OrganizationId, ProjectId, u32),
    Row(OrganizationId, ProjectId, Row),
}

impl Place {
    fn context(self, wrapped_by: u32) -> Context {
        match self {
            Self::RootKeyCheck(vault) => check_context(vault),
            Self::OrganizationKek(organization, version) => Context::organization_kek(organization, version),
            Self::ProjectDek(organization, project, version) => Context::project_dek(organization, project, version),
            Self::Row(organization, project, row) => row.context(organization, project, wrapped_by),
        }
    }
}

/// Sees the sealed fields of a record, and returns whether it has changed them.
type Visitor<'v> = dyn FnMut(Parts<'_>) -> Result<bool> + 'v;

/// Shows the sealed fields of a record to `visitor`; returns the record's new value, if that has changed them.
fn visit<T: SealedRecord + PlainRecord>(
    _: &RecordAuthenticator,
    owner: Owner,
    record: &Record,
    visitor: &mut Visitor<'_>,
) -> Result<Option<String>> {
    let mut decoded: T = decode(&record.value)?;
    let is_changed = visitor(decoded.parts(owner, &record.key)?)?;
    is_changed.then(|| encode(&decoded)).transpose()
}

/// Shows the sealed fields of a record that bears a MAC, like [`visit`].
fn visit_authenticated<T: SealedRecord + AuthenticatedRecord>(
    authenticator: &RecordAuthenticator,
    owner: Owner,
    record: &Record,
    visitor: &mut Visitor<'_>,
) -> Result<Option<String>> {
    let mut decoded: T = authenticator.decode(record)?;
    let is_changed = visitor(decoded.parts(owner, &record.key)?)?;
    is_changed.then(|| authenticator.encode(&record.key, &decoded)).transpose()
}

/// A record with sealed fields.
trait SealedRecord {
    /// Returns the sealed fields.
    ///
    /// # Errors
    /// `Corrupt`, if the record lies under a key that is not its own: it would be opened for the place that it names.
    fn parts(&mut self, owner: Owner, key: &str) -> Result<Parts<'_>>;
}

/// The fields of a row of a project.
fn row_parts<'r>(
    owner: Owner,
    wrapped_by: &'r mut u32,
    rows: impl IntoIterator<Item = (Row, Option<&'r mut Wrapped>)>,
) -> Result<Parts<'r>> {
    let (organization, project) = owner.project()?;
    let fields = rows.into_iter().filter_map(|(row, sealed)| Some((Place::Row(organization, project, row), sealed?)));
    Ok(Parts { wrapped_by: Some(wrapped_by), fields: fields.collect() })
}

fn require(is_its_own: bool) -> Result<()> {
    if is_its_own { Ok(()) } else { Err(damaged()) }
}

impl SealedRecord for VaultRecord {
    fn parts(&mut self, _: Owner, _: &str) -> Result<Parts<'_>> {
        Ok(Parts { wrapped_by: None, fields: vec![(Place::RootKeyCheck(self.id), &mut self.check)] })
    }
}

#[derive(Serialize, serde::Deserialize)]
#[serde(transparent)]
struct OrganizationKek(WrappedKeyRecord);

impl PlainRecord for OrganizationKek {}

impl SealedRecord for OrganizationKek {
    fn parts(&mut self, owner: Owner, key: &str) -> Result<Parts<'_>> {
        let Owner::Organization(organization) = owner else {
            return Err(damaged());
        };
        require(self.0.version == number_in(key)?)?;
        let place = Place::OrganizationKek(organization, self.0.version);
        // The root key has no versions.
        Ok(Parts { wrapped_by: None, fields: vec![(place, &mut self.0.key)] })
    }
}

#[derive(Serialize, serde::Deserialize)]
#[serde(transparent)]
struct ProjectDek(WrappedKeyRecord);

impl PlainRecord for ProjectDek {}

impl SealedRecord for ProjectDek {
    fn parts(&mut self, owner: Owner, key: &str) -> Result<Parts<'_>> {
        let (organization, project) = owner.project()?;
        require(self.0.version == number_in(key)?)?;
        let place = Place::ProjectDek(organization, project, self.0.version);
        Ok(Parts { wrapped_by: Some(&mut self.0.wrapped_by), fields: vec![(place, &mut self.0.key)] })
    }
}

impl SealedRecord for AccessRecord {
    fn parts(&mut self, owner: Owner, key: &str) -> Result<Parts<'_>> {
        row_parts(owner, &mut self.dek_version, [(Row::Access(id_in(key)?), Some(&mut self.times))])
    }
}

impl SealedRecord for ContentRecord {
    fn parts(&mut self, owner: Owner, key: &str) -> Result<Parts<'_>> {
        require(self.number == number_in(key)?)?;
        let rows = [
            (Row::Blob(self.node, self.number), Some(&mut self.blob)),
            (Row::Entries(self.node, self.number), self.entries.as_mut()),
        ];
        row_parts(owner, &mut self.dek_version, rows)
    }
}

impl SealedRecord for WrittenRecord {
    fn parts(&mut self, owner: Owner, key: &str) -> Result<Parts<'_>> {
        let (integration, node) = last_two_ids(key)?;
        row_parts(owner, &mut self.dek_version, [(Row::Written(integration, node), Some(&mut self.written))])
    }
}

impl SealedRecord for IntegrationRecord {
    fn parts(&mut self, owner: Owner, key: &str) -> Result<Parts<'_>> {
        require(self.id == id_in(key)?)?;
        row_parts(owner, &mut self.dek_version, [(Row::Credentials(self.id), Some(&mut self.credentials))])
    }
}

impl SealedRecord for KeyRecord {
    fn parts(&mut self, owner: Owner, key: &str) -> Result<Parts<'_>> {
        require(self.version == number_in(key)?)?;
        let rows = [
            (Row::KeyText(self.version), self.text.as_mut()),
            (Row::KeyBytes(self.version), self.data.as_mut()),
            (Row::KeyProof(self.version), self.check.as_mut()),
        ];
        row_parts(owner, &mut self.dek_version, rows)
    }
}

impl SealedRecord for WebhookRecord {
    fn parts(&mut self, owner: Owner, key: &str) -> Result<Parts<'_>> {
        require(self.id == id_in(key)?)?;
        row_parts(owner, &mut self.dek_version, [(Row::SigningSecret(self.id), Some(&mut self.secret))])
    }
}

impl OperationContext<'_, '_> {
    fn wrapping_key(&mut self, key: WrappingKey, owner: Owner, version: u32) -> Result<AesKey> {
        match key {
            WrappingKey::Root => Ok(self.vault.root.as_key().clone()),
            WrappingKey::OrganizationKek => self.organization_kek(owner.project()?.0, version),
            WrappingKey::ProjectDek => {
                let (organization, project) = owner.project()?;
                self.project_dek(organization, project, version)
            }
        }
    }

    /// Opens every sealed field of a record.
    pub(super) fn open_record(&mut self, records: &SealedRecords, owner: Owner, record: &Record) -> Result<()> {
        let opened = (records.visit)(&self.vault.authenticator, owner, record, &mut |parts| {
            let version = parts.wrapped_by.map_or(0, |version| *version);
            let key = self.wrapping_key(records.wrapped_with, owner, version)?;
            for (place, sealed) in parts.fields {
                unwrap(&key, &place.context(version), &sealed.0).map_err(|_| damaged())?;
            }
            Ok(false)
        });
        opened.map(drop)
    }

    /// Wraps every sealed field of a record with that version of its key, and writes the record; `false`, if they are
    /// wrapped with it already.
    pub(super) fn rewrap_record(
        &mut self,
        records: &SealedRecords,
        owner: Owner,
        record: &Record,
        version: u32,
    ) -> Result<bool> {
        let rewrapped = (records.visit)(&self.vault.authenticator, owner, record, &mut |parts| {
            let Some(wrapped_by) = parts.wrapped_by.filter(|wrapped_by| **wrapped_by != version) else {
                return Ok(false);
            };
            let old = self.wrapping_key(records.wrapped_with, owner, *wrapped_by)?;
            let new = self.wrapping_key(records.wrapped_with, owner, version)?;
            for (place, sealed) in parts.fields {
                let bytes = unwrap(&old, &place.context(*wrapped_by), &sealed.0).map_err(|_| damaged())?;
                sealed.0 = wrap(&new, &place.context(version), bytes.expose_secret(), &*self.vault.random)?;
            }
            *wrapped_by = version;
            Ok(true)
        })?;
        match rewrapped {
            Some(value) => self.tx.put(&record.key, &value, Precondition::Present).map(|()| true),
            None => Ok(false),
        }
    }

    /// Counts the records of an owner that name another version of a key than that: while there are some, no other
    /// version may be removed. Reads all of them.
    pub(super) fn count_under_other_versions(&mut self, key: WrappingKey, owner: Owner, version: u32) -> Result<u64> {
        let mut count = 0;
        for records in SealedRecords::wrapped_with(key) {
            let Some(range) = records.range(owner) else {
                continue;
            };
            let mut scan = Scan::new(range, Order::Ascending);
            while let Some(record) = scan.next(self.tx)? {
                (records.visit)(&self.vault.authenticator, owner, &record, &mut |parts| {
                    count += u64::from(parts.wrapped_by.is_some_and(|wrapped_by| *wrapped_by != version));
                    Ok(false)
                })?;
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::core::clock::Timestamp;

    #[test]
    fn each_kind_has_one_range_and_those_of_a_key_are_in_order() {
        let id = Id::from_parts(Timestamp::from_millis(0).unwrap(), [7; 10]);
        let owners = [Owner::Vault, Owner::Organization(id.into()), Owner::Project(id.into(), id.into())];
        let mut kinds = HashSet::new();
        for records in &SEALED_RECORDS {
            assert!(kinds.insert(records.kind), "{} stands twice", records.kind);
            assert_eq!(owners.iter().filter_map(|owner| records.range(*owner)).count(), 1, "{}", records.kind);
        }
        for key in [WrappingKey::Root, WrappingKey::OrganizationKek, WrappingKey::ProjectDek] {
            for owner in owners {
                let starts: Vec<_> =
                    SealedRecords::wrapped_with(key).filter_map(|records| records.range(owner)).collect();
                assert!(starts.windows(2).all(|two| two[0].end.as_ref().unwrap() <= &two[1].start), "{starts:?}");
            }
        }
    }
}
