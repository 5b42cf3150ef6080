use std::collections::BTreeSet;
use std::str::FromStr as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::model::{
    Account, Entry, Environment, Expiry, Grant, GranteeName, Key, Member, Organization, Project, Role, RoleName,
    ServiceAccount, ServiceKey, Target, Team, Token, Webhook,
};
use super::table::{Field, Table};
use super::words::permission;
use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::core::document::Kind;
use crate::core::dotenv::quoted::Quoted;
use crate::core::id::Id;
use crate::core::id::UserId;
use crate::core::ip_range::IpRange;
use crate::core::key::{KeyString, Pbkdf2};
use crate::core::name::{Slug, VarName};
use crate::core::path::LevelPath;
use crate::core::permission::PermissionSet;
use crate::core::role::EnvironmentRole;
use crate::core::secret_format::SecretFormat;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::declare::Declaration;
use crate::vault::slug::{SlugRule, check_slug, slug_of};
use crate::vault::user::email_key;

impl Declaration {
    /// Reads a declaration, as `docs/apply.md` describes it, of at most 4 MiB.
    ///
    /// # Errors
    /// `Config`, for what is not TOML, for a field that there is not, and for one that is missing or of another type;
    /// `InvalidName`; `InvalidValue`; `Conflict`, for something that is declared twice; `Limit`. Each has the
    /// [`position`](Error::position) in the text, and nothing of the text.
    pub fn parse(text: &str) -> Result<Self> {
        let mut table = Table::parse(text)?;
        let mut organizations = Vec::new();
        let mut seen = Seen::default();
        for table in table.tables("organization", "an organization")? {
            organizations.push(organization(table, &mut seen)?);
        }
        table.finish()?;
        Ok(Self { organizations })
    }
}

/// What has been declared so far.
#[derive(Default)]
struct Seen(BTreeSet<String>);

impl Seen {
    /// Refuses the second thing of a name; `key` says where it is called so.
    fn once(&mut self, table: &Table<'_>, key: String) -> Result<()> {
        if self.0.insert(key) {
            return Ok(());
        }
        Err(table.error(ErrorKind::Conflict, "this is declared twice: leave one of the two out"))
    }

    /// The id that is given, which nothing else has.
    fn id<T: From<Id>>(&mut self, table: &mut Table<'_>) -> Result<Option<T>> {
        let id = table.take("id").map(|field| field.parsed(id)).transpose()?;
        if let Some(id) = id {
            self.once(table, format!("id {id}"))?;
        }
        Ok(id.map(T::from))
    }
}

/// A ULID, or a prefix with the same as 22 letters and digits.
fn id(text: &str) -> Result<Id> {
    match text.split_once('_') {
        Some((prefix, _)) if prefix.bytes().all(|byte| byte.is_ascii_lowercase()) => Id::parse_prefixed(prefix, text),
        _ => Id::parse(text),
    }
    .map_err(|error| Error::new(error.kind(), "this is not an id: it has 26 characters, or a prefix, `_` and 22"))
}

fn organization(mut table: Table<'_>, seen: &mut Seen) -> Result<Organization> {
    let name = table.required("name")?.string()?.trim().to_owned();
    let slug = slug(&mut table, &name, SlugRule::Addressable)?;
    let slug = slug.as_str();
    seen.once(&table, format!("organization {slug}"))?;
    let mut organization = Organization {
        at: table.position(),
        id: seen.id(&mut table)?,
        slug: slug.to_owned(),
        name,
        plan: table.parsed("plan")?,
        status: table.parsed("status")?,
        version_retention_days: table.number("version_retention_days")?,
        ..Organization::default()
    };
    for mut table in table.tables("role", "a role")? {
        let name = named(&table.required("name")?.string()?, &table, seen, &format!("role {slug}"))?;
        organization.roles.push(Role {
            at: table.position(),
            id: seen.id(&mut table)?,
            name,
            description: table.string("description")?,
            permissions: required_permissions(&mut table)?,
        });
        table.finish()?;
    }
    for mut table in table.tables("team", "a team")? {
        let name = named(&table.required("name")?.string()?, &table, seen, &format!("team {slug}"))?;
        let (id, description) = (seen.id(&mut table)?, table.string("description")?);
        organization.teams.push(Team { at: table.position(), id, name, description });
        table.finish()?;
    }
    for table in table.tables("member", "a member")? {
        organization.members.push(member(table, slug, seen)?);
    }
    for table in table.tables("project", "a project")? {
        organization.projects.push(project(table, slug, seen)?);
    }
    for table in table.tables("grant", "a grant")? {
        organization.grants.push(grant(table, slug, seen)?);
    }
    for table in table.tables("account", "an account")? {
        organization.accounts.push(account(table, slug, seen)?);
    }
    for table in table.tables("service", "a service account")? {
        organization.services.push(service(table, slug, seen)?);
    }
    for table in table.tables("token", "a token")? {
        organization.tokens.push(token(table, slug, seen)?);
    }
    for table in table.tables("webhook", "a webhook")? {
        organization.webhooks.push(webhook(table, slug, seen)?);
    }
    table.finish()?;
    Ok(organization)
}

