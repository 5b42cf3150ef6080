//! What an integration has written at a service: enough to tell what is its own, and what is another value by now.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use hmac::digest::FixedOutput as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::core::document::Kind;
use crate::core::id::IntegrationId;
use crate::core::id::LevelId;
use crate::core::name::VarName;
use crate::core::secret::SecretString;
use crate::error::Result;
use crate::store::Precondition;
use crate::vault::envelope::Row;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::records::{PlainRecord, ProjectRecord, WrittenRecord, damaged, decode, encode, get, put};
use crate::vault::sync_target::{Desired, DesiredEntry, SyncAction, SyncChange, SyncPlan};

/// Bytes of a digest that are kept.
const DIGEST: usize = 16;

/// It is wrapped at rest.
#[derive(Default, Serialize, Deserialize)]
pub(in crate::vault) struct Written {
    /// What values are digested with: nobody who sees a digest can try values on it. 32 bytes, as base64.
    key: SecretKey,
    names: BTreeMap<VarName, WrittenName>,
}

#[derive(Clone, Default)]
struct SecretKey(Zeroizing<String>);

impl Serialize for SecretKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl PlainRecord for Written {}

#[derive(Clone, Serialize, Deserialize)]
struct WrittenName {
    /// Of the kind and value that was written last; none, while it is not known whether that was done.
    digest: Option<String>,
    /// Whether it was not there before, so that it may be removed.
    created: bool,
}

impl Written {
    /// Says of each entry whether it is what was written last, and which names may be removed.
    pub(super) fn mark(&self, desired: &mut Desired) -> Result<()> {
        for entry in &mut desired.entries {
            let digest = self.names.get(&entry.name).and_then(|name| name.digest.as_ref());
            entry.is_written = digest.is_some() && digest == Some(&self.digest(entry)?);
        }
        let is_removable =
            |(name, written): &(&VarName, &WrittenName)| written.created && desired.get(name.as_str()).is_none();
        let removable: Vec<VarName> = self.names.iter().filter(is_removable).map(|(name, _)| name.clone()).collect();
        desired.removable = removable;
        Ok(())
    }

    /// Notes what is about to be done, so that it is known to be the integration's own whatever happens.
    pub(super) fn intend(&mut self, changes: &[SyncChange]) {
        for change in changes {
            let entry = self.names.entry(change.name.clone());
            match change.action {
                SyncAction::Create => {
                    *entry.or_insert(WrittenName { digest: None, created: true }) =
                        WrittenName { digest: None, created: true };
                }
                SyncAction::Update => entry.or_insert(WrittenName { digest: None, created: false }).digest = None,
                SyncAction::Delete => entry.or_insert(WrittenName { digest: None, created: true }).digest = None,
            }
        }
    }

    /// Notes what was done: that many changes of a plan.
    pub(super) fn settle(&mut self, desired: &Desired, plan: &SyncPlan, changes: usize) -> Result<()> {
        for change in plan.changes.iter().take(changes) {
            match (change.action, desired.get(change.name.as_str())) {
                (SyncAction::Create | SyncAction::Update, Some(entry)) => {
                    let digest = Some(self.digest(entry)?);
                    if let Some(name) = self.names.get_mut(&change.name) {
                        name.digest = digest;
                    }
                }
                _ => {
                    self.names.remove(&change.name);
                }
            }
        }
        for unchanged in &plan.unchanged {
            if let Some(entry) = desired.get(unchanged.as_str()) {
                let digest = Some(self.digest(entry)?);
                if let Some(name) = self.names.get_mut(unchanged) {
                    name.digest = digest;
                }
            }
        }
        if changes == plan.changes.len() {
            // What is no longer wanted is gone, or was there before and is not the integration's to remove.
            self.names.retain(|name, _| desired.get(name.as_str()).is_some());
        }
        Ok(())
    }

    fn digest(&self, entry: &DesiredEntry) -> Result<String> {
        let key = Zeroizing::new(BASE64.decode(self.key.0.as_bytes()).map_err(|_| damaged())?);
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("invariant: HMAC takes a key of any length");
        mac.update(entry.name.as_str().as_bytes());
        // No name holds one of these.
        mac.update(if entry.kind == Kind::Secret { b"\0s\0" } else { b"\0v\0" });
        mac.update(entry.value.expose_secret().as_bytes());
        Ok(BASE64.encode(&mac.finalize_fixed()[..DIGEST]))
    }
}

impl OperationContext<'_, '_> {
    /// What an integration has written for an environment.
    pub(super) fn written(
        &mut self,
        project: &ProjectRecord,
        integration: IntegrationId,
        node: LevelId,
    ) -> Result<Written> {
        match get(self.tx, &keys::integration_written(project.id, integration, node))? {
            Some(record) => self.open_written(project, integration, node, &record),
            None => {
                let mut key = Zeroizing::new([0; 32]);
                self.vault.random.fill(key.as_mut_slice())?;
                let key = SecretKey(Zeroizing::new(BASE64.encode(key.as_slice())));
                Ok(Written { key, names: BTreeMap::new() })
            }
        }
    }

    pub(in crate::vault) fn open_written(
        &mut self,
        project: &ProjectRecord,
        integration: IntegrationId,
        node: LevelId,
        record: &WrittenRecord,
    ) -> Result<Written> {
        let bytes = self.open_row(project, Row::Written(integration, node), record.dek_version, &record.written)?;
        decode(std::str::from_utf8(bytes.expose_secret()).map_err(|_| damaged())?)
    }

    pub(super) fn put_written(
        &mut self,
        project: &ProjectRecord,
        integration: IntegrationId,
        node: LevelId,
        written: &Written,
    ) -> Result<()> {
        let text: SecretString = encode(written)?.into();
        let sealed = self.seal_row(project, Row::Written(integration, node), text.expose_secret().as_bytes())?;
        let record = WrittenRecord { dek_version: project.dek_version, written: sealed };
        put(self.tx, &keys::integration_written(project.id, integration, node), &record, Precondition::Always)
    }
}
