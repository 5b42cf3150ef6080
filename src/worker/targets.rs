#[cfg(feature = "worker")]
use super::cloudflare::CloudflareWorkers;
#[cfg(not(feature = "worker"))]
use super::feature_is_missing;
#[cfg(feature = "worker")]
use super::vercel::Vercel;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::engine::Vault;
use crate::vault::provider::Provider;
use crate::vault::sync_target::SyncTarget;

/// The targets that a program need not configure. They keep their connections for the next sync.
#[derive(Debug, Default)]
pub(super) struct Targets {
    #[cfg(feature = "worker")]
    vercel: Vercel,
    #[cfg(feature = "worker")]
    cloudflare: CloudflareWorkers,
}

impl Targets {
    /// Returns what syncs integrations with a provider: the target that the vault was given, or one of these.
    #[cfg_attr(not(feature = "worker"), expect(clippy::unused_self, reason = "there are none in this build"))]
    pub(super) fn find<'a>(&'a self, vault: &'a Vault, provider: &Provider) -> Result<&'a dyn SyncTarget> {
        if let Some(target) = vault.sync_target(provider) {
            return Ok(target);
        }
        let how = match provider {
            #[cfg(feature = "worker")]
            Provider::Vercel => return Ok(&self.vercel),
            #[cfg(feature = "worker")]
            Provider::CloudflareWorkers => return Ok(&self.cloudflare),
            #[cfg(not(feature = "worker"))]
            Provider::Vercel | Provider::CloudflareWorkers => return Err(feature_is_missing()),
            Provider::File => "`--directory` or `with_sync_target`",
            Provider::Other(_) => "`with_sync_target`",
        };
        let message = format!("this program has no target for {provider}: give it one with {how}");
        Err(Error::new(ErrorKind::Config, message))
    }
}
