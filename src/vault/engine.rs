use std::collections::BTreeMap;
use std::fmt;
#[cfg(feature = "http")]
use std::sync::OnceLock;
use std::sync::{Arc, Mutex, PoisonError};

use super::key_cache::KeyCache;
use super::keys;
use super::records::{VaultRecord, Wrapped, decode, encode};
use crate::core::{Clock, Context, Id, Random, RootKey, Sealed, Timestamp, unwrap, wrap};
use crate::error::{Error, ErrorKind, Result};
use crate::outbound::OutboundPolicy;
#[cfg(feature = "http")]
use crate::outbound::client::Client;
use crate::store::{Precondition, Store, StoreExt as _};
#[cfg(feature = "http")]
use crate::sync::{CloudflareWorkers, Vercel};
use crate::sync::{Provider, SyncTarget};
use crate::system::{SystemClock, SystemRandom};

/// Of the records, not of the store below them.
const SCHEMA: u32 = 1;
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
    pub(super) id: Id,
    pub(super) keys: KeyCache,
    /// The id that was made last, so that the next one is greater.
    last_id: Mutex<Id>,
    pub(super) outbound: OutboundPolicy,
    targets: BTreeMap<Provider, Arc<dyn SyncTarget>>,
    #[cfg(feature = "http")]
    client: OnceLock<Client>,
}

impl Vault {
    /// Opens a vault; an empty store becomes one.
    ///
    /// # Errors
    /// `DecryptionFailed`, with another root key than the one the vault was made with; `UnsupportedVersion`, when it
    /// was written by a newer version of this crate; what the store says.
    pub fn open(store: impl Store + 'static, root: &RootKey) -> Result<Self> {
        Self::open_with(store, root, SystemClock, SystemRandom)
    }

    /// Opens a vault with a clock and a random source of one's own, which only a test should do.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(
        store: impl Store + 'static,
        root: &RootKey,
        clock: impl Clock + 'static,
        random: impl Random + 'static,
    ) -> Result<Self> {
        let store: Box<dyn Store> = Box::new(store);
        let id = match store.read(|tx| tx.get(keys::VAULT))? {
            Some(text) => check_root(&text, root)?,
            None => begin(&*store, root, clock.now(), &random)?,
        };
        Ok(Self {
            store,
            root: root.clone(),
            clock: Box::new(clock),
            random: Box::new(random),
            id,
            keys: KeyCache::default(),
            last_id: Mutex::new(id),
            outbound: OutboundPolicy::new(),
            targets: BTreeMap::new(),
            #[cfg(feature = "http")]
            client: OnceLock::new(),
        })
    }

    /// The same vault, whose requests to other services may go where this policy says.
    #[must_use]
    pub fn with_outbound(mut self, policy: OutboundPolicy) -> Self {
        self.outbound = policy;
        #[cfg(feature = "http")]
        {
            self.client = OnceLock::new();
        }
        self
    }

    /// The same vault, whose integrations with this provider are synced by this target. With the feature `http`, those of
    /// [`Vercel`] and [`CloudflareWorkers`] are there without being named; with
    /// [`EnvFiles`], the operator chooses the directory.
    #[must_use]
    pub fn with_sync_target(mut self, provider: Provider, target: impl SyncTarget + 'static) -> Self {
        self.targets.insert(provider, Arc::new(target));
        self
    }

    /// What syncs integrations with a provider.
    pub(super) fn sync_target(&self, provider: &Provider) -> Result<Arc<dyn SyncTarget>> {
        if let Some(target) = self.targets.get(provider) {
            return Ok(Arc::clone(target));
        }
        match provider {
            #[cfg(feature = "http")]
            Provider::Vercel => Ok(Arc::new(Vercel::new(&self.outbound))),
            #[cfg(feature = "http")]
            Provider::CloudflareWorkers => Ok(Arc::new(CloudflareWorkers::new(&self.outbound))),
            #[cfg(not(feature = "http"))]
            Provider::Vercel | Provider::CloudflareWorkers => {
                let message = "nothing is sent by this build: build ioenv with the feature `http`";
                Err(Error::new(ErrorKind::CrateFeature, message))
            }
            _ => {
                let how = match provider {
                    Provider::File => "`--directory` or `with_sync_target`",
                    _ => "`with_sync_target`",
                };
                let message = format!("this program has no target for {provider}: give it one with {how}");
                Err(Error::new(ErrorKind::Config, message))
            }
        }
    }

    /// The store below.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// How often a key was stretched since the vault was opened; a read never is the reason.
    pub fn derivations(&self) -> u64 {
        self.keys.derivations()
    }

    /// What sends requests to other services. It is made when it is first needed, because it reads certificates.
    #[cfg(feature = "http")]
    pub(crate) fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::new(&self.outbound))
    }

    pub(super) fn now(&self) -> Timestamp {
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

/// Makes an empty store a vault. Where several do at once, the first one counts.
fn begin(store: &dyn Store, root: &RootKey, now: Timestamp, random: &dyn Random) -> Result<Id> {
    let mut bytes = [0; 10];
    random.fill(&mut bytes)?;
    let id = Id::from_parts(now, bytes);
    let check = Wrapped(wrap(root.as_key(), &check_context(id), CHECK, random)?);
    let record = encode(&VaultRecord { schema: SCHEMA, id, created_at: now, check })?;
    store.write(|tx| match tx.get(keys::VAULT)? {
        Some(text) => check_root(&text, root),
        None => {
            tx.put(keys::VAULT, &record, Precondition::Absent)?;
            Ok(id)
        }
    })
}

fn check_root(text: &str, root: &RootKey) -> Result<Id> {
    let record: VaultRecord = decode(text)?;
    if record.schema > SCHEMA {
        let message = "this vault was written by a newer version of ioenv: upgrade";
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

fn check_context(vault: Id) -> Context {
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
