//! The secrets that a program is configured with: level keys, the token and the root key of a vault. They are in
//! variables or in files, and never in `ioenv.toml`.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::configuration::{Configuration, SourceKind};
use super::variables::{variable, variable_os};
use crate::core::key::LevelKey;
use crate::core::key_ring::KeyRing;
#[cfg(feature = "vault")]
use crate::core::token::Token;
#[cfg(feature = "vault")]
use crate::core::wrap::RootKey;
use crate::error::{Error, ErrorKind, Result};
#[cfg(feature = "vault")]
use crate::files::read::read_bytes;
use crate::files::read::read_text;

/// Largest key file that is read.
const MAX_KEY_FILE_BYTES: usize = 64 * 1024;
/// Largest file with a token or a root key that is read.
#[cfg(feature = "vault")]
const MAX_CREDENTIAL_BYTES: usize = 4096;

impl Configuration {
    /// The file with the keys, as far as one is named or there is one: `IOENV_KEY_FILE`, or `key_file`, or
    /// `ioenv.key` beside `ioenv.toml`. What `IOENV_KEY` holds counts before any file.
    pub fn key_file(&self) -> Option<PathBuf> {
        if let Some(file) = variable_os("IOENV_KEY_FILE") {
            return Some(self.directory.join(file));
        }
        match &self.settings.key_file {
            Some(file) => self.beside_file(file),
            None => self.beside_file("ioenv.key").filter(|file| file.exists()),
        }
    }

    /// The keys: those in `IOENV_KEY`, or else those in the [`key_file`](Self::key_file), or none.
    ///
    /// # Errors
    /// `Io`, when a file that is named cannot be read; `InvalidValue`, with the line, for a key with a typo; `Limit`;
    /// `Config`, when `ioenv.toml` names a key file, and an `ioenv.key` beside it holds a key that is not in that file.
    pub fn keys(&self) -> Result<KeyRing> {
        if let Some(text) = variable("IOENV_KEY")? {
            let text = Zeroizing::new(text);
            return KeyRing::parse(&text).map_err(|error| error.with_file(Path::new("IOENV_KEY")));
        }
        let Some(file) = self.key_file() else {
            return Ok(KeyRing::new());
        };
        let keys = Self::keys_in(&file)?;
        self.check_own_keys(&file, &keys)?;
        Ok(keys)
    }

    /// Refuses a key file that `ioenv.toml` names if it would displace the keys in `ioenv.key`. A commit can bring in the
    /// setting, the file and a sealed file under its key; a program would then load what the committer chose.
    fn check_own_keys(&self, file: &Path, keys: &KeyRing) -> Result<()> {
        let is_named_here = variable_os("IOENV_KEY_FILE").is_some() || self.settings.key_file.is_none();
        let Some(own) = self.beside_file("ioenv.key").filter(|own| !is_named_here && own.exists()) else {
            return Ok(());
        };
        if keys.has_all(&Self::keys_in(&own)?) {
            return Ok(());
        }
        Err(Error::config(format!(
            "`key_file` in {} names {}, and {} holds another key: remove the setting or move {} away; to use the named \
             file all the same, set IOENV_KEY_FILE",
            self.file_name(),
            file.display(),
            own.display(),
            own.display()
        )))
    }

    /// The keys in a file.
    ///
    /// # Errors
    /// As [`keys`](Self::keys).
    pub fn keys_in(file: &Path) -> Result<KeyRing> {
        // The likeliest mix-up of all, and the error of opening such a file would show the key.
        if file.iter().any(|part| part.to_string_lossy().contains(LevelKey::PREFIX)) {
            let message = "a key is given where the name of a key file belongs: put it in IOENV_KEY";
            return Err(Error::new(ErrorKind::InvalidValue, message));
        }
        let text = read_text(file, "key file", MAX_KEY_FILE_BYTES)?;
        KeyRing::parse(&text).map_err(|error| error.with_file(file))
    }

    /// Returns whether nothing is found that opens the levels: no key of a sealed file, no token for a vault. A key file that
    /// is named but not there is no key.
    pub(super) fn lacks_credentials(&self) -> bool {
        match self.source_kind() {
            Ok(SourceKind::Sealed) if cfg!(feature = "sealed") => match (variable_os("IOENV_KEY"), self.key_file()) {
                (None, None) => true,
                (None, Some(file)) if !file.exists() => true,
                _ => self.keys().is_ok_and(|keys| keys.is_empty()),
            },
            #[cfg(feature = "vault")]
            Ok(SourceKind::Vault) => self.token().is_ok_and(|token| token.is_none()),
            // The source is not compiled in, or is none.
            _ => false,
        }
    }

    /// The file with the root key of a vault, as far as one is named or there is one: `IOENV_ROOT_KEY_FILE`, or
    /// `ioenv.root` beside `ioenv.toml`. What `IOENV_ROOT_KEY` holds counts before any file.
    pub fn root_key_file(&self) -> Option<PathBuf> {
        match variable_os("IOENV_ROOT_KEY_FILE") {
            Some(file) => Some(self.directory.join(file)),
            None => self.beside_file("ioenv.root").filter(|file| file.exists()),
        }
    }
}

#[cfg(feature = "vault")]
impl Configuration {
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
        let text = read_text(&file, "token file", MAX_CREDENTIAL_BYTES)?;
        Token::parse(without_mark(&text).trim()).map(Some).map_err(|error| error.with_file(&file))
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
}

/// Some editors begin a file with a byte order mark.
#[cfg(feature = "vault")]
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

#[cfg(feature = "vault")]
fn root_key_in(file: &Path) -> Result<RootKey> {
    if file.iter().any(|part| part.to_string_lossy().contains(RootKey::PREFIX)) {
        let message = "IOENV_ROOT_KEY_FILE holds a key where the name of a file belongs: put it in IOENV_ROOT_KEY";
        return Err(Error::new(ErrorKind::InvalidValue, message));
    }
    let bytes = read_bytes(file, "root key file", MAX_CREDENTIAL_BYTES)?;
    if let Ok(bytes) = <&[u8; 32]>::try_from(bytes.as_slice()) {
        return Ok(RootKey::from_bytes(bytes));
    }
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    RootKey::parse(without_mark(text)).map_err(|error| error.with_file(file))
}
