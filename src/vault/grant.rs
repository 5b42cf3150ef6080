//! Grants: what users and teams of an organization may do in a project, or in one environment of it.

use serde_json::json;

use super::grantee::Grantee;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::place::At;
use super::place::{Place, Reach};
use super::records::id_in;
use super::records::{GrantRecord, GrantedRecord, NodeKind, ProjectRecord, TeamRecord, UserRecord, put};
use super::scan::{Scan, scan_keys};
use super::session::Session;
use super::use_case::UseCase;
use crate::core::audit::{Action, AuditActor, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::id::Id;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::path::LevelPath;
use crate::core::permission::PermissionSet;
use crate::core::role::GrantRole;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Order, Precondition};

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
    fn granting_place(&mut self, at: At<'_>) -> Result<(Place, Option<LevelId>)> {
        let place = self.place(at, Reach::Inside)?;
        let is_base = place.nodes.is_empty() && matches!(at, At::Path(_, path) if path.segments().count() > 1);
        let project = Place { project: place.project.clone(), nodes: Vec::new() };
        if !self.may(&project)? {
            let message = "this takes access to all of the project, not to a part of it";
            return Err(Error::new(ErrorKind::Denied, message));
        }
        match place.nodes.last() {
            None if !is_base => Ok((place, None)),
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
                (ResourceKind::Member, Id::from(id), self.require_authenticated::<UserRecord>(&keys::user(id))?.name)
            }
            Grantee::Team(id) => {
                let team: TeamRecord = self.team(organization, id)?;
                (ResourceKind::Team, id.into(), team.name)
            }
        };
        let mut resource = Resource::of(place)?.kind(kind);
        resource.id = Some(id);
        resource.name = Some(name);
        Ok(resource)
    }

    /// What was granted to somebody in a project.
    fn grant_record(&mut self, project: ProjectId, grantee: Grantee) -> Result<GrantRecord> {
        Ok(self
            .get_authenticated(&keys::grant(project, grantee))?
            .unwrap_or(GrantRecord { grantee, roles: Vec::new() }))
    }

    /// Writes what was granted to somebody in a project, and that it was; removes both, when it is nothing.
    fn put_grant_record(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        record: &GrantRecord,
    ) -> Result<()> {
        let (key, index) = (keys::grant(project, record.grantee), keys::granted(organization, record.grantee, project));
        if record.roles.is_empty() {
            self.tx.delete(&key)?;
            self.tx.delete(&index)?;
            return Ok(());
        }
        self.put_authenticated(&key, record, Precondition::Always)?;
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
    pub(super) fn remove_grants(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        node: Option<LevelId>,
    ) -> Result<()> {
        let mut scan = Scan::new(keys::grants(project), Order::Ascending);
        while let Some(record) = scan.next(self.tx)? {
            let mut record: GrantRecord = self.decode_authenticated(&record)?;
            let before = record.roles.len();
            record.roles.retain(|granted| node.is_some() && granted.node != node);
            if record.roles.len() < before {
                self.put_grant_record(organization, project, &record)?;
            }
        }
        Ok(())
    }

    /// Removes all that was granted to somebody in an organization.
    pub(super) fn remove_grants_of(&mut self, organization: OrganizationId, grantee: Grantee) -> Result<()> {
        for project in self.granted_projects(organization, grantee)? {
            self.tx.delete(&keys::grant(project, grantee))?;
            self.tx.delete(&keys::granted(organization, grantee, project))?;
        }
        Ok(())
    }

    /// The projects in which something was granted to somebody, in the order they were made; also those that were
    /// deleted and can be restored.
    pub(super) fn granted_projects(
        &mut self,
        organization: OrganizationId,
        grantee: Grantee,
    ) -> Result<Vec<ProjectId>> {
        scan_keys(self.tx, keys::granted_to(organization, grantee))?.iter().map(|key| id_in(key)).collect()
    }

    /// Refuses to let somebody share what was granted to others, where the actor does not hold as much.
    pub(super) fn check_grants_held(&mut self, organization: OrganizationId, grantee: Grantee) -> Result<()> {
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

impl Session<'_> {
    /// What was granted at exactly that place: first to users, then to teams. What was granted in all of the project
    /// is listed for the project.
    ///
    /// # Errors
    /// `NotFound`; `InvalidName`, for a target and for `_base`.
    pub fn grants(&self, at: At<'_>) -> Result<Vec<Grant>> {
        self.read(UseCase::ListGrants, |operation| {
            let (place, node) = operation.granting_place(at)?;
            let mut grants = Vec::new();
            let mut scan = Scan::new(keys::grants(place.project.id), Order::Ascending);
            while let Some(record) = scan.next(operation.tx)? {
                let record: GrantRecord = operation.decode_authenticated(&record)?;
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
    pub fn granted(&self, organization: OrganizationId, grantee: Grantee) -> Result<Vec<Grant>> {
        self.read(UseCase::ListGranted, |operation| {
            let (kind, id) = match grantee {
                Grantee::User(id) => {
                    operation.organization_of_member(organization, id)?;
                    operation.member(organization, id)?;
                    (ResourceKind::Member, Id::from(id))
                }
                Grantee::Team(id) => {
                    operation.whole_organization(organization)?;
                    operation.team(organization, id)?;
                    (ResourceKind::Team, Id::from(id))
                }
            };
            let mut grants = Vec::new();
            for project in operation.granted_projects(organization, grantee)? {
                for granted in operation.grant_record(project, grantee)?.roles {
                    // What was deleted keeps its grants, for when it is restored.
                    let path = match operation.path_of(granted.node.unwrap_or(project.into())) {
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

impl Session<'_> {
    /// Grants a role in a project or in an environment to a user or a team of the organization, in place of the one
    /// they had there.
    ///
    /// ```
    /// # fn main() -> ioenv::Result<()> {
    /// # use ioenv::vault::{NewOrganization, NewProject, RootKey, Vault};
    /// use ioenv::vault::{Actor, At, Grantee, MemberRole, NewMember, Permission, WorkspaceRole};
    ///
    /// # let vault = Vault::create(ioenv::store::Memory::new(), &RootKey::generate(&ioenv::SystemRandom)?)?;
    /// # let session = vault.session(Actor::system("setup"));
    /// # let acme = session.create_organization(&NewOrganization::new("Acme"))?.id;
    /// # session.create_project(acme, &NewProject::new("store"))?;
    /// let member = MemberRole::Workspace(WorkspaceRole::Member);
    /// let ann = session.add_member(acme, &NewMember::new("ann@example.com", "Ann", member))?.user;
    /// session.grant(At::Path(acme, &"store".parse()?), Grantee::User(ann), "editor".parse()?)?;
    ///
    /// let rights = vault.session(Actor::User(ann)).own_rights(At::Path(acme, &"store".parse()?))?;
    /// assert!(rights.contains(Permission::SecretWrite));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`, without the place, the user or the team; `Denied`, also for a role that holds more than the actor
    /// does, or in place of one; `InvalidName`, for a target and for `_base`; `InvalidValue`, for a role that cannot
    /// be given in one environment.
    pub fn grant(&self, at: At<'_>, grantee: Grantee, role: GrantRole) -> Result<Grant> {
        self.write(UseCase::Grant, |operation| {
            let (place, node) = operation.granting_place(at)?;
            let resource = operation.grant_resource(&place, grantee)?;
            operation.check_unbounded()?;
            operation.check_held(role.permissions())?;
            if node.is_some() && !role.is_for_environments() {
                let message = "in one environment the role is one of `viewer` `editor` `admin`";
                return Err(Error::new(ErrorKind::InvalidValue, message));
            }
            let mut record = operation.grant_record(place.project.id, grantee)?;
            let old = record.roles.iter().find(|granted| granted.node == node).map(|granted| granted.role);
            if let Some(old) = old {
                operation.check_held(old.permissions())?;
            }
            record.roles.retain(|granted| granted.node != node);
            let given =
                GrantedRecord { node, role, created_at: operation.now, created_by: operation.principal.actor.clone() };
            let grant = Grant::new(grantee, place.path()?, &given);
            record.roles.push(given);
            operation.put_grant_record(place.organization(), place.project.id, &record)?;
            let (action, details) = match old {
                None => (Action::Create, Details::default().with("role", role.as_str())),
                Some(old) => {
                    let change = json!({ "from": old.as_str(), "to": role.as_str() });
                    (Action::Update, Details::changed(&["role"]).with("role", change))
                }
            };
            operation.record(action, resource, details)?;
            Ok(grant)
        })
    }
}

impl Session<'_> {
    /// What the actor may do at a place. It is not recorded, because it changes nothing and tells no value.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn own_rights(&self, at: At<'_>) -> Result<PermissionSet> {
        self.read(UseCase::ReadOwnRights, |operation| {
            operation.place(at, Reach::OnTheWay)?;
            Ok(operation.rights)
        })
    }
}

impl Session<'_> {
    /// Takes back what was granted to a user or a team at exactly that place.
    ///
    /// # Errors
    /// `NotFound`, without the place, and when nothing was granted to them there; `Denied`, also for a role that holds
    /// more than the actor does; `InvalidName`, for a target and for `_base`.
    pub fn revoke_grant(&self, at: At<'_>, grantee: Grantee) -> Result<()> {
        self.write(UseCase::RevokeGrant, |operation| {
            let (place, node) = operation.granting_place(at)?;
            let resource = operation.grant_resource(&place, grantee)?;
            let mut record = operation.grant_record(place.project.id, grantee)?;
            let old = record.roles.iter().find(|granted| granted.node == node).map(|granted| granted.role);
            let old = old.ok_or_else(|| no_such("grant"))?;
            operation.check_held(old.permissions())?;
            record.roles.retain(|granted| granted.node != node);
            operation.put_grant_record(place.organization(), place.project.id, &record)?;
            operation.record(Action::Delete, resource, Details::default().with("role", old.as_str()))
        })
    }
}
