//! Brings a vault to what a declaration says. Nothing is ever removed.

mod credentials;
mod entries;
mod hierarchy;
mod people;

use std::collections::BTreeMap;

pub(super) use self::people::all_members;
use super::model::Organization;
use super::table::Position;
use crate::core::id::Id;
use crate::core::id::OrganizationId;
use crate::core::path::LevelPath;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::declare::{Declaration, Step, StepAction, StepKind};
use crate::vault::place::At;
use crate::vault::session::Session;
use crate::vault::setters::Patch;

impl Session<'_> {
    /// Makes what a declaration says and is not there, and changes what differs. What is as it is declared is left
    /// alone, and so is what is not declared.
    ///
    /// Each thing is told to `report` as soon as it is there, with the credential that was made for it, which is told
    /// this once. When a step fails, or its report does, those before it have been done, and applying the declaration again does the rest.
    ///
    /// # Errors
    /// What the methods say that do each step, with the [`position`](Error::position) of what was declared; `Conflict`
    /// also for what cannot be changed that way, such as the custody of a project, and for an id that is declared for
    /// something else than what has it.
    pub fn apply(&self, declaration: &Declaration, report: &mut dyn FnMut(Step) -> Result<()>) -> Result<()> {
        Apply { session: self, is_plan: false, moved: BTreeMap::new(), report }.run(declaration)
    }

    /// Tells what [`apply`](Self::apply) would do, and does nothing.
    ///
    /// # Errors
    /// As [`apply`](Self::apply), as far as it can be told without doing it.
    pub fn plan(&self, declaration: &Declaration, report: &mut dyn FnMut(Step) -> Result<()>) -> Result<()> {
        Apply { session: self, is_plan: true, moved: BTreeMap::new(), report }.run(declaration)
    }
}

struct Apply<'a, 's> {
    session: &'a Session<'s>,
    /// Whether nothing is to be done.
    is_plan: bool,
    /// In a plan, where levels are that would have another path.
    moved: BTreeMap<LevelPath, LevelPath>,
    report: &'a mut dyn FnMut(Step) -> Result<()>,
}

/// An organization that is there, or that would be.
struct Owner<'a> {
    declared: &'a Organization,
    /// None, in a plan that would make it.
    id: Option<OrganizationId>,
}

impl Owner<'_> {
    fn step(&self, kind: StepKind, name: &str) -> Step {
        Step {
            action: StepAction::Unchanged,
            kind,
            organization: self.declared.slug.clone(),
            path: None,
            name: name.to_owned(),
            id: None,
            fields: Vec::new(),
            credential: None,
        }
    }
}

impl Step {
    fn at(mut self, path: &LevelPath) -> Self {
        self.path = Some(path.clone());
        self
    }

    fn id(mut self, id: Option<impl Into<Id>>) -> Self {
        self.id = id.map(Into::into);
        self
    }

    fn created(mut self) -> Self {
        self.action = StepAction::Created;
        self
    }

    fn credential(mut self, credential: SecretString) -> Self {
        self.credential = Some(credential);
        self
    }

    /// With what was changed; of what was just made, that is not told.
    fn changed(mut self, fields: Vec<&'static str>) -> Self {
        if self.action != StepAction::Created && !fields.is_empty() {
            self.action = StepAction::Updated;
            self.fields = fields;
        }
        self
    }
}

impl Apply<'_, '_> {
    fn run(&mut self, declaration: &Declaration) -> Result<()> {
        let there = self.session.organizations()?;
        let mut owners = Vec::new();
        // First, because a new user makes an organization, too, which must not take the slug of a declared one.
        for declared in &declaration.organizations {
            let id = at(declared.at, self.organization(declared, &there))?;
            owners.push(Owner { declared, id });
        }
        for owner in &owners {
            self.roles(owner)?;
            self.teams(owner)?;
            self.moved.clear();
            self.members(owner)?;
            self.projects(owner)?;
            self.grants(owner)?;
            self.accounts(owner)?;
            self.service_accounts(owner)?;
            self.tokens(owner)?;
            self.webhooks(owner)?;
        }
        Ok(())
    }

    fn tell(&mut self, step: Step) -> Result<()> {
        (self.report)(step)
    }
}

impl<'s> Apply<'_, 's> {
    /// What is listed of an organization; nothing of one that would have to be made.
    fn listed<T>(
        &self,
        owner: &Owner<'_>,
        list: impl FnOnce(&Session<'s>, OrganizationId) -> Result<Vec<T>>,
    ) -> Result<Vec<T>> {
        owner.id.map_or_else(|| Ok(Vec::new()), |id| list(self.session, id))
    }

    /// Where a place is that is declared at a path.
    fn located(&self, path: &LevelPath) -> Result<LevelPath> {
        let mut below = Vec::new();
        let mut above = Some(path.clone());
        while let Some(at) = above {
            if let Some(there) = self.moved.get(&at) {
                return below.iter().rev().try_fold(there.clone(), |path, slug: &String| path.join(slug));
            }
            below.extend(at.segments().last().map(str::to_owned));
            above = at.parent();
        }
        Ok(path.clone())
    }

    /// What is listed at a place; nothing, in a plan that would make the place.
    pub(super) fn at_place<T>(
        &self,
        owner: &Owner<'_>,
        path: &LevelPath,
        list: impl FnOnce(&Session<'s>, At<'_>) -> Result<Vec<T>>,
    ) -> Result<Vec<T>> {
        let path = self.located(path)?;
        match self.listed(owner, |session, id| list(session, At::Path(id, &path))) {
            Err(error) if self.is_plan && error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            listed => listed,
        }
    }
}

/// Says where something is declared that failed.
fn at<T>(position: Position, result: Result<T>) -> Result<T> {
    result.map_err(|error| match position {
        // Not from a text.
        (0, _) => error,
        (line, column) => error.with_position(line, column),
    })
}

/// What is declared, among what is there: by its id, or else by what people call it.
fn find<T, I: Copy + PartialEq>(
    there: &[T],
    id: Option<I>,
    id_of: impl Fn(&T) -> I,
    is_called_so: impl Fn(&T) -> bool,
) -> Result<Option<&T>> {
    let called = there.iter().find(|one| is_called_so(one));
    let Some(id) = id else {
        return Ok(called);
    };
    let found = there.iter().find(|one| id_of(one) == id);
    if called.is_some_and(|called| id_of(called) != id) {
        let message = "something else is called so, with another id: leave out the id, or choose another name";
        return Err(Error::new(ErrorKind::Conflict, message));
    }
    Ok(found)
}

/// The same for what may be called like others are.
fn find_one<T, I: Copy + PartialEq>(
    there: &[T],
    id: Option<I>,
    id_of: impl Fn(&T) -> I,
    is_called_so: impl Fn(&T) -> bool,
) -> Option<&T> {
    there.iter().find(|one| id.map_or_else(|| is_called_so(one), |id| id_of(one) == id))
}

/// Notes that a field differs, and tells what it is to become.
fn differs<T: PartialEq + Clone>(
    fields: &mut Vec<&'static str>,
    field: &'static str,
    declared: Option<&T>,
    there: &T,
) -> Option<T> {
    let declared = declared.filter(|declared| *declared != there)?;
    fields.push(field);
    Some(declared.clone())
}

/// The same for a description, of which an empty one is none.
fn describes(fields: &mut Vec<&'static str>, declared: Option<&String>, there: Option<&String>) -> Patch<String> {
    differs(fields, "description", declared, &there.cloned().unwrap_or_default()).into()
}
