//! Tokens: what programs show to be let in. Each is bound to an organization, perhaps to a place in it, and holds a set
//! of permissions. The vault keeps the hash of a token, never the token.

use super::audit::words;
use super::authenticated_record::forged;
use super::given_id::id_taken;
use super::keys;
#[cfg(feature = "server")]
use super::locate::hidden;
use super::name::check_name;
use super::operation::{OperationContext, no_such};
use super::place::At;
use super::records::{HolderRecord, OrganizationRecord, ScopeRecord, TokenRecord, decode, get, put, require};
use super::scan::Scan;
use super::session::Session;
use super::setters::{Patch, setters};
use super::use_case::UseCase;
use crate::core::audit::{Action, AuditActor, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::id::Id;
use crate::core::id::LevelId;
use crate::core::id::OrganizationId;
use crate::core::id::TokenId;
use crate::core::ip_range::IpRange;
use crate::core::path::LevelPath;
use crate::core::permission::PermissionSet;
use crate::core::token::{Token, TokenFormat};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{KeyRange, Order, Precondition, Record};

/// What is known of a token. The token itself is not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenInfo {
    /// Its id, which stays the same when it is rotated.
    pub id: TokenId,
    /// The organization it is bound to.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// How it is spelled.
    pub format: TokenFormat,
    /// Its first characters, to tell it from others.
    pub hint: String,
    /// What it may do.
    pub permissions: PermissionSet,
    /// The project, target or environment it is bound to; none, for all of the organization or for a place that is gone.
    pub scope: Option<LevelPath>,
    /// From where it may be used: from where the key may be that it was issued with. From everywhere, where there is none.
    pub allow_list: Vec<IpRange>,
    /// When it was issued.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: AuditActor,
    /// Who rotated it last, and so has seen the token that works now.
    pub rotated_by: Option<AuditActor>,
    /// When one of these was changed last.
    pub updated_at: Timestamp,
    /// From when on it no longer works.
    pub expires_at: Option<Timestamp>,
    /// Since when it no longer works.
    pub revoked_at: Option<Timestamp>,
    /// The project, target or environment whose deletion it does not work after, until that is restored.
    pub deleted_with: Option<LevelId>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl OperationContext<'_, '_> {
    /// What is told of a token.
    pub(super) fn token_info(&mut self, record: &TokenRecord) -> Result<TokenInfo> {
        let scope = match &record.scope {
            Some(scope) => match self.path_of(scope.node.unwrap_or(scope.project.into())) {
                Ok((_, path)) => Some(path),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            },
            None => None,
        };
        Ok(TokenInfo {
            id: record.id.into(),
            organization: record.organization,
            name: record.name.clone(),
            format: record.format,
            hint: record.hint.clone(),
            permissions: record.permissions,
            scope,
            allow_list: record.allow_list.clone(),
            created_at: record.created_at,
            created_by: record.created_by.clone().unwrap_or(AuditActor::SYSTEM),
            rotated_by: record.rotated_by.clone(),
            updated_at: record.updated_at,
            expires_at: record.expires_at,
            revoked_at: record.revoked_at,
            deleted_with: record.deleted_with,
            last_used_at: record.last_used_at,
        })
    }

    /// The token of that id with the key of its record, if the actor may know of it: its own place must be inside of the
    /// actor's.
    fn token(&mut self, organization: OrganizationId, id: TokenId) -> Result<(String, TokenRecord)> {
        self.organization(organization)?;
        let index = keys::token_id(organization, id.into());
        let (key, record) = self.indexed_token(&index)?.ok_or_else(|| no_such("token"))?;
        if !self.enter_scope(record.scope.as_ref())? {
            return Err(no_such("token"));
        }
        self.require()?;
        Ok((key, record))
    }

    /// Whether the actor may list a token: it is bound to nothing beyond what the actor may see tokens of.
    fn is_token_listed(&mut self, token: &TokenRecord) -> Result<bool> {
        Ok(self.enter_scope(token.scope.as_ref())? && self.rights.contains_all(self.needed))
    }

    /// What a token is bound to, from the path that is asked for.
    fn scope_of(&mut self, organization: OrganizationId, path: Option<&LevelPath>) -> Result<Option<ScopeRecord>> {
        match path {
            Some(path) => {
                let place = self.place(At::Path(organization, path), super::place::Reach::Inside)?;
                let node = place.nodes.last().map(|node| node.id);
                if node.is_none() && path.segments().count() > 1 {
                    let message = "what is bound to `_base` would reach all of the project: bind the token to that";
                    return Err(Error::new(ErrorKind::InvalidName, message));
                }
                Ok(Some(ScopeRecord { project: place.project.id, node }))
            }
            None => match self.principal.scope() {
                Some(_) => Err(Error::new(
                    ErrorKind::Denied,
                    "you are bound to a place: bind the token to that place, or to one below it",
                )),
                None => {
                    self.require()?;
                    Ok(None)
                }
            },
        }
    }
}

impl TokenRecord {
    /// The one key under which the hash of the token lies.
    pub(super) fn index(&self) -> Option<String> {
        match self.holder {
            HolderRecord::Token => Some(keys::token_id(self.organization, self.id)),
            HolderRecord::Account => {
                let scope = self.scope.as_ref()?;
                Some(keys::account(scope.project, scope.node?, self.id.into()))
            }
            HolderRecord::User { user, .. } => Some(keys::personal_key(self.organization, user, self.id.into())),
            HolderRecord::ServiceAccount { account } => {
                Some(keys::service_key(self.organization, account, self.id.into()))
            }
        }
    }
}

/// What was revoked stays as it was.
fn check_not_revoked(record: &TokenRecord) -> Result<()> {
    if record.revoked_at.is_some() {
        return Err(Error::new(ErrorKind::Conflict, "the token was revoked: issue another one"));
    }
    Ok(())
}

/// A token to issue.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub(crate) id: Option<TokenId>,
    pub(crate) name: String,
    pub(crate) format: TokenFormat,
    pub(crate) permissions: PermissionSet,
    pub(crate) scope: Option<LevelPath>,
    pub(crate) expires_at: Option<Timestamp>,
}

