use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::authenticated_record::RecordAuthenticator;
use super::key_cache::KeyCache;
use super::keys;
use super::outbound_limit::OutboundLimit;
use super::provider::Provider;
use super::records::{VaultRecord, Wrapped, decode, encode};
use super::sync_target::SyncTarget;
use crate::core::cipher::{Aes256Gcm, Cipher};
use crate::core::clock::{Clock, Timestamp};
use crate::core::id::Id;
use crate::core::random::Random;
use crate::core::token::{Sha256Hasher, TokenHasher};
use crate::core::wrap::{Context, RootKey, Sealed, unwrap, wrap};
use crate::error::{Error, ErrorKind, Result};
use crate::http::policy::OutboundPolicy;
use crate::store::{KeyRange, Order, Precondition, Store, StoreExt as _};
use crate::system::{SystemClock, SystemRandom};

/// Of the records, not of the store below them.
const SCHEMA: u32 = 2;
/// What the check of a root key says when it is opened.
const CHECK: &[u8] = b"ioenv vault";

/// An in-process secrets service.
///
/// It holds no secret but keys, which it wipes when it is dropped.
pub struct Vault {
    pub(super) store: Box<dyn Store>,
    pub(super) root: RootKey,
    pub(super) clock: Box<dyn Clock>,
    pub(super) random: Box<dyn Random>,
    pub(super) hasher: Box<dyn TokenHasher>,
    pub(super) cipher: Box<dyn Cipher>,
    pub(super) id: Id,
    pub(super) keys: KeyCache,
    pub(super) authenticator: RecordAuthenticator,
    /// The id that was made last, so that the next one is greater.
    last_id: Mutex<Id>,
    pub(crate) outbound: OutboundPolicy,
    pub(super) outbound_limit: OutboundLimit,
    targets: BTreeMap<Provider, Box<dyn SyncTarget>>,
}

impl Vault {
    /// Makes a vault in an empty store.
    ///
    /// # Errors
    /// `Conflict`, when the store is not empty; what the store and the system's random source say.
    pub fn create(store: impl Store + 'static, root: &RootKey) -> Result<Self> {
        VaultOptions::new(root).create(store)
    }

    /// Opens the vault in a store.
    ///
    /// # Errors
    /// `NotFound`, when there is no vault in the store; `DecryptionFailed`, with another root key than the one the vault
    /// was made with; `UnsupportedVersion`, when it was written by a newer version of this crate, or by one
    /// that did not authenticate its records; what the store says.
    pub fn open(store: impl Store + 'static, root: &RootKey) -> Result<Self> {
        VaultOptions::new(root).open(store)
    }

    /// Sets the policy for requests to the URLs of webhooks.
    #[must_use]
    pub fn with_outbound(mut self, policy: OutboundPolicy) -> Self {
        self.outbound = policy;
        self
    }

    /// Sets the target that syncs integrations with this provider. With the feature `worker`, those of Vercel and
    /// Cloudflare Workers need none; for files, [`worker::EnvFiles`](crate::worker::EnvFiles) is one, whose directory the
    /// operator chooses.
    #[must_use]
    pub fn with_sync_target(mut self, provider: Provider, target: impl SyncTarget + 'static) -> Self {
        self.targets.insert(provider, Box::new(target));
        self
    }

    /// Returns the target that was set for a provider.
    pub(crate) fn sync_target(&self, provider: &Provider) -> Option<&dyn SyncTarget> {
        self.targets.get(provider).map(|target| &**target)
    }

    /// The store below.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// How often a key was stretched since the vault was opened; a read never is the reason.
    pub fn derivations(&self) -> u64 {
        self.keys.derivations()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An id that is greater than all this vault has made before.
    pub(super) fn new_id(&self, now: Timestamp) -> Result<Id> {
        let mut random = [0; 10];
        self.random.fill(&mut random)?;
        let mut last = self.last_id.lock().unwrap_or_else(PoisonError::into_inner);
        let id = Id::from_parts(now, random);
        *last = if id > *last { id } else { last.next().unwrap_or(id) };
        Ok(*last)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("store", &self.store).finish_non_exhaustive()
    }
}

/// What a vault uses beside its store: the root key, a clock, a random source, and how it hashes tokens and seals blobs.
///
/// ```
/// # fn main() -> ioenv::Result<()> {
/// use ioenv::vault::{RootKey, Sha256Hasher, VaultOptions};
/// use ioenv::{Aes256Gcm, SystemRandom, store::Memory};
///
/// let root = RootKey::generate(&SystemRandom)?;
/// let options = VaultOptions::new(&root).token_hasher(Sha256Hasher).cipher(Aes256Gcm);
/// let vault = options.create(Memory::new())?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens before `create` or `open`"]
pub struct VaultOptions {
    root: RootKey,
    clock: Box<dyn Clock>,
    random: Box<dyn Random>,
    hasher: Box<dyn TokenHasher>,
    cipher: Box<dyn Cipher>,
}

impl VaultOptions {
    /// The system's clock and random source, SHA-256 and AES-256-GCM.
    pub fn new(root: &RootKey) -> Self {
        Self {
            root: root.clone(),
            clock: Box::new(SystemClock),
            random: Box::new(SystemRandom),
            hasher: Box::new(Sha256Hasher),
            cipher: Box::new(Aes256Gcm),
        }
    }

