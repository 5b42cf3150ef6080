use super::apply::all_members;
use super::model;
use super::model::{Entry, Expiry, GranteeName, Key, Organization, Project, RoleName, Target, Token};
use crate::core::clock::Timestamp;
use crate::core::custody::Custody;
use crate::core::document::Kind;
use crate::core::id::OrganizationId;
use crate::core::name::Slug;
use crate::core::organization_status::OrganizationStatus;
use crate::core::path::LevelPath;
use crate::core::role::MemberRole;
use crate::core::secret_format::SecretFormat;
use crate::core::token::TokenStyle;
use crate::error::{ErrorKind, Result};
use crate::vault;
use crate::vault::declare::Declaration;
use crate::vault::entry::EntryScope;
use crate::vault::grantee::Grantee;
use crate::vault::place::At;
use crate::vault::session::Session;
use crate::vault::slug::BASE;

impl Session<'_> {
    /// What there is in an organization, or in all that the actor may know of, as a declaration: with the values of
    /// variables, without those of secrets and what is said about these, and without keys, tokens and their like. Applying it to the same vault
    /// changes nothing; to an empty one, it makes the same things with the same ids.
    ///
    /// What cannot be declared is left out: what was deleted, revoked or has expired, versions, integrations, metadata of
    /// projects, people's own keys, and the audit log; and of all organizations those that were made with a user, as long as there is nothing in them.
    ///
    /// # Errors
    /// `NotFound`, without the organization.
    pub fn dump(&self, organization: Option<OrganizationId>) -> Result<Declaration> {
        let is_whole = organization.is_none();
        let organizations = match organization {
            Some(id) => vec![self.organization(id)?],
            None => self.organizations()?,
        };
        let mut dumped = Vec::new();
        for organization in organizations {
            let is_personal = organization.is_personal;
            let dump = dump(self, organization)?;
            // It comes with its user.
            if !(is_whole && is_personal && is_empty(&dump)) {
                dumped.push(dump);
            }
        }
        Ok(Declaration { organizations: dumped })
    }
}

/// Whether there is nothing in an organization but its members.
fn is_empty(one: &Organization) -> bool {
    one.roles.is_empty()
        && one.teams.is_empty()
        && one.members.len() <= 1
        && one.projects.is_empty()
        && one.services.is_empty()
        && one.tokens.is_empty()
}

fn dump(session: &Session<'_>, one: vault::Organization) -> Result<Organization> {
    let id = one.id;
    let mut organization = Organization {
        id: Some(id),
        name: one.name,
        slug: one.slug,
        plan: Some(one.tier),
        status: Some(one.status).filter(|status| *status != OrganizationStatus::Active),
        version_retention_days: Some(one.version_retention_days).filter(|days| *days > 0),
        ..Organization::default()
    };
    people(session, id, &mut organization)?;
    for one in session.projects(id)? {
        organization.projects.push(project(session, one)?);
    }
    for path in places(&organization.projects)? {
        at_place(session, id, &path, &mut organization)?;
    }
    for service in session.service_accounts(id)? {
        organization.services.push(service_account(session, service)?);
    }
    for token in session.tokens(id)? {
        if token.revoked_at.is_none() && token.deleted_with.is_none() && !has_ended(session, token.expires_at) {
            organization.tokens.extend(self::token(token));
        }
    }
    Ok(organization)
}

/// Roles, teams and members.
fn people(session: &Session<'_>, id: OrganizationId, organization: &mut Organization) -> Result<()> {
    let (roles, teams) = (session.roles(id)?, session.teams(id)?);
    for one in all_members(session, id)? {
        let role = match one.role {
            MemberRole::Custom(id) => {
                let role = roles.iter().find(|role| role.id == id);
                RoleName::Custom(role.map(|role| role.name.clone()).unwrap_or_default())
            }
            role => RoleName::Known(role),
        };
        let in_teams = teams.iter().filter(|team| one.teams.contains(&team.id));
        organization.members.push(model::Member {
            at: (0, 0),
            id: Some(one.user),
            email: one.email,
            name: Some(one.name),
            role,
            teams: Some(in_teams.map(|team| team.name.clone()).collect()).filter(|teams: &Vec<_>| !teams.is_empty()),
        });
    }
    let roles = roles.into_iter().map(|one| model::Role {
        at: (0, 0),
        id: Some(one.id),
        name: one.name,
        description: one.description,
        permissions: one.permissions,
    });
    organization.roles = roles.collect();
    let teams = teams.into_iter().map(|one| model::Team {
        at: (0, 0),
        id: Some(one.id),
        name: one.name,
        description: one.description,
    });
    organization.teams = teams.collect();
    Ok(())
}

