//! Who one is: what services tell whoever shows them a key.

use super::account::Account;
use super::keys;
use super::operation::{OperationContext, no_such};
use super::personal_key::PersonalKey;
use super::records::{
    HolderRecord, MemberRecord, NodeRecord, OrganizationRecord, PlaceRecord, ProjectRecord, ServiceAccountRecord,
    TokenRecord, UserRecord,
};
use super::scan::scan_keys;
use super::service_account::ServiceAccount;
use super::service_key::ServiceKey;
use super::session::Session;
use super::token::TokenInfo;
use super::use_case::UseCase;
use crate::core::clock::Timestamp;
use crate::core::id::EnvironmentId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::id::UserId;
use crate::core::path::LevelPath;
use crate::core::role::MemberRole;
use crate::error::Result;

/// In whose name a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// That of a trusted program, by the name it gave itself.
    System(String),
    /// That of a user, in person or by a key of their own.
    User(UserIdentity),
    /// That of an API token.
    Token(TokenIdentity),
    /// That of an account of an environment.
    Account(AccountIdentity),
    /// That of a service account.
    ServiceAccount(ServiceAccountIdentity),
}

/// What something is called, for whoever may know no more of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Named<I> {
    /// Its id.
    pub id: I,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// A user, and what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserIdentity {
    /// The user's id.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// When they were made a user.
    pub created_at: Timestamp,
    /// When name or address were changed last.
    pub updated_at: Timestamp,
    /// What they are in which organization; by a key, in that of the key alone.
    pub memberships: Vec<MembershipIdentity>,
    /// The key that was shown; none, for a user in person.
    pub key: Option<PersonalKey>,
}

/// What a user is in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MembershipIdentity {
    /// The organization.
    pub organization: Named<OrganizationId>,
    /// The user's role in it.
    pub role: MemberRole,
}

/// An API token, and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenIdentity {
    /// Its organization.
    pub organization: Named<OrganizationId>,
    /// What is known of it.
    pub token: TokenInfo,
    /// How many projects there are for it: those of the organization, or the one it is bound to.
    pub projects: usize,
}

/// An account of an environment, and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountIdentity {
    /// Its organization.
    pub organization: Named<OrganizationId>,
    /// The project of its environment.
    pub project: Named<ProjectId>,
    /// Its environment.
    pub environment: Named<EnvironmentId>,
    /// What is known of it.
    pub account: Account,
}

/// A service account, and what it works on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceAccountIdentity {
    /// Its organization.
    pub organization: Named<OrganizationId>,
    /// The account.
    pub account: ServiceAccount,
    /// The key that was shown.
    pub key: ServiceKey,
    /// How many projects the organization has.
    pub projects: usize,
}

impl Session<'_> {
    /// In whose name this session is, and what that is. It takes no permission, because everybody may know that of
    /// themselves; it is not recorded.
    ///
    /// ```
    /// # fn main() -> ioenv::Result<()> {
    /// use ioenv::vault::{Actor, Identity, RootKey, Vault};
    /// # use ioenv::{SystemRandom, store::Memory};
    ///
    /// let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
    /// assert_eq!(vault.session(Actor::system("setup")).whoami()?, Identity::System("setup".into()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`Session`].
    pub fn whoami(&self) -> Result<Identity> {
        self.read(UseCase::WhoAmI, |operation| {
            match (operation.principal.token.clone(), operation.principal.user.clone()) {
                (Some((_, token)), user) => operation.holder(token, user),
                (None, Some(user)) => {
                    let memberships = user.organizations.iter().map(|id| operation.membership_identity(*id, user.id));
                    let memberships = memberships.collect::<Result<_>>()?;
                    Ok(Identity::User(user_identity(user, memberships, None)))
                }
                (None, None) => Ok(Identity::System(operation.principal.actor.name.clone().unwrap_or_default())),
            }
        })
    }
}

impl OperationContext<'_, '_> {
    /// Who holds the token that was shown.
    fn holder(&mut self, token: TokenRecord, user: Option<UserRecord>) -> Result<Identity> {
        let organization = named(&self.organization(token.organization)?);
        Ok(match (token.holder, user) {
            (HolderRecord::User { .. }, Some(user)) => {
                let membership = self.membership_identity(token.organization, user.id)?;
                Identity::User(user_identity(user, vec![membership], Some(PersonalKey::new(token)?)))
            }
            (HolderRecord::ServiceAccount { account }, _) => {
                let record: ServiceAccountRecord =
                    self.require_authenticated(&keys::service_account(token.organization, account))?;
                let projects = self.projects_of(token.organization)?;
                let account = ServiceAccount::from(record);
                let key = ServiceKey::new(token)?;
                Identity::ServiceAccount(ServiceAccountIdentity { organization, account, key, projects })
            }
            (HolderRecord::Account, _) => {
                let node = token.scope.as_ref().and_then(|scope| scope.node).ok_or_else(|| no_such("environment"))?;
                let place: PlaceRecord = self.require_authenticated(&keys::node_id(node))?;
                let above: PlaceRecord = self.require_authenticated(&keys::project_id(place.project))?;
                let project: ProjectRecord =
                    self.require_authenticated(&keys::project(place.organization, &above.path))?;
                let environment: NodeRecord = self.require_authenticated(&keys::node(place.project, &place.path))?;
                let path = LevelPath::new(&project.slug)?.join(&place.path)?;
                Identity::Account(AccountIdentity {
                    organization,
                    project: Named { id: project.id, slug: project.slug, name: project.name },
                    environment: Named {
                        id: environment.environment_id(),
                        slug: environment.slug,
                        name: environment.name,
                    },
                    account: Account::new(token, path),
                })
            }
            _ => {
                let projects = if token.scope.is_some() { 1 } else { self.projects_of(token.organization)? };
                let token = self.token_info(&token)?;
                Identity::Token(TokenIdentity { organization, token, projects })
            }
        })
    }

    fn projects_of(&mut self, organization: OrganizationId) -> Result<usize> {
        Ok(scan_keys(self.tx, keys::projects(organization))?.len())
    }

    fn membership_identity(&mut self, organization: OrganizationId, user: UserId) -> Result<MembershipIdentity> {
        let record: OrganizationRecord = self.require_authenticated(&keys::organization(organization))?;
        let member: MemberRecord = self.require_authenticated(&keys::member(organization, user))?;
        Ok(MembershipIdentity { organization: named(&record), role: member.role })
    }
}

fn named(organization: &OrganizationRecord) -> Named<OrganizationId> {
    Named { id: organization.id, slug: organization.slug.clone(), name: organization.name.clone() }
}

fn user_identity(user: UserRecord, memberships: Vec<MembershipIdentity>, key: Option<PersonalKey>) -> UserIdentity {
    UserIdentity {
        id: user.id,
        name: user.name,
        email: user.email,
        created_at: user.created_at,
        updated_at: user.updated_at,
        memberships,
        key,
    }
}
