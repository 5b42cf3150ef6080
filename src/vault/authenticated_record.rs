//! Records that decide who may do what, and where. Each carries a MAC, so that one that was made, changed or moved by
//! anything but this vault is refused.

use hmac::Mac as _;
use hmac::digest::FixedOutput as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::records::{
    DeletedRecord, GrantRecord, IntegrationRecord, InvitationRecord, MemberRecord, NodeRecord, OrganizationRecord,
    PlaceRecord, ProjectRecord, RoleRecord, ServiceAccountRecord, TeamRecord, TokenRecord, UserRecord,
};
use super::sealed_record_kind::SealedRecordKind;
use crate::core::id::Id;
use crate::core::mac::mac;
use crate::core::wrap::RootKey;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{KeyRange, Precondition, Record, Transaction};

/// A record that is read and written with its MAC only. It must be stored as a JSON object, and encode to the same text
/// again after it was decoded.
pub(super) trait AuthenticatedRecord: Serialize + DeserializeOwned {
    /// Returns the text that the MAC is made of: all of the record, unless part of it decides nothing.
    fn authenticated_text(&self) -> Result<String> {
        to_text(self)
    }
}

/// Implements the trait, and lists under which prefixes the integrity check finds the records.
macro_rules! authenticated_records {
    ($($record:ty as $kind:ident under $($prefix:literal),+;)+) => {
        $(impl AuthenticatedRecord for $record {})+

        /// Where all authenticated records lie that are not sealed records, too.
        pub(super) const AUTHENTICATED_RECORDS: &[AuthenticatedRecords] = &[$($(AuthenticatedRecords {
            kind: SealedRecordKind::$kind,
            prefix: $prefix,
            verify: |authenticator, record| authenticator.decode::<$record>(record).map(drop),
        },)+)+];
    };
}

authenticated_records! {
    OrganizationRecord as Organization under "organization/";
    ProjectRecord as Project under "project/";
    NodeRecord as Node under "node/", "deleted-node/";
    PlaceRecord as Place under "project-id/", "node-id/";
    DeletedRecord as Deleted under "deleted/";
    TokenRecord as Token under "token/";
    UserRecord as User under "user/";
    MemberRecord as Member under "member/";
    RoleRecord as Role under "role/";
    TeamRecord as Team under "team/";
    GrantRecord as Grant under "grant/";
    ServiceAccountRecord as ServiceAccount under "service-account/";
    InvitationRecord as Invitation under "invitation/";
}

/// It decides where secrets are copied to, and is checked together with its credentials, which are sealed.
impl AuthenticatedRecord for IntegrationRecord {
    fn authenticated_text(&self) -> Result<String> {
        // Whether it is at work may be changed in the database: that copies nothing to anywhere else.
        to_text(&Self { enabled: false, paused: None, ..self.clone() })
    }
}

/// One kind of authenticated record.
pub(super) struct AuthenticatedRecords {
    pub(super) kind: SealedRecordKind,
    prefix: &'static str,
    verify: fn(&RecordAuthenticator, &Record) -> Result<()>,
}

impl AuthenticatedRecords {
    pub(super) fn range(&self) -> KeyRange {
        KeyRange::prefix(self.prefix)
    }

    /// Refuses a record that does not bear its MAC.
    pub(super) fn verify(&self, authenticator: &RecordAuthenticator, record: &Record) -> Result<()> {
        (self.verify)(authenticator, record)
    }
}

/// Reads and writes authenticated records.
pub(super) struct RecordAuthenticator {
    key: Zeroizing<[u8; 32]>,
    /// The vault's own id: other vaults may have the same root key.
    vault: Id,
}

/// The one member that is stored with the members of the record itself.
#[derive(Deserialize)]
struct Stored {
    mac: String,
}

impl RecordAuthenticator {
    pub(super) fn new(root: &RootKey, vault: Id) -> Self {
        Self { key: root.as_key().derive(b"ioenv:record:v1"), vault }
    }

    /// Returns the record at a key, or `None` if there is none.
    ///
    /// # Errors
    /// `Corrupt`, for a record that this vault did not write at this key.
    pub(super) fn get<T: AuthenticatedRecord>(&self, tx: &mut dyn Transaction, key: &str) -> Result<Option<T>> {
        tx.get(key)?.map(|value| self.decode_at(key, &value)).transpose()
    }

    /// Writes a record with its MAC.
    pub(super) fn put<T: AuthenticatedRecord>(
        &self,
        tx: &mut dyn Transaction,
        key: &str,
        record: &T,
        when: Precondition,
    ) -> Result<()> {
        tx.put(key, &self.encode(key, record)?, when)
    }

    /// Decodes a record that was found by a scan.
    pub(super) fn decode<T: AuthenticatedRecord>(&self, record: &Record) -> Result<T> {
        self.decode_at(&record.key, &record.value)
    }

    /// Decodes a stored record, if it bears the MAC of this vault for this key.
    ///
    /// What is authenticated is the record as it is understood: a store may return its members in another order.
    fn decode_at<T: AuthenticatedRecord>(&self, key: &str, value: &str) -> Result<T> {
        // The causes are left out: they would quote what they found.
        let record: T = serde_json::from_str(value).map_err(|_| forged())?;
        let stored: Stored = serde_json::from_str(value).map_err(|_| forged())?;
        let mut tag = [0; 32];
        base16ct::lower::decode(&stored.mac, &mut tag).map_err(|_| forged())?;
        self.mac(key, &record.authenticated_text()?).verify_slice(&tag).map_err(|_| forged())?;
        Ok(record)
    }

    pub(super) fn encode<T: AuthenticatedRecord>(&self, key: &str, record: &T) -> Result<String> {
        let mut text = to_text(record)?;
        let tag = self.mac(key, &record.authenticated_text()?).finalize_fixed();
        if text.pop() != Some('}') {
            return Err(Error::new(ErrorKind::InvalidValue, "this cannot be stored as a JSON object"));
        }
        text.push_str(r#","mac":""#);
        text.push_str(&base16ct::lower::encode_string(&tag));
        text.push_str(r#""}"#);
        Ok(text)
    }

    fn mac(&self, key: &str, record: &str) -> hmac::Hmac<sha2::Sha256> {
        mac(&self.key, &[self.vault.to_string().as_bytes(), key.as_bytes(), record.as_bytes()])
    }
}

/// A record as it is encoded without its MAC.
fn to_text<T: AuthenticatedRecord>(record: &T) -> Result<String> {
    serde_json::to_string(record).map_err(|_| Error::new(ErrorKind::InvalidValue, "this cannot be stored as JSON"))
}

/// Refuses what decides about rights and is not as this vault wrote it.
#[cold]
pub(super) fn forged() -> Error {
    Error::new(
        ErrorKind::Corrupt,
        "a record that decides who may do what is not as this vault wrote it: somebody changed, moved or inserted it in \
         the database, so it is refused; run `ioenv vault check`, then restore it from a backup, or revoke what it is \
         about and make it anew",
    )
}
