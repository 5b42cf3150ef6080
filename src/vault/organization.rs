//! Organizations: the boundary that no token crosses. Each has a plan, and a key that wraps those of its projects.

use super::deleted::all_projects;
use super::given_id::id_taken;
use super::keys;
use super::name::{check_name, choose_slug, slug_taken};
use super::operation::OperationContext;
use super::records::id_in;
use super::records::{OrganizationRecord, Wrapped, WrappedKeyRecord, put};
use super::scan::Scan;
use super::session::Session;
use super::setters::setters;
use super::slug::{SlugRule, check_slug};
use super::use_case::UseCase;
use crate::core::aes_key::AesKey;
use crate::core::audit::{Action, Details, Resource, Tier};
use crate::core::clock::Timestamp;
use crate::core::id::OrganizationId;
use crate::core::name::Slug;
use crate::core::organization_status::OrganizationStatus;
use crate::core::role::{MemberRole, OrganizationRole};
use crate::core::wrap::{Context, wrap_key};
use crate::error::{ErrorKind, Result};
use crate::store::{KeyRange, Order, Precondition};

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Organization {
    /// Its id, which never changes.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its slug, unique in the vault.
    pub slug: String,
    /// How long its audit log is kept.
    pub tier: Tier,
    /// Whether it may be used.
    pub status: OrganizationStatus,
    /// Days that a version can be opened after it was displaced; 0 for ever.
    pub version_retention_days: u32,
    /// Whether it was made with a user, for what is theirs alone.
    pub is_personal: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When one of these was changed last.
    pub updated_at: Timestamp,
}

impl From<OrganizationRecord> for Organization {
    fn from(record: OrganizationRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            slug: record.slug,
            tier: record.tier,
            status: record.status,
            version_retention_days: record.version_retention_days,
            is_personal: record.is_personal,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

/// An organization to create.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    pub(crate) id: Option<OrganizationId>,
    pub(crate) name: String,
    pub(crate) slug: Option<Slug>,
    pub(crate) tier: Tier,
}

impl NewOrganization {
    /// Creates the input for an organization of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), slug: None, tier: Tier::default() }
    }

    setters! {
        /// Sets the id, which only trusted programs can choose. By default it is a new one.
        id: Option<OrganizationId>;
        /// Sets the slug. By default it is made of the name.
        slug: Option<Slug>;
        /// Sets the tier, which decides how long the audit log is kept. By default that is a year.
        tier: Tier;
    }
}

impl Session<'_> {
    /// Makes an organization, with a key of its own. Trusted programs can, and users in person, who are then its owners;
    /// tokens and keys cannot.
    ///
    /// # Errors
    /// `InvalidName`; `Denied`, when a user asks for another plan than they get; `Conflict`, when the slug or the id is
    /// taken.
    pub fn create_organization(&self, new: &NewOrganization) -> Result<Organization> {
        self.write(UseCase::CreateOrganization, |operation| {
            if operation.principal.person().is_none() || new.tier != Tier::default() {
                operation.system_only()?;
            }
            let organization = operation.make_organization(new, &new.name, false)?;
            if let Some(mut user) = operation.principal.person().cloned() {
                let owner = MemberRole::Organization(OrganizationRole::Owner);
                operation.join(organization.id, &mut user, owner, Vec::new())?;
            }
            Ok(organization.into())
        })
    }
}

impl OperationContext<'_, '_> {
    /// Makes an organization without members; its slug is made of that text, where none is given.
    pub(super) fn make_organization(
        &mut self,
        new: &NewOrganization,
        slug_from: &str,
        is_personal: bool,
    ) -> Result<OrganizationRecord> {
        let name = check_name(&new.name)?;
        let slug = choose_slug(slug_from, new.slug.as_ref(), &[], SlugRule::Addressable, |slug| {
            Ok(self.tx.get(&keys::organization_slug(slug))?.is_some())
        })?;
        let id = self.given_id(new.id)?;
        if self.tx.get(&keys::organization(id))?.is_some() {
            return Err(id_taken());
        }
        let record = OrganizationRecord {
            id,
            name,
            slug,
            tier: new.tier,
            status: OrganizationStatus::Active,
            version_retention_days: 0,
            is_personal,
            key_version: 1,
            next_project: 1,
            created_at: self.now,
            updated_at: self.now,
        };
        let key = AesKey::generate(&*self.vault.random)?;
        let context = Context::organization_kek(id, 1);
        let key = Wrapped(wrap_key(self.vault.root.as_key(), &context, &key, &*self.vault.random)?);
        let key = WrappedKeyRecord { version: 1, wrapped_by: 0, key, created_at: self.now };
        put(self.tx, &keys::organization_kek(id, 1), &key, Precondition::Absent)?;
        self.put_authenticated(&keys::organization(id), &record, Precondition::Absent)?;
        put(self.tx, &keys::organization_slug(&record.slug), &id, Precondition::Absent)?;
        let details = Details::default().with("name", record.name.as_str());
        self.record(Action::Create, Resource::organization(id), details)?;
        Ok(record)
    }
}

