use super::super::exchange::Exchange;
use super::fields::Fields;
use super::place;
use super::problem::Problem;
use crate::vault::{Id, Permission, PermissionSet, Session};
use crate::{LevelPath, Slug};

/// What is asked for where, and what that takes. Whoever may not do it is told so before what is wrong with the request.
pub(super) struct Asked<'e> {
    exchange: &'e Exchange,
    pub(super) session: Session<'e>,
    pub(super) organization: Id,
    path: Option<LevelPath>,
    needed: PermissionSet,
}

impl<'e> Asked<'e> {
    /// Reads the address of a request that takes these permissions.
    pub(super) fn read(exchange: &'e Exchange, needed: &[Permission]) -> Result<Self, Problem> {
        let (session, organization) = (exchange.session()?, place::organization(exchange)?);
        let needed = PermissionSet::of(needed);
        let path = if exchange.has_parameter("project") {
            match place::level(exchange) {
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
        Ok(Self { exchange, session, organization, path, needed })
    }

    /// The project, the target or the environment of the address.
    pub(super) fn path(&self) -> Result<&LevelPath, Problem> {
        self.path.as_ref().ok_or_else(Problem::not_found)
    }

    /// The project of the address.
    pub(super) fn project(&self) -> Result<Slug, Problem> {
        Slug::new(self.path()?.project()).map_err(|_| Problem::not_found())
    }

    /// Whether whoever asks may do it.
    pub(super) fn check(&self) -> Result<(), Problem> {
        Ok(self.session.check_rights(self.organization, self.path.as_ref(), self.needed)?)
    }

    /// Reads the body.
    pub(super) fn body<T>(&self, read: impl FnOnce(&mut Fields) -> T) -> Result<T, Problem> {
        Fields::read_all(self.exchange, read).or_else(|problem| {
            self.check()?;
            Err(problem)
        })
    }
}
