//! Writing a level whose key the vault does not hold.

use crate::core::blob::SealedBlob;
use crate::core::custody::{LevelStore, OpenedLevel, StoredLevel, write_level};
use crate::core::dotenv_cloud::KeyProof;
use crate::core::key_ring::KeyRing;
use crate::error::{Error, Result};
use crate::vault::level::NewBlob;
use crate::vault::place::At;
use crate::vault::session::Session;
use crate::vault::source::NAME;

impl Session<'_> {
    /// Writes a level of a client-managed project, which the vault cannot open.
    ///
    /// The project's key is found among `keys`. `content` makes the new blob from what the level holds. It is called
    /// again if somebody else wrote meanwhile, if the blob was copied and the vault has it elsewhere, and for each key that
    /// may be the project's.
    ///
    /// ```
    /// # fn main() -> ioenv::Result<()> {
    /// use ioenv::vault::{Actor, At, NewKey, NewOrganization, NewProject, RootKey, Vault};
    /// use ioenv::dotenv_cloud::KeyProof;
    /// use ioenv::{KeyRing, LevelKey, LevelPath, SystemRandom, store::Memory};
    ///
    /// let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
    /// let session = vault.session(Actor::system("example"));
    /// let organization = session.create_organization(&NewOrganization::new("Acme"))?.id;
    /// let key = LevelKey::generate(&SystemRandom)?;
    /// let proof = KeyProof::of(&key).to_text();
    /// let project = NewProject::new("shop").key(NewKey::Client { derivation: None, proof, hint: None });
    /// session.create_project(organization, &project)?;
    ///
    /// let (path, keys): (LevelPath, _) = ("shop".parse()?, KeyRing::from(&key));
    /// session.write_level(At::Path(organization, &path), &keys, |level| {
    ///     let mut document = level.document().clone();
    ///     document.set("PORT".parse()?, "8080")?;
    ///     level.seal(&document)
    /// })?;
    /// let layers = session.blobs(At::Path(organization, &path))?.open(&keys)?;
    /// assert_eq!(layers[0].document().get("PORT").unwrap().value().expose_secret(), "8080");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`; `Config`, without a key; `DecryptionFailed`, if no key is that of the project; `Conflict`, if others
    /// write too often; as [`set_blob`](Self::set_blob); what `content` returns.
    pub fn write_level<E: From<Error>>(
        &self,
        at: At<'_>,
        keys: &KeyRing,
        content: impl Fn(&OpenedLevel<'_>) -> Result<SealedBlob, E>,
    ) -> Result<(), E> {
        write_level(&Stored { session: self, at }, keys, &*self.vault.random, &content)
    }
}

/// A level of the vault, as seen by a session.
struct Stored<'a> {
    session: &'a Session<'a>,
    at: At<'a>,
}

impl LevelStore for Stored<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&self) -> Result<StoredLevel> {
        let blobs = self.session.blobs(self.at)?;
        let mut levels = blobs.levels;
        let level = levels.pop();
        // An empty level counts as under the key in use, so levels of another version are under a former one.
        let version = level.as_ref().map(|level| level.key_version);
        let others = levels.into_iter().filter(|level| Some(level.key_version) == version);
        Ok(StoredLevel {
            derivation: blobs.derivation,
            others: others.filter_map(|level| level.content).collect(),
            blob: level.and_then(|level| level.content),
        })
    }

    fn replace(&self, new: SealedBlob, proof: &KeyProof, old: Option<&SealedBlob>) -> Result<()> {
        let new = NewBlob::new(new).key_proof(proof.to_text());
        let new = match old {
            Some(old) => new.replaces(old.clone()),
            None => new.replaces_nothing(),
        };
        self.session.set_blob(self.at, &new)
    }
}