/// The slug that is given, or the one that the name makes.
fn slug(table: &mut Table<'_>, name: &str, rule: SlugRule) -> Result<Slug> {
    let slug = match table.parsed("slug")? {
        Some(slug) => slug,
        None => Slug::new(&slug_of(name)).map_err(|_| {
            table.error(ErrorKind::InvalidName, "no slug can be made of this name: give one, of a-z, 0-9 and -")
        })?,
    };
    check_slug(slug.as_str(), &[], rule).map_err(|error| table.error(error.kind(), error.to_string()))?;
    Ok(slug)
}

/// The name of something whose name others may have, too, if an id tells them apart.
fn named_or_id<T>(id: Option<&T>, name: &str, table: &Table<'_>, seen: &mut Seen, kind: &str) -> Result<String> {
    if id.is_some() { Ok(name.trim().to_owned()) } else { named(name, table, seen, kind) }
}

/// A name that nothing else of its kind has, whatever its case.
fn named(name: &str, table: &Table<'_>, seen: &mut Seen, kind: &str) -> Result<String> {
    seen.once(table, format!("{kind} {}", name.trim().to_lowercase()))?;
    Ok(name.trim().to_owned())
}

fn member(mut table: Table<'_>, organization: &str, seen: &mut Seen) -> Result<Member> {
    let email = table.required("email")?;
    let email_error = email.error(ErrorKind::InvalidValue, "this is not an email address");
    let email = email.string()?.trim().to_owned();
    if !email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty()) {
        return Err(email_error);
    }
    seen.once(&table, format!("member {organization} {}", email_key(&email)))?;
    let member = Member {
        at: table.position(),
        // A user may be declared a member of several organizations.
        id: table.take("id").map(|field| field.parsed(id)).transpose()?.map(UserId::from),
        name: table.string("name")?.map(|name| name.trim().to_owned()),
        role: table.required("role")?.parsed(role_name)?,
        teams: table.list("teams")?.map(|names| names.into_iter().map(Field::string).collect()).transpose()?,
        email,
    };
    table.finish()?;
    Ok(member)
}

fn role_name(text: &str) -> Result<RoleName> {
    match text.strip_prefix("custom:") {
        Some(name) => Ok(RoleName::Custom(name.trim().to_owned())),
        None => text.parse().map(RoleName::Known),
    }
}

fn project(mut table: Table<'_>, organization: &str, seen: &mut Seen) -> Result<Project> {
    let name = table.required("name")?.string()?.trim().to_owned();
    let slug = slug(&mut table, &name, SlugRule::Any)?;
    let path = format!("{organization} {slug}");
    seen.once(&table, format!("level {path}"))?;
    let project = Project {
        at: table.position(),
        id: seen.id(&mut table)?,
        name,
        slug,
        description: table.string("description")?,
        secret_format: table.parsed("secret_format")?,
        versioning: table.bool("versioning")?,
        base: table.bool("base")?.unwrap_or_default(),
        key: match table.table("key", "a key")? {
            Some(table) => key(table)?,
            None => Key::default(),
        },
        entries: entries(&mut table)?,
        targets: table
            .tables("target", "a target")?
            .into_iter()
            .map(|table| target(table, &path, seen))
            .collect::<Result<_>>()?,
        environments: environments(&mut table, &path, seen)?,
    };
    if matches!(project.key, Key::Client { .. }) && has_entries(&project) {
        let message = "the vault does not hold this project's key: set its entries with `ioenv set`";
        return Err(table.error(ErrorKind::ClientManaged, message));
    }
    if project.secret_format.is_some_and(|format| format != SecretFormat::Env) && has_entries(&project) {
        let message = "entries are dotenv text, which is read in a project of the format `env` alone";
        return Err(table.error(ErrorKind::Config, message));
    }
    table.finish()?;
    Ok(project)
}

