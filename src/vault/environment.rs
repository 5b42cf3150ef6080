//! Environments: where secrets are used, below a project or below one of its targets.

use std::collections::BTreeMap;

use super::confirmation::Confirmation;
use super::entry::NewEntry;
use super::name::{check_description, check_name};
use super::node::below;
use super::operation::OperationContext;
use super::place::At;
use super::place::{Place, Reach};
use super::records::{NodeKind, NodeRecord};
use super::session::Session;
use super::setters::{Patch, setters};
use super::slug::{BASE, SlugRule, slug_of};
use super::use_case::UseCase;
use crate::core::audit::{Action, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::id::EnvironmentId;
use crate::core::id::Id;
use crate::core::id::LevelId;
use crate::core::name::Slug;
use crate::core::permission::Permission;
use crate::error::{Error, ErrorKind, Result};

/// An environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// Its id, which never changes.
    pub id: EnvironmentId,
    /// Its name.
    pub name: String,
    /// Its slug, unique below its project or target.
    pub slug: String,
    /// What it is about.
    pub description: Option<String>,
    /// `production`, `staging`, `development`, `local`, or a word of one's own.
    pub status: String,
    /// Whether it holds what live systems use.
    pub is_production: bool,
    /// Whether it came with its project, and keeps its name.
    pub is_builtin: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When one of these was changed last.
    pub updated_at: Timestamp,
}

/// The environments that come with a project that has a `_base`, beside that, and what they are.
pub(super) const BUILTIN: [(&str, &str); 3] = [("dev", DEFAULT_STATUS), ("staging", "staging"), ("prod", PRODUCTION)];
/// What an environment is, when nobody says.
const DEFAULT_STATUS: &str = "development";
pub(super) const PRODUCTION: &str = "production";

impl Environment {
    /// The project's own level, where it is called `_base`.
    fn base(place: &Place) -> Self {
        let project = &place.project;
        Self {
            id: Id::from(project.id).into(),
            name: BASE.to_owned(),
            slug: BASE.to_owned(),
            description: None,
            status: DEFAULT_STATUS.to_owned(),
            is_production: false,
            is_builtin: true,
            created_at: project.created_at,
            updated_at: project.created_at,
        }
    }
}

impl Environment {
    /// An environment right below a place, or that place's `_base`.
    pub(super) fn of(place: &Place, node: Option<NodeRecord>) -> Self {
        node.map_or_else(|| Self::base(place), Self::from)
    }
}

impl From<NodeRecord> for Environment {
    fn from(record: NodeRecord) -> Self {
        Self {
            id: record.environment_id(),
            name: record.name,
            slug: record.slug,
            description: record.description,
            status: record.status.unwrap_or_else(|| DEFAULT_STATUS.to_owned()),
            is_production: record.is_production,
            is_builtin: record.is_builtin,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

/// An environment to create.
#[derive(Clone, Debug)]
pub struct NewEnvironment {
    pub(crate) id: Option<EnvironmentId>,
    pub(crate) name: String,
    pub(crate) slug: Option<Slug>,
    pub(crate) slug_rule: SlugRule,
    pub(crate) description: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) is_production: Option<bool>,
    pub(crate) entries: Vec<NewEntry>,
}

impl NewEnvironment {
    /// Creates the input for an environment of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            slug: None,
            slug_rule: SlugRule::default(),
            description: None,
            status: None,
            is_production: None,
            entries: Vec::new(),
        }
    }

    setters! {
        /// Sets the id, which only trusted programs can choose. By default it is a new one.
        id: Option<EnvironmentId>;
        /// Sets the slug. By default it is made of the name.
        slug: Option<Slug>;
        /// Sets which slugs are accepted.
        slug_rule: SlugRule;
        /// Sets the description. An empty one is none.
        description: Option<impl Into<String>>;
        /// Sets the status: `production`, `staging`, `development` (the default), `local`, or another word.
        status: Option<impl Into<String>>;
        /// Sets whether live systems use it. By default they do if its status is `production`.
        is_production: Option<bool>;
        /// Sets the entries it starts with, which needs `secret:write` too.
        entries: Vec<NewEntry>;
    }
}