impl NewToken {
    /// Creates the input for a token of that name with those permissions, at least one.
    pub fn new(name: impl Into<String>, permissions: PermissionSet) -> Self {
        Self { id: None, name: name.into(), format: TokenFormat::Ioenv, permissions, scope: None, expires_at: None }
    }

    setters! {
        /// Sets the id, which only trusted programs can choose. By default it is a new one.
        id: Option<TokenId>;
        /// Sets the format of the token. By default it is that of ioenv.
        format: TokenFormat;
        /// Binds the token to a project, target or environment. By default it is bound to the organization.
        scope: Option<LevelPath>;
        /// Sets when the token expires. By default it never does.
        expires_at: Option<Timestamp>;
    }
}

/// A token that was just issued.
#[derive(Debug)]
#[non_exhaustive]
pub struct IssuedToken {
    /// The token. It is told once: nothing can get it from the vault again.
    pub token: Token,
    /// What is known of it.
    pub info: TokenInfo,
}

impl Session<'_> {
    /// Issues a token.
    ///
    /// # Errors
    /// `NotFound`, without the place it is bound to; `Denied`, for a permission, a place or a time that the actor does
    /// not have; `InvalidName`, also for `_base` as a place; `InvalidValue`, without a permission, or with an end that is past; `Conflict`, for
    /// an id that is taken.
    pub fn issue_token(&self, organization: OrganizationId, new: &NewToken) -> Result<IssuedToken> {
        self.write(UseCase::IssueToken, |operation| {
            operation.organization(organization)?;
            operation.issue_token(organization, new, new.scope.as_ref())
        })
    }

    /// Issues a token that is bound to a place, whatever `new` says of that.
    #[cfg(feature = "server")]
    pub(crate) fn issue_token_at(&self, at: At<'_>, new: &NewToken) -> Result<IssuedToken> {
        self.write(UseCase::IssueToken, |operation| {
            let (organization, path) = operation.whereabouts(at)?;
            let is_there = operation.organization(organization);
            is_there
                .and_then(|_| operation.issue_token(organization, new, Some(&path)))
                .map_err(|error| hidden(at, error))
        })
    }
}

