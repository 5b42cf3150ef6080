//! Who holds the key of a project, and how a level is written whose key only clients hold.

use super::blob::SealedBlob;
use super::cipher::{Aes256Gcm, Cipher as _};
use super::document::Document;
use super::dotenv_cloud::KeyProof;
use super::key::{LevelKey, Pbkdf2};
use super::key_ring::KeyRing;
use super::opening::{document, no_key};
use super::random::Random;
use super::refusal::Refusal;
use super::serde_text::serde_text;
use super::words::words;
use crate::error::{Error, ErrorKind, Result};

/// How often a level is written that others write to as well, before the conflict is returned.
const ATTEMPTS: usize = 100;

words! {
    /// The holder of the key that seals the blobs of a project. Blobs are the same either way.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[expect(clippy::exhaustive_enums, reason = "there is no third place for a key")]
    pub enum Custody: "custody" {
        /// The vault.
        Server = "server",
        /// The members of the project. The vault stores a proof of the key, and cannot open anything.
        Client = "client",
    }
}

serde_text!(Custody, "custody");

/// The store of one level whose key only clients hold.
pub(crate) trait LevelStore {
    /// Returns what errors call the store, such as "the vault".
    fn name(&self) -> &'static str;

    /// Reads the level.
    fn read(&self) -> Result<StoredLevel>;

    /// Replaces the blob of the level, if it still is `old`.
    ///
    /// # Errors
    /// `Conflict`, if the level holds something else by now: it is read again, and written again. `KeyProofMismatch`, if
    /// the proof is not that of the project's key: the next key is tried. A blob that is refused with
    /// [`Refusal::ReusedIv`] is made once more.
    fn replace(&self, new: SealedBlob, proof: &KeyProof, old: Option<&SealedBlob>) -> Result<()>;
}

/// A level as its store holds it.
pub(crate) struct StoredLevel {
    /// How the key string becomes the level key; `None` for a random key.
    pub(crate) derivation: Option<Pbkdf2>,
    /// What the level holds.
    pub(crate) blob: Option<SealedBlob>,
    /// What other levels of the project hold under the key in use, as far as the store showed it.
    pub(crate) others: Vec<SealedBlob>,
}

impl StoredLevel {
    /// Opens the level with the key, or returns `None` if it is not the key of the project.
    ///
    /// The proof of a key covers the first 32 bytes of a key string only, so the store would take some wrong keys for
    /// the right one. A key must therefore open a blob, unless there is none.
    fn open(&self, key: &LevelKey) -> Result<Option<Document>> {
        match &self.blob {
            Some(blob) => Aes256Gcm.open(key, blob).ok().map(|bytes| document(&bytes)).transpose(),
            None => {
                let is_right = self.others.is_empty() || self.others.iter().any(|blob| opens(key, blob));
                Ok(is_right.then(Document::new))
            }
        }
    }
}

/// A level of a client-managed project, opened for a change.
#[derive(Debug)]
pub struct OpenedLevel<'a> {
    document: Document,
    key: &'a LevelKey,
    random: &'a dyn Random,
    /// What the store has just refused to take.
    refused: Option<SealedBlob>,
}

impl OpenedLevel<'_> {
    /// Returns what the level holds; an empty document, if it holds nothing.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Seals what the level is to hold.
    ///
    /// # Errors
    /// `Io`, if the random source fails; `Limit`, for a document that is too large.
    pub fn seal(&self, document: &Document) -> Result<SealedBlob> {
        Aes256Gcm.seal(self.key, document.to_text().expose_secret().as_bytes(), self.random)
    }

    /// Returns whether the level can take a blob that was sealed elsewhere as it is: its key opens the blob, and the store
    /// has not refused it. A store refuses a blob that another level has or had.
    pub fn opens(&self, blob: &SealedBlob) -> bool {
        self.refused.as_ref() != Some(blob) && opens(self.key, blob)
    }
}

fn opens(key: &LevelKey, blob: &SealedBlob) -> bool {
    Aes256Gcm.open(key, blob).is_ok()
}

