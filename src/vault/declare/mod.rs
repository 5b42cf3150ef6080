//! Declarations: what there is to be in a vault, as one text in TOML.
//!
//! A declaration is applied step by step, each of which is a call of a [`Session`](super::session::Session) with its own audit
//! records. So one that was cut short is finished by applying it again.

mod apply;
mod dump;
mod model;
mod parse;
mod table;
mod words;
mod write;

use std::fmt;

use self::model::Organization;
use super::webhook::url::Shown;
use crate::core::id::Id;
use crate::core::path::LevelPath;
use crate::core::secret::SecretString;
use crate::core::words::words;

/// What there is to be in a vault: organizations with their people, projects, entries and credentials. `docs/apply.md`
/// describes the text it is read from.
///
/// ```
/// # fn main() -> ioenv::Result<()> {
/// use ioenv::store::Memory;
/// use ioenv::vault::{Actor, Declaration, RootKey, Vault};
/// use ioenv::SystemRandom;
///
/// let declaration = Declaration::parse(
///     r#"
///     [[organization]]
///     name = "Acme"
///
///     [[organization.project]]
///     name = "acme-store"
///     variables.PORT = "8080"
///
///     [[organization.token]]
///     name = "server"
///     permissions = ["read"]
///     path = "acme-store"
///     "#,
/// )?;
/// let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
/// let session = vault.session(Actor::system("setup"));
/// let mut token = None;
/// session.apply(&declaration, &mut |step| {
///     token = token.take().or(step.credential);
///     Ok(())
/// })?;
/// assert!(token.is_some());
///
/// // All of it is there now.
/// session.apply(&declaration, &mut |step| {
///     assert!(step.is_unchanged());
///     Ok(())
/// })?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Declaration {
    organizations: Vec<Organization>,
}

/// Without what it says, of which much is secret.
impl fmt::Debug for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Declaration").field("organizations", &self.organizations.len()).finish_non_exhaustive()
    }
}

/// What became of one thing that is declared.
#[derive(Clone)]
#[non_exhaustive]
pub struct Step {
    /// What was done, or what would be.
    pub action: StepAction,
    /// What kind of thing it is.
    pub kind: StepKind,
    /// The slug of its organization.
    pub organization: String,
    /// Where it is in the organization, if it is at one place.
    pub path: Option<LevelPath>,
    /// Its name; an email address of a member, who something is granted to of a grant, the URL of a webhook.
    pub name: String,
    /// Its id, once it has one.
    pub id: Option<Id>,
    /// What was changed about it, or has to be set yet: the value of a new secret whose value the declaration does not
    /// say.
    pub fields: Vec<&'static str>,
    /// The token, key or signing secret that was made with it. It is told this once.
    pub credential: Option<SecretString>,
}

impl Step {
    /// Whether it was there as it is declared.
    pub fn is_unchanged(&self) -> bool {
        self.action == StepAction::Unchanged
    }

    /// Whether it is a secret that was made without a value, which has to be set yet.
    pub fn lacks_value(&self) -> bool {
        self.action == StepAction::Created && self.fields.contains(&"value")
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Step");
        shown.field("action", &self.action).field("kind", &self.kind).field("path", &self.path);
        match self.kind {
            StepKind::Webhook => shown.field("name", &Shown(&self.name)),
            _ => shown.field("name", &self.name),
        };
        shown.field("fields", &self.fields).field("credential", &self.credential).finish_non_exhaustive()
    }
}

/// What was done about something that is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "something is made, changed or left alone")]
pub enum StepAction {
    /// It was made.
    Created,
    /// It was there, and was changed.
    Updated,
    /// It was there as it is declared, and was left alone.
    Unchanged,
}

words! {
    /// A kind of thing that can be declared.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum StepKind: "a kind of step" {
        /// An organization.
        Organization = "organization",
        /// A role that an organization made.
        Role = "role",
        /// A team.
        Team = "team",
        /// A member of an organization.
        Member = "member",
        /// A project.
        Project = "project",
        /// A target.
        Target = "target",
        /// An environment.
        Environment = "environment",
        /// An entry whose value may be shown.
        Variable = "variable",
        /// An entry whose value may not be shown.
        Secret = "secret",
        /// A role that a user or a team has in a project or an environment.
        Grant = "grant",
        /// An account of an environment.
        Account = "account",
        /// A service account.
        ServiceAccount = "service-account",
        /// A key of a service account.
        ServiceKey = "service-key",
        /// A token.
        Token = "token",
        /// A webhook.
        Webhook = "webhook",
    }
}
