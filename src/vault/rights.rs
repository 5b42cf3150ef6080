//! What an actor may do where. A trusted program may do everything; a token what it was given, inside of what it is bound
//! to; a user what their role in the organization says, and what was granted to them, or to a team they are in, at a
//! place.

use super::keys;
use super::operation::{OperationContext, no_such};
use super::place::{Place, Reach};
use super::principal::Granted;
use super::principal::Membership;
use super::records::{GrantRecord, MemberRecord, NodeRecord, PlaceRecord, RoleRecord, ScopeRecord};
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::permission::{Permission, PermissionSet};
use crate::core::refusal::Refusal;
use crate::core::role::{GrantRole, MemberRole};
use crate::error::{Error, ErrorKind, Result};

/// Whoever has one of these at a place may know of it.
const KNOWING: PermissionSet = PermissionSet::of(&[
    Permission::ProjectRead,
    Permission::TargetRead,
    Permission::EnvironmentRead,
    Permission::SecretRead,
    Permission::SecretWrite,
]);

/// Whoever has these may see values.
pub(super) const READING: PermissionSet = PermissionSet::of(&[Permission::SecretRead, Permission::SecretDecrypt]);

/// What may be read on the way to a place.
const ON_THE_WAY: PermissionSet =
    PermissionSet::of(&[Permission::ProjectRead, Permission::TargetRead, Permission::EnvironmentRead]);

/// What a token may do above what it is bound to: the key of the project opens what it reads.
const ABOVE_A_TOKEN: PermissionSet = ON_THE_WAY.union(PermissionSet::of(&[Permission::KeyRetrieve]));

impl OperationContext<'_, '_> {
    /// Finds out what the user is in an organization; not found, for whoever is no member.
    pub(super) fn enter(&mut self, organization: OrganizationId) -> Result<()> {
        let Some(user) = self.principal.user.as_ref().map(|user| user.id) else {
            return Ok(());
        };
        if self.membership.as_ref().is_none_or(|membership| membership.organization != organization) {
            let record: MemberRecord =
                self.get_authenticated(&keys::member(organization, user))?.ok_or_else(|| no_such("organization"))?;
            let permissions = self.role_permissions(organization, record.role)?;
            self.membership = Some(Membership { organization, record, permissions, granted: None });
        }
        self.rights = self.organization_rights();
        Ok(())
    }

    /// What a role allows in an organization.
    pub(super) fn role_permissions(&mut self, organization: OrganizationId, role: MemberRole) -> Result<PermissionSet> {
        match (role.permissions(), role) {
            (Some(permissions), _) => Ok(permissions),
            (None, MemberRole::Custom(id)) => {
                Ok(self.require_authenticated::<RoleRecord>(&keys::role(organization, id))?.permissions)
            }
            (None, _) => Ok(PermissionSet::EMPTY),
        }
    }

    /// What the actor may do in all of the organization it is in.
    pub(super) fn organization_rights(&self) -> PermissionSet {
        let role = self.membership.as_ref().map_or(PermissionSet::ALL, |membership| membership.permissions);
        self.principal.permissions.intersection(role)
    }

    /// Refuses an actor that lacks, at the place it is at, what the use case takes.
    pub(super) fn require(&self) -> Result<()> {
        self.allow(self.needed)
    }

    /// Refuses an actor that lacks one of these at the place it is at.
    pub(super) fn allow(&self, needed: PermissionSet) -> Result<()> {
        let missing = needed.difference(self.rights);
        if missing.is_empty() {
            return Ok(());
        }
        let message = if self.principal.token.is_some() {
            format!("this takes a permission that is missing: {missing}; use a token that has it")
        } else {
            format!("this takes a permission that is missing: {missing}; ask for a role that has it")
        };
        Err(Error::new(ErrorKind::Denied, message).with_refusal(Refusal::Permissions(missing)))
    }

    /// Refuses to give away, or to take over, what the actor does not hold at the place it is at.
    pub(super) fn check_held(&self, permissions: PermissionSet) -> Result<()> {
        check_held(self.rights, permissions)
    }

    /// Whether the actor may know of a project of the organization it is in.
    pub(super) fn knows(&mut self, project: ProjectId) -> Result<bool> {
        match (self.principal.scope(), &self.membership) {
            (Some(scope), _) if scope.project != project => Ok(false),
            (_, Some(membership)) if membership.permissions.intersection(KNOWING).is_empty() => {
                Ok(!self.granted(project)?.is_empty())
            }
            _ => Ok(true),
        }
    }

    /// What the actor may do at a place; none, if it may not know of it.
    pub(super) fn rights_at(&mut self, place: &Place, reach: Reach) -> Result<Option<PermissionSet>> {
        let ids: Vec<LevelId> = place.nodes.iter().map(|node| node.id).collect();
        self.rights_below(place.project.id, &ids, &place.path_below(), reach)
    }

