use crate::core::aes_key::AesKey;
use crate::core::audit::{Action, Details, Resource, ResourceKind};
use crate::core::id::{OrganizationId, ProjectId};
use crate::core::wrap::{Context, wrap_key};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Order, Precondition};
use crate::vault::deleted::all_projects;
use crate::vault::key::check_idle;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::place::At;
use crate::vault::place::Reach;
use crate::vault::records::{RotationRecord, Wrapped, WrappedKeyRecord, put};
use crate::vault::scan::{Scan, scan_values};
use crate::vault::sealed_records::{Owner, SealedRecords, WrappingKey};
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
            let place = operation.project_place(at, Reach::Inside)?;
            let owner = operation.owner(&place)?;
            let mut project = place.project;
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
    /// `NotFound`; `Denied`, for a token that is bound to a part of the organization; `Corrupt`, when a project DEK is
    /// damaged, or would be lost with the key before because its project is missing: then nothing changes.
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

            let mut count = 0_u64;
            for project in all_projects(&operation.vault.authenticator, operation.tx, organization)? {
                let owner = Owner::Project(organization, project.id);
                count += operation.rewrap_project_deks(owner, version)?;
            }
            operation.check_no_dek_names_another_kek(organization, version)?;
            operation.tx.delete(&keys::organization_kek(organization, owner.key_version))?;
            owner.key_version = version;
            operation.put_authenticated(&keys::organization(organization), &owner, Precondition::Present)?;
            let resource = Resource::organization(organization).kind(ResourceKind::Key);
            let details = Details::default().with("op", "rotate-organization").with("version", version);
            operation.record(Action::Update, resource, details.with("keys", count))
        })
    }
}

impl OperationContext<'_, '_> {
    /// Wraps the DEKs of a project with that version of its organization's KEK.
    fn rewrap_project_deks(&mut self, owner: Owner, version: u32) -> Result<u64> {
        let mut count = 0;
        for records in SealedRecords::wrapped_with(WrappingKey::OrganizationKek) {
            let Some(range) = records.range(owner) else {
                continue;
            };
            let mut scan = Scan::new(range, Order::Ascending);
            while let Some(record) = scan.next(self.tx)? {
                count += u64::from(self.rewrap_record(records, owner, &record, version)?);
            }
        }
        Ok(count)
    }

    /// Refuses to remove a KEK that a project DEK still names. Goes by the numbers of projects, so that it also finds one
    /// whose own record is missing.
    fn check_no_dek_names_another_kek(&mut self, organization: OrganizationId, version: u32) -> Result<()> {
        let projects: Vec<ProjectId> = scan_values(self.tx, keys::project_numbers(organization), Order::Ascending)?;
        let mut count = 0;
        for project in projects {
            let owner = Owner::Project(organization, project);
            count += self.count_under_other_versions(WrappingKey::OrganizationKek, owner, version)?;
        }
        if count == 0 {
            return Ok(());
        }
        let message = format!(
            "{count} project DEKs are wrapped with the former organization KEK and belong to projects that are missing, so \
             that key stays and nothing was changed: restore these projects from a backup, then rotate again"
        );
        Err(Error::new(ErrorKind::Corrupt, message))
    }
}
