//! Grants: what users and teams of an organization may do in a project, or in one environment of it.

mod give;
mod list;
mod own_rights;
mod revoke;

use serde::{Deserialize, Serialize};

use super::audit::id_in;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::place::{Place, Reach};
use super::records::{
    GrantRecord, GrantedRecord, NodeKind, ProjectRecord, TeamRecord, UserRecord, decode, get, put, require,
};
use crate::core::{AuditActor, GrantRole, Id, LevelPath, PermissionSet, Resource, ResourceKind, Timestamp};
use crate::store::{Order, Precondition};
use crate::{Error, ErrorKind, Result};

/// To whom something is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "who grants something must know to whom it can be")]
pub enum Grantee {
    /// To a user who is a member of the organization.
    User(Id),
    /// To a team of the organization, and so to all who are in it.
    Team(Id),
}

/// What was granted to a user or a team.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// To whom.
    pub grantee: Grantee,
    /// Where: a project, with all that is in it, or one environment.
    pub path: LevelPath,
    /// What.
    pub role: GrantRole,
    /// When.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: AuditActor,
}

impl Grant {
    fn new(grantee: Grantee, path: LevelPath, record: &GrantedRecord) -> Self {
        Self { grantee, path, role: record.role, created_at: record.created_at, created_by: record.created_by.clone() }
    }
}

impl OperationContext<'_, '_> {
    /// The place that something is granted at, and the id of the node that this is, or none for a whole project. It
    /// takes full access to the project, also for one of its environments.
    fn granting_place(&mut self, organization: Id, path: &LevelPath) -> Result<(Place, Option<Id>)> {
        let place = self.place(organization, path, Reach::Inside)?;
        let project = Place { project: place.project.clone(), nodes: Vec::new() };
        if !self.may(&project)? {
            let message = "this takes access to all of the project, not to a part of it";
            return Err(Error::new(ErrorKind::Denied, message));
        }
        match place.nodes.last() {
            None if path.segments().count() == 1 => Ok((place, None)),
            Some(node) if node.kind == NodeKind::Environment => {
                let node = node.id;
                Ok((place, Some(node)))
            }
            _ => {
                let message = "something is granted in a project or in an environment, not in a target or in `_base`";
                Err(Error::new(ErrorKind::InvalidName, message))
            }
        }
    }

    /// What is recorded about a grant: the place, and who has it.
    fn grant_resource(&mut self, place: &Place, grantee: Grantee) -> Result<Resource> {
        let organization = place.organization();
        let (kind, id, name) = match grantee {
            Grantee::User(id) => {
                self.tx.get(&keys::member(organization, id))?.ok_or_else(|| no_such("member"))?;
                (ResourceKind::Member, id, require::<UserRecord>(self.tx, &keys::user(id))?.name)
            }
            Grantee::Team(id) => {
                let team: TeamRecord = self.team(organization, id)?;
                (ResourceKind::Team, id, team.name)
            }
        };
        let mut resource = Resource::of(place)?.kind(kind);
        resource.id = Some(id);
        resource.name = Some(name);
        Ok(resource)
    }

    /// What was granted to somebody in a project.
    fn grant_record(&mut self, project: Id, grantee: Grantee) -> Result<GrantRecord> {
        Ok(get(self.tx, &keys::grant(project, grantee))?.unwrap_or(GrantRecord { grantee, roles: Vec::new() }))
    }

    /// Writes what was granted to somebody in a project, and that it was; removes both, when it is nothing.
    fn put_grant_record(&mut self, organization: Id, project: Id, record: &GrantRecord) -> Result<()> {
        let (key, index) = (keys::grant(project, record.grantee), keys::granted(organization, record.grantee, project));
        if record.roles.is_empty() {
            self.tx.delete(&key)?;
            self.tx.delete(&index)?;
            return Ok(());
        }
        put(self.tx, &key, record, Precondition::Always)?;
        put(self.tx, &index, &project, Precondition::Always)
    }

    /// Grants all of a project that was just made to whoever made it, unless their role has that anyway.
    pub(super) fn grant_to_creator(&mut self, project: &ProjectRecord) -> Result<()> {
        let Some(user) = self.principal.user.as_ref().map(|user| user.id) else {
            return Ok(());
        };
        if self.rights.contains_all(GrantRole::Full.permissions()) {
            return Ok(());
        }
        let granted = GrantedRecord {
            node: None,
            role: GrantRole::Full,
            created_at: self.now,
            created_by: self.principal.actor.clone(),
        };
        let record = GrantRecord { grantee: Grantee::User(user), roles: vec![granted] };
        self.put_grant_record(project.organization, project.id, &record)
    }

    /// Removes what was granted in a project, or of that only what was granted in a node of it.
    pub(super) fn remove_grants(&mut self, organization: Id, project: Id, node: Option<Id>) -> Result<()> {
        for record in self.tx.scan(&keys::grants(project), Order::Ascending, usize::MAX)? {
            let mut record: GrantRecord = decode(&record.value)?;
            let before = record.roles.len();
            record.roles.retain(|granted| node.is_some() && granted.node != node);
            if record.roles.len() < before {
                self.put_grant_record(organization, project, &record)?;
            }
        }
        Ok(())
    }

    /// Removes all that was granted to somebody in an organization.
    pub(super) fn remove_grants_of(&mut self, organization: Id, grantee: Grantee) -> Result<()> {
        for project in self.granted_projects(organization, grantee)? {
            self.tx.delete(&keys::grant(project, grantee))?;
            self.tx.delete(&keys::granted(organization, grantee, project))?;
        }
        Ok(())
    }

    /// The projects in which something was granted to somebody, in the order they were made; also those that were
    /// deleted and can be restored.
    pub(super) fn granted_projects(&mut self, organization: Id, grantee: Grantee) -> Result<Vec<Id>> {
        let marks = self.tx.scan(&keys::granted_to(organization, grantee), Order::Ascending, usize::MAX)?;
        marks.iter().map(|mark| id_in(&mark.key)).collect()
    }

    /// Refuses to let somebody share what was granted to others, where the actor does not hold as much.
    pub(super) fn check_grants_held(&mut self, organization: Id, grantee: Grantee) -> Result<()> {
        let here = self.rights;
        for project in self.granted_projects(organization, grantee)? {
            for granted in self.grant_record(project, grantee)?.roles {
                self.rights = self.rights_in(project, granted.node)?.unwrap_or(PermissionSet::EMPTY);
                self.check_held(granted.role.permissions())?;
            }
        }
        self.rights = here;
        Ok(())
    }
}
