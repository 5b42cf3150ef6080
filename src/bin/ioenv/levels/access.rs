use std::num::NonZero;

use ioenv::http::OutboundPolicy;
use ioenv::vault::{Actor, Organization, OrganizationId, Session, Token, Vault};
use ioenv::{Configuration, SharedVault};

use crate::args::{OutboundArgs, Typed};
use crate::core_dumps;
use crate::project::{Project, refuse_tracked, warn_if_others_can_read};
use crate::result::Result;
use crate::terminal;

/// What is recorded where no token is given.
const SYSTEM: &str = "ioenv command";

/// A vault, and in whose name it is used: that of the token, or else that of the operator, who has the root key.
pub(crate) struct Access {
    pub(crate) vault: Vault,
    token: Option<Token>,
    chosen: Option<String>,
}

impl Access {
    pub(crate) fn open(project: &Project) -> Result<Self> {
        Self::open_with(project, |configuration| Ok(configuration.open_vault()?))
    }

    /// Opens the vault for a command that goes on until it is ended, and leaves no core dump if it crashes.
    pub(crate) fn open_shared(project: &Project, connections: Option<NonZero<u32>>) -> Result<Self> {
        core_dumps::disable();
        Self::open_with(project, |configuration| {
            let SharedVault { vault, warning, .. } = configuration.open_shared_vault(connections)?;
            if let Some(warning) = warning {
                terminal::warning(warning);
            }
            Ok(vault)
        })
    }

    fn open_with(project: &Project, open: impl FnOnce(&Configuration) -> Result<Vault>) -> Result<Self> {
        let configuration = &project.configuration;
        let is_given = std::env::var_os("IOENV_ROOT_KEY").is_some_and(|key| !key.is_empty());
        if let Some(file) = configuration.root_key_file().filter(|_| !is_given) {
            refuse_tracked(&file)?;
            warn_if_others_can_read(&file);
        }
        let token = configuration.token()?;
        Ok(Self { vault: open(configuration)?, token, chosen: project.chosen_organization.clone() })
    }

    /// The same, where the operator allows more places for webhooks.
    pub(crate) fn with_outbound(mut self, args: &OutboundArgs) -> Self {
        let ranges = args.allow_private.iter().map(Typed::get);
        let mut policy = ranges.fold(OutboundPolicy::new(), OutboundPolicy::allow_range);
        if args.allow_http {
            policy = policy.allow_http();
        }
        self.vault = self.vault.with_outbound(policy);
        self
    }

    /// For a vault that was just made.
    pub(crate) fn trusted(vault: Vault) -> Self {
        Self { vault, token: None, chosen: None }
    }

    pub(crate) fn session(&self) -> Session<'_> {
        match &self.token {
            Some(token) => self.vault.session(token.clone()),
            None => self.vault.session(Actor::system(SYSTEM)),
        }
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.token.is_none()
    }

    /// Refuses what concerns all of the vault to whoever came with a token.
    pub(crate) fn trusted_only(&self) -> Result {
        if self.is_trusted() {
            return Ok(());
        }
        Err("this concerns the whole vault, so it is not done in the name of a token: unset IOENV_TOKEN".into())
    }

    /// That of the token, or the one that is chosen, or the only one that is not a person's own.
    pub(crate) fn organization(&self) -> Result<OrganizationId> {
        if self.chosen.is_none() && !self.is_trusted() {
            return Ok(self.session().own_token()?.organization);
        }
        let organizations = self.session().organizations()?;
        // Those of people count if there is no other.
        let shared: Vec<&Organization> = organizations.iter().filter(|one| !one.is_personal).collect();
        let candidates = if shared.is_empty() { organizations.iter().collect() } else { shared };
        let slugs = || organizations.iter().map(|one| one.slug.as_str()).collect::<Vec<_>>().join(", ");
        match (&self.chosen, candidates.as_slice()) {
            (None, [Organization { id, .. }]) => Ok(*id),
            (None, []) => Err("there is no organization in the vault: its creation was cut short; make another".into()),
            (None, _) => {
                Err(format!("there are several organizations: choose one with --organization: {}", slugs()).into())
            }
            (Some(chosen), _) => match organizations.iter().find(|one| one.slug == *chosen) {
                Some(found) => Ok(found.id),
                None => Err(format!("there is no such organization for you; there is: {}", slugs()).into()),
            },
        }
    }
}
