use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::str::FromStr;

use serde::de::SeqAccess;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::serde_text::serde_text;
use super::words::words;
use crate::error::{Error, ErrorKind, Result};

words! {
    /// One thing that may be done, written `resource:action`.
    ///
    /// This is the one vocabulary under all services; a [`Vocabulary`] says what each of them calls it.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::vault::Permission;
    ///
    /// assert_eq!("secret:read".parse::<Permission>()?, Permission::SecretRead);
    /// assert_eq!(Permission::SecretRead.to_string(), "secret:read");
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u8)]
    #[non_exhaustive]
    pub enum Permission: "a permission" {
        /// See that there are secrets, and get them as they are stored.
        SecretRead = "secret:read",
        /// Make and change secrets.
        SecretWrite = "secret:write",
        /// Remove secrets.
        SecretDelete = "secret:delete",
        /// Have the store open them.
        SecretDecrypt = "secret:decrypt",
        /// See versions and changes. Their content takes `secret:read` too.
        SecretHistory = "secret:history",
        /// Bring an old version back.
        SecretRestore = "secret:restore",
        /// Remove versions for good.
        SecretPurge = "secret:purge",
        /// Get a project's key or what is needed to derive it.
        KeyRetrieve = "key:retrieve",
        /// Put another key in its place.
        KeyRotate = "key:rotate",
        /// Make an organization.
        OrganizationCreate = "organization:create",
        /// See an organization.
        OrganizationRead = "organization:read",
        /// Change an organization.
        OrganizationUpdate = "organization:update",
        /// Remove an organization.
        OrganizationDelete = "organization:delete",
        /// Make a project.
        ProjectCreate = "project:create",
        /// See a project.
        ProjectRead = "project:read",
        /// Change a project.
        ProjectUpdate = "project:update",
        /// Remove a project.
        ProjectDelete = "project:delete",
        /// Make a target.
        TargetCreate = "target:create",
        /// See a target.
        TargetRead = "target:read",
        /// Change a target.
        TargetUpdate = "target:update",
        /// Remove a target.
        TargetDelete = "target:delete",
        /// Make an environment.
        EnvironmentCreate = "environment:create",
        /// See an environment.
        EnvironmentRead = "environment:read",
        /// Change an environment.
        EnvironmentUpdate = "environment:update",
        /// Remove an environment.
        EnvironmentDelete = "environment:delete",
        /// Make a team.
        TeamCreate = "team:create",
        /// See a team.
        TeamRead = "team:read",
        /// Change a team.
        TeamUpdate = "team:update",
        /// Remove a team.
        TeamDelete = "team:delete",
        /// Make a token.
        ApiTokenCreate = "api-token:create",
        /// See which tokens there are.
        ApiTokenRead = "api-token:read",
        /// Change or rotate a token.
        ApiTokenUpdate = "api-token:update",
        /// Revoke a token.
        ApiTokenDelete = "api-token:delete",
        /// Invite or add a member.
        MemberCreate = "member:create",
        /// See the members.
        MemberRead = "member:read",
        /// Change a member's roles.
        MemberUpdate = "member:update",
        /// Remove a member.
        MemberDelete = "member:delete",
        /// See plan and invoices.
        BillingRead = "billing:read",
        /// Change the plan.
        BillingWrite = "billing:write",
        /// Make an account of an environment.
        AccountCreate = "account:create",
        /// See the accounts of an environment.
        AccountRead = "account:read",
        /// Remove an account of an environment.
        AccountDelete = "account:delete",
        /// See webhooks and their log.
        WebhookRead = "webhook:read",
        /// Send a test to a webhook.
        WebhookTest = "webhook:test",
        /// Make a webhook.
        WebhookCreate = "webhook:create",
        /// Change a webhook.
        WebhookUpdate = "webhook:update",
        /// Remove a webhook.
        WebhookDelete = "webhook:delete",
        /// See integrations.
        IntegrationRead = "integration:read",
        /// Make, change and remove integrations.
        IntegrationWrite = "integration:write",
        /// Read the audit log.
        AuditRead = "audit:read",
        /// Say who may do what in a project.
        AccessManage = "access:manage",
        /// Have something searched for secrets.
        Scan = "scan:scan",
    }
}

serde_text!(Permission, "a permission, such as secret:read");