fn has_entries(project: &Project) -> bool {
    let some = |environments: &[Environment]| environments.iter().any(|one| !one.entries.is_empty());
    let in_targets = project.targets.iter().any(|one| !one.entries.is_empty() || some(&one.environments));
    in_targets || !project.entries.is_empty() || some(&project.environments)
}

fn key(mut table: Table<'_>) -> Result<Key> {
    let is_client = table.parsed("custody")? == Some(Custody::Client);
    let is_string = match table.string("scheme")?.as_deref() {
        None | Some("random") => false,
        Some("pbkdf2") => true,
        Some(_) => return Err(table.error(ErrorKind::InvalidValue, "the scheme of a key is one of `random` `pbkdf2`")),
    };
    let key = if is_client {
        let salt = table.take("salt").map(|field| field.parsed(salt)).transpose()?;
        let iterations = table.number("iterations")?.unwrap_or(Pbkdf2::DEFAULT_ITERATIONS);
        let derivation = match (is_string, salt) {
            (true, Some(salt)) => {
                let derivation = Pbkdf2::new(&salt, iterations.into());
                Some(derivation.map_err(|error| table.error(error.kind(), error.to_string()))?)
            }
            (false, None) => None,
            (true, None) => return Err(table.error(ErrorKind::Config, "a key that is stretched needs a `salt`")),
            (false, Some(_)) => {
                return Err(table.error(ErrorKind::Config, "only a key of the scheme `pbkdf2` has a `salt`"));
            }
        };
        let proof = table.take("proof").map(Field::secret).transpose()?;
        Key::Client { derivation, proof, hint: table.string("hint")? }
    } else {
        let string = match table.take("string") {
            None => None,
            Some(_) if !is_string => {
                return Err(table.error(ErrorKind::Config, "only a key of the scheme `pbkdf2` has a `string`"));
            }
            Some(field) => Some(field.parsed(KeyString::verbatim)?),
        };
        Key::Server { is_string, string, tell: table.bool("tell")?.unwrap_or_default() }
    };
    table.finish()?;
    Ok(key)
}

fn salt(text: &str) -> Result<Vec<u8>> {
    let salt = BASE64.decode(text).ok().filter(|salt| (16..=64).contains(&salt.len()));
    salt.ok_or_else(|| Error::new(ErrorKind::InvalidValue, "a salt is base64 of 16 to 64 bytes"))
}

fn target(mut table: Table<'_>, project: &str, seen: &mut Seen) -> Result<Target> {
    let name = table.required("name")?.string()?.trim().to_owned();
    let slug = slug(&mut table, &name, SlugRule::Addressable)?;
    let path = format!("{project}/{slug}");
    seen.once(&table, format!("level {path}"))?;
    let target = Target {
        at: table.position(),
        id: seen.id(&mut table)?,
        name,
        slug,
        description: table.string("description")?,
        entries: entries(&mut table)?,
        environments: environments(&mut table, &path, seen)?,
    };
    table.finish()?;
    Ok(target)
}

fn environments(table: &mut Table<'_>, parent: &str, seen: &mut Seen) -> Result<Vec<Environment>> {
    let mut environments = Vec::new();
    for mut table in table.tables("environment", "an environment")? {
        let name = table.required("name")?.string()?.trim().to_owned();
        let slug = slug(&mut table, &name, SlugRule::Any)?;
        seen.once(&table, format!("level {parent}/{slug}"))?;
        environments.push(Environment {
            at: table.position(),
            id: seen.id(&mut table)?,
            name,
            slug,
            description: table.string("description")?,
            status: table.string("status")?,
            production: table.bool("production")?,
            entries: entries(&mut table)?,
        });
        table.finish()?;
    }
    Ok(environments)
}

/// Variables first, then secrets.
fn entries(table: &mut Table<'_>) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut names = BTreeSet::new();
    for (field, kind) in [("variables", Kind::Variable), ("secrets", Kind::Secret)] {
        for field in table.table(field, "a table of entries")?.map(Table::into_fields).unwrap_or_default() {
            let name = VarName::new(&field.name).map_err(|error| field.error(error.kind(), error.to_string()))?;
            if !names.insert(name.clone()) {
                return Err(field.error(ErrorKind::Conflict, "this is declared twice: leave one of the two out"));
            }
            entries.push(entry(name, kind, field)?);
        }
    }
    Ok(entries)
}