impl OperationContext<'_, '_> {
    fn issue_token(
        &mut self,
        organization: OrganizationId,
        new: &NewToken,
        scope: Option<&LevelPath>,
    ) -> Result<IssuedToken> {
        let scope = self.scope_of(organization, scope)?;
        self.check_held(new.permissions)?;
        self.check_outlived(new.expires_at)?;
        let name = check_name(&new.name)?;
        check_token(new.permissions, new.expires_at, self.now)?;
        if matches!(new.format, TokenFormat::DotenvCloud { organization: spelled } if spelled != organization) {
            let message = "the token would be spelled with the id of another organization";
            return Err(Error::new(ErrorKind::InvalidValue, message));
        }
        let id = self.token_id(new.id)?;
        let mut record = self.new_token(organization, id.into(), name, new.format);
        record.permissions = new.permissions;
        record.scope = scope;
        record.expires_at = new.expires_at;
        let token = self.put_token(&mut record, &keys::token_id(organization, id.into()))?;
        let info = self.token_info(&record)?;
        self.record(Action::Create, Resource::token(&record), details(&info))?;
        Ok(IssuedToken { token, info })
    }

    fn token_id(&mut self, given: Option<TokenId>) -> Result<TokenId> {
        let id = self.given_id(given)?;
        if given.is_some() {
            let mut scan = Scan::new(keys::organizations(), Order::Ascending);
            while let Some(organization) = scan.next(self.tx)? {
                let organization: OrganizationRecord = self.decode_authenticated(&organization)?;
                if self.tx.get(&keys::token_id(organization.id, id.into()))?.is_some() {
                    return Err(id_taken());
                }
            }
        }
        Ok(id)
    }

    /// A token of the organization that may do nothing yet.
    pub(super) fn new_token(
        &self,
        organization: OrganizationId,
        id: Id,
        name: String,
        format: TokenFormat,
    ) -> TokenRecord {
        TokenRecord {
            id,
            organization,
            name,
            format,
            hint: String::new(),
            permissions: PermissionSet::EMPTY,
            scope: None,
            created_at: self.now,
            updated_at: self.now,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
            deleted_with: None,
            holder: HolderRecord::Token,
            // What is issued with a key is used from where that is.
            allow_list: self.own_allow_list().to_vec(),
            created_by: Some(self.principal.actor.clone()),
            rotated_by: None,
        }
    }

    /// Draws a token, and stores what is known of it under its hash, and that under `index`.
    pub(super) fn put_token(&mut self, record: &mut TokenRecord, index: &str) -> Result<Token> {
        let token = Token::mint(record.format, &*self.vault.random)?;
        let hash = self.vault.hasher.hash(&token).to_string();
        record.hint = token.hint();
        self.put_authenticated(&keys::token(&hash), record, Precondition::Absent)?;
        put(self.tx, index, &hash, Precondition::Absent)?;
        Ok(token)
    }

    /// Removes the token whose hash lies under `index`, and that; also one that does not verify.
    pub(super) fn remove_token(&mut self, index: &str) -> Result<()> {
        let key = keys::token(&require::<String>(self.tx, index)?);
        let is_of_another = match self.get_authenticated::<TokenRecord>(&key) {
            Ok(record) => record.is_some_and(|record| record.index().as_deref() != Some(index)),
            Err(error) if error.kind() == ErrorKind::Corrupt => false,
            Err(error) => return Err(error),
        };
        if !is_of_another {
            self.tx.delete(&key)?;
        }
        self.tx.delete(index)?;
        Ok(())
    }

    /// Removes the tokens whose hashes lie in a range, and those, and tells how many there were.
    pub(super) fn remove_tokens(&mut self, range: KeyRange) -> Result<usize> {
        let mut scan = Scan::new(range, Order::Ascending);
        let mut count = 0;
        while let Some(index) = scan.next(self.tx)? {
            self.remove_token(&index.key)?;
            count += 1;
        }
        Ok(count)
    }

    /// The tokens whose hashes lie in a range, in the order they were made, with the keys of their records.
    pub(super) fn tokens_in(&mut self, range: KeyRange) -> Result<Vec<(String, TokenRecord)>> {
        let mut scan = Scan::new(range, Order::Ascending);
        let (mut indexes, mut keys) = (Vec::new(), Vec::new());
        while let Some(Record { key, value }) = scan.next(self.tx)? {
            keys.push(keys::token(&decode::<String>(&value)?));
            indexes.push(key);
        }
        self.tx.prefetch(&keys)?;
        let found = keys.into_iter().zip(&indexes).map(|(key, index)| {
            let record = self.token_of_index(&key, index)?;
            Ok((key, record))
        });
        found.collect()
    }

