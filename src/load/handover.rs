//! What one program tells another one about the environment that it gives to it, so that the other one needs no key.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::configuration::{Configuration, SourceKind};
use super::location::VaultLocation;
use super::variables::{process_var, variable};
use crate::core::document::Document;
use crate::core::merge::{Layer, Resolved, Variable, merge};
use crate::core::name::VarName;
use crate::core::path::LevelPath;
use crate::core::secret::SecretString;
use crate::env::{Env, Selection};
use crate::error::{Error, Result};
use crate::inject::withheld::{HANDOVER, is_withheld};

/// Longest text that is handed over. Linux refuses to start a program with a variable of more than 128 KiB.
const MAX_BYTES: usize = 64 * 1024;
/// What stands for a field that says nothing.
const NONE: &str = "-";

/// What `IOENV_LOADED` says. It holds names, and no value.
#[derive(Debug)]
pub(super) struct Handover {
    path: String,
    organization: String,
    process_wins: bool,
    is_expanded: bool,
    /// The names that were asked for, in order, or `*`.
    only: String,
    names: Vec<VarName>,
    pub(super) withheld: Vec<VarName>,
    pub(super) since: SystemTime,
    /// The kind of the source and where it is.
    place: String,
}

/// A place where levels are, as both programs name it.
fn place(configuration: &Configuration) -> Option<String> {
    let file = |file: std::path::PathBuf| Some(file.canonicalize().ok()?.to_str()?.to_owned());
    let kind = configuration.source_kind().ok()?;
    let place = match kind {
        SourceKind::Sealed => file(configuration.sealed_file().ok()?)?,
        SourceKind::Vault => match configuration.vault_location().ok()? {
            VaultLocation::File(name) => file(name)?,
            VaultLocation::Postgres(url) => without_credentials(url.expose_secret())?.to_owned(),
        },
    };
    Some(format!("{kind}={place}")).filter(|place| !place.contains(char::is_control))
}

/// The host and the database of a URL.
fn without_credentials(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split(['?', '#']).next()
}

fn list<'a, I: IntoIterator<Item = &'a VarName>>(names: I) -> String {
    let names: Vec<&str> = names.into_iter().map(VarName::as_str).collect();
    if names.is_empty() { NONE.to_owned() } else { names.join(",") }
}

fn listed(text: &str) -> Option<Vec<VarName>> {
    if text == NONE {
        return Some(Vec::new());
    }
    text.split(',').map(|name| VarName::new(name).ok()).collect()
}

fn only(selection: &Selection) -> String {
    selection.only.as_ref().map_or_else(|| "*".to_owned(), list)
}

fn organization(configuration: &Configuration) -> &str {
    configuration.organization.as_deref().unwrap_or(NONE)
}

impl Handover {
    /// None, where a place has no name that both could agree on, or for more names than a variable holds.
    fn to_text(configuration: &Configuration, env: &Env) -> Option<String> {
        let place = place(configuration)?;
        let selection = env.selection();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let text = format!(
            "1 path={} organization={} precedence={} expand={} only={} names={} withheld={} time={since} {place}",
            env.path(),
            organization(configuration),
            if selection.process_wins { "process" } else { "vault" },
            selection.is_expanded,
            only(selection),
            list(env.names()),
            list(env.withheld()),
        );
        Some(text).filter(|text| text.len() <= MAX_BYTES)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.strip_prefix("1 ")?.splitn(9, ' ');
        let mut field = |name: &str| fields.next()?.strip_prefix(name)?.strip_prefix('=');
        let path = field("path")?.to_owned();
        let organization = field("organization")?.to_owned();
        let process_wins = match field("precedence")? {
            "process" => true,
            "vault" => false,
            _ => return None,
        };
        let is_expanded = field("expand")?.parse().ok()?;
        let only = field("only")?.to_owned();
        let names = listed(field("names")?)?;
        let withheld = listed(field("withheld")?)?;
        let since = UNIX_EPOCH.checked_add(Duration::from_secs(field("time")?.parse().ok()?))?;
        let place = fields.next()?.to_owned();
        Some(Self { path, organization, process_wins, is_expanded, only, names, withheld, since, place })
    }

    /// Whether it is about what this program would load; if not, why.
    fn check(
        &self,
        configuration: &Configuration,
        path: &LevelPath,
        selection: &Selection,
    ) -> std::result::Result<(), String> {
        if self.path != path.as_str() {
            return Err(format!("it is about another level than {path}"));
        }
        if place(configuration).is_none_or(|place| place != self.place) {
            return Err("it is about another sealed file or vault".to_owned());
        }
        if self.organization != organization(configuration) {
            return Err("it is about another organization".to_owned());
        }
        if self.only != only(selection) {
            return Err("it is about another selection of names".to_owned());
        }
        // If the process wins, its values count, wherever they are from.
        if !selection.process_wins && (self.process_wins || self.is_expanded != selection.is_expanded) {
            return Err("the level's values may not be those of the process: start with `ioenv run --override`, and \
                        with --expand if this program expands"
                .to_owned());
        }
        let may_be_given = |name: &VarName| match &selection.only {
            Some(only) => only.contains(name),
            None => !is_withheld(name),
        };
        if !self.names.iter().all(may_be_given) {
            return Err("`ioenv run` has not written it".to_owned());
        }
        Ok(())
    }

