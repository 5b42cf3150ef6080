use std::fmt;

/// A kind of record that holds something sealed, or that decides who may do what and so bears a MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SealedRecordKind {
    /// The known text by which a vault recognizes its root key.
    RootKeyCheck,
    /// The key encryption key of an organization.
    OrganizationKek,
    /// A data encryption key of a project.
    ProjectDek,
    /// A level key, or the proof of one.
    LevelKey,
    /// What a level holds or held.
    Content,
    /// When entries of a level were last read.
    AccessTimes,
    /// The signing secret of a webhook.
    SigningSecret,
    /// The credentials of an integration.
    Credentials,
    /// What an integration has written for an environment.
    Written,
    /// An organization.
    Organization,
    /// A project.
    Project,
    /// A target or an environment.
    Node,
    /// Where a project, target or environment of an id stands.
    Place,
    /// A project, target or environment that was deleted and can be restored.
    Deleted,
    /// A token, or the key of an account, a user or a service account.
    Token,
    /// A user.
    User,
    /// A member of an organization, with the role and the teams.
    Member,
    /// A role that an organization made.
    Role,
    /// A team.
    Team,
    /// What was granted to a user or a team in a project.
    Grant,
    /// A service account.
    ServiceAccount,
    /// An invitation.
    Invitation,
}

impl SealedRecordKind {
    /// Whether records of the kind decide who may do what and so bear a MAC, and hold nothing that is sealed.
    pub fn is_authenticated(self) -> bool {
        matches!(
            self,
            Self::Organization
                | Self::Project
                | Self::Node
                | Self::Place
                | Self::Deleted
                | Self::Token
                | Self::User
                | Self::Member
                | Self::Role
                | Self::Team
                | Self::Grant
                | Self::ServiceAccount
                | Self::Invitation
        )
    }

    /// Whether each record of the kind belongs to one level.
    pub(super) fn is_of_a_level(self) -> bool {
        matches!(self, Self::AccessTimes | Self::Content | Self::SigningSecret | Self::Written)
    }
}

impl fmt::Display for SealedRecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RootKeyCheck => "root key check",
            Self::OrganizationKek => "organization KEK",
            Self::ProjectDek => "project DEK",
            Self::LevelKey => "level key",
            Self::Content => "content",
            Self::AccessTimes => "access times",
            Self::SigningSecret => "signing secret",
            Self::Credentials => "credentials",
            Self::Written => "written entries",
            Self::Organization => "organization",
            Self::Project => "project",
            Self::Node => "target or environment",
            Self::Place => "place",
            Self::Deleted => "deleted project, target or environment",
            Self::Token => "token",
            Self::User => "user",
            Self::Member => "member",
            Self::Role => "role",
            Self::Team => "team",
            Self::Grant => "grant",
            Self::ServiceAccount => "service account",
            Self::Invitation => "invitation",
        })
    }
}
