//! A vault as a source, and what opens it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::configuration::{config, variable, variable_os};
use super::{Configuration, Source, VaultLocation};
use crate::core::cipher::{Aes256Gcm, Cipher as _};
use crate::core::document::Document;
use crate::core::id::OrganizationId;
use crate::core::key::{KeyDerivation, LevelKey};
use crate::core::key_ring::KeyRing;
use crate::core::merge::Layer;
use crate::core::path::LevelPath;
use crate::core::secret::SecretBytes;
use crate::core::token::Token;
use crate::core::wrap::RootKey;
use crate::error::{Error, ErrorKind, Result};
use crate::files::{read_bytes, read_text};
use crate::store::{KeyRange, Order, Store, StoreExt as _};
use crate::vault::{Actor, At, Blobs, Custody, Session, Vault};

/// Largest file with a token or a root key that is read.
const MAX_BYTES: usize = 4096;

/// A vault, as a [`Source`] of levels.
///
/// What is read is recorded in the vault's audit log. Where the vault holds the project's key, it opens the levels;
/// where the project's people hold it, they are opened here, with the keys that the loader is given.
///
/// ```
/// # fn main() -> ioenv::Result<()> {
/// use ioenv::vault::{Actor, At, NewOrganization, NewProject, RootKey, Vault, VaultSource};
/// use ioenv::{Document, Loader, SystemRandom, store::Memory};
///
/// let vault = Vault::open(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
/// let session = vault.session(Actor::system("example"));
/// let organization = session.create_organization(NewOrganization::new("Acme"))?.id;
/// session.create_project(organization, NewProject::new("shop"))?;
/// session.set_document(At::Path(organization, &"shop".parse()?), &Document::parse("PORT=8080\n")?)?;
///
/// let source = VaultSource::trusted(vault, "example", organization);
/// let env = Loader::new().source(source).path("shop".parse()?).resolve()?;
/// assert_eq!(env.var("PORT")?.expose_secret(), "8080");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct VaultSource {
    vault: Arc<Vault>,
    who: Who,
}

#[derive(Clone)]
enum Who {
    Token(Token),
    System { name: String, organization: OrganizationId },
}

impl VaultSource {
    /// What the token may read, of the organization it belongs to.
    pub fn new(vault: impl Into<Arc<Vault>>, token: Token) -> Self {
        Self { vault: vault.into(), who: Who::Token(token) }
    }

    /// All of an organization, in the name of a trusted program.
    pub fn trusted(vault: impl Into<Arc<Vault>>, name: impl Into<String>, organization: OrganizationId) -> Self {
        Self { vault: vault.into(), who: Who::System { name: name.into(), organization } }
    }

    fn session(&self) -> Result<(Session<'_>, OrganizationId)> {
        match &self.who {
            Who::Token(token) => {
                let session = self.vault.session(token.clone());
                let organization = session.own_token()?.organization;
                Ok((session, organization))
            }
            Who::System { name, organization } => Ok((self.vault.session(Actor::system(name)), *organization)),
        }
    }
}

impl Source for VaultSource {
    fn layers(&self, path: &LevelPath, keys: &KeyRing) -> Result<Vec<Layer>> {
        let (session, organization) = self.session()?;
        match session.layers(At::Path(organization, path)) {
            Err(error) if error.kind() == ErrorKind::ClientManaged => {
                session.blobs(At::Path(organization, path)).and_then(|blobs| blobs.open(keys))
            }
            layers => layers,
        }
        .map_err(|error| error.with_path(path))
    }
}

impl fmt::Debug for VaultSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultSource").field("vault", &self.vault).finish_non_exhaustive()
    }
}

impl Blobs {
    /// Opens those that hold something, broad to specific, with the key among `keys` that does.
    ///
    /// # Errors
    /// `Config`, without a key; `DecryptionFailed`, when none of them opens a level; `Corrupt`, when what was sealed is
    /// no document.
    pub fn open(&self, keys: &KeyRing) -> Result<Vec<Layer>> {
        let mut layers = Vec::new();
        let mut found: Option<LevelKey> = None;
        for level in &self.levels {
            let Some(blob) = &level.content else {
                continue;
            };
            let opens = |key: &LevelKey| Aes256Gcm.open(key, blob).ok();
            let opened = match found.as_ref().and_then(opens) {
                Some(bytes) => Some(bytes),
                None => {
                    let derivation = self.derivation.as_ref().map(|derivation| derivation as &dyn KeyDerivation);
                    found = keys.find(derivation, |key| opens(key).is_some())?;
                    found.as_ref().and_then(opens)
                }
            };
            let bytes = opened.ok_or_else(|| no_key(self.custody, keys).with_path(&level.path))?;
            layers
                .push(Layer::new(level.path.clone(), document(&bytes).map_err(|error| error.with_path(&level.path))?));
        }
        Ok(layers)
    }
}

fn document(bytes: &SecretBytes) -> Result<Document> {
    let text = std::str::from_utf8(bytes.expose_secret())
        .map_err(|_| Error::new(ErrorKind::Corrupt, "the level is not UTF-8 text: it was sealed by something else"))?;
    Document::parse(text)
}