impl Session<'_> {
    /// Makes an environment below a project or below a target.
    ///
    /// # Errors
    /// `NotFound`, without the parent; `InvalidName`; `InvalidValue`; `Conflict`, when the
    /// slug or the id is taken; `ClientManaged`, for entries.
    pub fn create_environment(&self, parent: At<'_>, new: &NewEnvironment) -> Result<Environment> {
        self.write(UseCase::CreateEnvironment, |operation| {
            let mut place = operation.place(parent, Reach::Inside)?;
            if place.nodes.last().is_some_and(|node| node.kind == NodeKind::Environment) {
                let message = "an environment stands below a project or a target, not below another environment";
                return Err(Error::new(ErrorKind::InvalidName, message));
            }
            let mut node = operation.new_node(
                &place,
                NodeKind::Environment,
                new.id.map(LevelId::from),
                &new.name,
                new.slug.as_ref(),
                new.slug_rule,
            )?;
            node.description = check_description(new.description.as_deref())?;
            let status = check_status(new.status.as_deref().unwrap_or(DEFAULT_STATUS))?;
            node.is_production = new.is_production.unwrap_or(status == PRODUCTION);
            node.status = Some(status);
            operation.put_node(&place.project, &below(&place, &node.slug), &node)?;
            place.nodes.push(node.clone());
            operation.record(
                Action::Create,
                Resource::of(&place)?,
                Details::default().with("name", node.name.as_str()),
            )?;
            if !new.entries.is_empty() {
                let change = operation.change(At::Path(place.organization(), &place.path()?))?;
                operation.allow(Permission::SecretWrite.into())?;
                operation.create_entries(change, &new.entries)?;
            }
            Ok(node.into())
        })
    }
}

/// One of the four words, or a word of one's own, made a slug.
fn check_status(status: &str) -> Result<String> {
    let status = slug_of(status);
    if status.is_empty() {
        return Err(Error::new(ErrorKind::InvalidValue, "the status of an environment is a word of a-z, 0-9 and -"));
    }
    Ok(status)
}

/// The environments that come with a project that has a `_base`, beside that.
pub(super) fn builtin(
    operation: &mut OperationContext<'_, '_>,
    ids: &BTreeMap<String, EnvironmentId>,
) -> Result<Vec<NodeRecord>> {
    let nodes = BUILTIN.map(|(name, status)| {
        Ok(NodeRecord {
            id: operation.given_place_id(ids.get(name).copied().map(LevelId::from))?,
            kind: NodeKind::Environment,
            name: name.to_owned(),
            slug: name.to_owned(),
            description: None,
            status: Some(status.to_owned()),
            is_production: status == PRODUCTION,
            is_builtin: true,
            created_at: operation.now,
            updated_at: operation.now,
        })
    });
    nodes.into_iter().collect()
}

impl Session<'_> {
    /// The environment at a path. Where a project has a `_base`, its own path is that one's.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn environment(&self, at: At<'_>) -> Result<Environment> {
        self.read(UseCase::ReadEnvironment, |operation| {
            let place = operation.place(at, Reach::Inside)?;
            let environment = if place.nodes.is_empty() && place.project.has_base {
                Environment::base(&place)
            } else {
                operation.node(at, NodeKind::Environment, Reach::Inside)?.1.into()
            };
            operation.record(Action::Read, Resource::of(&place)?, Details::default())?;
            Ok(environment)
        })
    }
}

impl Session<'_> {
    /// The environments right below a project or a target that the actor may know of: `_base`, where there is one, then
    /// the others that are built in, then the rest ascending by slug.
    ///
    /// # Errors
    /// `NotFound`, without the parent.
    pub fn environments(&self, parent: At<'_>) -> Result<Vec<Environment>> {
        self.read(UseCase::ListEnvironments, |operation| {
            let (place, nodes) = operation.list_environments(parent)?;
            Ok(nodes.into_iter().map(|node| Environment::of(&place, node)).collect())
        })
    }
}

impl OperationContext<'_, '_> {
    /// The environments right below a project or a target that the actor may know of, in the order to show them in, and
    /// that place; `None` stands for `_base`. They are recorded as listed.
    pub(super) fn list_environments(&mut self, parent: At<'_>) -> Result<(Place, Vec<Option<NodeRecord>>)> {
        let place = self.place(parent, Reach::OnTheWay)?;
        let mut nodes = self.list_nodes(&place, NodeKind::Environment)?;
        // Ids are in the order of creation, which for those that are built in is the order to show them in.
        nodes.sort_by_key(|node| (!node.is_builtin, node.is_builtin.then_some(node.id)));
        let has_base = place.nodes.is_empty() && place.project.has_base && self.may(&place)?;
        let environments: Vec<Option<NodeRecord>> =
            has_base.then_some(None).into_iter().chain(nodes.into_iter().map(Some)).collect();
        let slugs = environments.iter().map(|node| node.as_ref().map_or(BASE, |node| node.slug.as_str()));
        let details = Details::read("list", slugs);
        self.record(Action::Read, Resource::of(&place)?.kind(ResourceKind::Environment), details)?;
        Ok((place, environments))
    }
}

