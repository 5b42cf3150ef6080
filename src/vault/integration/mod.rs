//! Integrations: what environments amount to, copied to other services and kept the same there.

#[cfg(feature = "worker")]
mod job;
mod link;
pub(crate) mod runs;
pub(crate) mod sync;
mod update;
mod written;

use std::collections::{BTreeMap, BTreeSet};

pub use self::link::NewIntegration;
pub use self::update::IntegrationUpdate;
use super::envelope::{Row, client_managed};
use super::job_kind::JobKind;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::place::{Place, Reach};
use super::provider::Provider;
use super::queue::NewJob;
use super::records::{IntegrationRecord, ProjectRecord, damaged, put};
use super::rights::READING;
use super::session::Session;
use super::use_case::UseCase;
use crate::core::audit::{Action, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::core::id::IntegrationId;
use crate::core::id::LevelId;
use crate::core::id::ProjectId;
use crate::core::path::LevelPath;
use crate::core::permission::PermissionSet;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Order, Precondition};
use crate::vault::place::At;
use crate::vault::records::id_in;
use crate::vault::scan::Scan;

/// Most environments that an integration copies.
const MAX_ENVIRONMENTS: usize = 100;
/// Longest credentials, in bytes.
const MAX_CREDENTIALS: usize = 4096;

/// A link of a project to another service. Its credentials are not told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Integration {
    /// Its id.
    pub id: IntegrationId,
    /// The project.
    pub project: ProjectId,
    /// Its name.
    pub name: String,
    /// The service.
    pub provider: Provider,
    /// What the service needs to be told beside the credentials, such as `project` and `team`.
    pub settings: BTreeMap<String, String>,
    /// The environments that are copied, ascending by path; without those that were deleted.
    pub environments: Vec<Mapping>,
    /// Whether changes are copied.
    pub enabled: bool,
    /// Why they no longer are, after five attempts in a row have failed.
    pub paused: Option<String>,
    /// When it was linked.
    pub created_at: Timestamp,
    /// When one of these, or its credentials, was changed last.
    pub updated_at: Timestamp,
}

/// An environment, and what a service calls it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Mapping {
    /// The environment.
    pub environment: LevelPath,
    /// What the service calls it.
    pub target: String,
}

impl Mapping {
    /// That environment under that name.
    pub fn new(environment: LevelPath, target: impl Into<String>) -> Self {
        Self { environment, target: target.into() }
    }

    /// The environment under the name that the service is likely to have for it; none, where nothing suggests itself.
    ///
    /// ```
    /// # fn main() -> ioenv::Result<()> {
    /// use ioenv::vault::{Mapping, Provider};
    ///
    /// let mapping = Mapping::suggested("shop/prod".parse()?, &Provider::Vercel);
    /// assert_eq!(mapping.map(|mapping| mapping.target).as_deref(), Some("production"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn suggested(environment: LevelPath, provider: &Provider) -> Option<Self> {
        let target = provider.suggested_target(environment.segments().last()?)?;
        Some(Self::new(environment, target))
    }
}

impl Resource {
    fn integration(project: &ProjectRecord, record: &IntegrationRecord) -> Self {
        let mut resource =
            Self::project(project.organization, project.id, &project.slug).kind(ResourceKind::Integration);
        resource.id = Some(record.id.into());
        resource.name = Some(record.name.clone());
        resource
    }
}

impl OperationContext<'_, '_> {
    /// A project that can have integrations. What the actor may do there is for each integration to say.
    fn integrations_of(&mut self, at: At<'_>) -> Result<Place> {
        self.project_place(at, Reach::Beneath)
    }

    /// An integration, if the actor may do this with it.
    fn integration(&mut self, at: At<'_>, id: IntegrationId) -> Result<(ProjectRecord, IntegrationRecord)> {
        let place = self.integrations_of(at)?;
        let record: IntegrationRecord =
            self.get_authenticated(&keys::integration(place.project.id, id))?.ok_or_else(|| no_such("integration"))?;
        self.rights = self.integration_rights(&place, &record)?.ok_or_else(|| no_such("integration"))?;
        self.require()?;
        Ok((place.project, record))
    }

    /// What the actor may do at each environment of an integration; at the project, where it has none. None, if it may
    /// not know of one of them.
    fn integration_rights(&mut self, project: &Place, record: &IntegrationRecord) -> Result<Option<PermissionSet>> {
        let Some(places) = self.mapped(record)? else {
            return Ok(None);
        };
        if places.is_empty() {
            return self.rights_at(project, Reach::Inside);
        }
        let mut rights = PermissionSet::ALL;
        for (place, _) in &places {
            match self.rights_at(place, Reach::Inside)? {
                Some(here) => rights = rights.intersection(here),
                None => return Ok(None),
            }
        }
        Ok(Some(rights))
    }

