use super::Declaration;
use super::model::{self, Entry, Expiry, Format, Key, Organization, Project, Target, Token};
use crate::Result;
use crate::core::{Id, Kind, LevelPath, Slug, TokenFormat};
use crate::vault::place::BASE;
use crate::vault::{self, Custody, OrganizationStatus, SecretFormat, Session, Which};

impl Session<'_> {
    /// What there is in an organization, or in all that the actor may know of, as a declaration: with the values of
    /// variables, without those of secrets, and without keys, tokens and their like. Applying it to the same vault
    /// changes nothing; to an empty one, it makes the same things with the same ids.
    ///
    /// What cannot be declared is left out: what was deleted, revoked or has expired, versions, and the audit log.
    ///
    /// # Errors
    /// `NotFound`, without the organization.
    pub fn dump(&self, organization: Option<Id>) -> Result<Declaration> {
        let organizations = match organization {
            Some(id) => vec![self.organization(id)?],
            None => self.organizations()?,
        };
        let mut dumped = Vec::new();
        for organization in organizations {
            dumped.push(dump(self, organization)?);
        }
        Ok(Declaration { organizations: dumped })
    }
}

fn dump(session: &Session<'_>, one: vault::Organization) -> Result<Organization> {
    let id = one.id;
    let mut organization = Organization {
        id: Some(id),
        name: one.name,
        slug: one.slug,
        plan: Some(one.plan),
        status: Some(one.status).filter(|status| *status != OrganizationStatus::Active),
        version_retention_days: Some(one.version_retention_days).filter(|days| *days > 0),
        ..Organization::default()
    };
    for one in session.projects(id)? {
        organization.projects.push(project(session, one)?);
    }
    for token in session.tokens(id)? {
        let is_gone = token.expires_at.is_some_and(|end| end <= session.vault.now());
        if token.revoked_at.is_none() && !is_gone {
            organization.tokens.extend(self::token(token));
        }
    }
    Ok(organization)
}

fn project(session: &Session<'_>, one: vault::Project) -> Result<Project> {
    let (organization, path) = (one.organization, LevelPath::new(&one.slug)?);
    let slug: Slug = one.slug.parse()?;
    let keys = session.keys(organization, &slug)?;
    let active = keys.into_iter().find(|key| key.is_active);
    let (derivation, hint) = active.map(|key| (key.derivation, key.hint)).unwrap_or_default();
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
        entries: entries(session, organization, &path, one.custody)?,
        targets: Vec::new(),
        environments: environments(session, organization, &path, one.custody)?,
        slug: slug.clone(),
    };
    for target in session.targets(organization, &slug)? {
        let path = LevelPath::new(&format!("{path}/{}", target.slug))?;
        project.targets.push(Target {
            at: (0, 0),
            id: Some(target.id),
            name: target.name,
            slug: target.slug.parse()?,
            description: target.description,
            entries: entries(session, organization, &path, one.custody)?,
            environments: environments(session, organization, &path, one.custody)?,
        });
    }
    Ok(project)
}

fn environments(
    session: &Session<'_>,
    organization: Id,
    parent: &LevelPath,
    custody: Custody,
) -> Result<Vec<model::Environment>> {
    let mut environments = Vec::new();
    for one in session.environments(organization, parent)?.into_iter().filter(|one| one.slug != BASE) {
        let path = LevelPath::new(&format!("{parent}/{}", one.slug))?;
        let is_usual = one.is_production == (one.status == "production");
        environments.push(model::Environment {
            at: (0, 0),
            id: Some(one.id),
            name: one.name,
            slug: one.slug.parse()?,
            description: one.description,
            production: Some(one.is_production).filter(|_| !is_usual),
            status: Some(one.status),
            entries: entries(session, organization, &path, custody)?,
        });
    }
    Ok(environments)
}

/// Variables with their values, secrets without.
fn entries(session: &Session<'_>, organization: Id, path: &LevelPath, custody: Custody) -> Result<Vec<Entry>> {
    if custody == Custody::Client {
        return Ok(Vec::new());
    }
    let known = session.entry_metadata(organization, path)?;
    let variables: Vec<_> =
        known.iter().filter(|entry| entry.kind == Kind::Variable).map(|entry| entry.name.clone()).collect();
    let values = session.entries(organization, path, Which::Named(&variables))?.entries;
    let entries = known.into_iter().map(|entry| {
        let found = values.iter().find(|stored| stored.metadata.name == entry.name);
        Entry {
            at: (0, 0),
            // One that became a secret meanwhile is kept to itself.
            value: found.filter(|stored| stored.metadata.kind == Kind::Variable).map(|stored| stored.value.clone()),
            name: entry.name,
            kind: entry.kind,
            comment: entry.comment,
        }
    });
    Ok(entries.collect())
}

fn token(token: vault::TokenInfo) -> Option<Token> {
    Some(Token {
        at: (0, 0),
        id: Some(token.id),
        name: token.name,
        format: match token.format {
            TokenFormat::Ioenv => Format::Ioenv,
            TokenFormat::DotenvCloud { .. } => Format::Dotenv,
            TokenFormat::StashbaseEnvironment if token.scope.is_some() => Format::Stashbase,
            TokenFormat::StashbaseService if token.scope.is_none() => Format::Stashbase,
            _ => return None,
        },
        permissions: token.permissions,
        path: token.scope,
        expires: token.expires_at.map(Expiry::At),
    })
}
