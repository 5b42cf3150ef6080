#[cfg(feature = "vault")]
use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as one line that says what to do next.
///
/// [`kind`](Error::kind) is what a program can act on. The text names files, level paths, line numbers and variable
/// *names*; it never holds a value, a key, a token or a line of the input. `Debug` prints the same text as `Display`,
/// followed by its causes, because `fn main() -> Result<(), ioenv::Error>` shows users the `Debug` form. Clones share the
/// causes.
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
#[derive(Clone)]
pub struct Error {
    inner: Box<Inner>,
}

/// The types of a path, of a name and of a refusal report errors themselves. So that this file needs none of them, it
/// keeps checked text, and the accessors stand beside the types.
#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    file: Option<PathBuf>,
    path: Option<Arc<str>>,
    names: Vec<SmolStr>,
    position: Option<(usize, usize)>,
    retry_after: Option<Duration>,
    #[cfg(feature = "vault")]
    refusal: Option<Arc<dyn Any + Send + Sync>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What a caller can act on.
///
/// | group | kinds |
/// |---|---|
/// | the program or its configuration is wrong | [`AlreadyLoaded`](Self::AlreadyLoaded), [`Config`](Self::Config), [`CrateFeature`](Self::CrateFeature), [`MultiThreaded`](Self::MultiThreaded), [`UnknownThreadCount`](Self::UnknownThreadCount) |
/// | the input is wrong | [`InvalidName`](Self::InvalidName), [`InvalidValue`](Self::InvalidValue), [`Limit`](Self::Limit), [`Syntax`](Self::Syntax), [`UnsupportedVersion`](Self::UnsupportedVersion) |
/// | the key does not fit | [`ClientManaged`](Self::ClientManaged), [`ContentRequired`](Self::ContentRequired), [`Corrupt`](Self::Corrupt), [`DecryptionFailed`](Self::DecryptionFailed), [`KeyProofMismatch`](Self::KeyProofMismatch), [`KeyProofRequired`](Self::KeyProofRequired), [`KeyVersionConflict`](Self::KeyVersionConflict) |
/// | the caller may not do this | [`Denied`](Self::Denied), [`Unauthenticated`](Self::Unauthenticated), [`Unconfirmed`](Self::Unconfirmed), [`VersionLocked`](Self::VersionLocked), [`VersionProtected`](Self::VersionProtected) |
/// | the state is another than expected | [`Conflict`](Self::Conflict), [`NotFound`](Self::NotFound) |
/// | trying again later may help | [`RateLimited`](Self::RateLimited), [`RotationInProgress`](Self::RotationInProgress), [`Unavailable`](Self::Unavailable) |
/// | the operating system failed | [`Io`](Self::Io) |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    // The program or its configuration is wrong.
    /// [`load`](crate::load()) has succeeded before, with another path or another way of injection.
    AlreadyLoaded,
    /// The configuration is incomplete or contradicts itself: a path, a key or a setting is not given.
    Config,
    /// The text asks for what a feature of this crate provides that is not compiled in.
    CrateFeature,
    /// More than one thread is running, so the process environment cannot be written safely.
    MultiThreaded,
    /// The number of running threads cannot be told here, so the process environment is not written.
    UnknownThreadCount,

    // The input is wrong.
    /// A name or a level path breaks the rules for names, or may not be used here.
    InvalidName,
    /// A value, a key or a setting cannot be what it was given as.
    InvalidValue,
    /// A size, a count or a number of iterations is beyond its bound.
    Limit,
    /// The text is not dotenv text.
    Syntax,
    /// The file was written by a newer version of this crate.
    UnsupportedVersion,

    // The key does not fit.
    /// Only its clients hold the key of this project, so the store cannot open or change single entries of it.
    ClientManaged,
    /// The version is under an old key that only clients hold: restoring it takes its content, encrypted again.
    ContentRequired,
    /// A sealed file, a blob or its place is damaged or was tampered with.
    Corrupt,
    /// The key is not the right one.
    DecryptionFailed,
    /// The proof is that of another key than the project's.
    KeyProofMismatch,
    /// The key of the project must be proved to be held, and no proof was given.
    KeyProofRequired,
    /// The project's key has another version by now: get the active key and try again.
    KeyVersionConflict,

    // The caller may not do this.
    /// The request lacks a permission, which the text names, or comes from an address the key is not to be used from.
    Denied,
    /// The token or key is not known, has expired or was revoked, or the user is not known.
    Unauthenticated,
    /// What was asked for destroys something, and needs to be confirmed explicitly.
    Unconfirmed,
    /// The version cannot be changed or removed for now.
    VersionLocked,
    /// The version is protected, and must not be removed.
    VersionProtected,

    // The state is another than expected.
    /// Something else changed or made the file in the meantime; nothing was written.
    Conflict,
    /// A level, a variable or a key is not there.
    NotFound,

    // Trying again later may help.
    /// A service received too many requests; [`Error::retry_after`] says how long to wait, if the service did.
    RateLimited,
    /// The project's key is being rotated.
    RotationInProgress,
    /// Somebody else holds the file right now, or a service does not respond.
    Unavailable,

    // The operating system failed.
    /// The operating system refused to read or write.
    Io,
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
        self.inner.source = Some(Arc::from(source.into()));
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

    /// Adds a second line of thought behind the message.
    #[cold]
    pub(crate) fn with_note(mut self, note: impl fmt::Display) -> Self {
        self.inner.message = format!("{}; {note}", self.inner.message);
        self
    }

    #[cold]
    pub(crate) fn with_file(mut self, file: &Path) -> Self {
        self.inner.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// Adds the text of the path of a level. A level that was added before stays: it is the more specific one.
    #[cold]
    pub(crate) fn with_path_text(mut self, path: &Arc<str>) -> Self {
        self.inner.path.get_or_insert_with(|| Arc::clone(path));
        self
    }

    /// Adds the texts of names of variables.
    #[cold]
    pub(crate) fn with_name_texts(mut self, names: impl IntoIterator<Item = SmolStr>) -> Self {
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
    pub(crate) fn with_any_refusal(mut self, refusal: impl Any + Send + Sync) -> Self {
        self.inner.refusal = Some(Arc::new(refusal));
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

    /// Returns whether the same call may succeed later without anything being changed: for
    /// [`RateLimited`](ErrorKind::RateLimited), [`RotationInProgress`](ErrorKind::RotationInProgress) and
    /// [`Unavailable`](ErrorKind::Unavailable).
    pub fn is_retryable(&self) -> bool {
        matches!(self.inner.kind, ErrorKind::RateLimited | ErrorKind::RotationInProgress | ErrorKind::Unavailable)
    }

    /// Returns how long to wait before the same call may succeed, if a service said so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    pub(crate) fn path_text(&self) -> Option<&Arc<str>> {
        self.inner.path.as_ref()
    }

    pub(crate) fn name_texts(&self) -> &[SmolStr] {
        &self.inner.names
    }

    /// Line and column in the input, both from 1, the column in characters.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.inner.position
    }

    #[cfg(feature = "vault")]
    pub(crate) fn any_refusal(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.inner.refusal.as_deref()
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
        fn assert_bounds<T: Clone + Send + Sync + std::error::Error + 'static>() {}
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
