//! The engine: an in-process secrets service over a [`Store`].
//!
//! ```
//! # fn main() -> ioenv::Result<()> {
//! use ioenv::vault::{Actor, NewOrganization, NewProject, RootKey, Vault};
//! use ioenv::{Document, SystemRandom, store::Memory};
//!
//! let vault = Vault::open(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
//! let session = vault.session(Actor::system("setup"));
//! let acme = session.create_organization(NewOrganization::new("Acme"))?.id;
//! session.create_project(acme, NewProject::new("acme-store"))?;
//! session.set_document(acme, &"acme-store".parse()?, &Document::parse("PORT=8080\n")?)?;
//! let env = session.resolve(acme, &"acme-store".parse()?)?;
//! assert_eq!(env.get("PORT").unwrap().value().expose_secret(), "8080");
//! # Ok(())
//! # }
//! ```
//!
//! A [`Vault`] is shared between threads and used through [`Session`]s, one for each actor. Every call is one
//! transaction: it finds out who asks, whether that actor may, finds what is meant, checks what is asked, changes it and
//! records it in the audit log, or does nothing at all. `docs/vault.md` has the whole model.

mod access;
mod account;
mod audit;
mod authenticate;
mod check;
mod content;
mod counts;
#[cfg(feature = "sealed")]
mod declare;
mod deleted;
mod diff;
mod entries;
mod entry;
mod environment;
mod grant;
mod identity;
mod integration;
mod key;
mod key_cache;
mod keys;
mod level;
mod member;
mod name;
mod node;
mod operation;
mod organization;
mod own_key;
mod page;
mod personal_key;
mod place;
mod project;
mod queue;
mod records;
mod rights;
mod role;
mod service_account;
mod service_key;
mod session;
mod statistics;
mod target;
mod team;
mod token;
mod use_case;
mod user;
mod version;
mod webhook;

use std::collections::BTreeMap;
use std::fmt;
#[cfg(feature = "http")]
use std::sync::OnceLock;
use std::sync::{Arc, Mutex, PoisonError};

// Who does what in a vault.
pub use self::session::{Actor, Session};
pub use self::use_case::UseCase;
pub use crate::core::{Id, RootKey};
pub use crate::load::VaultSource;

// Organizations, projects, targets and environments.
pub use self::counts::{Counts, LevelSummary, ProjectSummary};
pub use self::environment::{
    Environment, EnvironmentUpdate, IdOrSlug, LocatedEnvironment, LocatedProject, NewEnvironment,
};
pub use self::organization::{NewOrganization, Organization, OrganizationStatus, OrganizationUpdate};
pub use self::page::{Page, Paging};
pub use self::place::SlugRule;
pub use self::project::{Custody, NewProject, Project, ProjectUpdate, SecretFormat};
pub use self::statistics::Statistics;
pub use self::target::{NewTarget, Target, TargetUpdate};
pub use crate::core::{EnvironmentName, Tier};

// What was deleted.
pub use self::deleted::Deleted;

// Levels and their entries.
pub use self::check::{DamagedRecord, IntegrityReport};
pub use self::content::MAX_BLOB_BYTES;
pub use self::entry::{
    ComparedEntries, CreatedEntries, DeletedEntries, Entries, EntryMetadata, EntryScope, EntryUpdate, FoundEntry,
    NewEntry, Search, SetEntries, SetEntry, StoredEntry, UpdatedEntries,
};
pub use self::level::{Blob, Blobs, Export, NewBlob};

// Versions.
pub use self::content::VersionAction;
pub use self::version::{Change, ChangedEntry, PurgeScope, Restore, Version, VersionContent};

// Keys.
pub use self::key::{
    ClientRotation, HistoryPolicy, KeyInfo, NewKey, PendingVersion, PendingVersions, ProjectKey, Reencrypted,
    RotationStep,
};

// Tokens.
pub use self::token::{IssuedToken, NewToken, TokenInfo, TokenUpdate};
pub use crate::core::{Sha256Hasher, Token, TokenFormat, TokenHash, TokenHasher};