/// A set of [`Permission`]s.
///
/// serde reads and writes the list of their words; all permissions are `["*"]`, so that what could do everything can
/// still do so when there is more to do.
///
/// ```
/// use ioenv::vault::{Permission, PermissionSet};
///
/// const READER: PermissionSet = PermissionSet::of(&[Permission::SecretRead, Permission::ProjectRead]);
/// assert!(READER.contains(Permission::SecretRead));
/// assert_eq!(READER.to_string(), "secret:read, project:read");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PermissionSet(u128);

impl PermissionSet {
    /// Nothing.
    pub const EMPTY: Self = Self(0);
    /// Everything.
    pub const ALL: Self = Self::of(Permission::ALL);

    /// The set of some permissions.
    pub const fn of(permissions: &[Permission]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < permissions.len() {
            bits |= 1 << permissions[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    /// What is in either.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this one and not in the other.
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether a permission is in it.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// Whether all of `other` is in it; of nothing, all is.
    pub const fn contains_all(self, other: Self) -> bool {
        other.difference(self).is_empty()
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in it, in the order of the vocabulary.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.contains(*permission))
    }
}

impl From<Permission> for PermissionSet {
    fn from(permission: Permission) -> Self {
        Self::of(&[permission])
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::EMPTY, |set, permission| set.union(permission.into()))
    }
}

impl Extend<Permission> for PermissionSet {
    fn extend<I: IntoIterator<Item = Permission>>(&mut self, permissions: I) {
        *self = self.union(permissions.into_iter().collect());
    }
}

impl fmt::Display for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, permission) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{permission}")?;
        }
        Ok(())
    }
}

impl Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PermissionSet({self})")
    }
}

impl FromStr for PermissionSet {
    type Err = Error;

    /// Reads the text that `Display` writes: names of permissions with commas between them. `*` stands for all
    /// permissions, and an empty text for none.
    ///
    /// # Errors
    /// `InvalidValue`, without the text.
    fn from_str(text: &str) -> Result<Self> {
        let words = text.split(',').map(str::trim).filter(|_| !text.trim().is_empty());
        words
            .map(|word| word.parse::<Word>().map(|word| word.0))
            .try_fold(Self::EMPTY, |set, word| Ok(set.union(word?)))
    }
}

impl Serialize for PermissionSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if *self == Self::ALL { serializer.collect_seq(["*"]) } else { serializer.collect_seq(self.iter()) }
    }
}

impl<'de> Deserialize<'de> for PermissionSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Words;

        impl<'de> serde::de::Visitor<'de> for Words {
            type Value = PermissionSet;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of permissions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut words: A) -> std::result::Result<PermissionSet, A::Error> {
                let mut set = PermissionSet::EMPTY;
                while let Some(word) = words.next_element::<Word>()? {
                    set = set.union(word.0);
                }
                Ok(set)
            }
        }

        deserializer.deserialize_seq(Words)
    }
}

/// `*` or the word of one permission.
struct Word(PermissionSet);

impl FromStr for Word {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "*" { Ok(Self(PermissionSet::ALL)) } else { text.parse::<Permission>().map(|one| Self(one.into())) }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

serde_text!(Word, "a permission, such as secret:read, or *");

/// The words a service has for permissions. One word can stand for several.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::vault::{Permission, Vocabulary};
///
/// let set = Vocabulary::DotenvCloud.parse(["secret:write"])?;
/// assert!(set.contains(Permission::SecretDelete));
/// assert_eq!(Vocabulary::Stashbase.words(set), ["secrets.write", "secrets.delete"]);
///
/// let error = Vocabulary::DotenvCloud.parse(["secrets:read"]).unwrap_err();
/// assert!(error.to_string().contains("`secret:read`"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Vocabulary {
    /// `read`, `write` and `admin`. `write` is without `read`; `admin` has both.
    Ioenv,
    /// `resource:action`, and `*` for all.
    DotenvCloud,
    /// `resources.action`.
    Stashbase,
}

type Words = &'static [(&'static str, PermissionSet)];

const fn one(permission: Permission) -> PermissionSet {
    PermissionSet::of(&[permission])
}

pub(super) const READ: PermissionSet =
    PermissionSet::of(&[Permission::EnvironmentRead, Permission::SecretRead, Permission::SecretDecrypt]);