/// The fields of an environment to change.
#[derive(Clone, Debug, Default)]
pub struct EnvironmentUpdate {
    pub(crate) name: Option<String>,
    pub(crate) slug: Option<Slug>,
    pub(crate) slug_rule: SlugRule,
    pub(crate) description: Patch<String>,
    pub(crate) status: Option<String>,
    pub(crate) is_production: Option<bool>,
}

impl EnvironmentUpdate {
    /// Creates an update that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the name.
        name: Option<impl Into<String>>;
        /// Sets the slug. The path of the environment changes with it.
        slug: Option<Slug>;
        /// Sets which slugs are accepted.
        slug_rule: SlugRule;
        /// Sets the description. An empty one is none.
        description: Patch<impl Into<String>>;
        /// Removes the description.
        clear_description clears description;
        /// Sets the status. The status `production` also marks it as used by live systems.
        status: Option<impl Into<String>>;
        /// Sets whether live systems use it.
        is_production: Option<bool>;
    }
}

impl Session<'_> {
    /// Changes an environment.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`, also for another name of one that is built in; `InvalidValue`; `Conflict`, when the
    /// slug is taken.
    pub fn update_environment(&self, at: At<'_>, update: &EnvironmentUpdate) -> Result<Environment> {
        self.write(UseCase::UpdateEnvironment, |operation| {
            let place = operation.place(at, Reach::Inside)?;
            let is_base = place.nodes.is_empty() && place.project.has_base;
            if is_base || place.nodes.last().is_some_and(|node| node.is_builtin) && is_renaming(update) {
                return Err(keeps_its_name());
            }
            let (place, mut node) = operation.node(at, NodeKind::Environment, Reach::Inside)?;
            let mut changed = Vec::new();
            if let Some(name) = &update.name {
                node.name = check_name(name)?;
                changed.push("name");
            }
            if let Some(slug) = &update.slug {
                slug.as_str().clone_into(&mut node.slug);
                changed.push("slug");
            }
            if update.description.apply(&mut node.description, |text| check_description(Some(text)))? {
                changed.push("description");
            }
            if let Some(status) = &update.status {
                let status = check_status(status)?;
                node.is_production = node.is_production || status == PRODUCTION;
                node.status = Some(status);
                changed.push("status");
            }
            if let Some(is_production) = update.is_production {
                node.is_production = is_production;
                changed.push("isProduction");
            }
            node.updated_at = operation.now;
            operation.change_node(&place, &node, update.slug_rule)?;
            operation.record(Action::Update, Resource::of(&place)?, Details::changed(&changed))?;
            Ok(node.into())
        })
    }
}

/// The error of renaming an environment that is built in.
#[cold]
pub(super) fn keeps_its_name() -> Error {
    let message = "this environment is built in: it keeps its name, and `_base` all that it is";
    Error::new(ErrorKind::InvalidName, message)
}

fn is_renaming(update: &EnvironmentUpdate) -> bool {
    update.name.is_some() || update.slug.is_some()
}

impl Session<'_> {
    /// Deletes an environment. It is not found from then on, its slug is free, and tokens that are bound to it do not
    /// work.
    ///
    /// If it holds or ever held secrets, or has an account, a webhook or an integration, it can be restored for 30 days
    /// with [`restore_environment`](Session::restore_environment). Otherwise it is gone for good.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`, for `_base`; `Unconfirmed`, for another one that is built in, unless
    /// the call is confirmed.
    pub fn delete_environment(&self, at: At<'_>, confirmation: Confirmation) -> Result<()> {
        self.write(UseCase::DeleteEnvironment, |operation| {
            let place = operation.place(at, Reach::Inside)?;
            if place.nodes.is_empty() && place.project.has_base {
                let message = "`_base` belongs to its project, and cannot be deleted without it";
                return Err(Error::new(ErrorKind::InvalidName, message));
            }
            let (place, node) = operation.node(at, NodeKind::Environment, Reach::Inside)?;
            if node.is_builtin && confirmation.is_missing() {
                let message = "this environment is built in: delete it by force, if that is meant";
                return Err(Error::new(ErrorKind::Unconfirmed, message));
            }
            let deletion = operation.delete_node(&place, &node)?;
            let details = Details::default().with("name", node.name.as_str()).with("deletion", deletion.as_str());
            operation.record(Action::Delete, Resource::of(&place)?, details)
        })
    }
}
