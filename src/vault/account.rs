//! Accounts of environments: what programs that need one environment are let in with. Each has exactly one key, made
//! with it, and what it may do stays what it was made with.

use super::audit::words;
use super::keys;
use super::name::check_name;
use super::operation::OperationContext;
use super::place::At;
use super::place::{Place, Reach};
use super::records::{HolderRecord, NodeKind, ScopeRecord, TokenRecord};
use super::rights::check_held;
use super::session::Session;
use super::setters::setters;
use super::token::check_end;
use super::use_case::UseCase;
use crate::core::audit::{Action, AuditActor, Details, Resource, ResourceKind};
use crate::core::clock::Timestamp;
use crate::core::id::AccountId;
use crate::core::path::LevelPath;
use crate::core::permission::{Permission, PermissionSet};
use crate::core::role::EnvironmentRole;
use crate::core::token::{Token, TokenFormat};
use crate::error::{Error, ErrorKind, Result};

/// What is known of an account of an environment. Its key is not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// The first characters of its key, to tell it from others.
    pub hint: String,
    /// What it may do: always `environment:read`, too.
    pub permissions: PermissionSet,
    /// The environment it belongs to.
    pub path: LevelPath,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: AuditActor,
    /// From when on its key no longer works.
    pub expires_at: Option<Timestamp>,
    /// When its key was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl Account {
    /// What is told of an account of the environment at that path.
    pub(super) fn new(record: TokenRecord, path: LevelPath) -> Self {
        Self {
            id: record.id.into(),
            name: record.name,
            hint: record.hint,
            permissions: record.permissions,
            path,
            created_at: record.created_at,
            created_by: record.created_by.unwrap_or(AuditActor::SYSTEM),
            expires_at: record.expires_at,
            last_used_at: record.last_used_at,
        }
    }

    /// What it was done to, for the audit log.
    fn resource(&self, place: &Place) -> Result<Resource> {
        let mut resource = Resource::of(place)?.kind(ResourceKind::Account);
        resource.id = Some(self.id.into());
        resource.name = Some(self.name.clone());
        Ok(resource)
    }

    /// What is recorded when it is made or deleted.
    fn details(&self) -> Details {
        Details::default()
            .with("name", self.name.as_str())
            .with("permissions", words(self.permissions))
            .with("expiresAt", self.expires_at.map(|end| end.to_string()))
    }
}

impl OperationContext<'_, '_> {
    /// The environment whose accounts are meant.
    fn account_place(&mut self, at: At<'_>) -> Result<Place> {
        Ok(self.node(at, NodeKind::Environment, Reach::Inside)?.0)
    }

    /// The account of that id, with the key of its row.
    fn account(&mut self, place: &Place, id: AccountId) -> Result<(String, Account)> {
        let index = keys::account(place.project.id, place.id(), id);
        let record = self.token_under(&index, "account")?;
        Ok((index, Account::new(record, place.path()?)))
    }
}

/// An account of an environment to create.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub(crate) id: Option<AccountId>,
    pub(crate) name: String,
    pub(crate) permissions: PermissionSet,
    pub(crate) expires_at: Option<Timestamp>,
}

impl NewAccount {
    /// Creates the input for an account of that name with those permissions and `environment:read`.
    pub fn new(name: impl Into<String>, permissions: PermissionSet) -> Self {
        Self { id: None, name: name.into(), permissions, expires_at: None }
    }

    setters! {
        /// Sets the id, which only trusted programs can choose. By default it is a new one.
        id: Option<AccountId>;
        /// Sets when the key of the account expires. By default it never does.
        expires_at: Option<Timestamp>;
    }
}

/// An account that was just made.
#[derive(Debug)]
#[non_exhaustive]
pub struct IssuedAccount {
    /// Its key. It is told once: nothing can get it from the vault again.
    pub key: Token,
    /// What is known of it.
    pub account: Account,
}

