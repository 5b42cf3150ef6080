//! Targets: parts of a project that are configured on their own, such as `backend` and `frontend`.

use super::name::{check_description, check_name};
use super::node::below;
use super::operation::OperationContext;
use super::place::At;
use super::place::{Place, Reach};
use super::records::{NodeKind, NodeRecord};
use super::session::Session;
use super::setters::{Patch, setters};
use super::slug::SlugRule;
use super::use_case::UseCase;
use crate::core::audit::{Action, Details, Resource};
use crate::core::clock::Timestamp;
use crate::core::id::LevelId;
use crate::core::id::TargetId;
use crate::core::name::Slug;
use crate::error::Result;

/// A target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// Its id, which never changes.
    pub id: TargetId,
    /// Its name.
    pub name: String,
    /// Its slug, unique in the project.
    pub slug: String,
    /// What it is about.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When one of these was changed last.
    pub updated_at: Timestamp,
}

impl From<NodeRecord> for Target {
    fn from(record: NodeRecord) -> Self {
        Self {
            id: record.target_id(),
            name: record.name,
            slug: record.slug,
            description: record.description,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

/// A target to create.
#[derive(Clone, Debug)]
pub struct NewTarget {
    pub(crate) id: Option<TargetId>,
    pub(crate) name: String,
    pub(crate) slug: Option<Slug>,
    pub(crate) description: Option<String>,
}

impl NewTarget {
    /// Creates the input for a target of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), slug: None, description: None }
    }

    setters! {
        /// Sets the id, which only trusted programs can choose. By default it is a new one.
        id: Option<TargetId>;
        /// Sets the slug. By default it is made of the name.
        slug: Option<Slug>;
        /// Sets the description. An empty one is none.
        description: Option<impl Into<String>>;
    }
}

impl Session<'_> {
    /// Makes a target in a project.
    ///
    /// # Errors
    /// `NotFound`, without the project; `InvalidName`; `InvalidValue`; `Conflict`, when the
    /// slug or the id is taken.
    pub fn create_target(&self, at: At<'_>, new: &NewTarget) -> Result<Target> {
        self.write(UseCase::CreateTarget, |operation| {
            let mut place = operation.project_place(at, Reach::Inside)?;
            let mut node = operation.new_node(
                &place,
                NodeKind::Target,
                new.id.map(LevelId::from),
                &new.name,
                new.slug.as_ref(),
                SlugRule::Addressable,
            )?;
            node.description = check_description(new.description.as_deref())?;
            operation.put_node(&place.project, &below(&place, &node.slug), &node)?;
            place.nodes.push(node.clone());
            operation.record(
                Action::Create,
                Resource::of(&place)?,
                Details::default().with("name", node.name.as_str()),
            )?;
            Ok(node.into())
        })
    }
}

impl Session<'_> {
    /// The target at a path.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn target(&self, at: At<'_>) -> Result<Target> {
        self.read(UseCase::ReadTarget, |operation| {
            let (place, node) = operation.node(at, NodeKind::Target, Reach::OnTheWay)?;
            operation.record(Action::Read, Resource::of(&place)?, Details::default())?;
            Ok(node.into())
        })
    }
}

impl Session<'_> {
    /// The targets of a project that the actor may know of, ascending by slug.
    ///
    /// # Errors
    /// `NotFound`, without the project.
    pub fn targets(&self, at: At<'_>) -> Result<Vec<Target>> {
        self.read(UseCase::ListTargets, |operation| {
            let (_, nodes) = operation.list_targets(at)?;
            Ok(nodes.into_iter().map(Target::from).collect())
        })
    }
}

impl OperationContext<'_, '_> {
    /// The targets of a project that the actor may know of, ascending by slug, and the project. They are recorded as
    /// listed.
    pub(super) fn list_targets(&mut self, at: At<'_>) -> Result<(Place, Vec<NodeRecord>)> {
        let place = self.project_place(at, Reach::OnTheWay)?;
        let nodes = self.list_nodes(&place, NodeKind::Target)?;
        let details = Details::read("list", nodes.iter().map(|node| node.slug.as_str()));
        self.record(Action::Read, Resource::of(&place)?, details)?;
        Ok((place, nodes))
    }
}

/// The fields of a target to change.
#[derive(Clone, Debug, Default)]
pub struct TargetUpdate {
    pub(crate) name: Option<String>,
    pub(crate) slug: Option<Slug>,
    pub(crate) description: Patch<String>,
}

impl TargetUpdate {
    /// Creates an update that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the name.
        name: Option<impl Into<String>>;
        /// Sets the slug. The paths of the target's environments change with it.
        slug: Option<Slug>;
        /// Sets the description. An empty one is none.
        description: Patch<impl Into<String>>;
        /// Removes the description.
        clear_description clears description;
    }
}

impl Session<'_> {
    /// Changes a target.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`; `InvalidValue`; `Conflict`, when the slug is taken.
    pub fn update_target(&self, at: At<'_>, update: &TargetUpdate) -> Result<Target> {
        self.write(UseCase::UpdateTarget, |operation| {
            let (place, mut node) = operation.node(at, NodeKind::Target, Reach::Inside)?;
            let mut changed = Vec::new();
            if let Some(name) = &update.name {
                node.name = check_name(name)?;
                changed.push("name");
            }
            if update.description.apply(&mut node.description, |text| check_description(Some(text)))? {
                changed.push("description");
            }
            if let Some(slug) = &update.slug {
                slug.as_str().clone_into(&mut node.slug);
                changed.push("slug");
            }
            node.updated_at = operation.now;
            operation.change_node(&place, &node, SlugRule::Addressable)?;
            operation.record(Action::Update, Resource::of(&place)?, Details::changed(&changed))?;
            Ok(node.into())
        })
    }
}

impl Session<'_> {
    /// Deletes a target with its environments. They are not found from then on, its slug is free, and tokens that are
    /// bound to any of them do not work.
    ///
    /// If one of them holds or ever held secrets, or has an account, a webhook or an integration, the target can be
    /// restored for 30 days with [`restore_target`](Session::restore_target). Otherwise it is gone for good.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_target(&self, at: At<'_>) -> Result<()> {
        self.write(UseCase::DeleteTarget, |operation| {
            let (place, node) = operation.node(at, NodeKind::Target, Reach::Inside)?;
            let deletion = operation.delete_node(&place, &node)?;
            let details = Details::default().with("name", node.name.as_str()).with("deletion", deletion.as_str());
            operation.record(Action::Delete, Resource::of(&place)?, details)
        })
    }
}
