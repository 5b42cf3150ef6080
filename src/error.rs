use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[cfg(feature = "vault")]
use crate::core::clock::Timestamp;
use crate::core::name::VarName;
use crate::core::path::LevelPath;
#[cfg(feature = "vault")]
use crate::core::permission::PermissionSet;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as one line that says what to do next.
///
/// [`kind`](Error::kind) is what a program can act on. The text names files, level paths, line numbers and variable
/// *names*; it never holds a value, a key, a token or a line of the input. `Debug` prints the same text as `Display`,
/// followed by its causes, because `fn main() -> Result<(), ioenv::Error>` shows users the `Debug` form.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::{Document, ErrorKind};
///
/// let error = Document::parse("PORT=8080\nAPI KEY=x\n").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidName);
/// assert_eq!(error.position(), Some((2, 1)));
/// # Ok(())
/// # }
/// ```
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    message: String,
    file: Option<PathBuf>,
    path: Option<LevelPath>,
    names: Vec<VarName>,
    position: Option<(usize, usize)>,
    retry_after: Option<Duration>,
    #[cfg(feature = "vault")]
    refusal: Option<Refusal>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Why something was refused, where services have a word of its own for that.
#[cfg(feature = "vault")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It no longer works since then.
    Expired(Timestamp),
    /// It does not work from where it was used.
    Address,
    /// Its organization is not active.
    Inactive,
    /// These are missing.
    Permissions(PermissionSet),
    /// It is not the request that is refused but the slug in it.
    Slug,
    /// The version was displaced at that time, more than so many days ago.
    Locked(u32, Timestamp),
}

/// What a caller can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// [`load`](crate::load()) has succeeded before, with another path or another way of injection.
    AlreadyLoaded,
    /// Only its clients hold the key of this project, so the store cannot open or change single entries of it.
    ClientManaged,
    /// The configuration is incomplete or contradicts itself: a path, a key or a setting is not given.
    Config,
    /// Something else changed or made the file in the meantime; nothing was written.
    Conflict,
    /// The version is under an old key that only clients hold: restoring it takes its content, encrypted again.
    ContentRequired,
    /// A sealed file, a blob or its place is damaged or was tampered with.
    Corrupt,
    /// The text asks for what a feature of this crate provides that is not compiled in.
    CrateFeature,
    /// The key is not the right one.
    DecryptionFailed,
    /// The request lacks a permission, which the text names, or comes from an address the key is not to be used from.
    Denied,
    /// A name or a level path breaks the rules for names, or may not be used here.
    InvalidName,
    /// A value, a key or a setting cannot be what it was given as.
    InvalidValue,
    /// The operating system refused to read or write.
    Io,
    /// The proof is that of another key than the project's.
    KeyProofMismatch,
    /// The key of the project must be proved to be held, and no proof was given.
    KeyProofRequired,
    /// The project's key has another version by now: get the active key and try again.
    KeyVersionConflict,
    /// A size, a count or a number of iterations is beyond its bound.
    Limit,
    /// More than one thread is running, so the process environment cannot be written safely.
    MultiThreaded,
    /// A level, a variable or a key is not there.
    NotFound,
    /// The project's key is being rotated; trying again later works.
    RotationInProgress,
    /// The text is not dotenv text.
    Syntax,
    /// The token or key is not known, has expired or was revoked, or the user is not known.
    Unauthenticated,
    /// Somebody else holds the file right now; trying again later may work.
    Unavailable,
    /// What was asked for destroys something, and needs to be confirmed explicitly.
    Unconfirmed,
    /// The number of running threads cannot be told here, so the process environment is not written.
    UnknownThreadCount,
    /// The file was written by a newer version of this crate.
    UnsupportedVersion,
    /// The version cannot be changed or removed for now.
    VersionLocked,
    /// The version is protected, and must not be removed.
    VersionProtected,
}

