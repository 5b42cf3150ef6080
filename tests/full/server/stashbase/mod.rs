//! Stashbase over HTTP.

mod environments;
mod history;
mod identity;
mod limits;
mod projects;
mod refusals;
mod sdk;
mod secrets;
mod webhooks;

use ioenv::vault::{
    Actor, At, EnvironmentId, EnvironmentRole, NewAccount, NewEnvironment, NewMember, NewPersonalKey, NewProject,
    NewServiceAccount, NewServiceKey, PermissionSet, PersonalKeyLevel, ProjectId, SlugRule, Token, UserId, Vocabulary,
};
use serde_json::{Value, json};

use super::stage::{Answer, Client, Stage, path};

/// The environment that keys are for.
pub(crate) const AT: &str = "/v1/projects/billing/environments/api-dev";
/// The same, for a key of its own.
pub(crate) const OWN: &str = "/v1/environment";

/// What is said of when all began.
pub(crate) const START: &str = "2031-02-03T04:05:06.789Z";

/// A vault with the project `billing` and its environment `api-dev`.
pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) project: ProjectId,
    pub(crate) environment: EnvironmentId,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::on(Stage::memory())
    }

    pub(crate) fn on(stage: Stage) -> Self {
        let mut project = NewProject::new("billing");
        // At another service it would be a word of its addresses.
        project = project.slug("billing".parse().unwrap()).slug_rule(SlugRule::Any).description("What is paid");
        let project = stage.system().create_project(stage.acme, &project).unwrap().id;
        let environment = NewEnvironment::new("api-dev");
        let environment =
            stage.system().create_environment(At::Path(stage.acme, &path("billing")), &environment).unwrap().id;
        Self { stage, project, environment }
    }

    /// A key of an account of the environment, with these permissions.
    pub(crate) fn account_key(&self, permissions: PermissionSet) -> Token {
        let new = NewAccount::new("runner", permissions);
        self.stage.system().create_account(At::Path(self.stage.acme, &path("billing/api-dev")), &new).unwrap().key
    }

    /// A key of a service account with these permissions.
    pub(crate) fn service_key(&self, permissions: PermissionSet) -> Token {
        let system = self.stage.system();
        let account = system.create_service_account(self.stage.acme, &NewServiceAccount::new("ci", permissions));
        system.create_service_key(self.stage.acme, account.unwrap().id, &NewServiceKey::new("one")).unwrap().key
    }

    /// A key of a user of that role in the workspace.
    pub(crate) fn personal_key(&self, email: &str, role: &str, level: PersonalKeyLevel) -> (UserId, Token) {
        let (acme, vault) = (self.stage.acme, &self.stage.vault);
        let new = NewMember::new(email, "Ann Oak", format!("workspace:{role}").parse().unwrap());
        let user = self.stage.system().add_member(acme, &new).unwrap().user;
        let key = vault.session(Actor::User(user)).create_personal_key(acme, &NewPersonalKey::new("laptop", level));
        (user, key.unwrap().key)
    }

    /// A client of the environment that may do all an account can.
    pub(crate) fn own(&self) -> Client {
        self.stage.client(&self.account_key(EnvironmentRole::ACCOUNT))
    }

    /// A client of the workspace that may do everything.
    pub(crate) fn workspace(&self) -> Client {
        self.stage.client(&self.service_key(PermissionSet::ALL))
    }

    /// Both, each with where the environment is for it.
    pub(crate) fn both(&self) -> [(Client, &'static str); 2] {
        [(self.own(), OWN), (self.workspace(), AT)]
    }
}

/// Permissions in the words of the service.
pub(crate) fn words<const N: usize>(words: [&str; N]) -> PermissionSet {
    Vocabulary::Stashbase.parse(words).unwrap()
}

impl Answer {
    /// A refusal, which must have that status and code; its details.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        let mut body = self.json(status);
        let error = body["error"].as_object_mut().unwrap();
        assert_eq!(error["code"], code, "{error:?}");
        let message = error["message"].as_str().unwrap();
        assert!(message.ends_with('.') && message.len() > 10, "{message}");
        let details = error["details"].take();
        assert!(details.is_object());
        error.retain(|key, _| !["code", "message", "details"].contains(&key.as_str()));
        assert_eq!(body, json!({"error": {}}));
        details
    }
}
