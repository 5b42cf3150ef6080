use super::super::keys;
use super::super::records::{GrantRecord, decode};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Grant, Grantee};
use crate::core::{Action, Details, Id, LevelPath, Resource, ResourceKind};
use crate::store::Order;
use crate::{ErrorKind, Result};

impl Session<'_> {
    /// What was granted at exactly that place: first to users, then to teams. What was granted in all of the project
    /// is listed for the project.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`, for a target and for `_base`.
    pub fn grants(&self, organization: Id, path: &LevelPath) -> Result<Vec<Grant>> {
        self.read(UseCase::ListGrants, |operation| {
            let (place, node) = operation.granting_place(organization, path)?;
            let mut grants = Vec::new();
            for record in operation.tx.scan(&keys::grants(place.project.id), Order::Ascending, usize::MAX)? {
                let record: GrantRecord = decode(&record.value)?;
                for granted in record.roles.iter().filter(|granted| granted.node == node) {
                    grants.push(Grant::new(record.grantee, place.path()?, granted));
                }
            }
            grants.sort_by_key(|grant| grant.grantee);
            let details = Details::default().with("op", "grants").with("count", grants.len());
            operation.record(Action::Read, Resource::of(&place)?, details)?;
            Ok(grants)
        })
    }

    /// What was granted to a user or a team of the organization, at the places the actor may know of, ascending by
    /// path. Everybody can list what was granted to themselves.
    ///
    /// # Errors
    /// `NotFound`, without the user or the team.
    pub fn granted(&self, organization: Id, grantee: Grantee) -> Result<Vec<Grant>> {
        self.read(UseCase::ListGranted, |operation| {
            let (kind, id) = match grantee {
                Grantee::User(id) => {
                    operation.organization_of_member(organization, id)?;
                    operation.member(organization, id)?;
                    (ResourceKind::Member, id)
                }
                Grantee::Team(id) => {
                    operation.whole_organization(organization)?;
                    operation.team(organization, id)?;
                    (ResourceKind::Team, id)
                }
            };
            let mut grants = Vec::new();
            for project in operation.granted_projects(organization, grantee)? {
                for granted in operation.grant_record(project, grantee)?.roles {
                    // What was deleted keeps its grants, for when it is restored.
                    let path = match operation.path_of(granted.node.unwrap_or(project)) {
                        Err(error) if error.kind() == ErrorKind::NotFound => continue,
                        found => found?.1,
                    };
                    if operation.rights_in(project, granted.node)?.is_some() {
                        grants.push(Grant::new(grantee, path, &granted));
                    }
                }
            }
            grants.sort_by(|a, b| a.path.as_str().cmp(b.path.as_str()));
            let mut resource = Resource::new(kind, organization);
            resource.id = Some(id);
            operation.record(
                Action::Read,
                resource,
                Details::default().with("op", "grants").with("count", grants.len()),
            )?;
            Ok(grants)
        })
    }
}