/// Where something can be granted.
struct Place {
    path: LevelPath,
    /// Only those have accounts.
    is_environment: bool,
    /// So has a project whose own level counts as one.
    has_webhooks: bool,
}

fn places(projects: &[Project]) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    let below = |above: &LevelPath, environments: &[model::Environment]| {
        let places = environments.iter().map(|one| {
            let path = above.join(one.slug.as_str())?;
            Ok(Place { path, is_environment: true, has_webhooks: true })
        });
        places.collect::<Result<Vec<_>>>()
    };
    for project in projects {
        let path = LevelPath::from(&project.slug);
        places.push(Place { path: path.clone(), is_environment: false, has_webhooks: project.base });
        for target in &project.targets {
            places.extend(below(&path.join(target.slug.as_str())?, &target.environments)?);
        }
        places.extend(below(&path, &project.environments)?);
    }
    Ok(places)
}

/// What there is at a place: grants, accounts and webhooks.
fn at_place(session: &Session<'_>, id: OrganizationId, place: &Place, organization: &mut Organization) -> Result<()> {
    let path = &place.path;
    for grant in session.grants(At::Path(id, path))? {
        let to = match grant.grantee {
            Grantee::User(id) => organization
                .members
                .iter()
                .find(|one| one.id == Some(id))
                .map(|one| GranteeName::Email(one.email.clone())),
            Grantee::Team(id) => {
                organization.teams.iter().find(|one| one.id == Some(id)).map(|one| GranteeName::Team(one.name.clone()))
            }
        };
        if let Some(to) = to {
            organization.grants.push(model::Grant { at: (0, 0), to, role: grant.role, path: path.clone() });
        }
    }
    let accounts = if place.is_environment { session.accounts(At::Path(id, path))? } else { Vec::new() };
    for one in accounts {
        if !has_ended(session, one.expires_at) {
            organization.accounts.push(model::Account {
                at: (0, 0),
                id: Some(one.id),
                name: one.name,
                path: path.clone(),
                permissions: one.permissions,
                expires: one.expires_at.map(Expiry::At),
            });
        }
    }
    let mut webhooks = if place.has_webhooks { session.webhooks(At::Path(id, path))? } else { Vec::new() };
    webhooks.sort_by_key(|webhook| webhook.id);
    for one in webhooks {
        organization.webhooks.push(model::Webhook {
            at: (0, 0),
            id: Some(one.id),
            path: path.clone(),
            url: one.url,
            description: one.description,
            enabled: Some(one.enabled),
        });
    }
    Ok(())
}

fn has_ended(session: &Session<'_>, end: Option<Timestamp>) -> bool {
    end.is_some_and(|end| end <= session.vault.now())
}

fn service_account(session: &Session<'_>, one: vault::ServiceAccount) -> Result<model::ServiceAccount> {
    let mut keys = Vec::new();
    for key in session.service_keys(one.organization, one.id)? {
        let is_named_so = |other: &model::ServiceKey| other.name.to_lowercase() == key.name.to_lowercase();
        // Of several of one name, a declaration has one.
        if !has_ended(session, key.expires_at) && !keys.iter().any(is_named_so) {
            keys.push(model::ServiceKey { at: (0, 0), name: key.name, expires: key.expires_at.map(Expiry::At) });
        }
    }
    Ok(model::ServiceAccount {
        at: (0, 0),
        id: Some(one.id),
        name: one.name,
        permissions: one.permissions,
        allow_list: Some(one.allow_list).filter(|ranges| !ranges.is_empty()),
        keys,
    })
}