#[cold]
fn no_key(custody: Custody, keys: &KeyRing) -> Error {
    if custody == Custody::Server {
        let message = "the vault holds the key of this project: read the level instead of its blob";
        return Error::new(ErrorKind::DecryptionFailed, message);
    }
    let how = "give it in IOENV_KEY, in the file that IOENV_KEY_FILE names, or in ioenv.key beside ioenv.toml";
    if keys.is_empty() {
        return config(format!("no key is given, and this project's key is not in the vault: {how}"));
    }
    Error::new(ErrorKind::DecryptionFailed, format!("decryption failed: no key given is that of this project; {how}"))
}

/// The source that a program asks for by `source = "vault"`.
pub(super) fn default_source(configuration: &Configuration) -> Result<Box<dyn Source>> {
    let location = configuration.vault_location()?;
    let store = open_store(&location)?;
    let token = configuration.token()?.ok_or_else(|| {
        config(
            "no token is given: put one into IOENV_TOKEN or into a file that IOENV_TOKEN_FILE names; \
                `ioenv vault token create` makes one",
        )
    })?;
    let vault = open_made(store, &configuration.required_root_key()?)?;
    Ok(Box::new(VaultSource::new(vault, token)))
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
        #[cfg(feature = "postgres")]
        VaultLocation::Postgres(url) => Ok(Arc::new(crate::store::Postgres::connect_single(url.expose_secret())?)),
        #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
        location => Err(location.not_compiled_in()),
    }
}

/// Opens the vault in a store. Unlike [`Vault::open`] it makes none of an empty one, which is a mistake here: the
/// vault would have no organization, and `ioenv vault init` would find that there is one.
fn open_made(store: Arc<dyn Store>, root: &RootKey) -> Result<Vault> {
    if store.read(|tx| tx.scan(&KeyRange::prefix(""), Order::Ascending, 1))?.is_empty() {
        let message = "the store is empty: make a vault with `ioenv vault init`, for which a file must not be there yet, or \
                       name another one in IOENV_VAULT";
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    Vault::open(store, root)
}

impl Configuration {
    /// Opens the vault at the [`vault_location`](Self::vault_location), with the [`root_key`](Self::root_key). No thread
    /// is started by it.
    ///
    /// # Errors
    /// `Config`, when the vault or its root key is not named; `NotFound`, for a store without a vault; `CrateFeature`, when the store it is in is not compiled
    /// in; as [`Vault::open`].
    pub fn open_vault(&self) -> Result<Vault> {
        open_made(open_store(&self.vault_location()?)?, &self.required_root_key()?)
    }

    /// The token: `IOENV_TOKEN`, or `IOENV_API_TOKEN`, or what is in the file that `IOENV_TOKEN_FILE` names.
    ///
    /// # Errors
    /// `InvalidValue`, for what is no token; `Io`.
    pub fn token(&self) -> Result<Option<Token>> {
        for name in ["IOENV_TOKEN", "IOENV_API_TOKEN"] {
            if let Some(text) = variable(name)?.map(Zeroizing::new) {
                return Token::parse(text.trim()).map(Some).map_err(|error| error.with_file(Path::new(name)));
            }
        }
        let Some(file) = variable_os("IOENV_TOKEN_FILE") else {
            return Ok(None);
        };
        let file = self.directory.join(file);
        // The error of opening such a file would show the token.
        if file.iter().any(|part| Token::parse(&part.to_string_lossy()).is_ok()) {
            let message = "IOENV_TOKEN_FILE holds a token where the name of a file belongs: put it in IOENV_TOKEN";
            return Err(Error::new(ErrorKind::InvalidValue, message));
        }
        let text = read_text(&file, "token file", MAX_BYTES)?;
        Token::parse(text.trim()).map(Some).map_err(|error| error.with_file(&file))
    }

    /// The root key: `IOENV_ROOT_KEY`, or what is in the [`root_key_file`](Self::root_key_file): the text of a key, 44
    /// characters of base64, or 32 bytes.
    ///
    /// # Errors
    /// `InvalidValue`, for what is no root key; `Io`.
    pub fn root_key(&self) -> Result<Option<RootKey>> {
        if let Some(text) = variable("IOENV_ROOT_KEY")?.map(Zeroizing::new) {
            return RootKey::parse(&text).map(Some).map_err(|error| error.with_file(Path::new("IOENV_ROOT_KEY")));
        }
        self.root_key_file().map(|file| root_key_in(&file)).transpose()
    }

    fn required_root_key(&self) -> Result<RootKey> {
        self.root_key()?.ok_or_else(|| {
            config(
                "the root key of the vault is not given: give it in IOENV_ROOT_KEY, in the file that \
                 IOENV_ROOT_KEY_FILE names, or in ioenv.root beside ioenv.toml",
            )
        })
    }
}

fn root_key_in(file: &Path) -> Result<RootKey> {
    if file.iter().any(|part| part.to_string_lossy().contains(RootKey::PREFIX)) {
        let message = "IOENV_ROOT_KEY_FILE holds a key where the name of a file belongs: put it in IOENV_ROOT_KEY";
        return Err(Error::new(ErrorKind::InvalidValue, message));
    }
    let bytes = read_bytes(file, "root key file", MAX_BYTES)?;
    if let Ok(bytes) = <&[u8; 32]>::try_from(bytes.as_slice()) {
        return Ok(RootKey::from_bytes(bytes));
    }
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    RootKey::parse(text).map_err(|error| error.with_file(file))
}
