use std::collections::BTreeMap;

use crate::core::audit::{Action, Resource};
use crate::core::id::IntegrationId;
use crate::core::secret::SecretString;
use crate::error::Result;
use crate::store::{Order, Precondition};
use crate::vault::integration::{Integration, Mapping, check_custody, details};
use crate::vault::job_kind::JobKind;
use crate::vault::keys;
use crate::vault::name::check_name;
use crate::vault::place::At;
use crate::vault::provider::Provider;
use crate::vault::records::{IntegrationRecord, Wrapped};
use crate::vault::session::Session;
use crate::vault::setters::setters;
use crate::vault::use_case::UseCase;

/// An integration to link.
#[derive(Clone, Debug)]
pub struct NewIntegration {
    pub(crate) id: Option<IntegrationId>,
    pub(crate) name: String,
    pub(crate) provider: Provider,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) credentials: SecretString,
    pub(crate) environments: Vec<Mapping>,
    pub(crate) enabled: bool,
}

impl NewIntegration {
    /// Creates the input for an integration of that name with that service. It is disabled until it is enabled, so that
    /// its plan can be checked first.
    ///
    /// The credentials are the token of the service, or empty for [`Provider::File`]. They are never shown again.
    pub fn new(name: impl Into<String>, provider: Provider, credentials: impl Into<SecretString>) -> Self {
        Self {
            id: None,
            name: name.into(),
            provider,
            settings: BTreeMap::new(),
            credentials: credentials.into(),
            environments: Vec::new(),
            enabled: false,
        }
    }

    setters! {
        /// Sets the id, which only trusted programs can choose. By default it is a new one.
        id: Option<IntegrationId>;
        /// Sets whether the environments are copied from now on. By default they are not.
        enabled: bool;
    }

    /// Adds a setting that the service needs beside the credentials: see [`Provider`].
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// Adds an environment to copy.
    #[must_use]
    pub fn environment(mut self, mapping: Mapping) -> Self {
        self.environments.push(mapping);
        self
    }
}

impl Session<'_> {
    /// Links a project to another service. It takes the right to read each environment of the map, because their values
    /// are sent away.
    ///
    /// # Errors
    /// `NotFound`, also for an environment; `InvalidName`; `InvalidValue`, for settings, credentials or a map that cannot
    /// be taken; `ClientManaged`; `Conflict`, when the id is taken.
    pub fn link_integration(&self, at: At<'_>, new: &NewIntegration) -> Result<Integration> {
        self.write(UseCase::LinkIntegration, |operation| {
            let place = operation.integrations_of(at)?;
            let mut project = place.project.clone();
            if new.environments.is_empty() {
                operation.rights = operation
                    .rights_at(&place, crate::vault::place::Reach::Inside)?
                    .ok_or_else(|| crate::vault::operation::no_such("project"))?;
                operation.require()?;
            }
            let map = operation.check_map(&project, &new.provider, &new.environments)?;
            check_custody(&project)?;
            let name = check_name(&new.name)?;
            new.provider.check_settings(&new.settings)?;
            if !project.has_integrations {
                project.has_integrations = true;
                operation.put_authenticated(
                    &keys::project(project.organization, &project.slug),
                    &project,
                    Precondition::Present,
                )?;
            }
            let mut record = IntegrationRecord {
                id: operation.given_subject_id(new.id, JobKind::Integration, project.id)?,
                name,
                provider: new.provider.clone(),
                settings: new.settings.clone(),
                environments: BTreeMap::new(),
                enabled: new.enabled,
                paused: None,
                credentials: Wrapped(Vec::new()),
                dek_version: project.dek_version,
                created_at: operation.now,
                created_by: operation.principal.actor.clone(),
                updated_at: operation.now,
            };
            operation.seal_credentials(&project, &mut record, &new.credentials)?;
            operation.put_map(&project, &mut record, map)?;
            operation.put_integration(&project, &mut record, Precondition::Absent)?;
            if record.enabled {
                operation.enqueue_sync(&project, &record)?;
            }
            operation.record(Action::Create, Resource::integration(&project, &record), details(&record))?;
            operation.integration_info(&project, &record)
        })
    }
}

impl Session<'_> {
    /// Removes an integration with its credentials, for good. At the service nothing is removed, and it is not asked.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn unlink_integration(&self, at: At<'_>, id: IntegrationId) -> Result<()> {
        self.write(UseCase::UnlinkIntegration, |operation| {
            let (mut project, mut record) = operation.integration(at, id)?;
            let details = details(&record);
            operation.cancel(JobKind::Integration, id.into())?;
            operation.put_map(&project, &mut record, BTreeMap::new())?;
            operation.remove_range(&keys::integration_writings(project.id, id))?;
            operation.tx.delete(&keys::integration_state(project.id, id))?;
            operation.tx.delete(&keys::integration(project.id, id))?;
            operation.tx.delete(&keys::subject(JobKind::Integration, id.into()))?;
            if operation.tx.scan(&keys::integrations(project.id), Order::Ascending, 1)?.is_empty() {
                project.has_integrations = false;
                operation.put_authenticated(
                    &keys::project(project.organization, &project.slug),
                    &project,
                    Precondition::Present,
                )?;
            }
            operation.record(Action::Delete, Resource::integration(&project, &record), details)
        })
    }
}