    /// Takes the time from another clock, such as one that a test sets.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Takes random bytes, and so keys, from another source, such as a hardware module.
    pub fn random(mut self, random: impl Random + 'static) -> Self {
        self.random = Box::new(random);
        self
    }

    /// Hashes tokens in another way, such as with a key. Tokens that were issued with another hasher are unknown.
    pub fn token_hasher(mut self, hasher: impl TokenHasher + 'static) -> Self {
        self.hasher = Box::new(hasher);
        self
    }

    /// Seals and opens the blobs of levels with another cipher. Blobs of another cipher do not open.
    pub fn cipher(mut self, cipher: impl Cipher + 'static) -> Self {
        self.cipher = Box::new(cipher);
        self
    }

    /// Makes a vault in an empty store.
    ///
    /// # Errors
    /// As [`Vault::create`].
    pub fn create(self, store: impl Store + 'static) -> Result<Vault> {
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes)?;
        let now = self.clock.now();
        let id = Id::from_parts(now, bytes);
        let check = Wrapped(wrap(self.root.as_key(), &check_context(id), CHECK, &*self.random)?);
        let record = encode(&VaultRecord { schema: SCHEMA, id, created_at: now, check })?;
        store.write(|tx| {
            if !tx.scan(&KeyRange::prefix(""), Order::Ascending, 1)?.is_empty() {
                let message = "the store is not empty, so no vault can be made in it: open the vault that is there, or name \
                               another store";
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            tx.put(keys::VAULT, &record, Precondition::Absent)
        })?;
        Ok(self.vault(Box::new(store), id))
    }

    /// Opens the vault in a store.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open(self, store: impl Store + 'static) -> Result<Vault> {
        let Some(text) = store.read(|tx| tx.get(keys::VAULT))? else {
            let message = "there is no vault in this store: make one with `ioenv vault init` or `Vault::create`, or name \
                           another store";
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        let id = check_root(&text, &self.root)?;
        Ok(self.vault(Box::new(store), id))
    }

    fn vault(self, store: Box<dyn Store>, id: Id) -> Vault {
        let Self { root, clock, random, hasher, cipher } = self;
        let authenticator = RecordAuthenticator::new(&root, id);
        Vault {
            store,
            root,
            clock,
            random,
            hasher,
            cipher,
            id,
            keys: KeyCache::default(),
            authenticator,
            last_id: Mutex::new(id),
            outbound: OutboundPolicy::new(),
            outbound_limit: OutboundLimit::default(),
            targets: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for VaultOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultOptions").finish_non_exhaustive()
    }
}

fn check_root(text: &str, root: &RootKey) -> Result<Id> {
    let record: VaultRecord = decode(text)?;
    if record.schema > SCHEMA {
        let message = "this vault was written by a newer version of ioenv: upgrade";
        return Err(Error::new(ErrorKind::UnsupportedVersion, message));
    }
    if record.schema < SCHEMA {
        let message = "this vault was written by an older version of ioenv, which did not protect the records that say who \
                       may do what from changes in the database, so it is refused: export its levels with that version, \
                       and import them into a new vault";
        return Err(Error::new(ErrorKind::UnsupportedVersion, message));
    }
    match unwrap(root.as_key(), &check_context(record.id), &record.check.0) {
        Ok(check) if check.expose_secret() == CHECK => Ok(record.id),
        _ => Err(Error::new(
            ErrorKind::DecryptionFailed,
            "the root key is not the one this vault was made with: give that one in IOENV_ROOT_KEY or a root key file",
        )),
    }
}

/// The place of the text by which a vault recognizes its root key.
pub(super) fn check_context(vault: Id) -> Context {
    Context::row(vault.into(), vault.into(), Sealed::Check, &[], 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_is_shared_between_threads() {
        fn assert_bounds<T: Send + Sync>() {}
        assert_bounds::<Vault>();
    }
}