pub(super) const WRITE: PermissionSet = PermissionSet::of(&[Permission::SecretWrite, Permission::SecretDelete]);
pub(super) const ADMIN: PermissionSet = READ.union(WRITE).union(PermissionSet::of(&[
    Permission::EnvironmentCreate,
    Permission::EnvironmentUpdate,
    Permission::EnvironmentDelete,
    Permission::ApiTokenCreate,
    Permission::ApiTokenRead,
    Permission::ApiTokenUpdate,
    Permission::ApiTokenDelete,
    Permission::AuditRead,
    Permission::IntegrationRead,
    Permission::IntegrationWrite,
    Permission::ProjectRead,
    Permission::ProjectUpdate,
]));

const IOENV: Words = &[("read", READ), ("write", WRITE), ("admin", ADMIN)];

const DOTENV_CLOUD: Words = &[
    ("secret:read", one(Permission::SecretRead)),
    // There is no word for removing a secret but this one.
    ("secret:write", WRITE),
    ("secret:decrypt", one(Permission::SecretDecrypt)),
    ("secret:history", one(Permission::SecretHistory)),
    ("secret:restore", one(Permission::SecretRestore)),
    ("secret:purge", one(Permission::SecretPurge)),
    ("key:retrieve", one(Permission::KeyRetrieve)),
    ("key:rotate", one(Permission::KeyRotate)),
    ("project:create", one(Permission::ProjectCreate)),
    ("project:read", one(Permission::ProjectRead)),
    ("project:update", one(Permission::ProjectUpdate)),
    ("project:delete", one(Permission::ProjectDelete)),
    ("target:create", one(Permission::TargetCreate)),
    ("target:read", one(Permission::TargetRead)),
    ("target:update", one(Permission::TargetUpdate)),
    ("target:delete", one(Permission::TargetDelete)),
    ("environment:create", one(Permission::EnvironmentCreate)),
    ("environment:read", one(Permission::EnvironmentRead)),
    ("environment:update", one(Permission::EnvironmentUpdate)),
    ("environment:delete", one(Permission::EnvironmentDelete)),
    ("team:create", one(Permission::TeamCreate)),
    ("team:read", one(Permission::TeamRead)),
    ("team:update", one(Permission::TeamUpdate)),
    ("team:delete", one(Permission::TeamDelete)),
    ("organization:create", one(Permission::OrganizationCreate)),
    ("organization:read", one(Permission::OrganizationRead)),
    ("organization:update", one(Permission::OrganizationUpdate)),
    ("organization:delete", one(Permission::OrganizationDelete)),
    ("api-token:create", one(Permission::ApiTokenCreate)),
    ("api-token:read", one(Permission::ApiTokenRead)),
    ("api-token:update", one(Permission::ApiTokenUpdate)),
    ("api-token:delete", one(Permission::ApiTokenDelete)),
    ("member:create", one(Permission::MemberCreate)),
    ("member:read", one(Permission::MemberRead)),
    ("member:update", one(Permission::MemberUpdate)),
    ("member:delete", one(Permission::MemberDelete)),
    ("billing:read", one(Permission::BillingRead)),
    ("billing:write", one(Permission::BillingWrite)),
    // Ours: the service has no word for it.
    ("audit:read", one(Permission::AuditRead)),
];

const STASHBASE: Words = &[
    ("environment.read", one(Permission::EnvironmentRead)),
    ("environment.write", PermissionSet::of(&[Permission::EnvironmentCreate, Permission::EnvironmentUpdate])),
    ("environment.delete", one(Permission::EnvironmentDelete)),
    ("secrets.read", PermissionSet::of(&[Permission::SecretRead, Permission::SecretDecrypt])),
    ("secrets.write", one(Permission::SecretWrite)),
    ("secrets.delete", one(Permission::SecretDelete)),
    ("webhooks.read", one(Permission::WebhookRead)),
    ("webhooks.test", one(Permission::WebhookTest)),
    ("webhooks.create", one(Permission::WebhookCreate)),
    ("webhooks.update", one(Permission::WebhookUpdate)),
    ("webhooks.delete", one(Permission::WebhookDelete)),
    ("integrations.read", one(Permission::IntegrationRead)),
    ("integrations.write", one(Permission::IntegrationWrite)),
    ("projects.read", one(Permission::ProjectRead)),
    ("projects.write", PermissionSet::of(&[Permission::ProjectCreate, Permission::ProjectUpdate])),
    ("projects.delete", one(Permission::ProjectDelete)),
    ("scans.scan", one(Permission::Scan)),
];

