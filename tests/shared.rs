//! What programs share between threads can be shared.

use ioenv::source::{Reading, Request};
use ioenv::{Configuration, Document, Env, Error, KeyRing, KeyString, Layer, LevelKey, Loader, Resolved, SealedFile};

fn is_shared<T: Send + Sync>() {}

#[test]
fn what_loads_and_what_was_loaded_is_send_and_sync() {
    is_shared::<Configuration>();
    is_shared::<Document>();
    is_shared::<Env>();
    is_shared::<Error>();
    is_shared::<KeyRing>();
    is_shared::<KeyString>();
    is_shared::<Layer>();
    is_shared::<LevelKey>();
    is_shared::<Loader>();
    is_shared::<Reading>();
    is_shared::<Request<'_>>();
    is_shared::<Resolved>();
    is_shared::<SealedFile>();
}

#[cfg(feature = "vault")]
#[test]
fn a_vault_and_its_parts_are_send_and_sync() {
    use ioenv::store::{Memory, Store};
    use ioenv::vault::{RootKey, Session, Token, Vault, VaultOptions, VaultSource};

    is_shared::<Box<dyn Store>>();
    is_shared::<Memory>();
    is_shared::<RootKey>();
    is_shared::<Session<'_>>();
    is_shared::<Token>();
    is_shared::<Vault>();
    is_shared::<VaultOptions>();
    is_shared::<VaultSource>();
    #[cfg(feature = "sqlite")]
    is_shared::<ioenv::store::Sqlite>();
    #[cfg(feature = "postgres")]
    is_shared::<ioenv::store::Postgres>();
    #[cfg(feature = "worker")]
    is_shared::<ioenv::worker::Worker<'_>>();
    #[cfg(feature = "server")]
    is_shared::<ioenv::server::Server>();
}
