use super::problem::Problem;
use crate::core::id::EnvironmentId;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::path::LevelPath;
use crate::error::{ErrorKind, Result};
use crate::server::request_context::RequestContext;
use crate::vault::At;
use crate::vault::{Id, Session, UseCase};

/// Where a request acts, and in whose name.
pub(super) struct Place<'e> {
    pub(super) session: Session<'e>,
    /// That of the project or the environment.
    pub(super) id: LevelId,
    pub(super) organization: OrganizationId,
    pub(super) path: LevelPath,
}

impl<'e> Place<'e> {
    /// The environment that the address names.
    pub(super) fn environment(context: &'e RequestContext) -> Result<Self, Problem> {
        let id = id("env", context.parameter("envId"));
        Self::find(context, id, "No such environment.", |session, id: EnvironmentId| {
            session.locate_environment(id).map(Some)
        })
    }

    /// The project that the address names.
    pub(super) fn project(context: &'e RequestContext) -> Result<Self, Problem> {
        let id = id("proj", context.parameter("projectId"));
        Self::find(context, id, "No such project.", |session, id: ProjectId| {
            let (organization, path) = session.locate(id.into())?;
            Ok((path.segments().count() == 1).then_some((organization, path)))
        })
    }

    fn find<I: Copy + Into<LevelId>>(
        context: &'e RequestContext,
        id: Option<I>,
        none: &'static str,
        locate: impl FnOnce(&Session<'_>, I) -> Result<Option<(OrganizationId, LevelPath)>>,
    ) -> Result<Self, Problem> {
        let session = context.session()?;
        let found = match id {
            Some(id) => locate(&session, id).map(|place| place.map(|(organization, path)| (id, organization, path))),
            // Whoever is unknown is told so first, whatever was asked for.
            None => context.key().map(|_| None),
        };
        match found {
            Ok(Some((id, organization, path))) => Ok(Self { session, id: id.into(), organization, path }),
            Ok(None) => Err(Problem::not_found(none)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Problem::not_found(none)),
            Err(error) => Err(Problem::of_token(error)),
        }
    }

    /// The place, whatever it is called by now.
    pub(super) fn place(&self) -> At<'static> {
        At::Id(self.id)
    }

    /// What was read from a request. If that is not valid, whoever may not do this anyway is told that instead.
    pub(super) fn valid<T>(&self, use_case: UseCase, read: Result<T, Problem>) -> Result<T, Problem> {
        if read.is_err() {
            self.session.check_rights(self.organization, Some(&self.path), use_case.permissions())?;
        }
        read
    }
}

/// An id, spelled as this service does, or as the command and the other services show it.
pub(super) fn id<T: From<Id>>(prefix: &str, text: &str) -> Option<T> {
    Id::parse_prefixed(prefix, text).or_else(|_| Id::parse(text)).map(T::from).ok()
}
