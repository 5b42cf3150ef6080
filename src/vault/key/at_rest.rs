use crate::core::OrganizationId;
use crate::core::{Action, AesKey, Context, Details, Resource, ResourceKind, unwrap_key, wrap_key};
use crate::error::Result;
use crate::store::{Order, Precondition};
use crate::vault::deleted::all_projects;
use crate::vault::key::check_idle;
use crate::vault::keys;
use crate::vault::place::At;
use crate::vault::place::Reach;
use crate::vault::records::{RotationRecord, Wrapped, WrappedKeyRecord, damaged, decode, put};
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

impl Session<'_> {
    /// Makes a new key to wrap the rows of a project with, in either custody; the key that blobs are sealed with stays.
    /// New rows are wrapped with it from now on; [`continue_rotation`](Self::continue_rotation) wraps those that are
    /// there, and drops the key before.
    ///
    /// # Errors
    /// `NotFound`; `RotationInProgress`.
    pub fn rotate_project_dek(&self, at: At<'_>) -> Result<()> {
        self.write(UseCase::RotateProjectDek, |operation| {
            let (organization, path) = operation.whereabouts(at)?;
            let owner = operation.organization(organization)?;
            let mut project = operation.key_project(At::Path(organization, &path), Reach::Inside)?;
            check_idle(&project)?;
            project.dek_version += 1;
            project.rotation = Some(RotationRecord::Dek { after: String::new() });
            operation.put_project_dek(&project, owner.key_version)?;
            operation.put_project(&mut project)?;
            let details = Details::default().with("op", "rotate-dek").with("version", project.dek_version);
            operation.record(Action::Update, Resource::key(&project), details)
        })
    }
}

impl Session<'_> {
    /// Makes a new key of the organization, wraps the project DEKs of all its projects with it, and drops the one before.
    /// No row of any project changes.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, for a token that is bound to a part of the organization.
    pub fn rotate_organization_kek(&self, organization: OrganizationId) -> Result<()> {
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