    /// The token whose hash lies under `index`.
    pub(super) fn token_under(&mut self, index: &str, what: &str) -> Result<TokenRecord> {
        self.indexed_token(index)?.map(|(_, record)| record).ok_or_else(|| no_such(what))
    }

    /// The token whose hash lies under `index`, with the key of its record.
    pub(super) fn indexed_token(&mut self, index: &str) -> Result<Option<(String, TokenRecord)>> {
        let Some(hash) = get::<String>(self.tx, index)? else {
            return Ok(None);
        };
        let key = keys::token(&hash);
        let record = self.token_of_index(&key, index)?;
        Ok(Some((key, record)))
    }

    /// The token at a key, to which an index led. The index bears no MAC: what it says counts only if the record says the
    /// same, or else it would lead from one token to the rights of another.
    fn token_of_index(&mut self, key: &str, index: &str) -> Result<TokenRecord> {
        let record: TokenRecord = self.require_authenticated(key)?;
        if record.index().as_deref() == Some(index) { Ok(record) } else { Err(forged()) }
    }
}

/// What is recorded of a token that is issued, changed or revoked.
fn details(token: &TokenInfo) -> Details {
    Details::default()
        .with("name", token.name.as_str())
        .with("permissions", words(token.permissions))
        .with("expiresAt", token.expires_at.map(|end| end.to_string()))
        .with("scope", token.scope.as_ref().map(LevelPath::as_str))
}

fn check_token(permissions: PermissionSet, expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    check_permissions(permissions)?;
    check_end(expires_at, now)
}

pub(super) fn check_permissions(permissions: PermissionSet) -> Result<()> {
    if permissions.is_empty() {
        return Err(Error::new(ErrorKind::InvalidValue, "a token needs at least one permission"));
    }
    Ok(())
}

pub(super) fn check_end(expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Error::new(ErrorKind::InvalidValue, "the time at which the token is to expire is past"));
    }
    Ok(())
}

impl Session<'_> {
    /// What is known of a token.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn token(&self, organization: OrganizationId, id: TokenId) -> Result<TokenInfo> {
        self.read(UseCase::ReadToken, |operation| {
            let (_, record) = operation.token(organization, id)?;
            operation.record(Action::Read, Resource::token(&record), Details::default())?;
            operation.token_info(&record)
        })
    }

    /// What is known of the token or key this session is in the name of. Whoever holds it may know that of it; it is not
    /// recorded.
    ///
    /// # Errors
    /// `NotFound`, for a trusted program and for a user, who have no token.
    pub fn own_token(&self) -> Result<TokenInfo> {
        self.read(UseCase::ReadOwnToken, |operation| {
            let Some((_, record)) = operation.principal.token.clone() else {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    "this session is that of a trusted program or of a user, without a token",
                ));
            };
            operation.organization(record.organization)?;
            operation.token_info(&record)
        })
    }
}

impl Session<'_> {
    /// The tokens of an organization that the actor may know of, in the order they were issued; also those that no
    /// longer work, so that the audit log can be read.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn tokens(&self, organization: OrganizationId) -> Result<Vec<TokenInfo>> {
        self.read(UseCase::ListTokens, |operation| {
            operation.organization(organization)?;
            let mut tokens = Vec::new();
            for (_, token) in operation.tokens_in(keys::token_ids(organization))? {
                if operation.is_token_listed(&token)? {
                    tokens.push(operation.token_info(&token)?);
                }
            }
            let details = Details::read("tokens", tokens.iter().map(|token| token.name.as_str()));
            operation.record(Action::Read, Resource::organization(organization), details)?;
            Ok(tokens)
        })
    }
}

/// The fields of a token to change.
#[derive(Clone, Debug, Default)]
pub struct TokenUpdate {
    pub(crate) name: Option<String>,
    pub(crate) permissions: Option<PermissionSet>,
    pub(crate) expires_at: Patch<Timestamp>,
}

impl TokenUpdate {
    /// Creates an update that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the name.
        name: Option<impl Into<String>>;
        /// Sets the permissions.
        permissions: Option<PermissionSet>;
        /// Sets when the token expires.
        expires_at: Patch<Timestamp>;
        /// Removes the expiry: the token never expires.
        clear_expires_at clears expires_at;
    }
}

