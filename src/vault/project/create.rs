use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::environment::builtin;
use super::super::key::NewKey;
use super::super::keys;
use super::super::name::{check_description, check_name, choose_slug};
use super::super::operation::OperationContext;
use super::super::place::SlugRule;
use super::super::records::{PlaceRecord, ProjectRecord, Wrapped, WrappedKeyRecord, put};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Custody, Project, RESERVED, SecretFormat, check_metadata};
use crate::Result;
use crate::core::{Action, AesKey, Context, Details, Id, Resource, Slug, wrap_key};
use crate::store::Precondition;

/// A project that is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewProject {
    /// Its id; a new one, where none is given. Only trusted programs can give one.
    pub id: Option<Id>,
    /// Its name.
    pub name: String,
    /// Its slug; made of the name, where none is given.
    pub slug: Option<Slug>,
    /// Which slugs it may have.
    pub slug_rule: SlugRule,
    /// What it is about.
    pub description: Option<String>,
    /// Whatever else is to be noted, which is no secret: at most 16 KiB of JSON.
    pub metadata: Map<String, Value>,
    /// What the text of its blobs is.
    pub secret_format: SecretFormat,
    /// Whether the project's own level is called `_base`, and `dev`, `staging` and `prod` are made at once.
    pub has_base: bool,
    /// The ids of `dev`, `staging` and `prod`, by these names; new ones, where none are given. Only trusted programs can
    /// give them.
    pub environment_ids: BTreeMap<String, Id>,
    /// The key of its blobs: a random one that the vault keeps, unless said otherwise.
    pub key: NewKey,
}

impl NewProject {
    /// A project of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            slug: None,
            slug_rule: SlugRule::default(),
            description: None,
            metadata: Map::new(),
            secret_format: SecretFormat::Env,
            has_base: false,
            environment_ids: BTreeMap::new(),
            key: NewKey::Random,
        }
    }
}

impl Session<'_> {
    /// Makes a project, with keys of its own.
    ///
    /// # Errors
    /// `InvalidName`; `InvalidValue`, for a key that cannot be used; `Conflict`, when the slug or the id is
    /// taken; `Denied`, for an id that only trusted programs can give.
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this call")]
    pub fn create_project(&self, organization: Id, new: NewProject) -> Result<Project> {
        if matches!(new.key, NewKey::String(_)) {
            // Nobody makes the vault stretch a key who may not have one.
            self.read(UseCase::CreateProject, |operation| operation.whole_organization(organization).map(drop))?;
        }
        // Outside of the transaction, which may run more than once: it can take long.
        let key = new.key.clone().prepare(&self.vault.keys, &*self.vault.random)?;
        self.write(UseCase::CreateProject, |operation| {
            let mut owner = operation.whole_organization(organization)?;
            let name = check_name(&new.name)?;
            let slug = choose_slug(&name, new.slug.as_ref(), RESERVED, new.slug_rule, |slug| {
                Ok(operation.tx.get(&keys::project(organization, slug))?.is_some())
            })?;
            let project = ProjectRecord {
                id: operation.given_place_id(new.id)?,
                organization,
                number: owner.next_project,
                name,
                slug,
                description: check_description(new.description.as_deref())?,
                metadata: check_metadata(&new.metadata)?,
                secret_format: new.secret_format,
                versioning: true,
                has_base: new.has_base,
                custody: key.custody(),
                key_version: 1,
                dek_version: 1,
                rotation: None,
                custody_changes: 0,
                has_webhooks: false,
                has_integrations: false,
                created_at: operation.now,
                updated_at: operation.now,
            };
            owner.next_project += 1;
            put(operation.tx, &keys::organization(organization), &owner, Precondition::Present)?;
            operation.put_project_dek(&project, owner.key_version)?;
            let record = operation.key_record(&project, 1, &key)?;
            put(operation.tx, &keys::level_key(project.id, 1), &record, Precondition::Absent)?;

            let place = PlaceRecord { organization, project: project.id, path: project.slug.clone() };
            put(operation.tx, &keys::project_id(project.id), &place, Precondition::Absent)?;
            put(operation.tx, &keys::project_number(organization, project.number), &project.id, Precondition::Absent)?;
            put(operation.tx, &keys::project(organization, &project.slug), &project, Precondition::Absent)?;
            if project.has_base {
                for environment in builtin(operation, &new.environment_ids)? {
                    operation.put_node(&project, &environment.slug.clone(), &environment)?;
                }
            }
            let custody = if project.custody == Custody::Client { "client" } else { "server" };
            let details = Details::default().with("name", project.name.as_str()).with("custody", custody);
            operation.grant_to_creator(&project)?;
            operation.record(Action::Create, Resource::project(organization, project.id, &project.slug), details)?;
            Ok(project.into())
        })
    }
}

impl OperationContext<'_, '_> {
    /// Makes the project DEK that a project names, wrapped with that version of the organization's KEK.
    pub(in super::super) fn put_project_dek(&mut self, project: &ProjectRecord, wrapped_by: u32) -> Result<()> {
        let version = project.dek_version;
        let wrapping = self.organization_kek(project.organization, wrapped_by)?;
        let key = AesKey::generate(&*self.vault.random)?;
        let context = Context::project_dek(project.organization, project.id, version);
        let key = Wrapped(wrap_key(&wrapping, &context, &key, &*self.vault.random)?);
        let record = WrappedKeyRecord { version, wrapped_by, key, created_at: self.now };
        put(self.tx, &keys::project_dek(project.id, version), &record, Precondition::Absent)
    }
}
