use super::super::call::id_taken;
use super::super::keys;
use super::super::name::{check_name, choose_slug};
use super::super::records::{OrganizationRecord, Wrapped, WrappedKeyRecord, put};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Organization, OrganizationStatus};
use crate::Result;
use crate::core::{Action, Context, DataKey, Details, Id, Plan, Resource, Slug, wrap_key};
use crate::store::When;

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
    pub plan: Plan,
}

impl NewOrganization {
    /// An organization of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), slug: None, plan: Plan::default() }
    }
}

impl Session<'_> {
    /// Makes an organization, with a key of its own. Only trusted programs can.
    ///
    /// # Errors
    /// `InvalidName`; `Conflict`, when the slug or the id is taken.
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this call")]
    pub fn create_organization(&self, new: NewOrganization) -> Result<Organization> {
        self.write(UseCase::CreateOrganization, |call| {
            call.system_only()?;
            let name = check_name(&new.name)?;
            let slug = choose_slug(&name, new.slug.as_ref(), &[], |slug| {
                Ok(call.tx.get(&keys::organization_slug(slug))?.is_some())
            })?;
            let id = call.given_id(new.id)?;
            if call.tx.get(&keys::organization(id))?.is_some() {
                return Err(id_taken());
            }
            let record = OrganizationRecord {
                id,
                name,
                slug,
                plan: new.plan,
                status: OrganizationStatus::Active,
                version_retention_days: 0,
                key_version: 1,
                next_project: 1,
                created_at: call.now,
                updated_at: call.now,
            };
            let key = DataKey::generate(&*call.vault.random)?;
            let context = Context::organization_key(id, 1);
            let key = Wrapped(wrap_key(call.vault.root.as_key(), &context, &key, &*call.vault.random)?);
            let key = WrappedKeyRecord { version: 1, wrapped_by: 0, key, created_at: call.now };
            put(call.tx, &keys::organization_key(id, 1), &key, When::Absent)?;
            put(call.tx, &keys::organization(id), &record, When::Absent)?;
            put(call.tx, &keys::organization_slug(&record.slug), &id, When::Absent)?;
            call.record(
                Action::Create,
                Resource::organization(id),
                Details::default().with("name", record.name.as_str()),
            )?;
            Ok(record.into())
        })
    }
}
