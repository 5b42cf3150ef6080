use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::core::serde_text::serde_text;
use crate::error::{Error, ErrorKind, Result};

/// Longest setting, and longest name of a target, in bytes.
const MAX_TEXT: usize = 255;
/// Most settings of an integration.
const MAX_SETTINGS: usize = 20;
/// Which names a file can have that an integration writes.
pub(crate) const FILE_NAME_RULE: &str =
    "the name of a file has 1 to 255 of A-Z, a-z, 0-9, `.`, `_` and `-`; its directory is the operator's choice";

/// A service that an integration copies secrets to.
///
/// Its text is `vercel`, `cloudflare-workers`, `file`, or another word of `a-z`, `0-9` and `-`.
///
/// ```
/// # fn main() -> ioenv::Result<()> {
/// use ioenv::vault::Provider;
///
/// assert_eq!("cloudflare-workers".parse::<Provider>()?, Provider::CloudflareWorkers);
/// assert_eq!(Provider::Vercel.to_string(), "vercel");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Vercel: settings `project` and perhaps `team`; targets `production`, `preview` and `development`.
    Vercel,
    /// Secrets of Cloudflare Workers: setting `account`; a target is the name of a script.
    CloudflareWorkers,
    /// Files in a directory that the operator has chosen; a target is the name of a file.
    File,
    /// Any other, for a [`SyncTarget`](super::SyncTarget) of one's own.
    Other(String),
}

impl Provider {
    /// The provider as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Vercel => "vercel",
            Self::CloudflareWorkers => "cloudflare-workers",
            Self::File => "file",
            Self::Other(name) => name,
        }
    }

    /// What the provider is likely to call an environment of that slug.
    pub(crate) fn suggested_target(&self, environment: &str) -> Option<&'static str> {
        match (self, environment) {
            (Self::Vercel, "dev" | "development") => Some("development"),
            (Self::Vercel, "staging" | "preview") => Some("preview"),
            (Self::Vercel, "prod" | "production") => Some("production"),
            _ => None,
        }
    }

    /// Whether credentials are needed to get in.
    pub(crate) fn takes_credentials(&self) -> bool {
        !matches!(self, Self::File)
    }

    /// Refuses settings that the provider cannot have.
    pub(crate) fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<()> {
        let (required, allowed): (&[&str], Option<&[&str]>) = match self {
            Self::Vercel => (&["project"], Some(&["project", "team"])),
            Self::CloudflareWorkers => (&["account"], Some(&["account"])),
            Self::File => (&[], Some(&[])),
            Self::Other(_) => (&[], None),
        };
        if let Some(missing) = required.iter().find(|name| !settings.contains_key(**name)) {
            let message = format!("an integration with {self} needs the setting `{missing}`");
            return Err(Error::new(ErrorKind::InvalidValue, message));
        }
        let is_allowed = |name: &String| allowed.is_none_or(|allowed| allowed.contains(&name.as_str()));
        if settings.len() > MAX_SETTINGS || !settings.keys().all(|name| is_allowed(name) && is_word(name)) {
            let message = format!("an integration with {self} has the settings: {}", allowed.unwrap_or(&[]).join(", "));
            return Err(Error::new(ErrorKind::InvalidValue, message));
        }
        let is_value = |value: &String| match self {
            Self::Other(_) => is_text(value),
            _ => is_identifier(value),
        };
        if !settings.values().all(is_value) {
            let message =
                "a setting has 1 to 255 characters, for the services known here of A-Z, a-z, 0-9, `.`, `_` and `-`";
            return Err(Error::new(ErrorKind::InvalidValue, message));
        }
        Ok(())
    }

    /// Refuses names that the provider cannot have for an environment.
    pub(crate) fn check_target(&self, target: &str) -> Result<()> {
        let (is_fine, message) = match self {
            Self::Vercel => (
                ["production", "preview", "development"].contains(&target),
                "an environment of Vercel is production, preview or development",
            ),
            Self::CloudflareWorkers => {
                (is_identifier(target), "the name of a script has 1 to 255 of A-Z, a-z, 0-9, `.`, `_` and `-`")
            }
            Self::File => (is_identifier(target), FILE_NAME_RULE),
            Self::Other(_) => (is_text(target), "what a provider calls an environment has 1 to 255 characters"),
        };
        if is_fine { Ok(()) } else { Err(Error::new(ErrorKind::InvalidValue, message)) }
    }
}

/// A part of a path or of a URL that stays one, and leads nowhere else.
pub(crate) fn is_identifier(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_TEXT).contains(&text.len()) && text.bytes().all(is_letter) && text.bytes().any(|byte| byte != b'.')
}

fn is_text(text: &str) -> bool {
    (1..=MAX_TEXT).contains(&text.len()) && !text.contains(char::is_control)
}

fn is_word(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=50).contains(&text.len()) && text.bytes().all(is_letter)
}

impl FromStr for Provider {
    type Err = Error;

    /// # Errors
    /// `InvalidValue`.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "vercel" => Ok(Self::Vercel),
            "cloudflare-workers" => Ok(Self::CloudflareWorkers),
            "file" => Ok(Self::File),
            other if is_word(other) => Ok(Self::Other(other.to_owned())),
            _ => {
                let message = "a provider is vercel, cloudflare-workers, file, or another word of a-z, 0-9 and -";
                Err(Error::new(ErrorKind::InvalidValue, message))
            }
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

serde_text!(Provider, "the name of a provider");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_settings_lead_nowhere_else() {
        for bad in ["", ".", "..", "a/b", "../a", "a b", "a?b", "a%2fb", "a\\b", "ä", &"a".repeat(256)] {
            assert!(Provider::File.check_target(bad).is_err(), "{bad:?}");
            assert!(Provider::CloudflareWorkers.check_target(bad).is_err(), "{bad:?}");
            let settings = BTreeMap::from([("account".to_owned(), bad.to_owned())]);
            assert!(Provider::CloudflareWorkers.check_settings(&settings).is_err(), "{bad:?}");
        }
        Provider::File.check_target(".env.production").unwrap();
        assert!(Provider::Vercel.check_target("prod").is_err());
        Provider::Vercel.check_target("production").unwrap();
    }

    #[test]
    fn settings_are_those_of_the_provider() {
        let settings = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        Provider::Vercel.check_settings(&settings(&["project"])).unwrap();
        Provider::Vercel.check_settings(&settings(&["project", "team"])).unwrap();
        for bad in [&["team"][..], &["project", "url"]] {
            assert!(Provider::Vercel.check_settings(&settings(bad)).is_err(), "{bad:?}");
        }
        Provider::Other("mine".into()).check_settings(&settings(&["anything"])).unwrap();
    }

    #[test]
    fn a_provider_is_read_as_it_is_written() {
        let own = Provider::Other("fly".to_owned());
        for provider in [Provider::Vercel, Provider::CloudflareWorkers, Provider::File, own] {
            assert_eq!(provider.to_string().parse::<Provider>().unwrap(), provider);
        }
        assert!("Not a word".parse::<Provider>().is_err());
    }
}