/// What is written for a resource of dotenv.cloud, and what it is called.
const MISTAKEN_RESOURCES: &[(&str, &str)] = &[
    ("api-tokens", "api-token"),
    ("apikey", "api-token"),
    ("apikeys", "api-token"),
    ("encryption", "key"),
    ("env", "environment"),
    ("environments", "environment"),
    ("envs", "environment"),
    ("keys", "key"),
    ("members", "member"),
    ("organizations", "organization"),
    ("projects", "project"),
    ("secrets", "secret"),
    ("targets", "target"),
    ("teams", "team"),
    ("tokens", "api-token"),
];

impl Vocabulary {
    /// The permissions that a list of words stands for. Of an empty list that is nothing.
    ///
    /// # Errors
    /// `InvalidValue`, for an unknown word. It is told by its place in the list; the text says what was likely meant.
    pub fn parse(self, words: impl IntoIterator<Item: AsRef<str>>) -> Result<PermissionSet> {
        let mut set = PermissionSet::EMPTY;
        let mut words = words.into_iter().enumerate().peekable();
        while let Some((at, word)) = words.next() {
            let word = word.as_ref();
            let found = self.find(word).ok_or_else(|| {
                let which = match (at, words.peek()) {
                    (0, None) => "this permission".to_owned(),
                    _ => format!("permission {} of the list", at + 1),
                };
                let message = format!("{which} is not known{}", self.advice(word));
                Error::new(ErrorKind::InvalidValue, message)
            })?;
            set = set.union(found);
        }
        Ok(set)
    }

