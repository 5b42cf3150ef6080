use super::fields::Fields;
use super::place;
use super::problem::Problem;
use crate::core::id::OrganizationId;
use crate::core::path::LevelPath;
use crate::server::request_context::RequestContext;
use crate::vault::At;
use crate::vault::{Permission, PermissionSet, Session};

/// What is asked for where, and what that takes. Whoever may not do it is told so before what is wrong with the request.
pub(super) struct LevelRequest<'e> {
    context: &'e RequestContext,
    pub(super) session: Session<'e>,
    pub(super) organization: OrganizationId,
    path: Option<LevelPath>,
    needed: PermissionSet,
}

impl<'e> LevelRequest<'e> {
    /// Reads the address of a request that takes these permissions.
    pub(super) fn read(context: &'e RequestContext, needed: &[Permission]) -> Result<Self, Problem> {
        let (session, organization) = (context.session()?, place::organization(context)?);
        let needed = PermissionSet::of(needed);
        let path = if context.has_parameter("project") {
            match place::level(context) {
                Ok(path) => Some(path),
                // As for a name that could be that of something.
                Err(problem) => {
                    session.check_rights(organization, None, needed)?;
                    return Err(problem);
                }
            }
        } else {
            None
        };
        Ok(Self { context, session, organization, path, needed })
    }

    /// The project, the target or the environment of the address.
    pub(super) fn path(&self) -> Result<&LevelPath, Problem> {
        self.path.as_ref().ok_or_else(Problem::not_found)
    }

    /// The place of the address.
    pub(super) fn at(&self) -> Result<At<'_>, Problem> {
        Ok(At::Path(self.organization, self.path()?))
    }

    /// Whether whoever asks may do it.
    pub(super) fn check(&self) -> Result<(), Problem> {
        Ok(self.session.check_rights(self.organization, self.path.as_ref(), self.needed)?)
    }

    /// Reads the body.
    pub(super) fn body<T>(&self, read: impl FnOnce(&mut Fields) -> T) -> Result<T, Problem> {
        Fields::read_all(self.context, read).or_else(|problem| {
            self.check()?;
            Err(problem)
        })
    }
}

impl LevelRequest<'_> {
    /// Reads a body that says which level is meant, broad to specific.
    pub(super) fn level_body<T>(&self, read: impl FnOnce(&mut Fields) -> T) -> Result<(LevelPath, T), Problem> {
        let checked = |path: Option<&LevelPath>, problem: Problem| {
            self.session.check_rights(self.organization, path, self.needed)?;
            Err(problem)
        };
        let mut fields = match Fields::read(self.context) {
            Ok(fields) => fields,
            Err(problem) => return checked(None, problem),
        };
        let project = fields.required_text("project");
        let (target, environment) = (fields.text("target"), fields.text("environment"));
        if environment.is_some() && target.is_none() {
            fields.refuse("target", "The target field is required when environment is present.");
        }
        let value = read(&mut fields);
        let slugs =
            [Some(project.as_str()).filter(|project| !project.is_empty()), target.as_deref(), environment.as_deref()];
        let path = match slugs {
            [Some(_), None, Some(_)] | [None, ..] => None,
            _ => match place::path(slugs.into_iter().flatten()) {
                Ok(path) => Some(path),
                // As for a name that could be that of something.
                Err(problem) => return checked(None, problem),
            },
        };
        match (fields.finish(), path) {
            (Ok(()), Some(path)) => Ok((path, value)),
            (Ok(()), None) => checked(None, Problem::not_found()),
            (Err(problem), path) => checked(path.as_ref(), problem),
        }
    }

    /// Says what is wrong with a request for a level, unless whoever asks may not do this there at all.
    pub(super) fn refuse<T>(&self, path: &LevelPath, needed: &[Permission], problem: Problem) -> Result<T, Problem> {
        self.session.check_rights(self.organization, Some(path), PermissionSet::of(needed))?;
        Err(problem)
    }
}