fn entry(name: VarName, kind: Kind, field: Field<'_>) -> Result<Entry> {
    let at = field.position();
    if !field.is_table() {
        return Ok(Entry { at, name, kind, value: Some(field.secret()?), dollars: None, comment: None });
    }
    let mut table = field.table("an entry")?;
    let value = table.take("value").map(Field::secret).transpose()?;
    let quoted = table.take("quoted").map(|field| field.parsed(Quoted::parse)).transpose()?;
    let keep = table.bool("keep")?.unwrap_or_default();
    let (value, dollars) = match (value, quoted, keep) {
        (Some(value), None, false) => (Some(value), None),
        (None, Some(quoted), false) => (Some(quoted.value), Some(quoted.dollars)),
        (None, None, true) => (None, None),
        _ => {
            let message = "an entry has either a `value`, the value `quoted`, or `keep = true`";
            return Err(table.error(ErrorKind::Config, message));
        }
    };
    let comment = table.string("comment")?;
    table.finish()?;
    Ok(Entry { at, name, kind, value, dollars, comment })
}

fn grant(mut table: Table<'_>, organization: &str, seen: &mut Seen) -> Result<Grant> {
    let to = match (table.string("user")?, table.string("team")?) {
        (Some(email), None) => GranteeName::Email(email.trim().to_owned()),
        (None, Some(team)) => GranteeName::Team(team.trim().to_owned()),
        _ => return Err(table.error(ErrorKind::Config, "a grant is either to a `user`, by email, or to a `team`")),
    };
    let path: LevelPath = table.required("path")?.parsed(LevelPath::new)?;
    let name = match &to {
        GranteeName::Email(name) => format!("user {}", email_key(name)),
        GranteeName::Team(name) => format!("team {}", name.to_lowercase()),
    };
    seen.once(&table, format!("grant {organization} {path} {name}"))?;
    let grant = Grant { at: table.position(), to, role: table.required("role")?.parsed(str::parse)?, path };
    table.finish()?;
    Ok(grant)
}

fn account(mut table: Table<'_>, organization: &str, seen: &mut Seen) -> Result<Account> {
    let path: LevelPath = table.required("path")?.parsed(LevelPath::new)?;
    let name = table.required("name")?.string()?;
    let id = seen.id(&mut table)?;
    let name = named_or_id(id.as_ref(), &name, &table, seen, &format!("account {organization} {path}"))?;
    let role = table.parsed::<EnvironmentRole>("role")?;
    let account = Account {
        at: table.position(),
        id,
        name,
        path,
        permissions: match (role, permissions(&mut table)?) {
            (Some(role), None) => role.grantable(),
            (None, Some(permissions)) => permissions,
            _ => return Err(table.error(ErrorKind::Config, "an account has either a `role` or `permissions`")),
        },
        expires: expires(&mut table)?,
    };
    table.finish()?;
    Ok(account)
}

fn service(mut table: Table<'_>, organization: &str, seen: &mut Seen) -> Result<ServiceAccount> {
    let name = table.required("name")?.string()?;
    let id = seen.id(&mut table)?;
    let name = named_or_id(id.as_ref(), &name, &table, seen, &format!("service {organization}"))?;
    let kind = format!("key {organization} {name}");
    let mut service = ServiceAccount {
        at: table.position(),
        id,
        name,
        permissions: required_permissions(&mut table)?,
        allow_list: match table.list("allow_list")? {
            None => None,
            Some(ranges) => {
                Some(ranges.into_iter().map(|range| range.parsed(IpRange::from_str)).collect::<Result<_>>()?)
            }
        },
        keys: Vec::new(),
    };
    for mut table in table.tables("key", "a key of a service account")? {
        let name = named(&table.required("name")?.string()?, &table, seen, &kind)?;
        let expires = expires(&mut table)?;
        service.keys.push(ServiceKey { at: table.position(), name, expires });
        table.finish()?;
    }
    table.finish()?;
    Ok(service)
}

fn token(mut table: Table<'_>, organization: &str, seen: &mut Seen) -> Result<Token> {
    let name = table.required("name")?.string()?;
    let id = seen.id(&mut table)?;
    let name = named_or_id(id.as_ref(), &name, &table, seen, &format!("token {organization}"))?;
    let token = Token {
        at: table.position(),
        id,
        name,
        style: table.parsed("format")?.unwrap_or_default(),
        permissions: required_permissions(&mut table)?,
        path: table.parsed("path")?,
        expires: expires(&mut table)?,
    };
    table.finish()?;
    Ok(token)
}

