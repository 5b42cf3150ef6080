use super::super::keys;
use super::super::name::{check_name, slug_taken};
use super::super::place::{SlugRule, check_slug};
use super::super::records::put;
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Organization, OrganizationStatus};
use crate::Result;
use crate::core::{Action, Details, Id, Resource, Slug, Tier};
use crate::store::Precondition;

/// What is to change about an organization.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OrganizationUpdate {
    /// Another name.
    pub name: Option<String>,
    /// Another slug.
    pub slug: Option<Slug>,
    /// Another plan. Only trusted programs can change it, and the next two.
    pub tier: Option<Tier>,
    /// Whether it may be used.
    pub status: Option<OrganizationStatus>,
    /// Days that a version can be opened after it was displaced; 0 for ever.
    pub version_retention_days: Option<u32>,
}

impl Session<'_> {
    /// Changes an organization.
    ///
    /// # Errors
    /// `InvalidName`; `Denied`, also for a token that is bound to a place; `Conflict`, when the slug is taken.
    pub fn update_organization(&self, id: Id, update: &OrganizationUpdate) -> Result<Organization> {
        self.write(UseCase::UpdateOrganization, |operation| {
            let mut record = operation.whole_organization(id)?;
            if update.tier.is_some() || update.status.is_some() || update.version_retention_days.is_some() {
                operation.system_only()?;
            }
            let mut changed = Vec::new();
            if let Some(name) = &update.name {
                record.name = check_name(name)?;
                changed.push("name");
            }
            if let Some(slug) = &update.slug
                && slug.as_str() != record.slug
            {
                check_slug(slug.as_str(), &[], SlugRule::Addressable)?;
                if operation.tx.get(&keys::organization_slug(slug.as_str()))?.is_some() {
                    return Err(slug_taken());
                }
                operation.tx.delete(&keys::organization_slug(&record.slug))?;
                put(operation.tx, &keys::organization_slug(slug.as_str()), &id, Precondition::Absent)?;
                slug.as_str().clone_into(&mut record.slug);
                changed.push("slug");
            }
            if let Some(tier) = update.tier {
                record.tier = tier;
                changed.push("plan");
            }
            if let Some(status) = update.status {
                record.status = status;
                changed.push("status");
            }
            if let Some(days) = update.version_retention_days {
                record.version_retention_days = days;
                changed.push("versionRetentionDays");
            }
            record.updated_at = operation.now;
            put(operation.tx, &keys::organization(id), &record, Precondition::Present)?;
            operation.record(Action::Update, Resource::organization(id), Details::changed(&changed))?;
            Ok(record.into())
        })
    }
}
