//! The sealed file as a source.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::SealedFile;
use super::format::SealedLevel;
use crate::core::path::LevelPath;
use crate::core::source::{Reading, Request, Revision, Source};
use crate::error::Result;

/// Reads what [`SealedFile::layers`] reads. The revision of a chain changes with each level that is sealed, added or
/// removed; "not modified" takes no key.
impl Source for SealedFile {
    fn read(&self, request: &Request<'_>) -> Result<Reading> {
        let origin = match &self.file {
            Some(file) => format!("the sealed file {}", file.display()),
            None => "a sealed file".to_owned(),
        };
        let chain = self.chain(request.path())?;
        let revision = revision(&chain);
        if request.revision() == Some(&revision) {
            return Ok(Reading::not_modified(origin, revision));
        }
        let layers = self.open_chain(chain, request.keys()?)?;
        Ok(Reading::new(origin, layers).with_revision(revision))
    }
}

/// A place tag authenticates the path of a level together with its blob, so the tags of a chain name its state.
fn revision(chain: &[(LevelPath, &SealedLevel)]) -> Revision {
    let tags: Vec<String> = chain.iter().map(|(_, level)| BASE64.encode(level.place)).collect();
    Revision::new(tags.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::document::Document;
    use crate::core::key::LevelKey;
    use crate::core::key_ring::KeyRing;
    use crate::core::source::Freshness;
    use crate::error::{Error, ErrorKind};

    fn path(text: &str) -> LevelPath {
        text.parse().unwrap()
    }

    fn set(sealed: &mut SealedFile, at: &str, text: &str, keys: &KeyRing) {
        sealed.set_level(&path(at), &Document::parse(text).unwrap(), keys).unwrap();
    }

    #[test]
    fn what_is_not_modified_or_not_there_takes_no_key() {
        let key = LevelKey::from_bytes(&[1; 32]);
        let keys = KeyRing::from(&key);
        let mut sealed = SealedFile::create("no-such.sealed", "acme".parse().unwrap()).unwrap();
        sealed.add_key("main".parse().unwrap(), &key).unwrap();
        set(&mut sealed, "acme", "A=1\n", &keys);
        set(&mut sealed, "acme/dev", "B=1\n", &keys);
        set(&mut sealed, "acme/prod", "B=2\n", &keys);

        let (dev, none) = (path("acme/dev"), path("acme/none"));
        let first = sealed.read(&Request::new(&dev).with_keys(keys.clone())).unwrap();
        assert_eq!((first.origin(), first.freshness()), ("the sealed file no-such.sealed", Freshness::Live));
        assert_eq!(first.layers().unwrap().len(), 2);
        let revision = first.revision().unwrap();

        let no_keys = || -> Result<KeyRing> { Err(Error::new(ErrorKind::Io, "the keys were asked for")) };
        let again = Request::new(&dev).with_keys_from(no_keys).with_revision(revision);
        assert_eq!(sealed.read(&again).unwrap().freshness(), Freshness::NotModified);
        let missing = Request::new(&none).with_keys_from(no_keys);
        assert_eq!(sealed.read(&missing).unwrap_err().kind(), ErrorKind::NotFound);

        // What is beside the chain is no part of it, and what is above is.
        set(&mut sealed, "acme/prod", "B=3\n", &keys);
        assert!(sealed.read(&again).unwrap().layers().is_none());
        set(&mut sealed, "acme", "A=2\n", &keys);
        assert_eq!(sealed.read(&again).unwrap_err().to_string(), "the keys were asked for");
        let changed = again.clone().with_keys(keys);
        let reading = sealed.read(&changed).unwrap();
        assert!(reading.layers().is_some() && reading.revision() != Some(revision));
    }
}
