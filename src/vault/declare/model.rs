//! What a declaration says, checked as far as that goes without a vault.

use std::time::Duration;

use super::table::Position;
use crate::core::audit::Tier;
use crate::core::clock::Timestamp;
use crate::core::document::{Dollars, Kind};
use crate::core::id::AccountId;
use crate::core::id::EnvironmentId;
use crate::core::id::OrganizationId;
use crate::core::id::ProjectId;
use crate::core::id::RoleId;
use crate::core::id::ServiceAccountId;
use crate::core::id::TargetId;
use crate::core::id::TeamId;
use crate::core::id::TokenId;
use crate::core::id::UserId;
use crate::core::id::WebhookId;
use crate::core::ip_range::IpRange;
use crate::core::key::{KeyString, Pbkdf2};
use crate::core::name::{Slug, VarName};
use crate::core::organization_status::OrganizationStatus;
use crate::core::path::LevelPath;
use crate::core::permission::PermissionSet;
use crate::core::role::{GrantRole, MemberRole};
use crate::core::secret::SecretString;
use crate::core::secret_format::SecretFormat;
use crate::core::token::TokenStyle;

/// What a field that is left out says nothing about is left as it is, or is what it would be by default.
#[derive(Clone, Default)]
pub(super) struct Organization {
    pub(super) at: Position,
    pub(super) id: Option<OrganizationId>,
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) plan: Option<Tier>,
    pub(super) status: Option<OrganizationStatus>,
    pub(super) version_retention_days: Option<u32>,
    pub(super) roles: Vec<Role>,
    pub(super) teams: Vec<Team>,
    pub(super) members: Vec<Member>,
    pub(super) projects: Vec<Project>,
    pub(super) grants: Vec<Grant>,
    pub(super) accounts: Vec<Account>,
    pub(super) services: Vec<ServiceAccount>,
    pub(super) tokens: Vec<Token>,
    pub(super) webhooks: Vec<Webhook>,
}

#[derive(Clone)]
pub(super) struct Role {
    pub(super) at: Position,
    pub(super) id: Option<RoleId>,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) permissions: PermissionSet,
}

#[derive(Clone)]
pub(super) struct Team {
    pub(super) at: Position,
    pub(super) id: Option<TeamId>,
    pub(super) name: String,
    pub(super) description: Option<String>,
}

#[derive(Clone)]
pub(super) struct Member {
    pub(super) at: Position,
    /// Of the user.
    pub(super) id: Option<UserId>,
    pub(super) email: String,
    pub(super) name: Option<String>,
    pub(super) role: RoleName,
    pub(super) teams: Option<Vec<String>>,
}

/// The role of a member, before it is known which role a name belongs to.
#[derive(Clone)]
pub(super) enum RoleName {
    Known(MemberRole),
    Custom(String),
}

#[derive(Clone)]
pub(super) struct Project {
    pub(super) at: Position,
    pub(super) id: Option<ProjectId>,
    pub(super) name: String,
    pub(super) slug: Slug,
    pub(super) description: Option<String>,
    pub(super) secret_format: Option<SecretFormat>,
    pub(super) versioning: Option<bool>,
    pub(super) base: bool,
    pub(super) key: Key,
    pub(super) entries: Vec<Entry>,
    pub(super) targets: Vec<Target>,
    pub(super) environments: Vec<Environment>,
}

/// The key a project is made with.
#[derive(Clone)]
pub(super) enum Key {
    /// Held by the vault.
    Server {
        /// Whether it is stretched from a key string.
        is_string: bool,
        string: Option<KeyString>,
        /// Whether it is told when the project is made.
        tell: bool,
    },
    /// Held by the project's people.
    Client {
        derivation: Option<Pbkdf2>,
        /// Left out where the project is there already.
        proof: Option<SecretString>,
        hint: Option<String>,
    },
}

#[derive(Clone)]
pub(super) struct Target {
    pub(super) at: Position,
    pub(super) id: Option<TargetId>,
    pub(super) name: String,
    pub(super) slug: Slug,
    pub(super) description: Option<String>,
    pub(super) entries: Vec<Entry>,
    pub(super) environments: Vec<Environment>,
}

#[derive(Clone)]
pub(super) struct Environment {
    pub(super) at: Position,
    pub(super) id: Option<EnvironmentId>,
    pub(super) name: String,
    pub(super) slug: Slug,
    pub(super) description: Option<String>,
    pub(super) status: Option<String>,
    pub(super) production: Option<bool>,
    pub(super) entries: Vec<Entry>,
}

#[derive(Clone)]
pub(super) struct Entry {
    pub(super) at: Position,
    pub(super) name: VarName,
    pub(super) kind: Kind,
    /// None, to keep the value there is.
    pub(super) value: Option<SecretString>,
    /// Which `$` of the value are literal; `None`, where the declaration says nothing about it.
    pub(super) dollars: Option<Dollars>,
    pub(super) comment: Option<String>,
}

#[derive(Clone)]
pub(super) struct Grant {
    pub(super) at: Position,
    pub(super) to: GranteeName,
    pub(super) role: GrantRole,
    pub(super) path: LevelPath,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GranteeName {
    Email(String),
    Team(String),
}

#[derive(Clone)]
pub(super) struct Account {
    pub(super) at: Position,
    pub(super) id: Option<AccountId>,
    pub(super) name: String,
    pub(super) path: LevelPath,
    pub(super) permissions: PermissionSet,
    pub(super) expires: Option<Expiry>,
}

#[derive(Clone)]
pub(super) struct ServiceAccount {
    pub(super) at: Position,
    pub(super) id: Option<ServiceAccountId>,
    pub(super) name: String,
    pub(super) permissions: PermissionSet,
    pub(super) allow_list: Option<Vec<IpRange>>,
    pub(super) keys: Vec<ServiceKey>,
}

#[derive(Clone)]
pub(super) struct ServiceKey {
    pub(super) at: Position,
    pub(super) name: String,
    pub(super) expires: Option<Expiry>,
}

#[derive(Clone)]
pub(super) struct Token {
    pub(super) at: Position,
    pub(super) id: Option<TokenId>,
    pub(super) name: String,
    pub(super) style: TokenStyle,
    pub(super) permissions: PermissionSet,
    pub(super) path: Option<LevelPath>,
    pub(super) expires: Option<Expiry>,
}

#[derive(Clone)]
pub(super) struct Webhook {
    pub(super) at: Position,
    pub(super) id: Option<WebhookId>,
    pub(super) path: LevelPath,
    pub(super) url: String,
    pub(super) description: Option<String>,
    pub(super) enabled: Option<bool>,
}

/// When something ends.
#[derive(Clone, Copy)]
pub(super) enum Expiry {
    At(Timestamp),
    /// After it is made.
    After(Duration),
}

impl Default for Key {
    fn default() -> Self {
        Self::Server { is_string: false, string: None, tell: false }
    }
}
