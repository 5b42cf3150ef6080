use super::super::keys;
use super::super::operation::{OperationContext, no_such};
use super::super::place::{Place, Reach};
use super::super::records::{NodeKind, NodeRecord, PlaceRecord, ProjectRecord, get};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::locate::or_no_environment;
use crate::Result;
use crate::core::{Id, LevelPath, PermissionSet, Slug};

/// What something is called by whoever asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum IdOrSlug {
    /// Its id.
    Id(Id),
    /// Its slug.
    Slug(Slug),
}

/// A project that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocatedProject {
    /// Its id.
    pub id: Id,
    /// Its slug.
    pub slug: Slug,
    /// What the actor may do there, if only because it is on the way to where it may do more.
    pub rights: PermissionSet,
}

/// An environment that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocatedEnvironment {
    /// The id of its project.
    pub project: Id,
    /// Its id.
    pub id: Id,
    /// Its path.
    pub path: LevelPath,
    /// Whether it holds what live systems use.
    pub is_production: bool,
    /// What the actor may do there.
    pub rights: PermissionSet,
}

impl Session<'_> {
    /// Finds a project by its slug or its id. What is found so is not recorded: it is the first half of another call.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn find_project(&self, organization: Id, project: &IdOrSlug) -> Result<LocatedProject> {
        self.read(UseCase::Locate, |operation| {
            let record = operation.designated_project(organization, project)?;
            let slug = Slug::new(&record.slug)?;
            operation.place(organization, &LevelPath::from(&slug), Reach::OnTheWay)?;
            Ok(LocatedProject { id: record.id, slug, rights: operation.rights })
        })
    }

    /// Finds an environment right below a project, each by its slug or its id. What stands below a target is not found,
    /// and neither is `_base`. It is not recorded, either.
    ///
    /// # Errors
    /// `NotFound`, without the project, too.
    pub fn find_environment(
        &self,
        organization: Id,
        project: &IdOrSlug,
        environment: &IdOrSlug,
    ) -> Result<LocatedEnvironment> {
        self.read(UseCase::Locate, |operation| {
            let project = operation.designated_project(organization, project)?;
            let slug = match environment {
                IdOrSlug::Slug(slug) => slug.as_str().to_owned(),
                IdOrSlug::Id(id) => {
                    let place: Option<PlaceRecord> = get(operation.tx, &keys::node_id(*id))?;
                    let place = place.filter(|place| place.project == project.id && !place.path.contains('/'));
                    place.ok_or_else(|| no_such("environment"))?.path
                }
            };
            let path = LevelPath::new(&format!("{}/{slug}", project.slug))?;
            let found = operation.node(organization, &path, NodeKind::Environment, Reach::Inside);
            let (place, node) = found.map_err(or_no_environment)?;
            operation.located(&place, &node)
        })
    }
}

impl OperationContext<'_, '_> {
    fn designated_project(&mut self, organization: Id, project: &IdOrSlug) -> Result<ProjectRecord> {
        match project {
            IdOrSlug::Slug(slug) => self.project(organization, slug.as_str()),
            IdOrSlug::Id(id) => {
                let place: Option<PlaceRecord> = get(self.tx, &keys::project_id(*id))?;
                let place = place.filter(|place| place.organization == organization);
                let slug = place.ok_or_else(|| no_such("project"))?.path;
                self.project(organization, &slug)
            }
        }
    }

    pub(in super::super) fn located(&self, place: &Place, node: &NodeRecord) -> Result<LocatedEnvironment> {
        Ok(LocatedEnvironment {
            project: place.project.id,
            id: node.id,
            path: place.path()?,
            is_production: node.is_production,
            rights: self.rights,
        })
    }
}