impl Session<'_> {
    /// An organization.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn organization(&self, id: OrganizationId) -> Result<Organization> {
        self.read(UseCase::ReadOrganization, |operation| {
            let organization = operation.organization(id)?;
            operation.require()?;
            operation.record(Action::Read, Resource::organization(id), Details::default())?;
            Ok(organization.into())
        })
    }
}

impl Session<'_> {
    /// The organizations that the actor may know of, in the order they were made: for a token its own, for a user those
    /// they are a member of, as far as they are active. It takes no permission, because everybody may know where they
    /// belong.
    ///
    /// # Errors
    /// See [`Session`].
    pub fn organizations(&self) -> Result<Vec<Organization>> {
        self.read(UseCase::ListOrganizations, |operation| {
            let own = match (&operation.principal.token, &operation.principal.user) {
                (Some((_, token)), _) => Some(vec![token.organization]),
                (None, Some(user)) => Some(user.organizations.clone()),
                (None, None) => None,
            };
            let is_person = operation.principal.person().is_some();
            let organizations: Vec<Organization> = match &own {
                Some(ids) => {
                    let mut organizations = Vec::new();
                    for id in ids {
                        match operation.organization(*id) {
                            // One that is closed does not hide the others.
                            Err(error) if is_person && error.kind() == ErrorKind::Denied => {}
                            found => organizations.push(found?.into()),
                        }
                    }
                    organizations
                }
                None => {
                    let records: Vec<OrganizationRecord> = operation.scan_authenticated(keys::organizations())?;
                    records.into_iter().map(Organization::from).collect()
                }
            };
            let details = Details::read("list", organizations.iter().map(|organization| organization.slug.as_str()));
            operation.record(
                Action::Read,
                Resource::organization(own.and_then(|ids| ids.first().copied()).unwrap_or(operation.vault.id.into())),
                details,
            )?;
            Ok(organizations)
        })
    }
}

/// The fields of an organization to change.
#[derive(Clone, Debug, Default)]
pub struct OrganizationUpdate {
    pub(crate) name: Option<String>,
    pub(crate) slug: Option<Slug>,
    pub(crate) tier: Option<Tier>,
    pub(crate) status: Option<OrganizationStatus>,
    pub(crate) version_retention_days: Option<u32>,
}

impl OrganizationUpdate {
    /// Creates an update that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the name.
        name: Option<impl Into<String>>;
        /// Sets the slug.
        slug: Option<Slug>;
        /// Sets the tier. Only trusted programs can change it.
        tier: Option<Tier>;
        /// Sets whether the organization may be used. Only trusted programs can change it.
        status: Option<OrganizationStatus>;
        /// Sets for how many days a replaced version can be opened; 0 means forever. Only trusted programs can change
        /// it.
        version_retention_days: Option<u32>;
    }
}

impl Session<'_> {
    /// Changes an organization.
    ///
    /// # Errors
    /// `InvalidName`; `Denied`, also for a token that is bound to a place; `Conflict`, when the slug is taken.
    pub fn update_organization(&self, id: OrganizationId, update: &OrganizationUpdate) -> Result<Organization> {
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
            operation.put_authenticated(&keys::organization(id), &record, Precondition::Present)?;
            operation.record(Action::Update, Resource::organization(id), Details::changed(&changed))?;
            Ok(record.into())
        })
    }
}

impl Session<'_> {
    /// Removes an organization with everything in it, for good; also the users who were in no other one. Its audit log
    /// stays, until it is too old.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, also for a token that is bound to a place.
    pub fn delete_organization(&self, id: OrganizationId) -> Result<()> {
        self.write(UseCase::DeleteOrganization, |operation| {
            let organization = operation.whole_organization(id)?;
            operation.remove_organization(&organization)
        })
    }
}

impl OperationContext<'_, '_> {
    /// Removes an organization with everything in it, and records it.
    pub(super) fn remove_organization(&mut self, organization: &OrganizationRecord) -> Result<()> {
        let id = organization.id;
        for project in all_projects(&self.vault.authenticator, self.tx, id)? {
            self.remove_project(&project)?;
        }
        self.remove_range(&keys::projects(id))?;
        self.remove_range(&keys::deleted_in(id))?;
        self.remove_tokens(keys::token_ids(id))?;
        self.remove_tokens(keys::organization_service_keys(id))?;
        for invitation in self.invitation_records(id)? {
            self.remove_invitation(id, &invitation.email)?;
        }
        let mut removed_users = 0;
        let mut scan = Scan::new(keys::members(id), Order::Ascending);
        while let Some(record) = scan.next(self.tx)? {
            let user = id_in(&record.key)?;
            self.forget_member(id, user)?;
            let user = self.user(user)?;
            if user.organizations.is_empty() {
                self.remove_user(&user)?;
                removed_users += 1;
            }
        }
        for kind in ["organization-kek", "service-account", "team", "team-name", "role", "role-name"] {
            self.remove_range(&KeyRange::prefix(format!("{kind}/{id}/")))?;
        }
        self.tx.delete(&keys::organization_slug(&organization.slug))?;
        self.tx.delete(&keys::organization(id))?;
        let details = Details::default().with("name", organization.name.as_str()).with("removedUsers", removed_users);
        self.record(Action::Delete, Resource::organization(id), details)
    }
}
