use std::collections::BTreeMap;

use serde::Serialize;

/// Whose key it is.
#[derive(Serialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub(crate) enum Identity {
    EnvironmentAccount(AccountIdentity),
    ServiceAccount(ServiceIdentity),
    User(UserIdentity),
}

/// From resources to actions.
pub(crate) type Permissions = BTreeMap<&'static str, Vec<&'static str>>;

#[derive(Serialize)]
pub(crate) struct Workspace {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
}

#[derive(Serialize)]
pub(crate) struct AccountIdentity {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) workspace: Workspace,
    pub(crate) project: ProjectName,
    pub(crate) permissions: Permissions,
}

#[derive(Serialize)]
pub(crate) struct ProjectName {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) environment: EnvironmentName,
}

#[derive(Serialize)]
pub(crate) struct EnvironmentName {
    pub(crate) id: String,
    pub(crate) name: String,
}

#[derive(Serialize)]
pub(crate) struct ServiceIdentity {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) workspace: Workspace,
    pub(crate) access: ServiceAccess,
}

#[derive(Serialize)]
pub(crate) struct ServiceAccess {
    pub(crate) workspace: WorkspaceAccess,
    pub(crate) project_count: usize,
}

/// What a service account may do everywhere, and in what it makes itself, for which nothing of its own is kept.
#[derive(Serialize)]
pub(crate) struct WorkspaceAccess {
    pub(crate) permissions: Permissions,
    pub(crate) created_project_permissions: Option<Permissions>,
    pub(crate) created_environment_permissions: Option<Permissions>,
}

#[derive(Serialize)]
pub(crate) struct UserIdentity {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) full_name: String,
    pub(crate) display_name: Option<String>,
    pub(crate) workspace: WorkspaceOfUser,
}

#[derive(Serialize)]
pub(crate) struct WorkspaceOfUser {
    #[serde(flatten)]
    pub(crate) workspace: Workspace,
    pub(crate) user_role: &'static str,
}