    /// The environments of an integration that are there, with their names at the service; none, if the actor may not
    /// know of one of them.
    fn mapped(&mut self, record: &IntegrationRecord) -> Result<Option<Vec<(Place, String)>>> {
        let mut places = Vec::new();
        for (node, target) in &record.environments {
            let (organization, path) = match self.path_of(*node) {
                Ok(found) => found,
                // It was deleted, and may be restored.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            match self.place(At::Path(organization, &path), Reach::Beneath) {
                Ok(place) => places.push((place, target.clone())),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(places))
    }

    /// What is told of an integration.
    fn integration_info(&mut self, project: &ProjectRecord, record: &IntegrationRecord) -> Result<Integration> {
        let places = self.mapped(record)?.unwrap_or_default();
        let mut environments = places
            .into_iter()
            .map(|(place, target)| Ok(Mapping::new(place.path()?, target)))
            .collect::<Result<Vec<_>>>()?;
        environments.sort();
        Ok(Integration {
            id: record.id,
            project: project.id,
            name: record.name.clone(),
            provider: record.provider.clone(),
            settings: record.settings.clone(),
            environments,
            enabled: record.enabled,
            paused: record.paused.clone(),
            created_at: record.created_at,
            updated_at: record.updated_at,
        })
    }

    /// The environments of a map, each of which the actor must be able to read, and may have copied.
    fn check_map(
        &mut self,
        project: &ProjectRecord,
        provider: &Provider,
        map: &[Mapping],
    ) -> Result<BTreeMap<LevelId, String>> {
        if map.len() > MAX_ENVIRONMENTS {
            return Err(Error::new(ErrorKind::Limit, "an integration copies at most 100 environments"));
        }
        let mut environments = BTreeMap::new();
        for mapping in map {
            let place = self.environment_place(At::Path(project.organization, &mapping.environment))?;
            // Whoever has values sent away must be able to read them.
            self.allow(self.needed.union(READING))?;
            if place.project.id != project.id {
                let message = "an integration copies environments of its own project";
                return Err(Error::new(ErrorKind::InvalidValue, message));
            }
            provider.check_target(&mapping.target)?;
            if environments.insert(place.id(), mapping.target.clone()).is_some() {
                return Err(Error::new(ErrorKind::InvalidValue, "an environment stands twice in the map"));
            }
        }
        let targets: BTreeSet<&String> = environments.values().collect();
        if targets.len() < environments.len() {
            let message = "two environments would be copied to the same place, and overwrite each other";
            return Err(Error::new(ErrorKind::InvalidValue, message));
        }
        Ok(environments)
    }

    /// Writes a map in the place of another one. What was written for an environment that is no longer there, or has
    /// another name now, is forgotten: nobody removes it.
    fn put_map(
        &mut self,
        project: &ProjectRecord,
        record: &mut IntegrationRecord,
        map: BTreeMap<LevelId, String>,
    ) -> Result<()> {
        for (node, target) in &record.environments {
            if map.get(node) != Some(target) {
                self.tx.delete(&keys::integration_written(project.id, record.id, *node))?;
                self.tx.delete(&keys::environment_integration(project.id, *node, record.id))?;
            }
        }
        for node in map.keys() {
            put(self.tx, &keys::environment_integration(project.id, *node, record.id), &(), Precondition::Always)?;
        }
        record.environments = map;
        Ok(())
    }

    fn put_integration(
        &mut self,
        project: &ProjectRecord,
        record: &mut IntegrationRecord,
        when: Precondition,
    ) -> Result<()> {
        record.updated_at = self.now;
        self.put_authenticated(&keys::integration(project.id, record.id), record, when)
    }

    /// Wraps credentials with the project DEK that is in use.
    fn seal_credentials(
        &mut self,
        project: &ProjectRecord,
        record: &mut IntegrationRecord,
        credentials: &SecretString,
    ) -> Result<()> {
        let text = credentials.expose_secret();
        let is_empty_as_it_should = text.is_empty() && !record.provider.takes_credentials();
        if !is_empty_as_it_should
            && (text.is_empty() || text.len() > MAX_CREDENTIALS || text.contains(char::is_control))
        {
            let message = "the credentials are the token of the service: 1 to 4096 bytes, without line ends";
            return Err(Error::new(ErrorKind::InvalidValue, message));
        }
        record.credentials = self.seal_row(project, Row::Credentials(record.id), text.as_bytes())?;
        record.dek_version = project.dek_version;
        Ok(())
    }

    pub(super) fn credentials(&mut self, project: &ProjectRecord, record: &IntegrationRecord) -> Result<SecretString> {
        let row = Row::Credentials(record.id);
        let bytes = self.open_row(project, row, record.dek_version, &record.credentials)?;
        Ok(std::str::from_utf8(bytes.expose_secret()).map_err(|_| damaged())?.into())
    }

    /// Has an integration copy what there is now, in place of what waits.
    fn enqueue_sync(&mut self, project: &ProjectRecord, record: &IntegrationRecord) -> Result<()> {
        self.enqueue(NewJob {
            kind: JobKind::Integration,
            subject: record.id.into(),
            organization: project.organization,
            project: project.id,
            // It is done for all environments at once.
            node: project.id.into(),
            lane: record.provider.to_string(),
        })
    }

    /// Has the integrations of these environments copy them, those that are enabled.
    pub(super) fn sync_integrations(
        &mut self,
        project: &ProjectRecord,
        environments: &BTreeSet<LevelId>,
    ) -> Result<()> {
        let mut concerned = BTreeSet::new();
        let range = keys::project_environment_integrations(project.id);
        let mut scan = Scan::new(range, Order::Ascending);
        while let Some(link) = scan.next(self.tx)? {
            let (above, _) = link.key.rsplit_once('/').ok_or_else(damaged)?;
            if environments.contains(&id_in(above)?) {
                concerned.insert(id_in(&link.key)?);
            }
        }
        for id in concerned {
            let record: Option<IntegrationRecord> = self.get_authenticated(&keys::integration(project.id, id))?;
            if let Some(record) = record.filter(|record| record.enabled) {
                self.enqueue_sync(project, &record)?;
            }
        }
        Ok(())
    }

    /// Removes the links of an environment, or the integrations of a project. At the services nothing is removed.
    pub(super) fn remove_integrations(&mut self, project: ProjectId, node: Option<LevelId>) -> Result<()> {
        let Some(node) = node else {
            let mut scan = Scan::new(keys::integrations(project), Order::Ascending);
            while let Some(stored) = scan.next(self.tx)? {
                let id = id_in(&stored.key)?;
                self.cancel(JobKind::Integration, id)?;
                self.tx.delete(&keys::subject(JobKind::Integration, id))?;
            }
            let ranges = [
                keys::integrations(project),
                keys::integration_states(project),
                keys::project_integration_writings(project),
                keys::project_environment_integrations(project),
            ];
            return ranges.iter().try_for_each(|range| self.remove_range(range));
        };
        let mut scan = Scan::new(keys::environment_integrations(project, node), Order::Ascending);
        while let Some(link) = scan.next(self.tx)? {
            let id: IntegrationId = id_in(&link.key)?;
            if let Some(mut record) = self.get_authenticated::<IntegrationRecord>(&keys::integration(project, id))? {
                record.environments.remove(&node);
                self.put_authenticated(&keys::integration(project, id), &record, Precondition::Present)?;
            }
            self.tx.delete(&keys::integration_written(project, id, node))?;
            self.tx.delete(&link.key)?;
        }
        Ok(())
    }
}

/// The vault copies what it can open.
fn check_custody(project: &ProjectRecord) -> Result<()> {
    if project.custody == Custody::Client { Err(client_managed()) } else { Ok(()) }
}

/// What is recorded of an integration.
fn details(record: &IntegrationRecord) -> Details {
    Details::default()
        .with("provider", record.provider.as_str())
        .with("environments", record.environments.len())
        .with("enabled", record.enabled)
}

impl Session<'_> {
    /// An integration of a project.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn integration(&self, at: At<'_>, id: IntegrationId) -> Result<Integration> {
        self.read(UseCase::ReadIntegration, |operation| {
            let (project, record) = operation.integration(at, id)?;
            operation.record(Action::Read, Resource::integration(&project, &record), details(&record))?;
            operation.integration_info(&project, &record)
        })
    }
}

impl Session<'_> {
    /// The integrations of a project that the actor may see, in the order they were linked.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn integrations(&self, at: At<'_>) -> Result<Vec<Integration>> {
        self.read(UseCase::ListIntegrations, |operation| {
            let place = operation.integrations_of(at)?;
            let mut integrations = Vec::new();
            let mut scan = Scan::new(keys::integrations(place.project.id), Order::Ascending);
            while let Some(stored) = scan.next(operation.tx)? {
                let record: IntegrationRecord = operation.decode_authenticated(&stored)?;
                let rights = operation.integration_rights(&place, &record)?;
                if rights.is_some_and(|rights| rights.contains_all(operation.needed)) {
                    integrations.push(operation.integration_info(&place.project, &record)?);
                }
            }
            let details = Details::default().with("op", "integrations").with("count", integrations.len());
            operation.record(Action::Read, Resource::of(&place)?, details)?;
            Ok(integrations)
        })
    }
}
