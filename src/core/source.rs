//! The seam between a loader and what holds levels.

use std::borrow::Cow;
use std::fmt::{self, Debug};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use super::key_ring::KeyRing;
use super::merge::Layer;
use super::path::LevelPath;
use crate::error::{Error, ErrorKind, Result};

/// A place that levels are read from: a sealed file, a vault, a service, or anything else that can answer for a chain.
///
/// A source that asks for no keys costs no key: the [`Request`] reads key files when [`keys`](Request::keys) is called,
/// and not before.
///
/// ```
/// use ioenv::source::{Reading, Request, Source};
/// use ioenv::{Document, Layer, Loader, Result};
///
/// #[derive(Debug)]
/// struct Fixed;
///
/// impl Source for Fixed {
///     fn read(&self, request: &Request<'_>) -> Result<Reading> {
///         let layer = Layer::new(request.path().clone(), Document::parse("PORT=8080\n")?);
///         Ok(Reading::new("the defaults of this program", vec![layer]))
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let env = Loader::new().source(Fixed).path("acme-store".parse()?).resolve()?;
/// assert_eq!(env.var("PORT")?.expose_secret(), "8080");
/// assert_eq!(env.source(), "the defaults of this program");
/// # Ok(())
/// # }
/// ```
pub trait Source: Debug + Send + Sync {
    /// Reads the levels of the chain of [`Request::path`] that exist, broad to specific.
    ///
    /// If the request names a [`revision`](Request::revision) and the chain still has it, the source may answer
    /// [`Reading::not_modified`]. To any other request it answers with layers.
    ///
    /// A loader calls this once, and drops the source before it counts the running threads: threads that a source starts
    /// must end with it. A source must not call [`load`](crate::load()) itself, which would wait for itself.
    ///
    /// # Errors
    /// `NotFound`, if the level at the path itself does not exist. `Unavailable`, if the source cannot be reached, so
    /// that trying again, or reading from another source, may work. Everything else that keeps a level of the chain from
    /// being read is an error too: a chain is never read in part. [`Error::with_path`] says which level it is about.
    fn read(&self, request: &Request<'_>) -> Result<Reading>;
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn read(&self, request: &Request<'_>) -> Result<Reading> {
        (**self).read(request)
    }
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn read(&self, request: &Request<'_>) -> Result<Reading> {
        (**self).read(request)
    }
}

/// What is asked of a [`Source`].
///
/// A loader makes it. A source that stands before others, such as a cache or a list of alternatives, passes it on; a
/// clone shares the keys, so they are read once.
///
/// ```
/// # fn main() -> ioenv::Result<()> {
/// use ioenv::source::{Request, Revision};
/// use ioenv::{KeyRing, LevelPath};
///
/// let path: LevelPath = "acme-store/backend".parse()?;
/// let request = Request::new(&path).with_keys(KeyRing::parse("a passphrase\n")?);
///
/// let revision = Revision::new("\"33a64df5\"");
/// let refresh = request.clone().with_revision(&revision);
/// assert_eq!(refresh.revision(), Some(&revision));
/// assert_eq!(refresh.keys()?.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Request<'a> {
    path: &'a LevelPath,
    keys: Arc<Keys<'a>>,
    revision: Option<&'a Revision>,
    deadline: Option<Instant>,
}

/// The keys of a request, read at most once.
struct Keys<'a> {
    read: Box<dyn Fn() -> Result<KeyRing> + Send + Sync + 'a>,
    ring: OnceLock<KeyRing>,
}

impl<'a> Keys<'a> {
    fn new(read: impl Fn() -> Result<KeyRing> + Send + Sync + 'a) -> Arc<Self> {
        Arc::new(Self { read: Box::new(read), ring: OnceLock::new() })
    }
}

impl<'a> Request<'a> {
    /// Asks for the chain of a level, without keys, revision or deadline.
    pub fn new(path: &'a LevelPath) -> Self {
        Self { path, keys: Keys::new(|| Ok(KeyRing::new())), revision: None, deadline: None }
    }

    /// Gives the keys to open levels with.
    pub fn with_keys(self, keys: KeyRing) -> Self {
        let keys = Keys { read: Box::new(|| Ok(KeyRing::new())), ring: keys.into() };
        Self { keys: Arc::new(keys), ..self }
    }

