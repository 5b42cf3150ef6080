//! A vault hashes tokens and seals blobs through the traits it is given.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ioenv::ErrorKind::{Conflict, NotFound, Unauthenticated};
use ioenv::store::Memory;
use ioenv::vault::{
    Actor, At, LevelScope, NewOrganization, NewProject, NewToken, PermissionSet, RootKey, Sha256Hasher, Token,
    TokenHash, TokenHasher, Vault, VaultOptions,
};
use ioenv::{Aes256Gcm, Cipher, Document, LevelKey, Random, Result, SealedBlob, SecretBytes, SystemRandom};

use super::stage::path;

/// SHA-256 of the token with every bit turned.
#[derive(Debug)]
struct Turned;

impl TokenHasher for Turned {
    fn hash(&self, token: &Token) -> TokenHash {
        TokenHash::from_bytes(Sha256Hasher.hash(token).to_bytes().map(|byte| !byte))
    }
}

/// Counts what it seals and opens.
#[derive(Clone, Debug, Default)]
struct Counting {
    sealed: Arc<AtomicUsize>,
    opened: Arc<AtomicUsize>,
}

impl Cipher for Counting {
    fn seal(&self, key: &LevelKey, plaintext: &[u8], random: &dyn Random) -> Result<SealedBlob> {
        self.sealed.fetch_add(1, Ordering::Relaxed);
        Aes256Gcm.seal(key, plaintext, random)
    }

    fn open(&self, key: &LevelKey, blob: &SealedBlob) -> Result<SecretBytes> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        Aes256Gcm.open(key, blob)
    }
}

#[test]
fn tokens_and_blobs_go_through_the_seams() {
    let (store, root) = (Arc::new(Memory::new()), RootKey::generate(&SystemRandom).unwrap());
    let cipher = Counting::default();
    let options = VaultOptions::new(&root).token_hasher(Turned).cipher(cipher.clone());
    let vault = options.create(Arc::clone(&store)).unwrap();
    let system = vault.session(Actor::system("test"));
    let acme = system.create_organization(&NewOrganization::new("Acme")).unwrap().id;
    system.create_project(acme, &NewProject::new("shop")).unwrap();
    let level = path("shop");
    system.set_document(At::Path(acme, &level), &Document::parse("PORT=80\n").unwrap()).unwrap();
    assert_eq!(cipher.sealed.load(Ordering::Relaxed), 1);
    let token = system.issue_token(acme, &NewToken::new("ci", PermissionSet::ALL)).unwrap().token;
    assert_eq!(
        vault.session(token.clone()).read_level(At::Path(acme, &level), LevelScope::Chain).unwrap().resolve().len(),
        1
    );
    assert_eq!(cipher.opened.load(Ordering::Relaxed), 1);

    let other = Vault::open(store, &root).unwrap();
    assert_eq!(other.session(token).own_token().unwrap_err().kind(), Unauthenticated);
}

#[test]
fn a_vault_is_made_once_and_opened_only_where_it_is() {
    let (store, root) = (Arc::new(Memory::new()), RootKey::generate(&SystemRandom).unwrap());
    assert_eq!(Vault::open(Arc::clone(&store), &root).unwrap_err().kind(), NotFound);
    assert_eq!(Vault::open(Arc::clone(&store), &root).unwrap_err().kind(), NotFound, "trying to open makes nothing");
    Vault::create(Arc::clone(&store), &root).unwrap();
    assert_eq!(Vault::create(Arc::clone(&store), &root).unwrap_err().kind(), Conflict);
    Vault::open(store, &root).unwrap();
}
