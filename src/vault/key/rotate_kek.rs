use super::super::deleted::all_projects;
use super::super::keys;
use super::super::records::{Wrapped, WrappedKeyRecord, damaged, decode, put};
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, AesKey, Context, Details, Id, Resource, ResourceKind, unwrap_key, wrap_key};
use crate::store::{Order, Precondition};

impl Session<'_> {
    /// Makes a new key of the organization, wraps the project DEKs of all its projects with it, and drops the one before.
    /// No row of any project changes.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for a token that is bound to a part of the organization.
    pub fn rotate_organization_kek(&self, organization: Id) -> Result<()> {
        self.write(UseCase::RotateOrganizationKek, |operation| {
            let mut owner = operation.whole_organization(organization)?;
            let random = &*operation.vault.random;
            let version = owner.key_version + 1;
            let new = AesKey::generate(random)?;
            let context = Context::organization_kek(organization, version);
            let key = Wrapped(wrap_key(operation.vault.root.as_key(), &context, &new, random)?);
            let record = WrappedKeyRecord { version, wrapped_by: 0, key, created_at: operation.now };
            put(operation.tx, &keys::organization_kek(organization, version), &record, Precondition::Absent)?;

            let mut count = 0;
            for project in all_projects(operation.tx, organization)? {
                for stored in operation.tx.scan(&keys::project_deks(project.id), Order::Ascending, usize::MAX)? {
                    let mut record: WrappedKeyRecord = decode(&stored.value)?;
                    let old = operation.organization_kek(organization, record.wrapped_by)?;
                    let context = Context::project_dek(organization, project.id, record.version);
                    let key = unwrap_key(&old, &context, &record.key.0).map_err(|_| damaged())?;
                    record.key = Wrapped(wrap_key(&new, &context, &key, random)?);
                    record.wrapped_by = version;
                    put(operation.tx, &stored.key, &record, Precondition::Present)?;
                    count += 1;
                }
            }
            operation.tx.delete(&keys::organization_kek(organization, owner.key_version))?;
            owner.key_version = version;
            put(operation.tx, &keys::organization(organization), &owner, Precondition::Present)?;
            let resource = Resource::organization(organization).kind(ResourceKind::Key);
            let details = Details::default().with("op", "rotate-organization").with("version", version);
            operation.record(Action::Update, resource, details.with("keys", count))
        })
    }
}
