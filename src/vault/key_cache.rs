use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::core::aes_key::AesKey;
use crate::core::id::Id;
use crate::core::id::ProjectId;
use crate::core::key::{KeyDerivation, KeyString, LevelKey};
use crate::error::Result;

/// Most keys that are kept unwrapped.
const MAX_KEYS: usize = 4096;

/// Keys that were unwrapped, for the life of the vault. A key of a version never changes, so nothing here grows stale;
/// that holds for committed versions only, so a transaction's keys come here when it is through.
#[derive(Default)]
pub(super) struct KeyCache {
    keys: Mutex<HashMap<KeyName, AesKey>>,
    derivations: AtomicU64,
}

/// Whose key, what for, and which version of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct KeyName {
    pub(super) owner: Id,
    pub(super) purpose: Purpose,
    pub(super) version: u32,
    /// Of a level key: how often its project has changed hands, since the key may come back as another one.
    pub(super) custody_changes: u32,
}

/// A key that a transaction unwrapped, or made.
pub(super) type Unwrapped = (KeyName, AesKey);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    /// Wraps the project DEKs of an organization.
    Kek,
    /// Wraps the rows of a project.
    Dek,
    /// Seals the blobs of a project.
    Level,
}

impl KeyCache {
    pub(super) fn get(&self, name: KeyName) -> Option<AesKey> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned()
    }

    /// Keeps what a transaction unwrapped that is through.
    pub(super) fn keep(&self, unwrapped: Vec<Unwrapped>) {
        if unwrapped.is_empty() {
            return;
        }
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() + unwrapped.len() > MAX_KEYS {
            keys.clear();
        }
        keys.extend(unwrapped);
    }

    /// Forgets the keys that blobs of a project are sealed with: the vault is to be unable to open them.
    pub(super) fn forget_level_keys(&self, project: ProjectId) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|name, _| name.owner != project.into() || name.purpose != Purpose::Level);
    }

    pub(super) fn derivations(&self) -> u64 {
        self.derivations.load(Ordering::Relaxed)
    }

    /// Stretches a key, and counts it.
    pub(super) fn derive(&self, derivation: &dyn KeyDerivation, key: &KeyString) -> Result<LevelKey> {
        self.derivations.fetch_add(1, Ordering::Relaxed);
        derivation.derive(key)
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache").finish_non_exhaustive()
    }
}