    /// Gives the keys to open levels with by a function that reads them. It is called when a source asks for the keys,
    /// and not again once it has succeeded.
    ///
    /// ```
    /// # fn main() -> ioenv::Result<()> {
    /// use ioenv::source::Request;
    /// use ioenv::{Configuration, LevelPath};
    ///
    /// let configuration = Configuration::discover()?;
    /// let path: LevelPath = "acme-store/backend".parse()?;
    /// let request = Request::new(&path).with_keys_from(|| configuration.keys());
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_keys_from(self, read: impl Fn() -> Result<KeyRing> + Send + Sync + 'a) -> Self {
        Self { keys: Keys::new(read), ..self }
    }

    /// Says which revision of the chain the caller has, so that the source need not send that one again.
    pub fn with_revision(self, revision: &'a Revision) -> Self {
        Self { revision: Some(revision), ..self }
    }

    /// Says when the caller stops waiting.
    pub fn with_deadline(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Returns the level whose chain is read.
    pub fn path(&self) -> &'a LevelPath {
        self.path
    }

    /// Returns the keys to open levels with, and reads them first if nobody has asked for them yet. A ring without keys
    /// means that none are configured.
    ///
    /// # Errors
    /// Those of reading them: `Io`, if a key file that is configured cannot be read; `InvalidValue`; `Limit`.
    pub fn keys(&self) -> Result<&KeyRing> {
        if let Some(ring) = self.keys.ring.get() {
            return Ok(ring);
        }
        let ring = (self.keys.read)()?;
        Ok(self.keys.ring.get_or_init(|| ring))
    }

    /// Returns the revision that the caller has.
    pub fn revision(&self) -> Option<&'a Revision> {
        self.revision
    }

    /// Returns when the caller stops waiting. A source that may take long answers `Unavailable` by then.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

impl Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("path", &self.path)
            .field("revision", &self.revision)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// A name that a source gives to one state of a chain, such as an `ETag`. Only the source that gave it understands it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Revision(String);

impl Revision {
    /// Takes the text of a revision.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How current a [`Reading`] is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// The source read it for this request.
    #[default]
    Live,
    /// It is a copy, and the source confirmed for this request that it is current.
    NotModified,
    /// It is a copy, and the source could not be asked.
    Stale {
        /// When the copy was made.
        since: SystemTime,
    },
}

/// What a [`Source`] answers: the layers of a chain, or that they are those of the revision that the caller has.
///
/// ```
/// # fn main() -> ioenv::Result<()> {
/// use ioenv::source::{Freshness, Reading, Revision};
/// use ioenv::{Document, Layer};
///
/// let layer = Layer::new("acme-store".parse()?, Document::parse("PORT=8080\n")?);
/// let reading = Reading::new("settings.example", vec![layer]).with_revision(Revision::new("7"));
/// assert_eq!(reading.freshness(), Freshness::Live);
/// assert_eq!(reading.into_layers()?.len(), 1);
///
/// let same = Reading::not_modified("settings.example", Revision::new("7"));
/// assert_eq!(same.freshness(), Freshness::NotModified);
/// assert!(same.layers().is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reading {
    origin: Cow<'static, str>,
    layers: Option<Vec<Layer>>,
    revision: Option<Revision>,
    freshness: Freshness,
}

impl Reading {
    /// Takes the layers, broad to specific. `origin` names the source in messages, such as "the sealed file
    /// ./ioenv.sealed"; it holds no credential.
    pub fn new(origin: impl Into<Cow<'static, str>>, layers: Vec<Layer>) -> Self {
        Self { origin: origin.into(), layers: Some(layers), revision: None, freshness: Freshness::Live }
    }

    /// Says that the chain still has the revision that the request named.
    pub fn not_modified(origin: impl Into<Cow<'static, str>>, revision: Revision) -> Self {
        Self { origin: origin.into(), layers: None, revision: Some(revision), freshness: Freshness::NotModified }
    }

    /// Names the state that the layers are of.
    pub fn with_revision(self, revision: Revision) -> Self {
        Self { revision: Some(revision), ..self }
    }

    /// Says how current the layers are; without it they are [`Live`](Freshness::Live).
    pub fn with_freshness(self, freshness: Freshness) -> Self {
        Self { freshness, ..self }
    }

    /// Returns the layers, or `None` for "not modified".
    pub fn layers(&self) -> Option<&[Layer]> {
        self.layers.as_deref()
    }

    /// Returns the layers to a caller that named no revision.
    ///
    /// # Errors
    /// `InvalidValue` for "not modified", which answers a request with a revision only.
    pub fn into_layers(self) -> Result<Vec<Layer>> {
        self.layers.ok_or_else(|| {
            let message = format!(
                "{} says that nothing was modified, and was not told since when: the fault is in that source",
                self.origin
            );
            Error::new(ErrorKind::InvalidValue, message)
        })
    }

