use super::super::keys;
use super::super::name::check_name;
use super::super::operation::OperationContext;
use super::super::records::{HolderRecord, ScopeRecord};
use super::super::rights::check_held;
use super::super::session::Session;
use super::super::token::check_end;
use super::super::use_case::UseCase;
use super::Account;
use crate::core::{Action, EnvironmentRole, Id, LevelPath, Permission, PermissionSet, Timestamp, Token, TokenFormat};
use crate::{Error, ErrorKind, Result};

/// An account of an environment that is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewAccount {
    /// Its id, which only trusted programs may give; a new one, where none is given.
    pub id: Option<Id>,
    /// Its name.
    pub name: String,
    /// What it may do, beside `environment:read`, which each account may.
    pub permissions: PermissionSet,
    /// From when on its key no longer works; never, where nothing is given.
    pub expires_at: Option<Timestamp>,
}

impl NewAccount {
    /// An account of that name with those permissions.
    pub fn new(name: impl Into<String>, permissions: PermissionSet) -> Self {
        Self { id: None, name: name.into(), permissions, expires_at: None }
    }

    /// The same, until then.
    #[must_use]
    pub fn expires_at(mut self, end: Timestamp) -> Self {
        self.expires_at = Some(end);
        self
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
    /// # use ioenv::vault::{Actor, NewEnvironment, NewOrganization, NewProject, RootKey, Vault};
    /// # use ioenv::{Document, SystemRandom, store::Memory};
    /// use ioenv::vault::{EnvironmentRole, NewAccount};
    ///
    /// # let vault = Vault::open(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
    /// # let session = vault.session(Actor::system("setup"));
    /// # let acme = session.create_organization(NewOrganization::new("Acme"))?.id;
    /// # session.create_project(acme, NewProject::new("shop"))?;
    /// # session.create_environment(acme, &"shop".parse()?, &NewEnvironment::new("api-prod"))?;
    /// let prod = "shop/api-prod".parse()?;
    /// # session.set_document(acme, &prod, &Document::parse("PORT=8080\n")?)?;
    /// let runner = NewAccount::new("runner", EnvironmentRole::Viewer.grantable());
    /// let key = session.create_account(acme, &prod, &runner)?.key;
    /// assert_eq!(vault.session(key).resolve(acme, &prod)?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`, without the environment; `Denied`, for a permission or a time that the actor cannot give;
    /// `InvalidName`; `InvalidValue`, for what no account can have ([`EnvironmentRole::ACCOUNT`]) or an end that is past;
    /// `Conflict`, for an id that is taken.
    pub fn create_account(&self, organization: Id, path: &LevelPath, new: &NewAccount) -> Result<IssuedAccount> {
        self.write(UseCase::CreateAccount, |operation| {
            let place = operation.account_place(organization, path)?;
            let permissions = new.permissions.union(Permission::EnvironmentRead.into());
            operation.check_account(permissions)?;
            operation.check_outlived(new.expires_at)?;
            check_end(new.expires_at, operation.now)?;
            let (id, name) = (operation.given_id(new.id)?, check_name(&new.name)?);
            let mut record = operation.new_token(organization, id, name, TokenFormat::StashbaseEnvironment);
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