impl Error {
    /// An error of a [`Source`](crate::source::Source), a [`Random`](crate::Random) or a [`Cipher`](crate::Cipher) of one's
    /// own. `message` is one line in lower case that says what to do next; it is shown as it is, so no value goes
    /// into it.
    ///
    /// ```
    /// use ioenv::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Unavailable, "the store does not answer: try again later");
    /// assert!(error.is_retryable());
    /// ```
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                file: None,
                path: None,
                names: Vec::new(),
                position: None,
                retry_after: None,
                #[cfg(feature = "vault")]
                refusal: None,
                source: None,
            }),
        }
    }

    /// The same error with what caused it, which is shown behind it.
    #[must_use]
    #[cold]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// Adds how long to wait before the same call may succeed, if a service said so.
    #[must_use]
    #[cold]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.inner.retry_after = Some(wait);
        self
    }

    /// An `Io` error; `action` reads like "cannot read ./ioenv.key".
    #[cold]
    pub(crate) fn io(action: impl Into<String>, source: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("{}: {}", action.into(), source.kind())).with_source(source)
    }

    /// A `Config` error.
    #[cold]
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    #[cold]
    pub(crate) fn with_file(mut self, file: &Path) -> Self {
        self.inner.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// Adds the level that the error is about, which is shown before the text. A level that was added before stays: it
    /// is the more specific one.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::NotFound, "there is no such level").with_path(&"acme-store/dev".parse()?);
    /// assert_eq!(error.to_string(), "acme-store/dev: there is no such level");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[cold]
    pub fn with_path(mut self, path: &LevelPath) -> Self {
        self.inner.path.get_or_insert_with(|| path.clone());
        self
    }

    /// Adds variables that the error is about, for [`names`](Self::names). The text does not show them.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::NotFound, "the store does not have PORT").with_names(["PORT".parse()?]);
    /// assert_eq!(error.names()[0].as_str(), "PORT");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[cold]
    pub fn with_names(mut self, names: impl IntoIterator<Item = VarName>) -> Self {
        self.inner.names.extend(names);
        self
    }

    #[cold]
    pub(crate) fn with_position(mut self, line: usize, column: usize) -> Self {
        self.inner.position = Some((line, column));
        self
    }

    #[cfg(feature = "vault")]
    #[cold]
    pub(crate) fn with_refusal(mut self, refusal: Refusal) -> Self {
        self.inner.refusal = Some(refusal);
        self
    }

    /// The position of the byte at `at` in `text`.
    #[cold]
    pub(crate) fn with_offset(self, text: &str, at: usize) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |found| found + 1);
        self.with_position(before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// What a caller can act on.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Whether the same call may succeed later without anything being changed.
    pub fn is_retryable(&self) -> bool {
        self.inner.kind == ErrorKind::Unavailable
    }

    /// Returns how long to wait before the same call may succeed, if a service said so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// The level the error is about.
    pub fn path(&self) -> Option<&LevelPath> {
        self.inner.path.as_ref()
    }

    /// The variables the error is about: all that are missing, or the members of a cycle of references.
    pub fn names(&self) -> &[VarName] {
        &self.inner.names
    }

    /// Line and column in the input, both from 1, the column in characters.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.inner.position
    }

    /// Since when the token or key that was shown has expired, where that is why it is `Unauthenticated`. Only whoever
    /// has held it is told; one that is unknown or was revoked is refused without a reason.
    #[cfg(feature = "vault")]
    pub fn expired_at(&self) -> Option<Timestamp> {
        match self.inner.refusal {
            Some(Refusal::Expired(at)) => Some(at),
            _ => None,
        }
    }

    /// Whether it is `Denied` because the key is not to be used from the address it was used from.
    #[cfg(feature = "vault")]
    pub fn is_address_refused(&self) -> bool {
        self.inner.refusal == Some(Refusal::Address)
    }
}

#[cfg(feature = "vault")]
impl Error {
    /// Whether it is `Denied` because the organization is not active, so that nobody may do anything in it.
    pub fn is_organization_inactive(&self) -> bool {
        self.inner.refusal == Some(Refusal::Inactive)
    }

    /// Whether it is about a slug: one that is taken, for a `Conflict`, and one that has a fixed meaning where it would
    /// stand, for an `InvalidName`.
    pub fn is_slug_refused(&self) -> bool {
        self.inner.refusal == Some(Refusal::Slug)
    }

    /// For how many days versions can be opened, and when the one that is `VersionLocked` was displaced.
    pub fn version_lock(&self) -> Option<(u32, Timestamp)> {
        match self.inner.refusal {
            Some(Refusal::Locked(days, at)) => Some((days, at)),
            _ => None,
        }
    }

    /// The permissions that are missing, where that is why it is `Denied`; otherwise none.
    pub fn missing_permissions(&self) -> PermissionSet {
        match self.inner.refusal {
            Some(Refusal::Permissions(missing)) => missing,
            _ => PermissionSet::EMPTY,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.inner.file {
            write!(f, "{}: ", file.display())?;
        }
        if let Some(path) = &self.inner.path {
            write!(f, "{path}: ")?;
        }
        if let Some((line, column)) = self.inner.position {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.inner.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, "\n  caused by: {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_word_and_can_cross_threads() {
        fn assert_bounds<T: Send + Sync + std::error::Error + 'static>() {}
        assert_bounds::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }

    #[test]
    fn debug_is_display_with_causes() {
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let error = Error::io("cannot read ./ioenv.key", denied);
        assert_eq!(error.to_string(), "cannot read ./ioenv.key: permission denied");
        assert!(format!("{error:?}").starts_with("cannot read ./ioenv.key: permission denied\n  caused by: "));
    }
}
