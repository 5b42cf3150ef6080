//! Opening the vault that is configured.

use std::num::NonZero;
use std::sync::Arc;

use super::configuration::Configuration;
use super::location::VaultLocation;
use super::variables::variable;
use crate::core::token::Token;
use crate::core::wrap::RootKey;
#[cfg(feature = "sqlite")]
use crate::error::ErrorKind;
use crate::error::{Error, Result};
use crate::store::Store;
use crate::vault::engine::Vault;

impl Configuration {
    /// Opens the vault at the [`vault_location`](Self::vault_location), with the [`root_key`](Self::root_key). No thread
    /// is started by it.
    ///
    /// # Errors
    /// `Config`, when the vault or its root key is not named; `NotFound`, for a store without a vault; `CrateFeature`,
    /// when the store it is in is not compiled in; as [`Vault::open`].
    pub fn open_vault(&self) -> Result<Vault> {
        Vault::open(open_store(&self.vault_location()?)?, &self.required_root_key()?)
    }

    /// Opens the vault for a program that goes on working with it, such as a server. A PostgreSQL database is used over
    /// several connections at once: as many as `connections`, or else as `IOENV_VAULT_CONNECTIONS`, or else four for each
    /// core, but at least 8 and at most 64. Threads are started for them.
    ///
    /// # Errors
    /// As [`open_vault`](Self::open_vault); `Config`, if `IOENV_VAULT_CONNECTIONS` is no number from 1 on.
    pub fn open_shared_vault(&self, connections: Option<NonZero<u32>>) -> Result<SharedVault> {
        let given = variable("IOENV_VAULT_CONNECTIONS")?.map(|text| {
            let message = "IOENV_VAULT_CONNECTIONS must be a number from 1 on";
            text.parse::<NonZero<u32>>().map_err(|_| Error::config(message))
        });
        let connections = connections.map_or_else(|| given.transpose(), |connections| Ok(Some(connections)))?;
        let (store, warning) = open_shared_store(&self.vault_location()?, connections)?;
        Ok(SharedVault { vault: Vault::open(store, &self.required_root_key()?)?, warning })
    }

    /// Opens the vault for a program that reads from it with a token.
    pub(super) fn open_vault_with_token(&self) -> Result<(Vault, Token)> {
        let store = open_store(&self.vault_location()?)?;
        let token = self.token()?.ok_or_else(|| {
            Error::config(
                "no token is given: put one into IOENV_TOKEN or into a file that IOENV_TOKEN_FILE names; \
                 `ioenv vault token create` makes one",
            )
        })?;
        Ok((Vault::open(store, &self.required_root_key()?)?, token))
    }

    fn required_root_key(&self) -> Result<RootKey> {
        self.root_key()?.ok_or_else(|| {
            Error::config(
                "the root key of the vault is not given: give it in IOENV_ROOT_KEY, in the file that \
                 IOENV_ROOT_KEY_FILE names, or in ioenv.root beside ioenv.toml",
            )
        })
    }
}

/// A vault for a program that goes on working with it.
#[derive(Debug)]
#[non_exhaustive]
pub struct SharedVault {
    /// The vault.
    pub vault: Vault,
    /// What its operator should know, such as that the database allows fewer connections than were asked for.
    pub warning: Option<String>,
}

/// Opens the store that a location names, with as many connections as a server needs.
fn open_shared_store(
    location: &VaultLocation,
    connections: Option<NonZero<u32>>,
) -> Result<(Arc<dyn Store>, Option<String>)> {
    #[cfg(feature = "postgres")]
    if let VaultLocation::Postgres(url) = location
        && is_postgres(url.expose_secret())
    {
        let store = match connections {
            Some(connections) => crate::store::Postgres::connect_pool(url.expose_secret(), connections.get())?,
            None => crate::store::Postgres::connect(url.expose_secret())?,
        };
        let size = store.pool_size();
        let warning = size.allowed.filter(|allowed| *allowed < size.wanted).map(|allowed| {
            format!(
                "the database allows {allowed} connections, fewer than the {} that are wanted: raise its limits                  (max_connections, or those of the role or the database), or set --connections",
                size.wanted
            )
        });
        return Ok((Arc::new(store), warning));
    }
    // Beside PostgreSQL there is nothing to choose.
    let _ = connections;
    Ok((open_store(location)?, None))
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Opens the store that a location names. It starts no threads.
fn open_store(location: &VaultLocation) -> Result<Arc<dyn Store>> {
    match location {
        #[cfg(feature = "sqlite")]
        VaultLocation::File(file) => match crate::store::Sqlite::open(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let message =
                    "there is no vault here: make one with `ioenv vault init`, or name another in IOENV_VAULT";
                Err(Error::new(ErrorKind::NotFound, message).with_file(file))
            }
            opened => Ok(Arc::new(opened?)),
        },
        VaultLocation::Postgres(url) if !is_postgres(url.expose_secret()) => Err(Error::config(
            "a vault is a file, or a PostgreSQL database whose URL begins with postgres:// or postgresql://: name one of \
             these in IOENV_VAULT",
        )),
        #[cfg(feature = "postgres")]
        VaultLocation::Postgres(url) => Ok(Arc::new(crate::store::Postgres::connect_single(url.expose_secret())?)),
        #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
        location => Err(location.not_compiled_in()),
    }
}
