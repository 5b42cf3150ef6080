//! Envelope encryption: the root key wraps the KEK of an organization, that wraps the DEKs of its projects, and a
//! project DEK wraps rows.

use super::key_cache::{KeyName, Purpose};
use super::keys;
use super::operation::OperationContext;
use super::records::{KeyRecord, ProjectRecord, Wrapped, WrappedKeyRecord, damaged, require};
use crate::core::aes_key::AesKey;
use crate::core::custody::Custody;
use crate::core::id::IntegrationId;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::id::WebhookId;
use crate::core::key::LevelKey;
use crate::core::secret::SecretBytes;
use crate::core::wrap::{Context, Sealed, unwrap, unwrap_key, wrap};
use crate::error::{Error, ErrorKind, Result};

/// What a row that is wrapped with a project DEK is, so that it opens nowhere else.
#[derive(Clone, Copy)]
pub(super) enum Row {
    /// The blob of the content of that number, of the level of that id.
    Blob(LevelId, u32),
    /// What is known of its entries.
    Entries(LevelId, u32),
    /// When the entries of the level of that id were last read.
    Access(LevelId),
    /// The text of the level key of that version.
    KeyText(u32),
    /// Its bytes.
    KeyBytes(u32),
    /// Its proof.
    KeyProof(u32),
    /// The signing secret of the webhook of that id.
    SigningSecret(WebhookId),
    /// The credentials of the integration of that id.
    Credentials(IntegrationId),
    /// What that integration has written for the environment of that id.
    Written(IntegrationId, LevelId),
}

impl Row {
    pub(super) fn context(self, organization: OrganizationId, project: ProjectId, dek_version: u32) -> Context {
        let (what, place) = match self {
            Self::Credentials(integration) => {
                return Context::integration(organization, project, integration, dek_version);
            }
            Self::Written(integration, node) => (Sealed::Written, [integration.into(), node.into()]),
            Self::Blob(id, number) => (Sealed::Blob, [id.into(), number.into()]),
            Self::Entries(id, number) => (Sealed::Entries, [id.into(), number.into()]),
            Self::Access(id) => (Sealed::Access, [id.into(), 0_u32.into()]),
            Self::KeyText(version) => (Sealed::KeyText, [project.into(), version.into()]),
            Self::KeyBytes(version) => (Sealed::KeyBytes, [project.into(), version.into()]),
            Self::KeyProof(version) => (Sealed::KeyProof, [project.into(), version.into()]),
            Self::SigningSecret(webhook) => (Sealed::SigningSecret, [webhook.into(), 0_u32.into()]),
        };
        Context::row(organization, project, what, &place, dek_version)
    }
}

impl OperationContext<'_, '_> {
    /// A key that was unwrapped before, in this transaction or in one that is through.
    fn unwrapped_key(&self, name: KeyName) -> Option<AesKey> {
        let in_this_one = self.pending.unwrapped.iter().find(|(unwrapped, _)| *unwrapped == name);
        in_this_one.map(|(_, key)| key.clone()).or_else(|| self.vault.keys.get(name))
    }

    /// The key that wraps an organization's project DEKs.
    pub(super) fn organization_kek(&mut self, organization: OrganizationId, version: u32) -> Result<AesKey> {
        let name = KeyName { owner: organization.into(), purpose: Purpose::Kek, version, custody_changes: 0 };
        if let Some(key) = self.unwrapped_key(name) {
            return Ok(key);
        }
        let record: WrappedKeyRecord = require(self.tx, &keys::organization_kek(organization, version))?;
        let context = Context::organization_kek(organization, version);
        let key = unwrap_key(self.vault.root.as_key(), &context, &record.key.0).map_err(|_| damaged())?;
        self.pending.unwrapped.push((name, key.clone()));
        Ok(key)
    }

    /// The key that wraps a project's rows.
    pub(super) fn project_dek(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        version: u32,
    ) -> Result<AesKey> {
        let name = KeyName { owner: project.into(), purpose: Purpose::Dek, version, custody_changes: 0 };
        if let Some(key) = self.unwrapped_key(name) {
            return Ok(key);
        }
        let record: WrappedKeyRecord = require(self.tx, &keys::project_dek(project, version))?;
        let wrapping = self.organization_kek(organization, record.wrapped_by)?;
        let context = Context::project_dek(organization, project, version);
        let key = unwrap_key(&wrapping, &context, &record.key.0).map_err(|_| damaged())?;
        self.pending.unwrapped.push((name, key.clone()));
        Ok(key)
    }

    /// The key that a project's blobs are or were sealed with.
    pub(super) fn level_key(&mut self, project: &ProjectRecord, version: u32) -> Result<LevelKey> {
        let custody_changes = project.custody_changes;
        let name = KeyName { owner: project.id.into(), purpose: Purpose::Level, version, custody_changes };
        // It may still be in memory, from the time when it was the vault's.
        if project.custody == Custody::Client {
            return Err(client_managed());
        }
        if let Some(key) = self.unwrapped_key(name) {
            return Ok(LevelKey::from_aes_key(key));
        }
        let record: KeyRecord = require(self.tx, &keys::level_key(project.id, version))?;
        let Some(data) = &record.data else {
            return Err(client_managed());
        };
        let bytes = self.open_row(project, Row::KeyBytes(version), record.dek_version, data)?;
        let key = AesKey::from_bytes(bytes.expose_secret().try_into().map_err(|_| damaged())?);
        self.pending.unwrapped.push((name, key.clone()));
        Ok(LevelKey::from_aes_key(key))
    }

    /// Wraps a row with the project DEK that is in use.
    pub(super) fn seal_row(&mut self, project: &ProjectRecord, row: Row, bytes: &[u8]) -> Result<Wrapped> {
        let key = self.project_dek(project.organization, project.id, project.dek_version)?;
        let context = row.context(project.organization, project.id, project.dek_version);
        Ok(Wrapped(wrap(&key, &context, bytes, &*self.vault.random)?))
    }

    /// Opens a row that was wrapped with the project DEK of that version.
    pub(super) fn open_row(
        &mut self,
        project: &ProjectRecord,
        row: Row,
        dek_version: u32,
        sealed: &Wrapped,
    ) -> Result<SecretBytes> {
        let key = self.project_dek(project.organization, project.id, dek_version)?;
        unwrap(&key, &row.context(project.organization, project.id, dek_version), &sealed.0).map_err(|_| damaged())
    }
}

#[cold]
pub(super) fn client_managed() -> Error {
    let message = "only the project's own people hold its key, so the vault cannot open this: read the blobs, and open them where the key is";
    Error::new(ErrorKind::ClientManaged, message)
}
