use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::time::{Duration, Instant};

use crate::core::document::Kind;
use crate::core::id::OrganizationId;
use crate::core::merge::Resolved;
use crate::core::name::VarName;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};

/// How long one environment may be worked on. It is far below the time that a job is its worker's.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// A service that holds copies of secrets. One value of it serves all integrations of its [`Provider`](super::Provider).
///
/// A sync asks for a [plan](Self::plan), writes down what is about to be written, and has the plan
/// [applied](Self::apply). It is done at least once: after a crash it begins again, and finds in the plan what is left.
/// `docs/integrations.md` says how to write a target of one's own.
pub trait SyncTarget: Debug + Send + Sync {
    /// Compares what is there with what is wanted, and changes nothing. Where the service does not tell values, an entry
    /// that is [there already](DesiredEntry::is_written) is unchanged.
    ///
    /// Nothing may be deleted but what is [removable](Desired::removable).
    ///
    /// # Errors
    /// Whatever kept it from telling. The text is stored and shown, so no value and no credential goes into it.
    fn plan(&self, place: &SyncPlace<'_>, desired: &Desired) -> Result<SyncPlan>;

    /// Makes the changes of a plan, in their order, and tells how many were made. It looks at
    /// [`check_time`](SyncPlace::check_time) before each one that takes time.
    fn apply(&self, place: &SyncPlace<'_>, plan: &SyncPlan, desired: &Desired) -> Applied;
}

/// Where at a service something is to be written, and what opens the door.
#[non_exhaustive]
pub struct SyncPlace<'a> {
    /// What the integration says of the service, such as `project` and `team`.
    pub settings: &'a BTreeMap<String, String>,
    /// The token of the service.
    pub credentials: &'a SecretString,
    /// What the service calls the environment.
    pub target: &'a str,
    organization: Option<OrganizationId>,
    deadline: Instant,
}

impl<'a> SyncPlace<'a> {
    /// A place, for 40 seconds from now.
    pub fn new(settings: &'a BTreeMap<String, String>, credentials: &'a SecretString, target: &'a str) -> Self {
        Self { settings, credentials, target, organization: None, deadline: Instant::now() + PATIENCE }
    }

    /// Sets the organization that the integration belongs to.
    #[must_use]
    pub(crate) fn of_organization(mut self, organization: OrganizationId) -> Self {
        self.organization = Some(organization);
        self
    }

    /// Returns the organization that the integration belongs to, if the place is of an integration of a vault. A target that
    /// writes to what several organizations share keeps them apart by it.
    pub fn organization(&self) -> Option<OrganizationId> {
        self.organization
    }

    /// The same until then, if that is sooner.
    #[must_use]
    pub(crate) fn until(mut self, deadline: Instant) -> Self {
        self.deadline = self.deadline.min(deadline);
        self
    }

    /// What the integration says under that name.
    ///
    /// # Errors
    /// `Config`, when it says nothing.
    pub fn setting(&self, name: &str) -> Result<&'a str> {
        let message = || Error::new(ErrorKind::Config, format!("the integration has no setting `{name}`"));
        self.settings.get(name).map(String::as_str).ok_or_else(message)
    }

    /// Refuses to begin anything more when the time is up: somebody else may be at work soon.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn check_time(&self) -> Result<()> {
        if Instant::now() < self.deadline {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unavailable, "there was no time to make all changes: the next attempt goes on"))
    }
}

impl Debug for SyncPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncPlace").field("target", &self.target).finish_non_exhaustive()
    }
}

/// What a service is to hold.
#[derive(Default)]
#[non_exhaustive]
pub struct Desired {
    /// What is wanted, ascending by name.
    pub entries: Vec<DesiredEntry>,
    /// Names that were put there by the integration and are no longer wanted, ascending. Only these may be deleted.
    pub removable: Vec<VarName>,
}

impl Desired {
    /// What an environment amounts to; nothing of it is there yet, and nothing may be deleted.
    pub fn new(resolved: &Resolved) -> Self {
        let entries = resolved.iter().map(|variable| DesiredEntry {
            name: variable.name().clone(),
            value: variable.value().clone(),
            kind: variable.kind(),
            is_written: false,
        });
        Self { entries: entries.collect(), removable: Vec::new() }
    }

    /// The entry of that name.
    pub fn get(&self, name: &str) -> Option<&DesiredEntry> {
        let found = self.entries.binary_search_by(|entry| entry.name.as_str().cmp(name));
        found.ok().map(|index| &self.entries[index])
    }
}

impl Debug for Desired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desired")
            .field("entries", &self.entries.len())
            .field("removable", &self.removable.len())
            .finish_non_exhaustive()
    }
}

/// One entry that is wanted.
#[non_exhaustive]
pub struct DesiredEntry {
    /// Its name.
    pub name: VarName,
    /// Its value, as it is sent.
    pub value: SecretString,
    /// Whether the value may be shown.
    pub kind: Kind,
    /// Whether exactly this is what the integration wrote last.
    pub is_written: bool,
}

impl Debug for DesiredEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DesiredEntry").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What is to change at a service: names, and never a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncPlan {
    /// The changes, in the order they are made in.
    pub changes: Vec<SyncChange>,
    /// What stays as it is.
    pub unchanged: Vec<VarName>,
}

impl SyncPlan {
    /// A plan in which nothing changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a change, or a name that stays as it is.
    pub fn add(&mut self, name: &VarName, kind: Kind, action: Option<SyncAction>, reference: Option<String>) {
        match action {
            Some(action) => self.changes.push(SyncChange { name: name.clone(), kind, action, reference }),
            None => self.unchanged.push(name.clone()),
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many changes of that kind there are.
    pub fn count(&self, action: SyncAction) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }
}

/// One change at a service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncChange {
    /// The name.
    pub name: VarName,
    /// Whether the value may be shown; of what is deleted, [`Kind::Secret`].
    pub kind: Kind,
    /// What is done.
    pub action: SyncAction,
    /// What the target itself needs to find it again, such as an id of the service.
    pub reference: Option<String>,
}

/// What is done to a name at a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "nothing else is done")]
pub enum SyncAction {
    /// It is not there, and is put there.
    Create,
    /// It is there, and gets this value.
    Update,
    /// It was put there by the integration, and is removed.
    Delete,
}

impl SyncAction {
    /// The action as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for SyncAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How far a plan was applied.
#[derive(Debug)]
#[non_exhaustive]
pub struct Applied {
    /// How many changes were made: that many from the beginning of the plan.
    pub changes: usize,
    /// What kept it from making the others.
    pub error: Option<Error>,
}

impl Applied {
    /// All changes of a plan were made.
    pub fn all(plan: &SyncPlan) -> Self {
        Self { changes: plan.changes.len(), error: None }
    }

    /// That many were made, and then something went wrong. The text is stored and shown, so no value goes into it.
    pub fn stopped(changes: usize, error: Error) -> Self {
        Self { changes, error: Some(error) }
    }

    /// Makes the changes one by one, as long as there is time and none fails.
    pub fn one_by_one(place: &SyncPlace<'_>, plan: &SyncPlan, mut make: impl FnMut(&SyncChange) -> Result<()>) -> Self {
        for (count, change) in plan.changes.iter().enumerate() {
            if let Err(error) = place.check_time().and_then(|()| make(change)) {
                return Self::stopped(count, error);
            }
        }
        Self::all(plan)
    }
}
