//! From sealed blobs to layers.

#[cfg(feature = "vault")]
use super::blob::SealedBlob;
#[cfg(feature = "vault")]
use super::cipher::{Aes256Gcm, Cipher as _};
use super::document::Document;
#[cfg(feature = "vault")]
use super::key::{KeyDerivation, LevelKey, Pbkdf2};
#[cfg(feature = "vault")]
use super::key_ring::KeyRing;
#[cfg(feature = "vault")]
use super::merge::Layer;
#[cfg(feature = "vault")]
use super::path::LevelPath;
use super::secret::SecretBytes;
use crate::error::{Error, ErrorKind, Result};

/// How a person gives a key, for the errors that need one.
pub(crate) const HOW_TO_GIVE_A_KEY: &str =
    "give it in IOENV_KEY, in the file that IOENV_KEY_FILE names, or in ioenv.key beside ioenv.toml";

/// Reads the text that was sealed in a blob.
///
/// # Errors
/// `Corrupt`, if it is not UTF-8; those of [`Document::parse`].
pub(crate) fn document(bytes: &SecretBytes) -> Result<Document> {
    let text = std::str::from_utf8(bytes.expose_secret())
        .map_err(|_| Error::new(ErrorKind::Corrupt, "the level is not UTF-8 text: it was sealed by something else"))?;
    Document::parse(text)
}

/// Opens the blobs of a chain, broad to specific, with the keys among `keys` that do. Most chains have one key, so a key
/// that opened one blob is tried first on the next.
///
/// # Errors
/// `no_key` makes the error for a level that no key opens; as [`document`].
#[cfg(feature = "vault")]
pub(crate) fn open_chain<'a>(
    chain: impl IntoIterator<Item = (&'a LevelPath, &'a SealedBlob)>,
    derivation: Option<&Pbkdf2>,
    keys: &KeyRing,
    no_key: impl Fn() -> Error,
) -> Result<Vec<Layer>> {
    let derivation = derivation.map(|derivation| derivation as &dyn KeyDerivation);
    let mut found: Option<LevelKey> = None;
    let mut layers = Vec::new();
    for (path, blob) in chain {
        let opens = |key: &LevelKey| Aes256Gcm.open(key, blob).ok();
        let opened = match found.as_ref().and_then(opens) {
            Some(bytes) => Some(bytes),
            None => {
                found = keys.find(derivation, |key| opens(key).is_some())?;
                found.as_ref().and_then(opens)
            }
        };
        let bytes = opened.ok_or_else(|| no_key().with_path(path))?;
        layers.push(Layer::new(path.clone(), document(&bytes).map_err(|error| error.with_path(path))?));
    }
    Ok(layers)
}

/// The error for a project whose key is not among `keys`, and not in `store`, such as "the vault", either.
#[cold]
#[cfg(feature = "vault")]
pub(crate) fn no_key(keys: &KeyRing, store: &str) -> Error {
    if keys.is_empty() {
        return Error::config(format!(
            "no key is given, and this project's key is not in {store}: {HOW_TO_GIVE_A_KEY}"
        ));
    }
    let message = format!("decryption failed: no key given is that of this project; {HOW_TO_GIVE_A_KEY}");
    Error::new(ErrorKind::DecryptionFailed, message)
}

#[cfg(test)]
#[cfg(feature = "vault")]
mod tests {
    use super::*;
    use crate::core::key::KeyString;
    use crate::core::random::Random;

    #[derive(Debug)]
    struct Zeros;

    impl Random for Zeros {
        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            bytes.fill(0);
            Ok(())
        }
    }

    fn path(text: &str) -> LevelPath {
        text.parse().unwrap()
    }

    fn seal(key: &LevelKey, text: &[u8]) -> SealedBlob {
        Aes256Gcm.seal(key, text, &Zeros).unwrap()
    }

    #[test]
    fn each_level_is_opened_with_the_key_that_sealed_it() {
        let (one, other) = (LevelKey::from_bytes(&[1; 32]), LevelKey::from_bytes(&[2; 32]));
        let mut keys = KeyRing::from(&one);
        keys.extend(&other);
        let chain = [(path("a"), seal(&other, b"A=1\n")), (path("a/b"), seal(&one, b"A=2\n"))];
        let chain = chain.iter().map(|(path, blob)| (path, blob));
        let layers = open_chain(chain, None, &keys, || no_key(&keys, "the vault")).unwrap();
        let values = layers.iter().map(|layer| layer.document().get("A").unwrap().value().expose_secret());
        assert_eq!(values.collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn a_key_string_is_derived() {
        let derivation = Pbkdf2::new(b"sixteen byte salt", 1).unwrap();
        let string = KeyString::new("tide-pool-ledger-41").unwrap();
        let blob = seal(&derivation.derive(&string).unwrap(), b"A=1\n");
        let keys = KeyRing::from(string);
        let at = path("a");
        assert!(open_chain([(&at, &blob)], None, &keys, || no_key(&keys, "the vault")).is_err());
        assert!(open_chain([(&at, &blob)], Some(&derivation), &keys, || no_key(&keys, "the vault")).is_ok());
    }

    #[test]
    fn what_does_not_open_fails_the_chain_and_names_the_level() {
        let key = LevelKey::from_bytes(&[1; 32]);
        let (whole, other) = (seal(&key, b"A=1\n"), seal(&LevelKey::from_bytes(&[2; 32]), b"A=2\n"));
        let (above, below) = (path("a"), path("a/b"));
        for (keys, kind) in [(KeyRing::from(&key), ErrorKind::DecryptionFailed), (KeyRing::new(), ErrorKind::Config)] {
            let chain = [(&above, &whole), (&below, &other)];
            let error = open_chain(chain, None, &keys, || no_key(&keys, "the vault")).unwrap_err();
            assert_eq!(error.kind(), kind);
            assert_eq!(error.path(), Some(if keys.is_empty() { above.clone() } else { below.clone() }));
        }
        let binary = seal(&key, &[0xff]);
        let keys = KeyRing::from(&key);
        let error = open_chain([(&below, &binary)], None, &keys, || no_key(&keys, "the vault")).unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::Corrupt, Some(below.clone())));
    }
}
