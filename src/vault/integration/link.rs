use std::collections::BTreeMap;

use super::super::keys;
use super::super::name::check_name;
use super::super::records::{IntegrationRecord, Wrapped, put};
use super::super::session::Session;
use super::super::use_case::UseCase;
use super::{Integration, Mapping, check_custody, details};
use crate::Result;
use crate::core::{Action, Id, Resource, SecretString, Slug};
use crate::store::Precondition;
use crate::sync::Provider;

/// An integration that is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewIntegration {
    /// Its id; a new one, where none is given, which only trusted programs may.
    pub id: Option<Id>,
    /// Its name.
    pub name: String,
    /// The service.
    pub provider: Provider,
    /// What the service needs to be told beside the credentials: see [`Provider`].
    pub settings: BTreeMap<String, String>,
    /// The token of the service; nothing, for [`Provider::File`]. It is not told again.
    pub credentials: SecretString,
    /// The environments that are to be copied.
    pub environments: Vec<Mapping>,
    /// Whether they are copied from now on; not unless this is set, so that the plan can be seen first.
    pub enabled: bool,
}

impl NewIntegration {
    /// An integration of that name with that service, which waits to be enabled.
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

    /// The same, with one more setting.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// The same, with one more environment.
    #[must_use]
    pub fn environment(mut self, mapping: Mapping) -> Self {
        self.environments.push(mapping);
        self
    }

    /// The same, enabled.
    #[must_use]
    pub fn enabled(mut self) -> Self {
        self.enabled = true;
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
    pub fn link_integration(&self, organization: Id, project: &Slug, new: &NewIntegration) -> Result<Integration> {
        self.write(UseCase::LinkIntegration, |operation| {
            let place = operation.integrations_of(organization, project)?;
            let mut project = place.project.clone();
            if new.environments.is_empty() {
                operation.rights =
                    operation.rights_at(&place, super::Reach::Inside)?.ok_or_else(|| super::no_such("project"))?;
                operation.require()?;
            }
            let map = operation.check_map(organization, &project, &new.provider, &new.environments)?;
            check_custody(&project)?;
            let name = check_name(&new.name)?;
            new.provider.check_settings(&new.settings)?;
            if !project.has_integrations {
                project.has_integrations = true;
                put(operation.tx, &keys::project(organization, &project.slug), &project, Precondition::Present)?;
            }
            let mut record = IntegrationRecord {
                id: operation.given_subject_id(new.id, &keys::all_integrations())?,
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
