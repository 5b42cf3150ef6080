//! A vault as a source.

use std::fmt;
use std::sync::Arc;

use crate::core::custody::Custody;
use crate::core::id::OrganizationId;
use crate::core::key_ring::KeyRing;
use crate::core::merge::Layer;
use crate::core::opening::{no_key, open_chain};
use crate::core::source::{Reading, Request, Source};
use crate::core::token::Token;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::engine::Vault;
use crate::vault::level::Blobs;
use crate::vault::place::At;
use crate::vault::read_level::{LevelContent, LevelScope};
use crate::vault::session::{Actor, Session};

/// What errors call the store of a level.
pub(super) const NAME: &str = "the vault";

/// A vault, as a [`Source`] of levels.
///
/// What is read is recorded in the vault's audit log. Where the vault holds the project's key, it opens the levels, and
/// the loader reads no key. Where the project's people hold it, they are opened here, with the keys that the loader is
/// given.
///
/// ```
/// # fn main() -> ioenv::Result<()> {
/// use ioenv::vault::{Actor, At, NewOrganization, NewProject, RootKey, Vault, VaultSource};
/// use ioenv::{Document, Loader, SystemRandom, store::Memory};
///
/// let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
/// let session = vault.session(Actor::system("example"));
/// let organization = session.create_organization(&NewOrganization::new("Acme"))?.id;
/// session.create_project(organization, &NewProject::new("shop"))?;
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
    fn read(&self, request: &Request<'_>) -> Result<Reading> {
        let path = request.path();
        let (session, organization) = self.session()?;
        let at = At::Path(organization, path);
        let layers = match session.read_level(at, LevelScope::Chain) {
            Err(error) if error.kind() == ErrorKind::ClientManaged => {
                session.blobs(at).and_then(|blobs| blobs.open(request.keys()?))
            }
            content => content.map(LevelContent::into_layers),
        };
        Ok(Reading::new(NAME, layers.map_err(|error| error.with_path(path))?))
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
        let chain = self.levels.iter().filter_map(|level| Some((&level.path, level.content.as_ref()?)));
        open_chain(chain, self.derivation.as_ref(), keys, || match self.custody {
            Custody::Client => no_key(keys, NAME),
            Custody::Server => {
                let message = "the vault holds the key of this project: read the level instead of its blob";
                Error::new(ErrorKind::DecryptionFailed, message)
            }
        })
    }
}