impl Session<'_> {
    /// Changes a token.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, when the token does, lives or reaches, or is to do or live, beyond the actor's own; `InvalidName`;
    /// `InvalidValue`; `Conflict`, for one that was revoked.
    pub fn update_token(&self, organization: OrganizationId, id: TokenId, update: &TokenUpdate) -> Result<TokenInfo> {
        self.write(UseCase::UpdateToken, |operation| {
            let (key, mut record) = operation.token(organization, id)?;
            // What the token may do was not this actor's to give, nor is it to change.
            operation.check_credential(record.permissions, record.expires_at, &record.allow_list)?;
            check_not_revoked(&record)?;
            if let Some(permissions) = update.permissions {
                record.permissions = permissions;
            }
            let has_new_end = update.expires_at.apply(&mut record.expires_at, |end| Ok(Some(*end)))?;
            if update.permissions.is_some() || has_new_end {
                operation.check_credential(record.permissions, record.expires_at, &record.allow_list)?;
                check_token(record.permissions, record.expires_at.filter(|_| has_new_end), operation.now)?;
            }
            if let Some(name) = &update.name {
                record.name = check_name(name)?;
            }
            record.updated_at = operation.now;
            operation.put_authenticated(&key, &record, Precondition::Present)?;
            let info = operation.token_info(&record)?;
            operation.record(Action::Update, Resource::token(&record), details(&info))?;
            Ok(info)
        })
    }
}

impl Session<'_> {
    /// Revokes a token: from then on it no longer works. Its record stays, so that the audit log can be read.
    ///
    /// A token whose record was changed in the database is removed instead. Only trusted programs can do that; others get
    /// `Corrupt`.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn revoke_token(&self, organization: OrganizationId, id: TokenId) -> Result<()> {
        self.write(UseCase::RevokeToken, |operation| {
            let (key, mut record) = match operation.token(organization, id) {
                // Nobody can say any more what it was, but it can be removed.
                Err(error) if error.kind() == ErrorKind::Corrupt && operation.principal.is_system() => {
                    return operation.remove_forged_token(organization, id);
                }
                found => found?,
            };
            record.revoked_at.get_or_insert(operation.now);
            record.updated_at = operation.now;
            operation.put_authenticated(&key, &record, Precondition::Present)?;
            let info = operation.token_info(&record)?;
            operation.record(Action::Delete, Resource::token(&record), details(&info))
        })
    }
}

impl OperationContext<'_, '_> {
    fn remove_forged_token(&mut self, organization: OrganizationId, id: TokenId) -> Result<()> {
        self.remove_token(&keys::token_id(organization, id.into()))?;
        let mut resource = Resource::new(ResourceKind::Token, organization);
        resource.id = Some(id.into());
        self.record(Action::Delete, resource, Details::default().with("op", "remove-forged"))
    }
}

impl Session<'_> {
    /// Issues a token anew, with the same id and rights; the old one no longer works from then on.
    ///
    /// # Errors
    /// `NotFound`; `Denied`, when the token holds what the actor does not, lives longer, or is used from more addresses than the
    /// actor's own; `Conflict`, for one that was revoked.
    pub fn rotate_token(&self, organization: OrganizationId, id: TokenId) -> Result<IssuedToken> {
        self.write(UseCase::RotateToken, |operation| {
            let (key, mut record) = operation.token(organization, id)?;
            // Whoever could would hold all that the token holds.
            operation.check_credential(record.permissions, record.expires_at, &record.allow_list)?;
            check_not_revoked(&record)?;
            let token = Token::mint(record.format, &*operation.vault.random)?;
            let hash = self.vault.hasher.hash(&token).to_string();
            record.hint = token.hint();
            record.updated_at = operation.now;
            record.last_used_at = None;
            record.rotated_by = Some(operation.principal.actor.clone());
            operation.tx.delete(&key)?;
            operation.put_authenticated(&keys::token(&hash), &record, Precondition::Absent)?;
            put(operation.tx, &keys::token_id(organization, id.into()), &hash, Precondition::Present)?;
            let info = operation.token_info(&record)?;
            let resource = Resource::token(&record);
            operation.record(Action::Update, resource, details(&info).with("op", "rotate"))?;
            Ok(IssuedToken { token, info })
        })
    }
}