    /// The words for a set. Permissions that the service has no word for are left out; what one word includes is not
    /// said again.
    pub fn words(self, set: PermissionSet) -> Vec<&'static str> {
        match self {
            Self::DotenvCloud if set == PermissionSet::ALL => vec!["*"],
            Self::Ioenv if set.contains_all(ADMIN) => vec!["admin"],
            _ => self.table().iter().filter(|(_, word)| set.contains_all(*word)).map(|(word, _)| *word).collect(),
        }
    }

    /// The words that would give what is in a set, or a part of it, for whoever lacks that. Permissions that the service
    /// has no word for are left out.
    ///
    /// ```
    /// use ioenv::vault::{Permission, Vocabulary::Stashbase};
    ///
    /// assert_eq!(Stashbase.words_giving(Permission::SecretDecrypt.into()), ["secrets.read"]);
    /// ```
    pub fn words_giving(self, set: PermissionSet) -> Vec<&'static str> {
        self.table().iter().filter(|(_, word)| !word.intersection(set).is_empty()).map(|(word, _)| *word).collect()
    }

    /// The words for a set, as a map from resource to actions; what is no such pair stands for itself.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::vault::Vocabulary::Stashbase;
    ///
    /// let actions = Stashbase.actions(Stashbase.parse(["environment.read", "secrets.read", "secrets.write"])?);
    /// assert_eq!(actions["secrets"], ["read", "write"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn actions(self, set: PermissionSet) -> BTreeMap<&'static str, Vec<&'static str>> {
        let mut actions = BTreeMap::<_, Vec<_>>::new();
        for word in self.words(set) {
            let (resource, action) = word.split_once(['.', ':']).unwrap_or((word, word));
            actions.entry(resource).or_default().push(action);
        }
        actions
    }

    fn table(self) -> Words {
        match self {
            Self::Ioenv => IOENV,
            Self::DotenvCloud => DOTENV_CLOUD,
            Self::Stashbase => STASHBASE,
        }
    }

    fn find(self, word: &str) -> Option<PermissionSet> {
        match (self, word) {
            (Self::DotenvCloud, "*") => Some(PermissionSet::ALL),
            (Self::Stashbase, "scan") => Some(one(Permission::Scan)),
            _ => self.table().iter().find(|(known, _)| *known == word).map(|(_, set)| *set),
        }
    }

    /// Only ever shows words of ours: what is unknown may be a token in the wrong place.
    #[cold]
    fn advice(self, word: &str) -> String {
        let known = match self {
            Self::Ioenv => return ": it is one of `read`, `write` and `admin`".to_owned(),
            Self::DotenvCloud => {
                let (resource, action) = word.split_once([':', '.']).unwrap_or((word, ""));
                let mistaken = MISTAKEN_RESOURCES.iter().find(|(mistaken, _)| *mistaken == resource);
                let resource = mistaken.map_or(resource, |(_, right)| *right);
                self.likely(&format!("{resource}:"), action)
            }
            Self::Stashbase => {
                let (resource, action) = word.split_once([':', '.']).unwrap_or((word, ""));
                let singular = resource.trim_end_matches('s');
                let plural = if singular == "environment" { singular.to_owned() } else { format!("{singular}s") };
                self.likely(&format!("{plural}."), action)
            }
        };
        if known.is_empty() { String::new() } else { format!(": write {}", known.join(" or ")) }
    }

    /// The word of an action, or all words of its resource.
    fn likely(self, resource: &str, action: &str) -> Vec<String> {
        let words = self.table().iter().filter_map(|(word, _)| Some((word, word.strip_prefix(resource)?)));
        let (exact, others): (Vec<_>, Vec<_>) = words.partition(|(_, known)| *known == action);
        let words = if exact.is_empty() { others } else { exact };
        words.into_iter().map(|(word, _)| format!("`{word}`")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::role::tests::section;

    #[test]
    fn words_are_there_and_back_and_fit_into_the_bits() {
        assert!(Permission::ALL.len() <= 128);
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse::<Permission>().unwrap(), *permission);
            assert!(permission.as_str().contains(':'));
            assert!(PermissionSet::ALL.contains(*permission));
        }
        assert_eq!(PermissionSet::ALL.iter().count(), Permission::ALL.len());
        let words: std::collections::HashSet<_> = Permission::ALL.iter().map(|one| one.as_str()).collect();
        assert_eq!(words.len(), Permission::ALL.len());
    }

    #[test]
    fn sets_are_sets() {
        let (read, write) = (one(Permission::SecretRead), one(Permission::SecretWrite));
        let both = read.union(write);
        assert!(both.contains_all(read) && !read.contains_all(both) && read.contains_all(PermissionSet::EMPTY));
        assert_eq!((both.difference(read), both.intersection(read)), (write, read));
        assert_eq!(both.iter().collect::<PermissionSet>(), both);
        assert_eq!(
            format!("{both:?} {:?}", PermissionSet::EMPTY),
            "PermissionSet(secret:read, secret:write) PermissionSet()"
        );
    }

    #[test]
    fn text_is_a_list_of_words() {
        for set in [PermissionSet::EMPTY, READ, ADMIN, PermissionSet::ALL] {
            assert_eq!(set.to_string().parse::<PermissionSet>().unwrap(), set);
        }
        assert_eq!("*".parse::<PermissionSet>().unwrap(), PermissionSet::ALL);
        assert_eq!(" secret:read,secret:write ".parse::<PermissionSet>().unwrap().iter().count(), 2);
        for bad in ["planted", "secret:read,", ",", "secret:read secret:write"] {
            let error = bad.parse::<PermissionSet>().unwrap_err();
            assert!(error.kind() == ErrorKind::InvalidValue && !error.to_string().contains("planted"), "{bad}");
        }
    }

    #[test]
    fn json_is_a_list_of_words() {
        for (set, json) in [
            (PermissionSet::EMPTY, "[]"),
            (READ, r#"["secret:read","secret:decrypt","environment:read"]"#),
            (PermissionSet::ALL, r#"["*"]"#),
        ] {
            assert_eq!(serde_json::to_string(&set).unwrap(), json);
            assert_eq!(serde_json::from_str::<PermissionSet>(json).unwrap(), set);
        }
        for bad in [r#"["secret:read","planted"]"#, r#""secret:read""#, r#"["secret.read"]"#, "[1]"] {
            let error = serde_json::from_str::<PermissionSet>(bad).unwrap_err();
            assert!(!error.to_string().contains("planted"));
        }
    }

    #[test]
    fn every_word_of_every_service_stands_for_what_it_should() {
        for (vocabulary, name) in [
            (Vocabulary::Ioenv, "words of ioenv"),
            (Vocabulary::DotenvCloud, "words of dotenv.cloud"),
            (Vocabulary::Stashbase, "words of Stashbase"),
        ] {
            let lines = section(name);
            let mut words = Vec::new();
            for line in &lines {
                let (word, permissions) = line.split_once(" = ").unwrap();
                let expected: PermissionSet =
                    permissions.split(' ').map(|permission| permission.parse::<Permission>().unwrap()).collect();
                let set = vocabulary.parse([word]).unwrap();
                assert_eq!(set, expected, "{name}: {word}");
                if word != "scan" {
                    assert!(vocabulary.words(set).contains(&word), "{name}: {word}");
                }
                words.push(word);
            }
            for (word, _) in vocabulary.table() {
                assert!(words.contains(word), "{name}: {word} is not in the table");
            }
        }
    }

    #[test]
    fn words_of_a_set_say_no_more_than_the_set() {
        let words = |vocabulary: Vocabulary, given: &[&str]| vocabulary.words(vocabulary.parse(given).unwrap());
        assert_eq!(words(Vocabulary::Ioenv, &["write", "read"]), ["read", "write"]);
        assert_eq!(words(Vocabulary::Ioenv, &["write"]), ["write"]);
        assert_eq!(words(Vocabulary::Ioenv, &["admin", "read"]), ["admin"]);
        assert_eq!(words(Vocabulary::DotenvCloud, &["secret:read", "*"]), ["*"]);
        assert_eq!(words(Vocabulary::DotenvCloud, &["key:retrieve", "secret:read"]), ["secret:read", "key:retrieve"]);
        assert_eq!(words(Vocabulary::Stashbase, &["scan"]), ["scans.scan"]);
        // Half of what a word stands for is not the word.
        assert!(Vocabulary::DotenvCloud.words(one(Permission::SecretWrite)).is_empty());
        assert!(Vocabulary::Ioenv.words(one(Permission::SecretRead)).is_empty());
        let nothing: [&str; 0] = [];
        assert_eq!(Vocabulary::Ioenv.parse(nothing).unwrap(), PermissionSet::EMPTY);
    }

    #[test]
    fn reading_does_not_come_with_writing() {
        let write = Vocabulary::Ioenv.parse(["write"]).unwrap();
        assert!(!write.contains(Permission::SecretRead) && !write.contains(Permission::SecretDecrypt));
        assert!(ADMIN.contains_all(READ.union(WRITE)));
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_right_one() {
        for (vocabulary, word, advice) in [
            (Vocabulary::DotenvCloud, "secrets:read", "write `secret:read`"),
            (Vocabulary::DotenvCloud, "env:read", "write `environment:read`"),
            (Vocabulary::DotenvCloud, "projects:write", "write `project:create` or `project:read` or"),
            (Vocabulary::DotenvCloud, "encryption:read", "write `key:retrieve` or `key:rotate`"),
            (Vocabulary::DotenvCloud, "apikeys:create", "write `api-token:create`"),
            (Vocabulary::DotenvCloud, "secret:delete", "write `secret:read` or `secret:write`"),
            (Vocabulary::DotenvCloud, "secrets.read", "write `secret:read`"),
            (Vocabulary::Stashbase, "secret:read", "write `secrets.read`"),
            (Vocabulary::Stashbase, "environments.read", "write `environment.read`"),
            (Vocabulary::Stashbase, "webhook.erase", "write `webhooks.read` or"),
            (Vocabulary::Ioenv, "secret:read", "`read`, `write` and `admin`"),
        ] {
            let error = vocabulary.parse([vocabulary.table()[0].0, word]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            let text = error.to_string();
            assert!(text.contains(advice) && text.contains("permission 2 of the list"), "{word}: {text}");
        }
        for vocabulary in [Vocabulary::Ioenv, Vocabulary::DotenvCloud, Vocabulary::Stashbase] {
            for bad in ["", "*:*", "ioenv_planted", "planted:read", "secret:planted", "SECRET:READ"] {
                let error = vocabulary.parse([bad]).unwrap_err();
                assert!(!error.to_string().contains("planted"), "{error}");
            }
        }
    }
}
