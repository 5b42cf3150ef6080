use std::fmt;
use std::str::FromStr;

use super::id::RoleId;
use super::permission::{self, Permission as P, PermissionSet};
use super::serde_text::serde_text;
use super::words::{no_such_word, words};
use crate::error::{Error, Result};

const fn set(permissions: &[P]) -> PermissionSet {
    PermissionSet::of(permissions)
}

/// Declares an enumeration with a word and a set of permissions for each of its members.
macro_rules! roles {
    (
        $(#[$meta:meta])*
        $name:ident: $subject:literal {
            $($(#[$member_meta:meta])* $member:ident = $word:literal $(| $alias:literal)*: $set:expr,)*
        }
    ) => {
        words! {
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            #[non_exhaustive]
            pub enum $name: $subject {
                $($(#[$member_meta])* $member = $word $(| $alias)*,)*
            }
        }

        impl $name {
            /// What it allows.
            pub const fn permissions(self) -> PermissionSet {
                match self {
                    $(Self::$member => $set,)*
                }
            }
        }

        serde_text!($name, $subject);
    };
}

const CLOUD_MEMBER: PermissionSet = set(&[
    P::SecretRead,
    P::SecretWrite,
    P::SecretDelete,
    P::SecretHistory,
    P::KeyRetrieve,
    P::ProjectRead,
    P::TargetRead,
    P::EnvironmentRead,
    P::OrganizationRead,
    P::TeamRead,
    P::MemberRead,
]);

roles! {
    /// What a member of an organization is at dotenv.cloud.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::vault::{CloudRole, Permission};
    ///
    /// let role: CloudRole = "auditor".parse()?;
    /// assert!(!role.permissions().contains(Permission::SecretDecrypt));
    /// # Ok(())
    /// # }
    /// ```
    CloudRole: "the role of a member" {
        /// Everything.
        Owner = "owner": PermissionSet::ALL,
        /// Everything but billing and the organization's own existence. `administrator` is read too.
        Admin = "admin" | "administrator": PermissionSet::ALL.difference(set(&[
            P::BillingRead,
            P::BillingWrite,
            P::OrganizationCreate,
            P::OrganizationDelete,
        ])),
        /// The work of every day; the store opens nothing.
        Member = "member": CLOUD_MEMBER,
        /// A member who may have secrets opened, and shapes projects.
        Developer = "developer": CLOUD_MEMBER.union(set(&[
            P::SecretDecrypt,
            P::SecretRestore,
            P::ProjectUpdate,
            P::TargetCreate,
            P::TargetUpdate,
            P::EnvironmentCreate,
            P::EnvironmentUpdate,
        ])),
        /// Sees what there is and what happened, and no secret.
        Auditor = "auditor": set(&[
            P::SecretHistory,
            P::ProjectRead,
            P::TargetRead,
            P::EnvironmentRead,
            P::OrganizationRead,
            P::TeamRead,
            P::MemberRead,
            P::ApiTokenRead,
            P::AuditRead,
        ]),
        /// Billing alone.
        BillingManager = "billing_manager": set(&[P::BillingRead, P::BillingWrite, P::OrganizationRead]),
        /// What a program needs to load its environment.
        ApiUser = "api_user": set(&[
            P::SecretRead,
            P::SecretDecrypt,
            P::KeyRetrieve,
            P::ProjectRead,
            P::TargetRead,
            P::EnvironmentRead,
            P::OrganizationRead,
        ]),
    }
}

roles! {
    /// What a member of an organization is at ioenv.
    OrganizationRole: "the role of a member" {
        /// Everything.
        Owner = "owner": PermissionSet::ALL,
        /// Everything but removing the organization.
        Admin = "admin": PermissionSet::ALL.difference(set(&[P::OrganizationDelete])),
        /// To be in it; what else there is, a [`ProjectRole`] says.
        Member = "member": set(&[P::OrganizationRead]),
    }
}

roles! {
    /// What a member of an organization is in one project at ioenv.
    ProjectRole: "a role in a project" {
        /// What a token with `read` may do.
        Viewer = "viewer": permission::READ,
        /// What a token with `read` and `write` may do.
        Editor = "editor": permission::READ.union(permission::WRITE),
        /// What a token with `admin` may do.
        Admin = "admin": permission::ADMIN,
    }
}

roles! {
    /// What a user of a workspace is at Stashbase.
    WorkspaceRole: "the role of a member" {
        /// Everything.
        Owner = "owner": PermissionSet::ALL,
        /// All projects and users; neither billing nor the end of the workspace.
        Admin = "admin": PermissionSet::ALL.difference(set(&[
            P::BillingRead,
            P::BillingWrite,
            P::OrganizationDelete,
        ])),
        /// To be in it; what else there is, an [`EnvironmentRole`] says.
        Member = "member": set(&[P::OrganizationRead]),
    }
}

const VIEWER: PermissionSet = set(&[
    P::ProjectRead,
    P::EnvironmentRead,
    P::SecretRead,
    P::SecretDecrypt,
    P::SecretHistory,
    P::AccountCreate,
    P::AccountRead,
]);
const EDITOR: PermissionSet =
    VIEWER.union(set(&[P::SecretWrite, P::SecretRestore, P::WebhookRead, P::IntegrationRead]));
const ENVIRONMENT_ADMIN: PermissionSet = EDITOR.union(set(&[
    P::SecretDelete,
    P::WebhookTest,
    P::WebhookCreate,
    P::WebhookUpdate,
    P::WebhookDelete,
    P::IntegrationWrite,
    P::AccountDelete,
]));

roles! {
    /// What a user is in one environment at Stashbase, or in all of a project. Of several roles the highest counts.
    ///
    /// ```
    /// use ioenv::vault::{EnvironmentRole, Permission};
    ///
    /// assert!(EnvironmentRole::Editor.permissions().contains(Permission::SecretWrite));
    /// assert!(!EnvironmentRole::Editor.grantable().contains(Permission::SecretDelete));
    /// ```
    EnvironmentRole: "a role in an environment" {
        /// Sees the secrets.
        Viewer = "viewer": VIEWER,
        /// Makes and changes them, too. An old state is brought back only where nothing is removed by that, because
        /// that takes `secret:delete`.
        Editor = "editor": EDITOR,
        /// Removes them, too, and has webhooks and integrations.
        Admin = "admin": ENVIRONMENT_ADMIN,
    }
}

impl EnvironmentRole {
    /// Full access to a project, which is that of owners, admins and the project's creator: the highest role, and also
    /// who may do what, and the environments and the project themselves.
    pub(crate) const FULL_PROJECT_ACCESS: PermissionSet = ENVIRONMENT_ADMIN.union(set(&[
        P::ProjectUpdate,
        P::ProjectDelete,
        P::EnvironmentCreate,
        P::EnvironmentUpdate,
        P::EnvironmentDelete,
        P::AccessManage,
    ]));

    /// What an account of the environment can have at most.
    pub const ACCOUNT: PermissionSet = set(&[
        P::EnvironmentRead,
        P::SecretRead,
        P::SecretDecrypt,
        P::SecretWrite,
        P::SecretDelete,
        P::WebhookRead,
        P::WebhookTest,
        P::WebhookCreate,
        P::WebhookUpdate,
        P::WebhookDelete,
        P::Scan,
    ]);

    /// What somebody with these rights in an environment can give to an account of it: what their highest role can, and
    /// beside that only what they hold themselves.
    pub fn grantable_with(rights: PermissionSet) -> PermissionSet {
        let roles = Self::ALL.iter().filter(|role| rights.contains_all(role.permissions()));
        let granted = roles.fold(PermissionSet::EMPTY, |granted, role| granted.union(role.grantable()));
        granted.union(rights.intersection(Self::ACCOUNT))
    }

    /// What an account of the environment can be given by somebody in this role. It always has `environment:read`.
    pub const fn grantable(self) -> PermissionSet {
        let read = set(&[P::EnvironmentRead, P::SecretRead, P::SecretDecrypt]);
        match self {
            Self::Viewer => read,
            Self::Editor => read.union(set(&[P::SecretWrite, P::WebhookRead])),
            Self::Admin => Self::ACCOUNT,
        }
    }
}

const KEY_READ_ONLY: PermissionSet =
    set(&[P::ProjectRead, P::EnvironmentRead, P::SecretRead, P::SecretDecrypt, P::Scan]);

roles! {
    /// What a user's own key at Stashbase allows at most; never more than the user may.
    PersonalKeyLevel: "the level of a personal key" {
        /// All that the user may.
        FullAccess = "full_access": PermissionSet::ALL,
        /// Projects, environments and secrets are read.
        ReadOnly = "read_only": KEY_READ_ONLY,
        /// Secrets are changed, too.
        SecretsWrite = "secrets_write": KEY_READ_ONLY.union(set(&[
            P::SecretWrite,
            P::SecretDelete,
            P::SecretHistory,
            P::SecretRestore,
            P::SecretPurge,
        ])),
    }
}

const READ_ONLY: PermissionSet =
    set(&[P::SecretRead, P::ProjectRead, P::TargetRead, P::EnvironmentRead, P::OrganizationRead]);

roles! {
    /// Usual permissions of a token at dotenv.cloud.
    TokenPreset: "a preset" {
        /// The service's own. It gets no key, so what it reads cannot be decrypted with it.
        ReadOnly = "read-only": READ_ONLY,
        /// That, and the key: what `pull` needs.
        Pull = "pull": READ_ONLY.union(set(&[P::KeyRetrieve])),
    }
}

/// What somebody is in a whole organization: a role of one of the services, or one that the organization made itself.
///
/// Its text is the word of the role, with what it belongs to before it where the word alone is not enough:
/// `owner`, `admin` and `member` are [`OrganizationRole`]s; `cloud:member` and `workspace:admin` say otherwise;
/// `developer`, `auditor`, `billing_manager` and `api_user` can only be [`CloudRole`]s. A role of the organization's own
/// is `custom:` and its id.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::vault::{CloudRole, MemberRole, OrganizationRole};
///
/// assert_eq!("admin".parse::<MemberRole>()?, MemberRole::Organization(OrganizationRole::Admin));
/// assert_eq!("developer".parse::<MemberRole>()?, MemberRole::Cloud(CloudRole::Developer));
/// assert_eq!(MemberRole::Cloud(CloudRole::Admin).to_string(), "cloud:admin");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MemberRole {
    /// One of ioenv's.
    Organization(OrganizationRole),
    /// One of Stashbase's.
    Workspace(WorkspaceRole),
    /// One of dotenv.cloud's.
    Cloud(CloudRole),
    /// One that the organization made, by its id.
    Custom(RoleId),
}

impl MemberRole {
    /// Whether it is that of an owner, of which an organization has one at least.
    pub(crate) const fn is_owner(self) -> bool {
        matches!(
            self,
            Self::Organization(OrganizationRole::Owner)
                | Self::Workspace(WorkspaceRole::Owner)
                | Self::Cloud(CloudRole::Owner)
        )
    }

    /// What it allows in the whole organization; none, for a role that the organization made, which only that knows.
    pub const fn permissions(self) -> Option<PermissionSet> {
        match self {
            Self::Organization(role) => Some(role.permissions()),
            Self::Workspace(role) => Some(role.permissions()),
            Self::Cloud(role) => Some(role.permissions()),
            Self::Custom(_) => None,
        }
    }
}

impl fmt::Display for MemberRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(role) => role.fmt(f),
            Self::Workspace(role) => write!(f, "workspace:{role}"),
            Self::Cloud(role) if role.as_str().parse::<OrganizationRole>().is_ok() => write!(f, "cloud:{role}"),
            Self::Cloud(role) => role.fmt(f),
            Self::Custom(id) => write!(f, "custom:{id}"),
        }
    }
}

impl FromStr for MemberRole {
    type Err = Error;

    /// # Errors
    /// `InvalidValue`, which lists the words.
    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some(("workspace", word)) => word.parse().map(Self::Workspace),
            Some(("cloud", word)) => word.parse().map(Self::Cloud),
            Some(("custom", id)) => RoleId::parse(id).map(Self::Custom),
            _ => text.parse().map(Self::Organization).or_else(|_| text.parse().map(Self::Cloud)),
        }
    }
}

