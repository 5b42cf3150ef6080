use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::core::role::WorkspaceRole;
use crate::wire::lenient;
use crate::wire::word::Word;

/// The caller.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub(crate) enum Identity {
    EnvironmentAccount(AccountIdentity),
    ServiceAccount(ServiceIdentity),
    User(UserIdentity),
    /// The owner of a key of a kind that this version does not know, as it came.
    #[serde(untagged)]
    Unknown {
        #[serde(rename = "type")]
        kind: String,
        data: Value,
    },
}

/// Actions by resource, in the words of [`Vocabulary::Stashbase`](crate::core::permission::Vocabulary::Stashbase).
pub(crate) type Permissions = BTreeMap<String, Vec<String>>;

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Workspace {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AccountIdentity {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) workspace: Workspace,
    pub(crate) project: ProjectName,
    #[serde(default, deserialize_with = "lenient::object")]
    pub(crate) permissions: Permissions,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ProjectName {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) environment: EnvironmentName,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct EnvironmentName {
    pub(crate) id: String,
    pub(crate) name: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ServiceIdentity {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) workspace: Workspace,
    pub(crate) access: Option<ServiceAccess>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ServiceAccess {
    pub(crate) workspace: Option<WorkspaceAccess>,
    pub(crate) project_count: usize,
}

/// The permissions of a service account in the whole workspace, and in the projects and environments that it creates.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct WorkspaceAccess {
    pub(crate) permissions: Option<Permissions>,
    pub(crate) created_project_permissions: Option<Permissions>,
    pub(crate) created_environment_permissions: Option<Permissions>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct UserIdentity {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) full_name: String,
    pub(crate) display_name: Option<String>,
    pub(crate) workspace: WorkspaceOfUser,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct WorkspaceOfUser {
    #[serde(flatten)]
    pub(crate) workspace: Workspace,
    pub(crate) user_role: Word<WorkspaceRole>,
}
