use crate::core::audit::{Action, Details, ResourceKind};
use crate::core::id::EnvironmentId;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::id::TargetId;
use crate::core::path::LevelPath;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Order, Precondition};
use crate::vault::keys;
use crate::vault::node::below;
use crate::vault::operation::OperationContext;
use crate::vault::place::At;
use crate::vault::place::Reach;
use crate::vault::records::{DeletedThing, NodeRecord, PlaceRecord, ProjectRecord, damaged};
use crate::vault::scan::Scan;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

impl Session<'_> {
    /// Brings a deleted project back with all it held, within 30 days, and tells its path. Its tokens work again, but for
    /// those that were revoked or have expired since, and those of what was deleted in it before.
    ///
    /// # Errors
    /// `NotFound`, also when it can no longer be restored; `Conflict`, when its slug was taken meanwhile.
    pub fn restore_project(&self, organization: OrganizationId, id: ProjectId) -> Result<LevelPath> {
        self.write(UseCase::RestoreProject, |operation| {
            operation.restore(organization, ResourceKind::Project, id.into())
        })
    }

    /// Brings a deleted target back with its environments and all they held, within 30 days, and tells its path. Their
    /// tokens work again, as with [`restore_project`](Self::restore_project).
    ///
    /// # Errors
    /// `NotFound`, also when it can no longer be restored; `Conflict`, when its slug was taken meanwhile, or its project
    /// was deleted, too.
    pub fn restore_target(&self, organization: OrganizationId, id: TargetId) -> Result<LevelPath> {
        self.write(UseCase::RestoreTarget, |operation| operation.restore(organization, ResourceKind::Target, id.into()))
    }

    /// Brings a deleted environment back with all it held, within 30 days, and tells its path. Its tokens work again, as
    /// with [`restore_project`](Self::restore_project).
    ///
    /// # Errors
    /// `NotFound`, also when it can no longer be restored; `Conflict`, when its slug was taken meanwhile, or its target
    /// or project was deleted, too.
    pub fn restore_environment(&self, organization: OrganizationId, id: EnvironmentId) -> Result<LevelPath> {
        self.write(UseCase::RestoreEnvironment, |operation| {
            operation.restore(organization, ResourceKind::Environment, id.into())
        })
    }
}

impl OperationContext<'_, '_> {
    fn restore(&mut self, organization: OrganizationId, kind: ResourceKind, id: LevelId) -> Result<LevelPath> {
        let mut record = self.deleted(organization, kind, id)?;
        record.path = match &record.what {
            DeletedThing::Project(project) => self.put_project_back(project)?,
            DeletedThing::Node { project, target, .. } => {
                self.put_node_back(organization, *project, target.unwrap_or((*project).into()), id)?
            }
        };
        let project = record.project();
        self.change_tokens(organization, project, None, |token| {
            token.deleted_with = token.deleted_with.filter(|deleted| *deleted != id);
        })?;
        self.tx.delete(&keys::deleted(organization, id.into()))?;
        let details = Details::default().with("op", "restore").with("name", record.name.as_str());
        let details = details.with("deletedAt", record.deleted_at.to_string());
        self.record(Action::Update, record.resource(), details)?;
        Ok(record.path)
    }

    fn put_project_back(&mut self, project: &ProjectRecord) -> Result<LevelPath> {
        let key = keys::project(project.organization, &project.slug);
        if self.tx.get(&key)?.is_some() {
            return Err(taken(&project.slug));
        }
        self.put_authenticated(&key, project, Precondition::Absent)?;
        let (organization, path) = (project.organization, project.slug.clone());
        let place = PlaceRecord { organization, project: project.id, path };
        self.put_authenticated(&keys::project_id(project.id), &place, Precondition::Absent)?;
        self.tx.delete(&keys::deleted_id(project.id.into()))?;
        LevelPath::new(&project.slug)
    }

    fn put_node_back(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        parent: LevelId,
        id: LevelId,
    ) -> Result<LevelPath> {
        let parent = match self.path_of(parent) {
            Ok((_, path)) => self.place(At::Path(organization, &path), Reach::Inside)?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(without_parent()),
            Err(error) => return Err(error),
        };
        let mut nodes: Vec<NodeRecord> = Vec::new();
        let mut scan = Scan::new(keys::deleted_nodes_of(project, id), Order::Ascending);
        while let Some(record) = scan.next(self.tx)? {
            nodes.push(self.decode_authenticated(&record)?);
            self.tx.delete(&record.key)?;
        }
        let root = nodes.iter().find(|node| node.id == id).cloned().ok_or_else(damaged)?;
        let path = below(&parent, &root.slug);
        if self.tx.get(&keys::node(project, &path))?.is_some() {
            return Err(taken(&root.slug));
        }
        for node in &nodes {
            self.tx.delete(&keys::deleted_id(node.id))?;
            let path = if node.id == id { path.clone() } else { format!("{path}/{}", node.slug) };
            self.put_node(&parent.project, &path, node)?;
        }
        LevelPath::new(&parent.project.slug)?.join(&path)
    }
}

#[cold]
fn taken(slug: &str) -> Error {
    let message = format!("the slug {slug} was taken meanwhile: give what has it another one, then restore this");
    Error::new(ErrorKind::Conflict, message)
}

#[cold]
fn without_parent() -> Error {
    Error::new(ErrorKind::Conflict, "what it stood below was deleted, too: restore that first")
}
