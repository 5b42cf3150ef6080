//! Who asks, and for which place.

use super::name::{environment_identifier, project_identifier};
use super::problem::Problem;
use crate::core::id::OrganizationId;
use crate::core::path::LevelPath;
use crate::error::{Error, ErrorKind, Result};
use crate::server::request_context::RequestContext;
use crate::vault::{
    self, EnvironmentRole, IdOrSlug, KeyOwner, LocatedEnvironment, LocatedProject, OwnKey, Permission, PermissionSet,
    Session,
};

const USER: &str = "user";
const SERVICE_ACCOUNT: &str = "service_account";
const ENVIRONMENT_ACCOUNT: &str = "environment_account";

/// What shapes a project, which of users takes full access to it.
const SHAPING: PermissionSet = PermissionSet::of(&[
    Permission::ProjectUpdate,
    Permission::ProjectDelete,
    Permission::EnvironmentCreate,
    Permission::EnvironmentUpdate,
    Permission::EnvironmentDelete,
]);

/// Whoever asks, by a key that is known.
pub(super) struct Caller<'x> {
    pub(super) session: Session<'x>,
    pub(super) key: &'x OwnKey,
}

impl<'x> Caller<'x> {
    pub(super) fn of(context: &'x RequestContext) -> Result<Self, Problem> {
        Ok(Self { session: context.session()?, key: context.key()? })
    }

    /// Whoever asks for something of the workspace, by a key for that. An API token counts as the key of a service account,
    /// or as that of an account of the environment it is bound to.
    pub(super) fn of_workspace(context: &'x RequestContext) -> Result<Self, Problem> {
        let caller = Self::of(context)?;
        if caller.key.environment.is_some() {
            return Err(Problem::unsupported_key(&[USER, SERVICE_ACCOUNT]));
        }
        Ok(caller)
    }

    pub(super) fn organization(&self) -> OrganizationId {
        self.key.organization
    }

    pub(super) fn is_user(&self) -> bool {
        matches!(self.key.owner, KeyOwner::User(_))
    }

    /// Refuses whoever lacks something of these where they have those rights.
    fn require(&self, needed: PermissionSet, rights: PermissionSet) -> Result<(), Problem> {
        let missing = needed.difference(rights);
        if missing.is_empty() {
            return Ok(());
        }
        // Not a key that is for less than its user may, but the user.
        let lacks_access =
            self.is_user() && self.key.permissions.contains_all(needed) && !missing.intersection(SHAPING).is_empty();
        Err(if lacks_access { Problem::missing_full_project_access() } else { Problem::missing_permission(missing) })
    }

    /// Refuses a key that lacks something of these wherever it is used.
    pub(super) fn allow(&self, needed: PermissionSet) -> Result<(), Problem> {
        self.require(needed, self.key.permissions)
    }
}

/// A request for something of a project, whose identifier could be one.
pub(super) struct ProjectRequest<'x> {
    caller: Caller<'x>,
    project: IdOrSlug,
}

impl<'x> ProjectRequest<'x> {
    pub(super) fn open(context: &'x RequestContext) -> Result<Self, Problem> {
        let caller = Caller::of_workspace(context)?;
        let project = project_identifier(context.parameter("project"))?;
        Ok(Self { caller, project })
    }

    /// Finds the project, for whoever has these permissions there.
    pub(super) fn at(self, needed: PermissionSet) -> Result<AtProject<'x>, Problem> {
        let at = self.above(needed)?;
        at.caller.require(needed, at.project.rights)?;
        Ok(at)
    }

    /// Finds the project, for whoever may have these permissions somewhere in it.
    pub(super) fn above(self, needed: PermissionSet) -> Result<AtProject<'x>, Problem> {
        let Self { caller, project } = self;
        caller.allow(needed)?;
        let project = caller.session.find_project(caller.organization(), &project).map_err(or_project_not_found)?;
        Ok(AtProject { caller, project })
    }
}

/// A project, and who asks for it.
pub(super) struct AtProject<'x> {
    pub(super) caller: Caller<'x>,
    pub(super) project: LocatedProject,
}

impl AtProject<'_> {
    pub(super) fn session(&self) -> &Session<'_> {
        &self.caller.session
    }

    pub(super) fn place(&self) -> vault::At<'static> {
        vault::At::Id(self.project.id.into())
    }
}

/// A request for something of an environment, whose identifiers could be some.
pub(super) struct EnvironmentRequest<'x> {
    caller: Caller<'x>,
    target: Target,
}

enum Target {
    /// That of the key.
    Own(LocatedEnvironment),
    Named(IdOrSlug, IdOrSlug),
}

impl<'x> EnvironmentRequest<'x> {
    pub(super) fn open(context: &'x RequestContext) -> Result<Self, Problem> {
        if context.has_parameter("project") {
            let caller = Caller::of_workspace(context)?;
            let project = project_identifier(context.parameter("project"))?;
            let environment = environment_identifier(context.parameter("environment"))?;
            return Ok(Self { caller, target: Target::Named(project, environment) });
        }
        let caller = Caller::of(context)?;
        match caller.key.environment.clone() {
            Some(environment) => Ok(Self { caller, target: Target::Own(environment) }),
            None => Err(Problem::unsupported_key(&[ENVIRONMENT_ACCOUNT])),
        }
    }

    /// Finds the environment, for whoever has these permissions there.
    pub(super) fn at(self, needed: PermissionSet) -> Result<At<'x>, Problem> {
        let Self { caller, target } = self;
        caller.allow(needed)?;
        let environment = match target {
            Target::Own(environment) => environment,
            Target::Named(project, environment) => caller.find(&project, &environment)?,
        };
        caller.require(needed, environment.rights)?;
        Ok(At { caller, environment })
    }
}

impl Caller<'_> {
    pub(super) fn find(&self, project: &IdOrSlug, environment: &IdOrSlug) -> Result<LocatedEnvironment, Problem> {
        let organization = self.organization();
        self.session.find_environment(organization, project, environment).map_err(|error| {
            if error.kind() != ErrorKind::NotFound {
                return error.into();
            }
            match self.session.find_project(organization, project) {
                Ok(_) => Problem::environment_not_found(),
                Err(error) => or_project_not_found(error),
            }
        })
    }
}

/// An environment, and who asks for it.
pub(super) struct At<'x> {
    pub(super) caller: Caller<'x>,
    pub(super) environment: LocatedEnvironment,
}

impl At<'_> {
    pub(super) fn session(&self) -> &Session<'_> {
        &self.caller.session
    }

    pub(super) fn place(&self) -> vault::At<'static> {
        vault::At::Id(self.environment.id.into())
    }

    pub(super) fn path(&self) -> &LevelPath {
        &self.environment.path
    }

    /// The name of the environment.
    pub(super) fn name(&self) -> &str {
        self.path().segments().last().unwrap_or_default()
    }

    /// The name of its project.
    pub(super) fn project_name(&self) -> &str {
        self.path().segments().next().unwrap_or_default()
    }
}

/// Says of what is not found that it is the project.
pub(super) fn or_project_not_found(error: Error) -> Problem {
    or_not_found(Problem::project_not_found)(error)
}

/// Says of what is not found what it is.
pub(super) fn or_not_found(problem: fn() -> Problem) -> impl FnOnce(Error) -> Problem {
    move |error| if error.kind() == ErrorKind::NotFound { problem() } else { error.into() }
}

/// The highest role that is within these rights.
pub(super) fn role_within(rights: PermissionSet) -> Option<EnvironmentRole> {
    EnvironmentRole::ALL.iter().rev().copied().find(|role| rights.contains_all(role.permissions()))
}
