use super::super::call::Call;
use super::super::keys;
use super::super::place::Reach;
use super::super::records::{NodeRecord, ProjectRecord, TokenRecord, decode, put, require};
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, Details, Id, LevelPath, Resource, Slug};
use crate::store::{KeyRange, Order, When};

/// How many records are removed at a time.
const BATCH: usize = 500;

impl Session<'_> {
    /// Removes a project with its levels, versions and keys, for good. Its tokens no longer work.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_project(&self, organization: Id, slug: &Slug) -> Result<()> {
        self.write(UseCase::DeleteProject, |call| {
            let project = call.place(organization, &LevelPath::from(slug), Reach::Inside)?.project;
            call.remove_project(&project)?;
            let resource = Resource::project(organization, project.id, &project.slug);
            call.record(Action::Delete, resource, Details::default().with("name", project.name.as_str()))
        })
    }
}

impl Call<'_, '_> {
    pub(in super::super) fn remove_project(&mut self, project: &ProjectRecord) -> Result<()> {
        for record in self.tx.scan(&keys::nodes(project.id, ""), Order::Ascending, usize::MAX)? {
            let node: NodeRecord = decode(&record.value)?;
            self.tx.delete(&keys::node_id(node.id))?;
            self.tx.delete(&record.key)?;
        }
        let project_wide = [
            keys::levels(project.id),
            keys::accesses(project.id),
            keys::floors(project.id),
            keys::project_versions(project.id),
            keys::contents(project.id),
            keys::data_keys(project.id),
            keys::storage_keys(project.id),
        ];
        for range in &project_wide {
            self.remove_range(range)?;
        }
        self.remove_tokens(&keys::project_accounts(project.id))?;
        self.tx.delete(&keys::counter(project.id))?;
        self.tx.delete(&keys::project_number(project.organization, project.number))?;
        self.tx.delete(&keys::project_id(project.id))?;
        self.tx.delete(&keys::project(project.organization, &project.slug))?;
        self.remove_grants(project, None)?;
        self.revoke_tokens_of(project, None)
    }

    pub(in super::super) fn remove_range(&mut self, range: &KeyRange) -> Result<()> {
        loop {
            let records = self.tx.scan(range, Order::Ascending, BATCH)?;
            for record in &records {
                self.tx.delete(&record.key)?;
            }
            if records.len() < BATCH {
                return Ok(());
            }
        }
    }

    /// Revokes the tokens that are bound to a project, or of these only the ones that are bound to a node of it.
    pub(in super::super) fn revoke_tokens_of(&mut self, project: &ProjectRecord, node: Option<Id>) -> Result<()> {
        for record in self.tx.scan(&keys::token_ids(project.organization), Order::Ascending, usize::MAX)? {
            let hash: String = decode(&record.value)?;
            let key = keys::token(&hash);
            let mut token: TokenRecord = require(self.tx, &key)?;
            let is_bound = token
                .scope
                .as_ref()
                .is_some_and(|scope| scope.project == project.id && (node.is_none() || scope.node == node));
            if is_bound && token.revoked_at.is_none() {
                token.revoked_at = Some(self.now);
                put(self.tx, &key, &token, When::Present)?;
            }
        }
        Ok(())
    }
}
