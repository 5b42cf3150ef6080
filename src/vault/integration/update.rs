use crate::core::audit::{Action, Resource};
use crate::core::id::IntegrationId;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Precondition;
use crate::vault::integration::{Integration, Mapping, check_custody, details};
use crate::vault::job_kind::JobKind;
use crate::vault::name::check_name;
use crate::vault::place::At;
use crate::vault::rights::READING;
use crate::vault::session::Session;
use crate::vault::setters::setters;
use crate::vault::use_case::UseCase;

/// The fields of an integration to change. To change the service or its settings, link another integration.
#[derive(Clone, Debug, Default)]
pub struct IntegrationUpdate {
    pub(crate) name: Option<String>,
    pub(crate) environments: Option<Vec<Mapping>>,
    pub(crate) credentials: Option<SecretString>,
    pub(crate) enabled: Option<bool>,
}

impl IntegrationUpdate {
    /// Creates an update that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the name.
        name: Option<impl Into<String>>;
        /// Replaces the environments to copy.
        environments: Option<Vec<Mapping>>;
        /// Sets the token of the service.
        credentials: Option<impl Into<SecretString>>;
        /// Sets whether changes are copied. Enabling it copies the current state at once.
        enabled: Option<bool>;
    }
}

impl Session<'_> {
    /// Changes an integration. With another map or other credentials it takes the right to read each environment of the
    /// map; with other credentials, environments that were deleted are taken out of the map. What was written for an environment that is no longer in it stays where it is.
    ///
    /// # Errors
    /// `NotFound`, also for an environment; `InvalidName`; `InvalidValue`, also when nothing is given; `ClientManaged`,
    /// when it is to be enabled.
    pub fn update_integration(&self, at: At<'_>, id: IntegrationId, update: &IntegrationUpdate) -> Result<Integration> {
        self.write(UseCase::UpdateIntegration, |operation| {
            let (project, mut record) = operation.integration(at, id)?;
            let mut changed: Vec<&str> = Vec::new();
            if update.credentials.is_some() {
                // Other credentials may lead to somebody else's account, where what the actor cannot read is not to go.
                operation.allow(operation.needed.union(READING))?;
                let places = operation.mapped(&record)?.unwrap_or_default();
                let map = places.into_iter().map(|(place, target)| (place.id(), target)).collect();
                operation.put_map(&project, &mut record, map)?;
            }
            if let Some(map) = &update.environments {
                let map = operation.check_map(&project, &record.provider, map)?;
                operation.put_map(&project, &mut record, map)?;
                changed.push("environments");
            }
            if let Some(name) = &update.name {
                record.name = check_name(name)?;
                changed.push("name");
            }
            if let Some(credentials) = &update.credentials {
                operation.seal_credentials(&project, &mut record, credentials)?;
                changed.push("credentials");
            }
            if let Some(enabled) = update.enabled {
                if enabled {
                    check_custody(&project)?;
                }
                record.enabled = enabled;
                record.paused = None;
                changed.push("enabled");
            }
            if changed.is_empty() {
                let message =
                    "nothing is given to change: an integration has a name, environments, credentials and a status";
                return Err(Error::new(ErrorKind::InvalidValue, message));
            }
            if record.enabled {
                operation.enqueue_sync(&project, &record)?;
            } else {
                operation.cancel(JobKind::Integration, id.into())?;
            }
            operation.put_integration(&project, &mut record, Precondition::Present)?;
            let details = details(&record).with("changed", changed);
            operation.record(Action::Update, Resource::integration(&project, &record), details)?;
            operation.integration_info(&project, &record)
        })
    }
}
