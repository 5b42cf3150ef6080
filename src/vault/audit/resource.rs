use super::super::place::Place;
use super::super::records::{NodeKind, TokenRecord, UserRecord};
use crate::Result;
use crate::core::{Id, Kind, LevelPath, Resource, ResourceKind, VarName};

impl Resource {
    pub(in super::super) fn organization(id: Id) -> Self {
        Self::new(ResourceKind::Organization, id)
    }

    /// A project, which is the level of its own, too.
    pub(in super::super) fn project(organization: Id, id: Id, slug: &str) -> Self {
        let mut resource = Self::new(ResourceKind::Project, organization);
        resource.project = Some(id);
        resource.environment = Some(id);
        resource.path = LevelPath::new(slug).ok();
        resource
    }

    /// What stands at a place.
    pub(in super::super) fn of(place: &Place) -> Result<Self> {
        let mut resource = Self::project(place.organization(), place.project.id, &place.project.slug);
        if let Some(node) = place.nodes.last() {
            resource.kind = match node.kind {
                NodeKind::Target => ResourceKind::Target,
                NodeKind::Environment => ResourceKind::Environment,
            };
            resource.environment = Some(node.id);
            resource.target = place.nodes.first().map(|node| node.id).filter(|id| *id != node.id);
            resource.path = Some(place.path()?);
        }
        Ok(resource)
    }

    /// Another kind of thing at the same place.
    pub(in super::super) fn kind(mut self, kind: ResourceKind) -> Self {
        self.kind = kind;
        self
    }

    /// An entry of the level.
    pub(in super::super) fn entry(mut self, kind: Kind, name: &VarName) -> Self {
        self.kind = kind.into();
        self.key = Some(name.clone());
        self
    }

    /// A member of an organization.
    pub(in super::super) fn member(organization: Id, user: &UserRecord) -> Self {
        Self::named(ResourceKind::Member, organization, user.id, &user.name)
    }

    /// Something of an organization that has an id and a name.
    pub(in super::super) fn named(kind: ResourceKind, organization: Id, id: Id, name: &str) -> Self {
        let mut resource = Self::new(kind, organization);
        resource.id = Some(id);
        resource.name = Some(name.to_owned());
        resource
    }

    /// A token, which belongs to what it is bound to.
    pub(in super::super) fn token(token: &TokenRecord) -> Self {
        let mut resource = Self::new(ResourceKind::Token, token.organization);
        resource.id = Some(token.id);
        resource.project = token.scope.as_ref().map(|scope| scope.project);
        resource.environment = token.scope.as_ref().and_then(|scope| scope.node);
        resource.name = Some(token.name.clone());
        resource
    }
}