// Accounts and keys.
pub use self::account::{Account, IssuedAccount, NewAccount};
pub use self::identity::{
    AccountIdentity, Identity, MembershipIdentity, Named, ServiceAccountIdentity, TokenIdentity, UserIdentity,
};
pub use self::own_key::{KeyOwner, OwnKey};
pub use self::personal_key::{IssuedPersonalKey, NewPersonalKey, PersonalKey};
pub use self::service_account::{NewServiceAccount, ServiceAccount, ServiceAccountUpdate};
pub use self::service_key::{IssuedServiceKey, NewServiceKey, ServiceKey};
pub use crate::core::IpRange;

// Users and members.
pub use self::grant::{Grant, Grantee};
pub use self::member::{Invitation, IssuedInvitation, Member, MemberUpdate, NewInvitation, NewMember};
pub use self::role::{NewRole, Role, RoleUpdate};
pub use self::team::{NewTeam, Team, TeamUpdate};
pub use self::user::{NewUser, User, UserUpdate};

// Webhooks, and what delivers to them.
#[cfg(feature = "http")]
pub use self::queue::Worker;
pub use self::webhook::{CreatedWebhook, NewWebhook, Webhook, WebhookLog, WebhookTest, WebhookUpdate};

// Copies of secrets at other services.
pub use self::integration::{Integration, IntegrationPlan, IntegrationRun, IntegrationUpdate, Mapping, NewIntegration};
pub use crate::sync::{
    Applied, Desired, DesiredEntry, EnvFiles, Provider, SyncAction, SyncChange, SyncPlace, SyncPlan, SyncTarget,
};
#[cfg(feature = "http")]
pub use crate::sync::{CloudflareWorkers, Vercel};

// Permissions and roles.
pub use crate::core::{
    CloudRole, EnvironmentRole, GrantRole, MemberRole, OrganizationRole, Permission, PermissionSet, PersonalKeyLevel,
    ProjectRole, TokenPreset, Vocabulary, WorkspaceRole,
};

// The audit log.
pub use self::audit::AuditFilter;
pub use crate::core::{Action, ActorKind, AuditActor, AuditRecord, Details, Resource, ResourceKind, Retention};

// Declarations.
#[cfg(feature = "sealed")]
pub use self::declare::{Declaration, Step, StepAction, StepKind};
// Requests to other services.
pub use crate::core::DeliveryError;
pub use crate::outbound::{Lookup, OutboundPolicy};

// Time.
pub use crate::core::{Clock, Timestamp};
pub use crate::system::SystemClock;

use self::key_cache::KeyCache;
use self::records::{VaultRecord, Wrapped, decode, encode};
use crate::core::{Context, Random, Sealed, unwrap, wrap};
#[cfg(feature = "http")]
use crate::outbound::client::Client;
use crate::store::{Precondition, Store, StoreExt as _};
use crate::system::SystemRandom;
use crate::{Error, ErrorKind, Result};

/// Of the records, not of the store below them.
const SCHEMA: u32 = 1;
/// What the check of a root key says when it is opened.
const CHECK: &[u8] = b"ioenv vault";

/// An in-process secrets service.
///
/// It holds no secret but keys, which it wipes when it is dropped.
pub struct Vault {
    store: Box<dyn Store>,
    root: RootKey,
    clock: Box<dyn Clock>,
    random: Box<dyn Random>,
    id: Id,
    keys: KeyCache,
    /// The id that was made last, so that the next one is greater.
    last_id: Mutex<Id>,
    outbound: OutboundPolicy,
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
    fn sync_target(&self, provider: &Provider) -> Result<Arc<dyn SyncTarget>> {
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

    /// A session in the name of `actor`, in which everything is done.
    pub fn session(&self, actor: impl Into<Actor>) -> Session<'_> {
        Session::new(self, actor.into())
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

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An id that is greater than all this vault has made before.
    fn new_id(&self, now: Timestamp) -> Result<Id> {
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
    Context::row(vault, vault, Sealed::Check, &[], 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_is_shared_between_threads() {
        fn assert_bounds<T: Send + Sync>() {}
        assert_bounds::<Vault>();
        assert_bounds::<Session<'_>>();
    }
}
