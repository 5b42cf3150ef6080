//! Projects: one deployable unit each, with a key of its own and levels below it.

use std::collections::{BTreeMap, BTreeSet};

use super::environment::builtin;
use super::grantee::Grantee;
use super::key::NewKey;
use super::keys;
use super::name::{check_description, check_name, choose_slug, slug_taken};
use super::operation::OperationContext;
use super::place::At;
use super::place::Reach;
use super::records::{PlaceRecord, ProjectRecord, Wrapped, WrappedKeyRecord, put};
use super::session::Session;
use super::setters::{Patch, setters};
use super::slug::{SlugRule, check_slug};
use super::use_case::UseCase;
use crate::core::aes_key::AesKey;
use crate::core::audit::{Action, Details, Resource};
use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::core::id::EnvironmentId;
use crate::core::id::Id;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::metadata::Metadata;
use crate::core::name::Slug;
use crate::core::permission::Permission;
use crate::core::secret_format::SecretFormat;
use crate::core::wrap::{Context, wrap_key};
use crate::error::Result;
use crate::store::Precondition;

/// The text of metadata; none, for none.
fn stored(metadata: &Metadata) -> Result<Option<String>> {
    if metadata.is_empty() { Ok(None) } else { metadata.checked_json().map(Some) }
}

/// What has a fixed meaning where a project's slug stands in a path.
const RESERVED: &[&str] = &["projects", "secrets"];

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Project {
    /// Its id, which never changes; also that of the project's own level.
    pub id: ProjectId,
    /// The organization it belongs to.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its slug, unique in the organization: the first segment of its levels' paths.
    pub slug: String,
    /// What it is about.
    pub description: Option<String>,
    /// Whatever its people note about it, as the members of a JSON object; it is no secret.
    pub metadata: Metadata,
    /// What the text of its blobs is.
    pub secret_format: SecretFormat,
    /// Whether previous contents are kept when a level is written.
    pub versioning: bool,
    /// Whether the project's own level is called `_base`, and `dev`, `staging` and `prod` are built in.
    pub has_base: bool,
    /// Who holds the key.
    pub custody: Custody,
    /// The version of the level key that is in use.
    pub key_version: u32,
    /// Whether a rotation has not reached everything yet; [`continue_rotation`](super::session::Session::continue_rotation)
    /// takes it on.
    pub is_rotating: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When one of these was changed last.
    pub updated_at: Timestamp,
}

impl From<ProjectRecord> for Project {
    fn from(record: ProjectRecord) -> Self {
        Self {
            id: record.id,
            organization: record.organization,
            name: record.name,
            slug: record.slug,
            description: record.description,
            // It was written from an object.
            metadata: record.metadata.and_then(|text| text.parse().ok()).unwrap_or_default(),
            secret_format: record.secret_format,
            versioning: record.versioning,
            has_base: record.has_base,
            custody: record.custody,
            key_version: record.key_version,
            is_rotating: record.rotation.is_some(),
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

/// A project to create.
#[derive(Clone, Debug)]
pub struct NewProject {
    pub(crate) id: Option<ProjectId>,
    pub(crate) name: String,
    pub(crate) slug: Option<Slug>,
    pub(crate) slug_rule: SlugRule,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) secret_format: SecretFormat,
    pub(crate) has_base: bool,
    pub(crate) environment_ids: BTreeMap<String, EnvironmentId>,
    pub(crate) key: NewKey,
}

impl NewProject {
    /// Creates the input for a project of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            slug: None,
            slug_rule: SlugRule::default(),
            description: None,
            metadata: Metadata::new(),
            secret_format: SecretFormat::Env,
            has_base: false,
            environment_ids: BTreeMap::new(),
            key: NewKey::Random,
        }
    }

    setters! {
        /// Sets the id, which only trusted programs can choose. By default it is a new one.
        id: Option<ProjectId>;
        /// Sets the slug. By default it is made of the name.
        slug: Option<Slug>;
        /// Sets which slugs are accepted.
        slug_rule: SlugRule;
        /// Sets the description. An empty one is none.
        description: Option<impl Into<String>>;
        /// Sets the metadata, which is not secret.
        metadata: Metadata;
        /// Sets the format of the text in the project's blobs.
        secret_format: SecretFormat;
        /// Sets whether the project's own level is called `_base`, and `dev`, `staging` and `prod` are created with it.
        has_base: bool;
        /// Sets the ids of `dev`, `staging` and `prod`, by these names, which only trusted programs can choose.
        environment_ids: BTreeMap<String, EnvironmentId>;
        /// Sets the key of the project's blobs. By default it is a random one that the vault keeps.
        key: NewKey;
    }
}