serde_text!(MemberRole, "the role of a member");

/// To know what is there, which goes with every role in a project.
const KNOW: PermissionSet = set(&[P::ProjectRead, P::TargetRead, P::EnvironmentRead]);

/// What somebody is in a project, or in one environment of it, beside what they are in the whole organization.
///
/// Of several roles, given to a user and to teams the user is in, all count, so that the highest wins.
///
/// Its text is `viewer`, `editor` or `admin` for an [`EnvironmentRole`]; `project-viewer`, `project-editor` or
/// `project-admin` for a [`ProjectRole`]; or `full`.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::vault::{EnvironmentRole, GrantRole, Permission};
///
/// let role = "editor".parse::<GrantRole>()?;
/// assert_eq!(role, GrantRole::Environment(EnvironmentRole::Editor));
/// assert!(!role.permissions().contains(Permission::AccessManage));
/// assert!(GrantRole::Full.permissions().contains(Permission::AccessManage));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum GrantRole {
    /// One of Stashbase's: in an environment, or in all of a project.
    Environment(EnvironmentRole),
    /// One of ioenv's, in a project.
    Project(ProjectRole),
    /// Full access to a project, which also says who else has access. Whoever makes a project has it.
    Full,
}

impl GrantRole {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Environment(EnvironmentRole::Viewer),
        Self::Environment(EnvironmentRole::Editor),
        Self::Environment(EnvironmentRole::Admin),
        Self::Project(ProjectRole::Viewer),
        Self::Project(ProjectRole::Editor),
        Self::Project(ProjectRole::Admin),
        Self::Full,
    ];

    /// What it allows where it is given: what the role says, and to know what is there.
    pub const fn permissions(self) -> PermissionSet {
        let permissions =
            match self {
                Self::Environment(role) => role.permissions(),
                Self::Project(role) => role.permissions(),
                // The highest of all, so that whoever has it can give any of them.
                Self::Full => EnvironmentRole::FULL_PROJECT_ACCESS
                    .union(ProjectRole::Admin.permissions())
                    .union(set(&[P::TargetCreate, P::TargetUpdate, P::TargetDelete])),
            };
        permissions.union(KNOW)
    }

    /// Whether it can be given for one environment alone.
    pub(crate) const fn is_for_environments(self) -> bool {
        matches!(self, Self::Environment(_))
    }

    /// Its text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Environment(role) => role.as_str(),
            Self::Project(ProjectRole::Viewer) => "project-viewer",
            Self::Project(ProjectRole::Editor) => "project-editor",
            Self::Project(ProjectRole::Admin) => "project-admin",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for GrantRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for GrantRole {
    type Err = Error;

    /// # Errors
    /// `InvalidValue`, which lists the words.
    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.iter().copied().find(|role| role.as_str() == text);
        found.ok_or_else(|| no_such_word("a role in a project", Self::ALL.iter().map(|role| role.as_str())))
    }
}