impl Session<'_> {
    /// Makes an account of an environment, and its key.
    ///
    /// It reaches that environment alone: its values, those it inherits among them, and nothing above or beside it.
    /// A user can give what [`EnvironmentRole::grantable_with`] says of their rights there; a token or key what it holds.
    ///
    /// ```
    /// # fn main() -> ioenv::Result<()> {
    /// # use ioenv::vault::{Actor, At, LevelScope, NewEnvironment, NewOrganization, NewProject, RootKey, Vault};
    /// # use ioenv::{Document, SystemRandom, store::Memory};
    /// use ioenv::vault::{EnvironmentRole, NewAccount};
    ///
    /// # let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
    /// # let session = vault.session(Actor::system("setup"));
    /// # let acme = session.create_organization(&NewOrganization::new("Acme"))?.id;
    /// # session.create_project(acme, &NewProject::new("shop"))?;
    /// # session.create_environment(At::Path(acme, &"shop".parse()?), &NewEnvironment::new("api-prod"))?;
    /// let prod = "shop/api-prod".parse()?;
    /// # session.set_document(At::Path(acme, &prod), &Document::parse("PORT=8080\n")?)?;
    /// let runner = NewAccount::new("runner", EnvironmentRole::Viewer.grantable());
    /// let key = session.create_account(At::Path(acme, &prod), &runner)?.key;
    /// assert_eq!(vault.session(key).read_level(At::Path(acme, &prod), LevelScope::Chain)?.resolve().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`, without the environment; `Denied`, for a permission or a time that the actor cannot give;
    /// `InvalidName`; `InvalidValue`, for what no account can have ([`EnvironmentRole::ACCOUNT`]) or an end that is past;
    /// `Conflict`, for an id that is taken.
    pub fn create_account(&self, at: At<'_>, new: &NewAccount) -> Result<IssuedAccount> {
        self.write(UseCase::CreateAccount, |operation| {
            let place = operation.account_place(at)?;
            let permissions = new.permissions.union(Permission::EnvironmentRead.into());
            operation.check_account(permissions)?;
            operation.check_outlived(new.expires_at)?;
            check_end(new.expires_at, operation.now)?;
            let (id, name) = (operation.given_id(new.id)?, check_name(&new.name)?);
            let mut record =
                operation.new_token(place.organization(), id.into(), name, TokenFormat::StashbaseEnvironment);
            record.holder = HolderRecord::Account;
            record.permissions = permissions;
            record.scope = Some(ScopeRecord { project: place.project.id, node: Some(place.id()) });
            record.expires_at = new.expires_at;
            let key = operation.put_token(&mut record, &keys::account(place.project.id, place.id(), id))?;
            let account = Account::new(record, place.path()?);
            operation.record(Action::Create, account.resource(&place)?, account.details())?;
            Ok(IssuedAccount { key, account })
        })
    }
}

impl OperationContext<'_, '_> {
    /// Refuses what no account can have, and what this actor cannot give to one.
    fn check_account(&self, permissions: PermissionSet) -> Result<()> {
        let impossible = permissions.difference(EnvironmentRole::ACCOUNT);
        if !impossible.is_empty() {
            let message = format!("an account of an environment cannot have {impossible}: issue a token for that");
            return Err(Error::new(ErrorKind::InvalidValue, message));
        }
        let is_person = self.principal.user.is_some();
        check_held(if is_person { EnvironmentRole::grantable_with(self.rights) } else { self.rights }, permissions)
    }
}

impl Session<'_> {
    /// What is known of an account of an environment.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn account(&self, at: At<'_>, id: AccountId) -> Result<Account> {
        self.read(UseCase::ReadAccount, |operation| {
            let place = operation.account_place(at)?;
            let (_, account) = operation.account(&place, id)?;
            operation.record(Action::Read, account.resource(&place)?, Details::default())?;
            Ok(account)
        })
    }
}

impl Session<'_> {
    /// The accounts of an environment, in the order they were made.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn accounts(&self, at: At<'_>) -> Result<Vec<Account>> {
        self.read(UseCase::ListAccounts, |operation| {
            let place = operation.account_place(at)?;
            let path = place.path()?;
            let records = operation.tokens_in(keys::accounts(place.project.id, place.id()))?;
            let accounts: Vec<Account> =
                records.into_iter().map(|(_, record)| Account::new(record, path.clone())).collect();
            let details = Details::read("list", accounts.iter().map(|account| account.name.as_str()));
            operation.record(Action::Read, Resource::of(&place)?.kind(ResourceKind::Account), details)?;
            Ok(accounts)
        })
    }
}

impl Session<'_> {
    /// Removes an account of an environment for good. Its key no longer works from then on.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_account(&self, at: At<'_>, id: AccountId) -> Result<()> {
        self.write(UseCase::DeleteAccount, |operation| {
            let place = operation.account_place(at)?;
            let (index, account) = operation.account(&place, id)?;
            operation.remove_token(&index)?;
            operation.record(Action::Delete, account.resource(&place)?, account.details())
        })
    }
}