fn webhook(mut table: Table<'_>, organization: &str, seen: &mut Seen) -> Result<Webhook> {
    let path: LevelPath = table.required("path")?.parsed(LevelPath::new)?;
    let url = table.required("url")?.string()?;
    let id = seen.id(&mut table)?;
    if id.is_none() {
        seen.once(&table, format!("webhook {organization} {path} {url}"))?;
    }
    let webhook = Webhook {
        at: table.position(),
        id,
        path,
        url,
        description: table.string("description")?,
        enabled: table.bool("enabled")?,
    };
    table.finish()?;
    Ok(webhook)
}

fn required_permissions(table: &mut Table<'_>) -> Result<PermissionSet> {
    match permissions(table)? {
        Some(permissions) => Ok(permissions),
        None => Err(table.error(ErrorKind::Config, "`permissions` are missing here: a list of words")),
    }
}

fn permissions(table: &mut Table<'_>) -> Result<Option<PermissionSet>> {
    let words = table.list("permissions")?;
    words
        .map(|words| words.into_iter().map(|word| word.parsed(permission)).try_fold(PermissionSet::EMPTY, union))
        .transpose()
}

fn union(set: PermissionSet, word: Result<PermissionSet>) -> Result<PermissionSet> {
    Ok(set.union(word?))
}

fn expires(table: &mut Table<'_>) -> Result<Option<Expiry>> {
    let Some(field) = table.take("expires") else {
        return Ok(None);
    };
    let error = field.error(
        ErrorKind::InvalidValue,
        "this is no time: write it like 2031-02-03T04:05:06Z, or like 90d for 90 days from its creation",
    );
    let text = field.string_or_time()?;
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Some(Expiry::At(at)));
    }
    match humantime::parse_duration(&text) {
        Ok(after) if after > Duration::ZERO => Ok(Some(Expiry::After(after))),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEAM: &str = include_str!("../../../examples/team.toml");

    /// What was written reads back as the same.
    fn is_written_back(declaration: &Declaration) {
        let written = declaration.to_text();
        let again = Declaration::parse(written.expose_secret()).unwrap();
        assert_eq!(again.to_text().expose_secret(), written.expose_secret());
    }

    #[test]
    fn a_declaration_is_written_with_all_it_says() {
        let declaration = Declaration::parse(TEAM).unwrap();
        is_written_back(&declaration);
        let text = declaration.to_text();
        for part in ["postgres://store:example-only@", "\"90d\"", "key.proof", "comment = \"rotated each quarter\""] {
            assert!(text.expose_secret().contains(part), "{part}");
        }
        assert_eq!(format!("{declaration:?}"), "Declaration { organizations: 1, .. }");
    }

    proptest! {
        #[test]
        fn values_and_comments_of_any_text_are_written_back(value in "\\PC*|[\\x00-\\x7f]*", comment in "[\\x00-\\x7f]*") {
            let text = TEAM.replace("keep = true", "value = \"x\", comment = \"y\"");
            let mut declaration = Declaration::parse(&text).unwrap();
            let entry = &mut declaration.organizations[0].projects[0].targets[0].environments[0].entries[2];
            entry.value = Some(value.as_str().into());
            entry.comment = Some(comment.clone());
            let again = Declaration::parse(declaration.to_text().expose_secret()).unwrap();
            let entry = &again.organizations[0].projects[0].targets[0].environments[0].entries[2];
            prop_assert_eq!(entry.value.as_ref().unwrap().expose_secret(), value);
            prop_assert_eq!(entry.comment.as_ref().unwrap(), &comment);
        }

        /// Whatever becomes of the text, it is a declaration or an error.
        #[test]
        fn a_broken_text_is_an_error(cut in 0..TEAM.len(), length in 0_usize..60, inserted in "[\\[\\]{}\"'=,.# \na-z0-9]{0,12}") {
            let end = (cut + length).min(TEAM.len());
            if let (Some(before), Some(after)) = (TEAM.get(..cut), TEAM.get(end..)) {
                match Declaration::parse(&format!("{before}{inserted}{after}")) {
                    Ok(declaration) => is_written_back(&declaration),
                    Err(error) => prop_assert!(error.position().is_some() && !error.to_string().contains("example-only")),
                }
            }
        }
    }
}