serde_text!(GrantRole, "a role in a project");

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// The lines of a section of the table.
    pub(in crate::core) fn section(name: &str) -> Vec<&'static str> {
        let text = include_str!("../../tests/vectors/permissions.txt");
        let lines = text.lines().skip_while(|line| *line != format!("[{name}]")).skip(1);
        lines.take_while(|line| !line.is_empty()).collect()
    }

    /// Compares every cell of a section with the sets of its columns.
    fn compare(name: &str, columns: &[(&str, PermissionSet)]) {
        let lines = section(name);
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), names, "{name}");
        assert_eq!(lines.len() - 1, P::ALL.len(), "{name}");
        for (line, permission) in lines[1..].iter().zip(P::ALL) {
            let cells: Vec<_> = line.split_whitespace().collect();
            assert_eq!(cells.len(), 1 + columns.len(), "{line}");
            assert_eq!(cells[0], permission.as_str());
            for ((column, set), cell) in columns.iter().zip(&cells[1..]) {
                assert!(matches!(*cell, "x" | "-"));
                assert_eq!(set.contains(*permission), *cell == "x", "{name}: {column}: {permission}");
            }
        }
    }

    macro_rules! columns {
        ($name:ident) => {
            $name::ALL.iter().map(|role| (role.as_str(), role.permissions())).collect::<Vec<_>>()
        };
    }

    #[test]
    fn every_cell_of_every_table_is_right() {
        compare("dotenv.cloud roles", &columns!(CloudRole));
        compare("dotenv.cloud presets", &columns!(TokenPreset));
        compare("ioenv organization roles", &columns!(OrganizationRole));
        compare("ioenv project roles", &columns!(ProjectRole));
        compare("Stashbase workspace roles", &columns!(WorkspaceRole));
        compare("Stashbase environment roles", &columns!(EnvironmentRole));
        compare("Stashbase full project access", &[("full", EnvironmentRole::FULL_PROJECT_ACCESS)]);
        compare("Stashbase personal keys", &columns!(PersonalKeyLevel));
        let granted: Vec<_> = EnvironmentRole::ALL.iter().map(|role| (role.as_str(), role.grantable())).collect();
        compare("Stashbase granted by", &granted);
    }

    #[test]
    fn nobody_grants_more_than_the_role_and_an_account_have() {
        for role in EnvironmentRole::ALL {
            assert!(EnvironmentRole::ACCOUNT.contains_all(role.grantable()));
            let beyond = role.grantable().difference(role.permissions());
            assert!(set(&[P::Scan]).contains_all(beyond), "{role}: {beyond}");
        }
    }

    #[test]
    fn roles_are_read_by_their_words() {
        for role in CloudRole::ALL {
            assert_eq!(role.as_str().parse::<CloudRole>().unwrap(), *role);
            let json = serde_json::to_string(role).unwrap();
            assert_eq!(serde_json::from_str::<CloudRole>(&json).unwrap(), *role);
        }
        assert_eq!("administrator".parse::<CloudRole>().unwrap(), CloudRole::Admin);
        let error = "planted".parse::<ProjectRole>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert_eq!(error.to_string(), "a role in a project is one of `viewer` `editor` `admin`");
        assert!("Owner".parse::<OrganizationRole>().is_err());
    }
}
