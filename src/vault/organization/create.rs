use super::super::keys;
use super::super::name::{check_name, choose_slug};
use super::super::operation::{OperationContext, id_taken};
use super::super::place::SlugRule;
use super::super::records::{OrganizationRecord, Wrapped, WrappedKeyRecord, put};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Organization, OrganizationStatus};
use crate::Result;
use crate::core::{Action, AesKey, Context, Details, Id, MemberRole, OrganizationRole, Resource, Slug, Tier, wrap_key};
use crate::store::Precondition;

/// An organization that is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewOrganization {
    /// Its id; a new one, where none is given. Only trusted programs can give one.
    pub id: Option<Id>,
    /// Its name.
    pub name: String,
    /// Its slug; made of the name, where none is given.
    pub slug: Option<Slug>,
    /// How long its audit log is kept: a year, unless said otherwise.
    pub tier: Tier,
}

impl NewOrganization {
    /// An organization of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), slug: None, tier: Tier::default() }
    }
}

impl Session<'_> {
    /// Makes an organization, with a key of its own. Trusted programs can, and users in person, who are then its owners;
    /// tokens and keys cannot.
    ///
    /// # Errors
    /// `InvalidName`; `Denied`, when a user asks for another plan than they get; `Conflict`, when the slug or the id is
    /// taken.
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this call")]
    pub fn create_organization(&self, new: NewOrganization) -> Result<Organization> {
        self.write(UseCase::CreateOrganization, |operation| {
            if operation.principal.person().is_none() || new.tier != Tier::default() {
                operation.system_only()?;
            }
            let organization = operation.make_organization(&new, &new.name, false)?;
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
    pub(in super::super) fn make_organization(
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
        put(self.tx, &keys::organization(id), &record, Precondition::Absent)?;
        put(self.tx, &keys::organization_slug(&record.slug), &id, Precondition::Absent)?;
        let details = Details::default().with("name", record.name.as_str());
        self.record(Action::Create, Resource::organization(id), details)?;
        Ok(record)
    }
}
