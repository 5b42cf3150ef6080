use std::collections::BTreeMap;

use super::super::entry::NewEntry;
use super::super::name::check_description;
use super::super::node::below;
use super::super::operation::OperationContext;
use super::super::place::{Reach, SlugRule, slug_of};
use super::super::records::{NodeKind, NodeRecord};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{DEFAULT_STATUS, Environment, PRODUCTION};
use crate::core::{Action, Details, Id, LevelPath, Permission, Resource, Slug};
use crate::{Error, ErrorKind, Result};

/// An environment that is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewEnvironment {
    /// Its id; a new one, where none is given. Only trusted programs can give one.
    pub id: Option<Id>,
    /// Its name.
    pub name: String,
    /// Its slug; made of the name, where none is given.
    pub slug: Option<Slug>,
    /// Which slugs it may have.
    pub slug_rule: SlugRule,
    /// What it is about.
    pub description: Option<String>,
    /// `production`, `staging`, `development` (which it is, where nothing is given), `local`, or a word of one's own.
    pub status: Option<String>,
    /// Whether it holds what live systems use; where nothing is given, whether its status is `production`.
    pub is_production: Option<bool>,
    /// What it holds from the beginning, which takes `secret:write`, too.
    pub entries: Vec<NewEntry>,
}

impl NewEnvironment {
    /// An environment of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            slug: None,
            slug_rule: SlugRule::default(),
            description: None,
            status: None,
            is_production: None,
            entries: Vec::new(),
        }
    }
}

impl Session<'_> {
    /// Makes an environment below a project or below a target.
    ///
    /// # Errors
    /// `NotFound`, without the parent; `InvalidName`; `InvalidValue`; `Conflict`, when the
    /// slug or the id is taken; `ClientManaged`, for entries.
    pub fn create_environment(
        &self,
        organization: Id,
        parent: &LevelPath,
        new: &NewEnvironment,
    ) -> Result<Environment> {
        self.write(UseCase::CreateEnvironment, |operation| {
            let mut place = operation.place(organization, parent, Reach::Inside)?;
            if place.nodes.last().is_some_and(|node| node.kind == NodeKind::Environment) {
                let message = "an environment stands below a project or a target, not below another environment";
                return Err(Error::new(ErrorKind::InvalidName, message));
            }
            let mut node = operation.new_node(
                &place,
                NodeKind::Environment,
                new.id,
                &new.name,
                new.slug.as_ref(),
                new.slug_rule,
            )?;
            node.description = check_description(new.description.as_deref())?;
            let status = check_status(new.status.as_deref().unwrap_or(DEFAULT_STATUS))?;
            node.is_production = new.is_production.unwrap_or(status == PRODUCTION);
            node.status = Some(status);
            operation.put_node(&place.project, &below(&place, &node.slug), &node)?;
            place.nodes.push(node.clone());
            operation.record(
                Action::Create,
                Resource::of(&place)?,
                Details::default().with("name", node.name.as_str()),
            )?;
            if !new.entries.is_empty() {
                let change = operation.change(organization, &place.path()?)?;
                operation.allow(Permission::SecretWrite.into())?;
                operation.create_entries(change, &new.entries)?;
            }
            Ok(node.into())
        })
    }
}

/// One of the four words, or a word of one's own, made a slug.
pub(super) fn check_status(status: &str) -> Result<String> {
    let status = slug_of(status);
    if status.is_empty() {
        return Err(Error::new(ErrorKind::InvalidValue, "the status of an environment is a word of a-z, 0-9 and -"));
    }
    Ok(status)
}

/// The environments that come with a project that has a `_base`, beside that.
pub(in super::super) fn builtin(
    operation: &mut OperationContext<'_, '_>,
    ids: &BTreeMap<String, Id>,
) -> Result<Vec<NodeRecord>> {
    let builtin = [("dev", DEFAULT_STATUS), ("staging", "staging"), ("prod", PRODUCTION)];
    let nodes = builtin.map(|(name, status)| {
        Ok(NodeRecord {
            id: operation.given_place_id(ids.get(name).copied())?,
            kind: NodeKind::Environment,
            name: name.to_owned(),
            slug: name.to_owned(),
            description: None,
            status: Some(status.to_owned()),
            is_production: status == PRODUCTION,
            is_builtin: true,
            created_at: operation.now,
            updated_at: operation.now,
        })
    });
    nodes.into_iter().collect()
}