    /// The process's values, if they are those of this program; as secrets, since nothing here tells what is none.
    pub(super) fn take(
        &self,
        configuration: &Configuration,
        path: &LevelPath,
        selection: &Selection,
    ) -> Result<Resolved> {
        self.check(configuration, path, selection).map_err(refused)?;
        let mut document = Document::new();
        for name in &self.names {
            document.set(name.clone(), SecretString::from(""))?;
        }
        let mut resolved = merge(vec![Layer::new(path.clone(), document)]);
        // In the order of the merge, whatever that of the list is.
        let value = |variable: Variable<'_>| {
            let missing = || refused(format!("the process has no {} any more", variable.name()));
            process_var(variable.name())?.ok_or_else(missing)
        };
        let values: Vec<SecretString> = resolved.iter().map(value).collect::<Result<_>>()?;
        for (number, value) in values.into_iter().enumerate() {
            resolved.replace_by_process(number, value);
        }
        Ok(resolved)
    }
}

#[cold]
fn refused(why: impl std::fmt::Display) -> Error {
    Error::config(format!("the process's own values are not taken for it, although {HANDOVER} is set: {why}"))
}

impl Configuration {
    /// Gives a resolved environment to a child process, and leaves `IOENV_LOADED` with it, which names the level, where it
    /// is and which names were taken, and holds no secret. If the child, or a child of its own, loads the same without having
    /// a key or a token, it takes the values that it was given.
    ///
    /// `env` must have been resolved for this configuration.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::process::Command;
    ///
    /// use ioenv::{Configuration, Loader};
    ///
    /// let env = Loader::new().resolve()?;
    /// let mut server = Command::new("./server");
    /// Configuration::discover()?.hand_over(&env, &mut server);
    /// server.env_remove("IOENV_KEY").status()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Security
    /// As [`Env::apply_to`].
    pub fn hand_over(&self, env: &Env, command: &mut Command) {
        env.apply_to(command);
        match Handover::to_text(self, env) {
            Some(text) => command.env(HANDOVER, text),
            // What was left for this process is not about the child.
            None => command.env_remove(HANDOVER),
        };
    }

    /// Returns what this process was [handed over](Self::hand_over), all names of the level; `None`, if it was handed over
    /// nothing, or has a key or a token of its own. A [`Loader`](crate::Loader) does this by itself.
    ///
    /// # Errors
    /// `Config`, with the reason, if it was handed over something else than the level at `path`, or a name is missing by
    /// now; `InvalidValue`, for a value that is not UTF-8.
    pub fn handed_over(&self, path: &LevelPath) -> Result<Option<Resolved>> {
        match self.handover()? {
            Some(handover) => {
                handover.take(self, path, &Selection { only: None, process_wins: true, is_expanded: false }).map(Some)
            }
            None => Ok(None),
        }
    }

    /// What the process was handed over, unless it has credentials of its own.
    pub(super) fn handover(&self) -> Result<Option<Handover>> {
        match variable(HANDOVER)? {
            Some(text) if self.lacks_credentials() => match Handover::parse(&text) {
                Some(handover) => Ok(Some(handover)),
                None => Err(refused("it is not what `ioenv run` writes")),
            },
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_handover_is_none() {
        let good = "1 path=acme/dev organization=- precedence=process expand=false only=* names=A,B withheld=- time=9 \
                    sealed=/a b/ioenv.sealed";
        let handover = Handover::parse(good).unwrap();
        assert_eq!((handover.path.as_str(), handover.place.as_str()), ("acme/dev", "sealed=/a b/ioenv.sealed"));
        for bad in [
            String::new(),
            "2".to_owned() + &good[1..],
            good.replace("path=", "p="),
            good.replace("names=A,B", "names=A,,B"),
            good.replace("names=A,B", "names=A=1"),
            good.replace("precedence=process", "precedence=me"),
            good.replace("expand=false", "expand=maybe"),
            good.replace("time=9", "time=18446744073709551615"),
            good.replace("time=9 ", ""),
            good[..good.rfind(" sealed").unwrap()].to_owned(),
        ] {
            assert!(Handover::parse(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_url_is_named_without_its_credentials() {
        for url in ["postgres://u:p@w@h/d?password=p", "postgres://h/d#p", "postgres://h/d"] {
            assert_eq!(without_credentials(url), Some("h/d"), "{url}");
        }
    }
}