impl Session<'_> {
    /// Makes a project, with keys of its own.
    ///
    /// # Errors
    /// `InvalidName`; `InvalidValue`, for a key that cannot be used; `Conflict`, when the slug or the id is
    /// taken; `Denied`, for an id that only trusted programs can give.
    pub fn create_project(&self, organization: OrganizationId, new: &NewProject) -> Result<Project> {
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
                id: Id::from(operation.given_place_id(new.id.map(LevelId::from))?).into(),
                organization,
                number: owner.next_project,
                name,
                slug,
                description: check_description(new.description.as_deref())?,
                metadata: stored(&new.metadata)?,
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
            operation.put_authenticated(&keys::organization(organization), &owner, Precondition::Present)?;
            operation.put_project_dek(&project, owner.key_version)?;
            let record = operation.key_record(&project, 1, &key)?;
            put(operation.tx, &keys::level_key(project.id, 1), &record, Precondition::Absent)?;

            let place = PlaceRecord { organization, project: project.id, path: project.slug.clone() };
            operation.put_authenticated(&keys::project_id(project.id), &place, Precondition::Absent)?;
            put(operation.tx, &keys::project_number(organization, project.number), &project.id, Precondition::Absent)?;
            operation.put_authenticated(&keys::project(organization, &project.slug), &project, Precondition::Absent)?;
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
    pub(super) fn put_project_dek(&mut self, project: &ProjectRecord, wrapped_by: u32) -> Result<()> {
        let version = project.dek_version;
        let wrapping = self.organization_kek(project.organization, wrapped_by)?;
        let key = AesKey::generate(&*self.vault.random)?;
        let context = Context::project_dek(project.organization, project.id, version);
        let key = Wrapped(wrap_key(&wrapping, &context, &key, &*self.vault.random)?);
        let record = WrappedKeyRecord { version, wrapped_by, key, created_at: self.now };
        put(self.tx, &keys::project_dek(project.id, version), &record, Precondition::Absent)
    }
}

impl Session<'_> {
    /// A project.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn project(&self, at: At<'_>) -> Result<Project> {
        self.read(UseCase::ReadProject, |operation| {
            let place = operation.project_place(at, Reach::OnTheWay)?;
            operation.record(Action::Read, Resource::of(&place)?, Details::default())?;
            Ok(place.project.into())
        })
    }
}

impl Session<'_> {
    /// The projects of an organization that the actor may know of, ascending by slug.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn projects(&self, organization: OrganizationId) -> Result<Vec<Project>> {
        self.read(UseCase::ListProjects, |operation| {
            Ok(operation.list_projects(organization)?.into_iter().map(Project::from).collect())
        })
    }
}

impl OperationContext<'_, '_> {
    /// The projects of an organization that the actor may know of, ascending by slug. They are recorded as listed.
    pub(super) fn list_projects(&mut self, organization: OrganizationId) -> Result<Vec<ProjectRecord>> {
        self.organization(organization)?;
        let mut projects = Vec::new();
        for project in self.known_projects(organization)? {
            let rights = self.rights_below(project.id, &[], "", Reach::OnTheWay)?;
            if rights.is_some_and(|rights| rights.contains_all(self.needed)) {
                projects.push(project);
            }
        }
        let details = Details::read("list", projects.iter().map(|project| project.slug.as_str()));
        self.record(Action::Read, Resource::organization(organization), details)?;
        Ok(projects)
    }

    /// The projects that the actor could know of, ascending by slug: for a user whose role does not show all of them,
    /// those in which something was granted to them.
    fn known_projects(&mut self, organization: OrganizationId) -> Result<Vec<ProjectRecord>> {
        let grantees: Vec<Grantee> = match &self.membership {
            Some(membership) if !membership.permissions.contains_all(self.needed) => membership.grantees().collect(),
            _ => {
                return self.scan_authenticated(keys::projects(organization));
            }
        };
        let mut slugs = BTreeSet::new();
        for grantee in grantees {
            for project in self.granted_projects(organization, grantee)? {
                // None, where it was deleted and can be restored.
                let place: Option<PlaceRecord> = self.get_authenticated(&keys::project_id(project))?;
                slugs.extend(place.map(|place| place.path));
            }
        }
        slugs.iter().map(|slug| self.require_authenticated(&keys::project(organization, slug))).collect()
    }
}