    /// Returns the name of the source, for messages.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the state that the layers are of, if the source names states.
    pub fn revision(&self) -> Option<&Revision> {
        self.revision.as_ref()
    }

    /// Returns how current the layers are.
    pub fn freshness(&self) -> Freshness {
        self.freshness
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::core::document::Document;

    fn path() -> LevelPath {
        "acme-store/backend".parse().unwrap()
    }

    #[test]
    fn a_request_can_be_made_without_anything_but_a_path() {
        let path = path();
        let request = Request::new(&path);
        assert_eq!(request.path(), &path);
        assert!(request.keys().unwrap().is_empty());
        assert_eq!((request.revision(), request.deadline()), (None, None));
    }

    #[test]
    fn keys_are_read_when_they_are_asked_for_and_once_for_all_clones() {
        let path = path();
        let reads = AtomicUsize::new(0);
        let request = Request::new(&path).with_keys_from(|| {
            reads.fetch_add(1, Ordering::Relaxed);
            KeyRing::parse("a passphrase\n")
        });
        let clone = request.clone();
        assert_eq!(reads.load(Ordering::Relaxed), 0);
        assert_eq!(request.keys().unwrap().len(), 1);
        assert_eq!(clone.keys().unwrap().len(), 1);
        assert_eq!(reads.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn keys_that_could_not_be_read_are_read_again() {
        let path = path();
        let reads = AtomicUsize::new(0);
        let request = Request::new(&path).with_keys_from(|| match reads.fetch_add(1, Ordering::Relaxed) {
            0 => Err(Error::new(ErrorKind::Io, "not yet")),
            _ => Ok(KeyRing::new()),
        });
        assert_eq!(request.keys().unwrap_err().kind(), ErrorKind::Io);
        assert!(request.keys().is_ok());
    }

    #[test]
    fn a_source_can_pass_a_request_on_with_a_revision_of_its_own() {
        fn ask_with(request: &Request<'_>, revision: &Revision) -> bool {
            request.clone().with_revision(revision).revision() == Some(revision)
        }
        let path = path();
        assert!(ask_with(&Request::new(&path), &Revision::new("7")));
    }

    #[test]
    fn a_deadline_reaches_the_source() {
        #[derive(Debug)]
        struct Late(Instant);
        impl Source for Late {
            fn read(&self, request: &Request<'_>) -> Result<Reading> {
                assert_eq!(request.deadline(), Some(self.0));
                Err(Error::new(ErrorKind::Unavailable, "too late"))
            }
        }
        let path = path();
        let deadline = some_instant();
        let source: Box<dyn Source> = Box::new(Arc::new(Late(deadline)));
        let error = source.read(&Request::new(&path).with_deadline(deadline)).unwrap_err();
        assert!(error.is_retryable());
    }

    #[expect(clippy::disallowed_methods, reason = "an instant cannot be had otherwise, and the test waits for none")]
    fn some_instant() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_reading_says_where_it_is_from_and_how_current_it_is() {
        let layer = Layer::new(path(), Document::parse("PORT=8080\n").unwrap());
        let reading = Reading::new("a copy", vec![layer]);
        assert_eq!((reading.origin(), reading.freshness(), reading.revision()), ("a copy", Freshness::Live, None));

        let since = SystemTime::UNIX_EPOCH;
        let reading = reading.with_revision(Revision::new("7")).with_freshness(Freshness::Stale { since });
        assert_eq!(reading.revision().map(Revision::as_str), Some("7"));
        assert_eq!(reading.freshness(), Freshness::Stale { since });
        assert_eq!(reading.layers().unwrap()[0].path(), &path());
    }

    #[test]
    fn not_modified_has_no_layers() {
        let reading = Reading::not_modified("the store".to_owned(), Revision::new("7"));
        assert!(reading.layers().is_none());
        assert_eq!(reading.freshness(), Freshness::NotModified);
        let error = reading.into_layers().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert!(error.to_string().starts_with("the store says that nothing was modified"), "{error}");
    }

    #[test]
    fn requests_and_readings_cross_threads() {
        fn assert_bounds<T: Send + Sync>() {}
        assert_bounds::<Request<'_>>();
        assert_bounds::<Reading>();
    }

    #[test]
    fn debug_shows_no_key() {
        let path = path();
        let request = Request::new(&path).with_keys(KeyRing::parse("planted\n").unwrap());
        assert!(!format!("{request:?}").contains("planted"));
    }
}