    /// The same for the nodes below a project, broad to specific, of which the last one has that path.
    pub(super) fn rights_below(
        &mut self,
        project: ProjectId,
        nodes: &[LevelId],
        path: &str,
        reach: Reach,
    ) -> Result<Option<PermissionSet>> {
        let scope = self.principal.scope().map(|scope| (scope.project, scope.node));
        if let Some((bound_project, bound)) = scope {
            if bound_project != project {
                return Ok(None);
            }
            if let Some(bound) = bound
                && !nodes.contains(&bound)
            {
                let is_on_the_way = reach != Reach::Inside && self.is_above(project, path, bound)?;
                return Ok(is_on_the_way.then(|| self.principal.permissions.intersection(ABOVE_A_TOKEN)));
            }
        }
        let Some(everywhere) = self.membership.as_ref().map(|membership| membership.permissions) else {
            return Ok(Some(self.principal.permissions));
        };
        let mut rights = everywhere;
        if !everywhere.contains_all(GrantRole::Full.permissions()) {
            for (node, permissions) in self.granted(project)? {
                if node.is_none_or(|node| nodes.contains(&node)) {
                    rights = rights.union(permissions);
                } else if let Some(node) = node
                    && reach != Reach::Inside
                    && !rights.contains_all(ON_THE_WAY)
                    && self.is_above(project, path, node)?
                {
                    rights = rights.union(permissions.intersection(ON_THE_WAY));
                }
            }
        }
        let is_known = !rights.intersection(KNOWING).is_empty();
        Ok(is_known.then(|| rights.intersection(self.principal.permissions)))
    }

    /// What was granted to the user in a project.
    fn granted(&mut self, project: ProjectId) -> Result<Vec<(Option<LevelId>, PermissionSet)>> {
        let Some(membership) = &self.membership else {
            return Ok(Vec::new());
        };
        if let Some(granted) = &membership.granted
            && granted.project == project
        {
            return Ok(granted.roles.clone());
        }
        let keys: Vec<String> = membership.grantees().map(|grantee| keys::grant(project, grantee)).collect();
        self.tx.prefetch(&keys)?;
        let mut roles = Vec::new();
        for key in &keys {
            if let Some(record) = self.get_authenticated::<GrantRecord>(key)? {
                roles.extend(record.roles.iter().map(|granted| (granted.node, granted.role.permissions())));
            }
        }
        if let Some(membership) = &mut self.membership {
            membership.granted = Some(Granted { project, roles: roles.clone() });
        }
        Ok(roles)
    }

    /// Whether what has that path below a project stands above the node of that id.
    fn is_above(&mut self, project: ProjectId, path: &str, node: LevelId) -> Result<bool> {
        let Some(below) = self.get_authenticated::<PlaceRecord>(&keys::node_id(node))? else {
            return Ok(false);
        };
        let is_below = |rest: &str| rest.starts_with('/');
        Ok(below.project == project && (path.is_empty() || below.path.strip_prefix(path).is_some_and(is_below)))
    }

    /// Puts the actor where a token is bound to, and tells whether it may know of that.
    pub(super) fn enter_scope(&mut self, scope: Option<&ScopeRecord>) -> Result<bool> {
        let Some(scope) = scope else {
            self.rights = self.organization_rights();
            return Ok(self.principal.scope().is_none());
        };
        match self.rights_in(scope.project, scope.node)? {
            Some(rights) => {
                self.rights = rights;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// What the actor may do in a project, or in a node of it; none, if it may not know of it.
    pub(super) fn rights_in(&mut self, project: ProjectId, node: Option<LevelId>) -> Result<Option<PermissionSet>> {
        let (nodes, path) = match node {
            None => (Vec::new(), String::new()),
            Some(node) => match self.nodes_to(project, node)? {
                Some(found) => found,
                // What is gone has no place that anything could be granted at.
                None => (vec![node], String::new()),
            },
        };
        self.rights_below(project, &nodes, &path, Reach::Inside)
    }

    /// The nodes from a project down to one of it, and the path of that.
    fn nodes_to(&mut self, project: ProjectId, node: LevelId) -> Result<Option<(Vec<LevelId>, String)>> {
        let Some(place) = self.get_authenticated::<PlaceRecord>(&keys::node_id(node))? else {
            return Ok(None);
        };
        let mut nodes = Vec::new();
        if let Some((target, _)) = place.path.split_once('/') {
            let target: NodeRecord = self.require_authenticated(&keys::node(project, target))?;
            nodes.push(target.id);
        }
        nodes.push(node);
        Ok(Some((nodes, place.path)))
    }
}

/// Refuses to give away what is beyond `held`.
pub(super) fn check_held(held: PermissionSet, permissions: PermissionSet) -> Result<()> {
    let missing = permissions.difference(held);
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("nobody can grant what they do not hold; you lack: {missing}");
    Err(Error::new(ErrorKind::Denied, message))
}