/// The fields of a project to change.
#[derive(Clone, Debug, Default)]
pub struct ProjectUpdate {
    pub(crate) name: Option<String>,
    pub(crate) slug: Option<Slug>,
    pub(crate) slug_rule: SlugRule,
    pub(crate) description: Patch<String>,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) secret_format: Option<SecretFormat>,
    pub(crate) versioning: Option<bool>,
}

impl ProjectUpdate {
    /// Creates an update that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the name.
        name: Option<impl Into<String>>;
        /// Sets the slug. All paths of the project change with it.
        slug: Option<Slug>;
        /// Sets which slugs are accepted.
        slug_rule: SlugRule;
        /// Sets the description. An empty one is none.
        description: Patch<impl Into<String>>;
        /// Removes the description.
        clear_description clears description;
        /// Replaces the metadata. An empty object removes it.
        metadata: Option<Metadata>;
        /// Sets the format of the text in the project's blobs.
        secret_format: Option<SecretFormat>;
        /// Sets whether replaced content is kept as versions from now on. To stop that takes `secret:purge`, too.
        versioning: Option<bool>;
    }
}

impl Session<'_> {
    /// Changes a project.
    ///
    /// # Errors
    /// `InvalidName`; `InvalidValue`; `Conflict`, when the slug is taken.
    pub fn update_project(&self, at: At<'_>, update: &ProjectUpdate) -> Result<Project> {
        self.write(UseCase::UpdateProject, |operation| {
            let mut project = operation.project_place(at, Reach::Inside)?.project;
            let organization = project.organization;
            let mut changed = Vec::new();
            if let Some(name) = &update.name {
                project.name = check_name(name)?;
                changed.push("name");
            }
            if update.description.apply(&mut project.description, |text| check_description(Some(text)))? {
                changed.push("description");
            }
            if let Some(metadata) = &update.metadata {
                project.metadata = stored(metadata)?;
                changed.push("metadata");
            }
            if let Some(format) = update.secret_format {
                project.secret_format = format;
                changed.push("secretFormat");
            }
            if let Some(versioning) = update.versioning {
                if project.versioning && !versioning {
                    // From then on, whoever may write can overwrite for good.
                    operation.allow(Permission::SecretPurge.into())?;
                }
                project.versioning = versioning;
                changed.push("versioning");
            }
            project.updated_at = operation.now;
            if let Some(slug) = &update.slug
                && slug.as_str() != project.slug
            {
                check_slug(slug.as_str(), RESERVED, update.slug_rule)?;
                if operation.tx.get(&keys::project(organization, slug.as_str()))?.is_some() {
                    return Err(slug_taken());
                }
                operation.tx.delete(&keys::project(organization, &project.slug))?;
                slug.as_str().clone_into(&mut project.slug);
                let place = PlaceRecord { organization, project: project.id, path: project.slug.clone() };
                operation.put_authenticated(&keys::project_id(project.id), &place, Precondition::Present)?;
                changed.push("slug");
            }
            operation.put_authenticated(&keys::project(organization, &project.slug), &project, Precondition::Always)?;
            let resource = Resource::project(organization, project.id, &project.slug);
            operation.record(Action::Update, resource, Details::changed(&changed))?;
            Ok(project.into())
        })
    }
}

impl Session<'_> {
    /// Deletes a project with all that is in it. It is not found from then on, its slug is free, and tokens that are
    /// bound to it do not work.
    ///
    /// If anything in it holds or ever held secrets, or has an account, a webhook or an integration, it can be restored
    /// for 30 days with [`restore_project`](Session::restore_project). Otherwise it is gone for good.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_project(&self, at: At<'_>) -> Result<()> {
        self.write(UseCase::DeleteProject, |operation| {
            let place = operation.project_place(at, Reach::Inside)?;
            let deletion = operation.delete_project(&place.project)?;
            let details = Details::default().with("name", place.project.name.as_str());
            operation.record(Action::Delete, Resource::of(&place)?, details.with("deletion", deletion.as_str()))
        })
    }
}
