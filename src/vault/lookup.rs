//! What a server asks before it does what a request wants: where a thing is, and what the caller may do there.

use super::keys;
use super::operation::{OperationContext, no_such};
use super::place::{At, Place, Reach};
use super::records::{NodeKind, NodeRecord, PlaceRecord, ProjectRecord};
use super::session::Session;
use super::use_case::UseCase;
use crate::core::id::{EnvironmentId, Id, LevelId, OrganizationId, ProjectId};
use crate::core::name::Slug;
use crate::core::path::LevelPath;
use crate::core::permission::PermissionSet;
use crate::error::{Error, ErrorKind, Result};

impl Session<'_> {
    /// The organization and the path of the project, target or environment of that id. What is found so is not
    /// recorded: it is the first half of another call.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn locate(&self, id: LevelId) -> Result<(OrganizationId, LevelPath)> {
        self.read(UseCase::Locate, |operation| {
            let place = operation.place(At::Id(id), Reach::OnTheWay)?;
            Ok((place.organization(), place.path()?))
        })
    }

    /// The organization and the path of the environment of that id; the id of a project that has a `_base` is that of its
    /// `_base`, too. Targets and other projects are no environments.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn locate_environment(&self, id: EnvironmentId) -> Result<(OrganizationId, LevelPath)> {
        self.read(UseCase::Locate, |operation| {
            // In the same words for all that is none.
            let place = operation.place(At::Id(id.into()), Reach::OnTheWay).map_err(or_no_environment)?;
            let is_environment =
                place.nodes.last().map_or(place.project.has_base, |node| node.kind == NodeKind::Environment);
            if is_environment { Ok((place.organization(), place.path()?)) } else { Err(no_such("environment")) }
        })
    }
}

/// An id or a slug, as a request has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IdOrSlug {
    /// Its id.
    Id(Id),
    /// Its slug.
    Slug(Slug),
}

/// A project that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocatedProject {
    /// Its id.
    pub(crate) id: ProjectId,
    /// Its slug.
    pub(crate) slug: Slug,
    /// What the actor may do there, if only because it is on the way to where it may do more.
    pub(crate) rights: PermissionSet,
}

/// An environment that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocatedEnvironment {
    /// The id of its project.
    pub(crate) project: ProjectId,
    /// Its id.
    pub(crate) id: EnvironmentId,
    /// Its path.
    pub(crate) path: LevelPath,
    /// Whether it holds what live systems use.
    pub(crate) is_production: bool,
    /// What the actor may do there.
    pub(crate) rights: PermissionSet,
}

impl Session<'_> {
    /// Finds a project by its slug or its id. What is found so is not recorded: it is the first half of another call.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn find_project(&self, organization: OrganizationId, project: &IdOrSlug) -> Result<LocatedProject> {
        self.read(UseCase::Locate, |operation| {
            let record = operation.designated_project(organization, project)?;
            let slug = Slug::new(&record.slug)?;
            operation.place(At::Path(organization, &LevelPath::from(&slug)), Reach::OnTheWay)?;
            Ok(LocatedProject { id: record.id, slug, rights: operation.rights })
        })
    }

    /// Finds an environment right below a project, each by its slug or its id. What stands below a target is not found,
    /// and neither is `_base`. It is not recorded, either.
    ///
    /// # Errors
    /// `NotFound`, without the project, too.
    pub(crate) fn find_environment(
        &self,
        organization: OrganizationId,
        project: &IdOrSlug,
        environment: &IdOrSlug,
    ) -> Result<LocatedEnvironment> {
        self.read(UseCase::Locate, |operation| {
            let project = operation.designated_project(organization, project)?;
            let slug = match environment {
                IdOrSlug::Slug(slug) => slug.as_str().to_owned(),
                IdOrSlug::Id(id) => {
                    let place: Option<PlaceRecord> = operation.get_authenticated(&keys::node_id((*id).into()))?;
                    let place = place.filter(|place| place.project == project.id && !place.path.contains('/'));
                    place.ok_or_else(|| no_such("environment"))?.path
                }
            };
            let path = LevelPath::new(&project.slug)?.join(&slug)?;
            let found = operation.node(At::Path(organization, &path), NodeKind::Environment, Reach::Inside);
            let (place, node) = found.map_err(or_no_environment)?;
            operation.located(&place, &node)
        })
    }
}

impl OperationContext<'_, '_> {
    fn designated_project(&mut self, organization: OrganizationId, project: &IdOrSlug) -> Result<ProjectRecord> {
        match project {
            IdOrSlug::Slug(slug) => self.project_called(organization, slug.as_str()),
            IdOrSlug::Id(id) => {
                let place: Option<PlaceRecord> = self.get_authenticated(&keys::project_id((*id).into()))?;
                let place = place.filter(|place| place.organization == organization);
                let slug = place.ok_or_else(|| no_such("project"))?.path;
                self.project_called(organization, &slug)
            }
        }
    }

    pub(super) fn located(&self, place: &Place, node: &NodeRecord) -> Result<LocatedEnvironment> {
        Ok(LocatedEnvironment {
            project: place.project.id,
            id: node.environment_id(),
            path: place.path()?,
            is_production: node.is_production,
            rights: self.rights,
        })
    }
}

impl Session<'_> {
    /// Refuses what the actor may not do at a place, or in the organization where none is given, for the reason for which
    /// a call that takes these permissions would refuse it. So a server can report that before it reports a malformed
    /// request.
    ///
    /// # Errors
    /// `Denied`; `NotFound`.
    pub(crate) fn check_rights(
        &self,
        organization: OrganizationId,
        path: Option<&LevelPath>,
        needed: PermissionSet,
    ) -> Result<()> {
        self.read(UseCase::ReadOwnRights, |operation| {
            operation.allow(needed)?;
            operation.needed = needed;
            match path {
                Some(path) => operation.place(At::Path(organization, path), Reach::Inside).map(drop),
                None => {
                    operation.organization(organization)?;
                    operation.require()
                }
            }
        })
    }
}

/// Says in the same words of what is not there and of what the actor may not know of that there is no such environment.
fn or_no_environment(error: Error) -> Error {
    if error.kind() == ErrorKind::NotFound { no_such("environment") } else { error }
}