fn project(session: &Session<'_>, one: vault::Project) -> Result<Project> {
    let (organization, path) = (one.organization, LevelPath::new(&one.slug)?);
    let slug: Slug = one.slug.parse()?;
    let keys = session.keys(At::Path(organization, &LevelPath::from(&slug)))?;
    let active = keys.into_iter().find(|key| key.is_active);
    let (derivation, hint) = active.map(|key| (key.derivation, key.hint)).unwrap_or_default();
    let has_entries = one.custody == Custody::Server && one.secret_format == SecretFormat::Env;
    let mut project = Project {
        at: (0, 0),
        id: Some(one.id),
        name: one.name,
        description: one.description,
        secret_format: Some(one.secret_format).filter(|format| *format != SecretFormat::Env),
        versioning: Some(one.versioning).filter(|versioning| !versioning),
        base: one.has_base,
        key: match one.custody {
            Custody::Server => Key::Server { is_string: derivation.is_some(), string: None, tell: false },
            Custody::Client => Key::Client { derivation, proof: None, hint },
        },
        entries: entries(session, organization, &path, has_entries)?,
        targets: Vec::new(),
        environments: environments(session, organization, &path, has_entries)?,
        slug: slug.clone(),
    };
    for target in session.targets(At::Path(organization, &LevelPath::from(&slug)))? {
        let path = path.join(&target.slug)?;
        project.targets.push(Target {
            at: (0, 0),
            id: Some(target.id),
            name: target.name,
            slug: target.slug.parse()?,
            description: target.description,
            entries: entries(session, organization, &path, has_entries)?,
            environments: environments(session, organization, &path, has_entries)?,
        });
    }
    Ok(project)
}

fn environments(
    session: &Session<'_>,
    organization: OrganizationId,
    parent: &LevelPath,
    has_entries: bool,
) -> Result<Vec<model::Environment>> {
    let mut environments = Vec::new();
    for one in session.environments(At::Path(organization, parent))?.into_iter().filter(|one| one.slug != BASE) {
        let path = parent.join(&one.slug)?;
        let is_usual = one.is_production == (one.status == "production");
        environments.push(model::Environment {
            at: (0, 0),
            id: Some(one.id),
            name: one.name,
            slug: one.slug.parse()?,
            description: one.description,
            production: Some(one.is_production).filter(|_| !is_usual),
            status: Some(one.status),
            entries: entries(session, organization, &path, has_entries)?,
        });
    }
    Ok(environments)
}

/// Variables with their values, secrets without.
fn entries(
    session: &Session<'_>,
    organization: OrganizationId,
    path: &LevelPath,
    has_entries: bool,
) -> Result<Vec<Entry>> {
    if !has_entries {
        return Ok(Vec::new());
    }
    let known = match session.entry_metadata(At::Path(organization, path)) {
        Ok(known) => known,
        // A client stored a blob that holds no dotenv text, or that another key opens. It is whole, and has no entries.
        Err(error)
            if error.kind() != ErrorKind::NotFound && session.opened_blobs(At::Path(organization, path)).is_ok() =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let variables: Vec<_> =
        known.iter().filter(|entry| entry.kind == Kind::Variable).map(|entry| entry.name.clone()).collect();
    let values = session.entries(At::Path(organization, path), EntryScope::Named(&variables))?.entries;
    let entries = known.into_iter().map(|entry| {
        let found = values.iter().find(|stored| stored.metadata.name == entry.name);
        // One that became a secret meanwhile is kept to itself.
        let found = found.filter(|stored| stored.metadata.kind == Kind::Variable);
        Entry {
            at: (0, 0),
            value: found.map(|stored| stored.value.clone()),
            dollars: found.map(|stored| stored.dollars.clone()),
            name: entry.name,
            kind: entry.kind,
            // What is said about a secret may say what it is.
            comment: entry.comment.filter(|_| entry.kind == Kind::Variable),
        }
    });
    Ok(entries.collect())
}

fn token(token: vault::TokenInfo) -> Option<Token> {
    Some(Token {
        at: (0, 0),
        id: Some(token.id),
        name: token.name,
        style: TokenStyle::of(token.format, token.scope.as_ref())?,
        permissions: token.permissions,
        path: token.scope,
        expires: token.expires_at.map(Expiry::At),
    })
}
