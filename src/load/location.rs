use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::core::secret::SecretString;
#[cfg(not(all(feature = "sqlite", feature = "postgres")))]
use crate::error::{Error, ErrorKind};

/// Where a vault is kept.
///
/// Text with `://` in it is a URL, even one that no store understands: it may hold a password, which the name of a file
/// would show. Any other text is the name of a file.
///
/// ```
/// use std::path::Path;
///
/// use ioenv::VaultLocation;
///
/// let location = VaultLocation::from("ioenv.vault".to_owned());
/// assert!(matches!(&location, VaultLocation::File(file) if file == Path::new("ioenv.vault")));
/// assert!(VaultLocation::from("postgres://ioenv:hunter2@localhost/ioenv".to_owned()).has_password());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum VaultLocation {
    /// A SQLite file.
    File(PathBuf),
    /// The URL of a PostgreSQL database, which may hold a password.
    Postgres(SecretString),
}

impl VaultLocation {
    /// Returns whether it is a URL that holds a password, or may.
    pub fn has_password(&self) -> bool {
        let Self::Postgres(url) = self else {
            return false;
        };
        let (_, rest) = url.expose_secret().split_once("://").unwrap_or_default();
        rest.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) || rest.contains("password")
    }

    /// What is said where the store that it takes is not compiled in.
    #[cold]
    #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
    pub(super) fn not_compiled_in(&self) -> Error {
        let (kind, feature) = match self {
            Self::File(_) => ("a SQLite file", "sqlite"),
            Self::Postgres(_) => ("a PostgreSQL database", "postgres"),
        };
        let message = format!("a vault in {kind} needs the feature `{feature}` of ioenv: enable it");
        Error::new(ErrorKind::CrateFeature, message)
    }
}

impl From<String> for VaultLocation {
    fn from(text: String) -> Self {
        if text.contains("://") { Self::Postgres(text.into()) } else { Self::File(text.into()) }
    }
}

impl FromStr for VaultLocation {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.to_owned().into())
    }
}

/// Without the URL.
impl fmt::Debug for VaultLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => f.debug_tuple("File").field(file).finish(),
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
}