/// Writes a level whose key only clients hold. It finds the key among `keys`, opens the level, lets `content` make the
/// new blob, and replaces the old one with the proof of the key. If somebody else wrote meanwhile, it starts again.
///
/// # Errors
/// `Config`, without a key; `DecryptionFailed`, if no key is that of the project; `Conflict`, if others write too often;
/// what `content` and the store return. Nothing is sent before a key has opened the level.
pub(crate) fn write_level<E: From<Error>>(
    store: &dyn LevelStore,
    keys: &KeyRing,
    random: &dyn Random,
    content: &dyn Fn(&OpenedLevel<'_>) -> Result<SealedBlob, E>,
) -> Result<(), E> {
    let mut derived: Option<Candidates> = None;
    let mut attempt = 1;
    loop {
        let level = store.read()?;
        let candidates = match derived.take().filter(|known| known.derivation == level.derivation) {
            Some(known) => known,
            None => Candidates::derive(keys, level.derivation.clone())?,
        };
        match write_once(store, &level, &candidates.keys, random, content)? {
            Written::Yes => return Ok(()),
            Written::NoKey => return Err(no_key(keys, store.name()).into()),
            Written::Conflict(error) if attempt == ATTEMPTS => return Err(error.into()),
            Written::Conflict(_) => attempt += 1,
        }
        derived = Some(candidates);
    }
}

/// The keys that may be the project's. Deriving them takes long, so they are kept while the project has the same key.
struct Candidates {
    derivation: Option<Pbkdf2>,
    keys: Vec<(LevelKey, KeyProof)>,
}

impl Candidates {
    fn derive(keys: &KeyRing, derivation: Option<Pbkdf2>) -> Result<Self> {
        let keys = keys.with_proofs(derivation.as_ref())?;
        Ok(Self { derivation, keys })
    }
}

enum Written {
    Yes,
    NoKey,
    Conflict(Error),
}

fn write_once<E: From<Error>>(
    store: &dyn LevelStore,
    level: &StoredLevel,
    candidates: &[(LevelKey, KeyProof)],
    random: &dyn Random,
    content: &dyn Fn(&OpenedLevel<'_>) -> Result<SealedBlob, E>,
) -> Result<Written, E> {
    for (key, proof) in candidates {
        let Some(document) = level.open(key)? else {
            continue;
        };
        let mut opened = OpenedLevel { document, key, random, refused: None };
        let new = content(&opened)?;
        let mut written = store.replace(new.clone(), proof, level.blob.as_ref());
        if written.as_ref().is_err_and(|error| error.refusal() == Some(Refusal::ReusedIv)) {
            opened.refused = Some(new);
            written = store.replace(content(&opened)?, proof, level.blob.as_ref());
        }
        match written {
            // The project may hold nothing yet that tells its keys apart.
            Err(error) if error.kind() == ErrorKind::KeyProofMismatch => {}
            Err(error) if error.kind() == ErrorKind::Conflict => return Ok(Written::Conflict(error)),
            Err(error) => return Err(error.into()),
            Ok(()) => return Ok(Written::Yes),
        }
    }
    Ok(Written::NoKey)
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::core::key::{KeyDerivation as _, KeyString};

    /// Not random, but never the same twice.
    #[derive(Debug, Default)]
    struct Counting(std::sync::atomic::AtomicU8);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            Ok(())
        }
    }

    /// A store in memory that knows the proof of its key, and lets somebody else write first for some times.
    struct Shelf {
        derivation: Option<Pbkdf2>,
        proof: String,
        blob: RefCell<Option<SealedBlob>>,
        others: Vec<SealedBlob>,
        meanwhile: RefCell<Vec<SealedBlob>>,
        writes: Cell<usize>,
    }

    impl Shelf {
        fn new(derivation: Option<Pbkdf2>, proof: &KeyProof) -> Self {
            Self {
                derivation,
                proof: proof.to_text().expose_secret().to_owned(),
                blob: RefCell::default(),
                others: Vec::new(),
                meanwhile: RefCell::default(),
                writes: Cell::new(0),
            }
        }

        fn text(&self, key: &LevelKey) -> String {
            let blob = self.blob.borrow();
            let bytes = Aes256Gcm.open(key, blob.as_ref().unwrap()).unwrap();
            String::from_utf8(bytes.expose_secret().to_vec()).unwrap()
        }
    }

    impl LevelStore for Shelf {
        fn name(&self) -> &'static str {
            "the shelf"
        }

        fn read(&self) -> Result<StoredLevel> {
            let level = StoredLevel {
                derivation: self.derivation.clone(),
                blob: self.blob.borrow().clone(),
                others: self.others.clone(),
            };
            if let Some(blob) = self.meanwhile.borrow_mut().pop() {
                *self.blob.borrow_mut() = Some(blob);
            }
            Ok(level)
        }

        fn replace(&self, new: SealedBlob, proof: &KeyProof, old: Option<&SealedBlob>) -> Result<()> {
            self.writes.set(self.writes.get() + 1);
            if !proof.matches(&self.proof) {
                return Err(Error::new(ErrorKind::KeyProofMismatch, "another key"));
            }
            if self.blob.borrow().as_ref() != old {
                return Err(Error::new(ErrorKind::Conflict, "another blob"));
            }
            *self.blob.borrow_mut() = Some(new);
            Ok(())
        }
    }

    fn set(name: &str) -> impl Fn(&OpenedLevel<'_>) -> Result<SealedBlob> {
        move |opened| {
            let mut document = opened.document().clone();
            document.set(name.parse()?, "1")?;
            opened.seal(&document)
        }
    }

    fn seal(key: &LevelKey, text: &str) -> SealedBlob {
        Aes256Gcm.seal(key, text.as_bytes(), &Counting::default()).unwrap()
    }

    #[test]
    fn the_key_that_opens_the_level_is_found_and_no_other_is_sent() {
        let (key, other) = (LevelKey::from_bytes(&[1; 32]), LevelKey::from_bytes(&[2; 32]));
        let shelf = Shelf::new(None, &KeyProof::of(&key));
        *shelf.blob.borrow_mut() = Some(seal(&key, "A=1\n"));
        let mut keys = KeyRing::from(&other);
        keys.extend(&key);
        write_level(&shelf, &keys, &Counting::default(), &set("B")).unwrap();
        assert_eq!((shelf.text(&key).as_str(), shelf.writes.get()), ("A=1\nB=1\n", 1));

        let error = write_level(&shelf, &(&other).into(), &Counting::default(), &set("C")).unwrap_err();
        assert_eq!((error.kind(), shelf.writes.get()), (ErrorKind::DecryptionFailed, 1));
    }

    #[test]
    fn where_nothing_is_sealed_yet_the_store_tells_the_key() {
        let (key, other) = (LevelKey::from_bytes(&[1; 32]), LevelKey::from_bytes(&[2; 32]));
        let shelf = Shelf::new(None, &KeyProof::of(&key));
        let mut keys = KeyRing::from(&other);
        keys.extend(&key);
        write_level(&shelf, &keys, &Counting::default(), &set("A")).unwrap();
        assert_eq!((shelf.text(&key).as_str(), shelf.writes.get()), ("A=1\n", 2));
    }

    #[test]
    fn a_key_with_the_same_proof_is_refused_if_it_opens_no_other_level() {
        let derivation = Pbkdf2::new(b"sixteen byte salt", 1).unwrap();
        let [right, wrong] = ["one", "two"].map(|end| KeyString::new(&format!("{}{end}", "k".repeat(32))).unwrap());
        let proof = KeyProof::new(&right, &derivation);
        assert!(KeyProof::new(&wrong, &derivation).matches(proof.to_text().expose_secret()));

        let key = derivation.derive(&right).unwrap();
        let mut shelf = Shelf::new(Some(derivation), &proof);
        shelf.others.push(seal(&key, "A=1\n"));
        let error = write_level(&shelf, &wrong.into(), &Counting::default(), &set("A")).unwrap_err();
        assert_eq!((error.kind(), shelf.writes.get()), (ErrorKind::DecryptionFailed, 0));
        write_level(&shelf, &right.into(), &Counting::default(), &set("A")).unwrap();
        assert_eq!(shelf.text(&key), "A=1\n");
    }

    #[test]
    fn what_somebody_else_wrote_meanwhile_is_not_lost() {
        let key = LevelKey::from_bytes(&[1; 32]);
        let shelf = Shelf::new(None, &KeyProof::of(&key));
        shelf.meanwhile.borrow_mut().extend([seal(&key, "A=1\nB=1\n"), seal(&key, "A=1\n")]);
        write_level(&shelf, &(&key).into(), &Counting::default(), &set("C")).unwrap();
        assert_eq!((shelf.text(&key).as_str(), shelf.writes.get()), ("A=1\nB=1\nC=1\n", 3));
    }

    #[test]
    fn a_conflict_that_does_not_end_is_returned() {
        let key = LevelKey::from_bytes(&[1; 32]);
        let shelf = Shelf::new(None, &KeyProof::of(&key));
        let others = (0..2 * ATTEMPTS).map(|number| seal(&key, &format!("A={number}\n")));
        shelf.meanwhile.borrow_mut().extend(others);
        let error = write_level(&shelf, &(&key).into(), &Counting::default(), &set("B")).unwrap_err();
        assert_eq!((error.kind(), shelf.writes.get()), (ErrorKind::Conflict, ATTEMPTS));
    }

    #[test]
    fn without_a_key_the_error_says_how_to_give_one() {
        let shelf = Shelf::new(None, &KeyProof::of(&LevelKey::from_bytes(&[1; 32])));
        let error = write_level(&shelf, &KeyRing::new(), &Counting::default(), &set("A")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("not in the shelf: give it in IOENV_KEY"), "{error}");
    }

    #[test]
    fn a_blob_of_the_same_key_can_be_taken_as_it_is() {
        let (key, other) = (LevelKey::from_bytes(&[1; 32]), LevelKey::from_bytes(&[2; 32]));
        let shelf = Shelf::new(None, &KeyProof::of(&key));
        let (same, foreign) = (seal(&key, "A=1\n"), seal(&other, "A=2\n"));
        let take = |opened: &OpenedLevel<'_>| {
            assert!(!opened.opens(&foreign));
            assert!(opened.opens(&same));
            Ok::<_, Error>(same.clone())
        };
        write_level(&shelf, &(&key).into(), &Counting::default(), &take).unwrap();
        assert_eq!(shelf.blob.borrow().as_ref(), Some(&same));
    }
}
