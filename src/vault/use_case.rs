use crate::core::permission::{Permission, PermissionSet};

macro_rules! use_cases {
    ($($name:ident: $($permission:ident)|*;)+) => {
        /// What a session can do, each with what it takes.
        ///
        /// The rights are those of the actor *at the place* it acts on; outside of what an actor may know of, everything is
        /// `NotFound`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is named for the method that does it")]
        #[expect(clippy::exhaustive_enums, reason = "principal lists all use cases must notice a new one")]
        pub enum UseCase {
            $($name,)+
        }

        impl UseCase {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The permissions it takes, all of them.
            pub const fn permissions(self) -> PermissionSet {
                match self {
                    $(Self::$name => PermissionSet::of(&[$(Permission::$permission,)*]),)+
                }
            }
        }
    };
}

use_cases! {
    CreateOrganization: OrganizationCreate;
    ReadOrganization: OrganizationRead;
    ListOrganizations: ;
    UpdateOrganization: OrganizationUpdate;
    DeleteOrganization: OrganizationDelete;

    CreateUser: ;
    ReadUser: ;
    ListUsers: ;
    UpdateUser: ;
    DeleteUser: ;

    AddMember: MemberCreate;
    ReadMember: MemberRead;
    ListMembers: MemberRead;
    UpdateMember: MemberUpdate;
    RemoveMember: MemberDelete;

    InviteMember: MemberCreate;
    ListInvitations: MemberRead;
    WithdrawInvitation: MemberCreate;
    AcceptInvitation: ;

    CreateRole: MemberUpdate;
    ReadRole: MemberRead;
    ListRoles: MemberRead;
    UpdateRole: MemberUpdate;
    DeleteRole: MemberUpdate;

    CreateTeam: TeamCreate;
    ReadTeam: TeamRead;
    ListTeams: TeamRead;
    UpdateTeam: TeamUpdate;
    DeleteTeam: TeamDelete;
    AddTeamMember: TeamUpdate;
    RemoveTeamMember: TeamUpdate;
    ListTeamMembers: TeamRead;

    Grant: AccessManage;
    RevokeGrant: AccessManage;
    ListGrants: AccessManage;
    ListGranted: MemberRead | TeamRead;
    ReadOwnRights: ;
    Count: ;
    ReadChain: ;

    CreateProject: ProjectCreate;
    ReadProject: ProjectRead;
    ListProjects: ProjectRead;
    UpdateProject: ProjectUpdate;
    DeleteProject: ProjectDelete;

    CreateTarget: TargetCreate;
    ReadTarget: TargetRead;
    ListTargets: TargetRead;
    UpdateTarget: TargetUpdate;
    DeleteTarget: TargetDelete;

    Locate: ;
    CreateEnvironment: EnvironmentCreate;
    ReadEnvironment: EnvironmentRead;
    ListEnvironments: EnvironmentRead;
    UpdateEnvironment: EnvironmentUpdate;
    DeleteEnvironment: EnvironmentDelete;

    ListDeleted: ProjectRead | EnvironmentRead;
    RestoreProject: ProjectDelete;
    RestoreTarget: TargetDelete;
    RestoreEnvironment: EnvironmentDelete;
    PurgeProject: ProjectDelete | SecretPurge;
    PurgeTarget: TargetDelete | SecretPurge;
    PurgeEnvironment: EnvironmentDelete | SecretPurge;

    ReadBlobs: SecretRead;
    OpenBlobs: SecretRead | SecretDecrypt;
    SetBlob: SecretWrite;
    ResolveLevel: SecretRead | SecretDecrypt;
    ReadDocument: SecretRead | SecretDecrypt;
    SetDocument: SecretWrite | SecretDelete;
    DeleteLevel: SecretDelete;
    PurgeLevel: SecretDelete | SecretPurge;

    ListEntries: SecretRead | SecretDecrypt;
    ListEntryMetadata: SecretRead;
    SearchEntries: SecretRead | SecretDecrypt;
    CompareEntries: SecretRead | SecretDecrypt;
    CreateEntries: SecretWrite;
    SetEntries: SecretWrite;
    SetEntry: SecretWrite;
    UpdateEntries: SecretWrite;
    DeleteEntries: SecretDelete;
    DeleteEntry: SecretDelete;
    DeleteAllEntries: SecretDelete;

    ListVersions: SecretHistory;
    ReadVersion: SecretHistory;
    ListChanges: SecretHistory;
    ReadChange: SecretHistory;
    RollBack: SecretRestore;
    RestoreVersion: SecretRestore;
    DeleteVersion: SecretPurge;
    PurgeVersions: SecretPurge;

    ReadKey: KeyRetrieve;
    ListKeys: KeyRetrieve;
    RotateKey: KeyRotate;
    RotateClientKey: KeyRotate | SecretWrite;
    SwitchCustody: KeyRotate | KeyRetrieve;
    ListPendingVersions: KeyRotate;
    ReencryptVersions: KeyRotate;
    RotateProjectDek: KeyRotate;
    ContinueRotation: KeyRotate;
    RotateOrganizationKek: KeyRotate | OrganizationUpdate;

    CreateWebhook: WebhookCreate;
    ReadWebhook: WebhookRead;
    ListWebhooks: WebhookRead;
    UpdateWebhook: WebhookUpdate;
    SetWebhookStatus: WebhookUpdate;
    DeleteWebhook: WebhookDelete;
    ReadSigningSecret: WebhookRead;
    RotateSigningSecret: WebhookUpdate;
    TestWebhook: WebhookTest;
    ListWebhookLogs: WebhookRead;
    ReadWebhookLog: WebhookRead;

    IssueToken: ApiTokenCreate;
    ListTokens: ApiTokenRead;
    ReadToken: ApiTokenRead;
    ReadOwnToken: ;
    UpdateToken: ApiTokenUpdate;
    RotateToken: ApiTokenCreate | ApiTokenDelete;
    RevokeToken: ApiTokenDelete;

    CreateAccount: AccountCreate | EnvironmentRead;
    ListAccounts: AccountRead;
    ReadAccount: AccountRead;
    DeleteAccount: AccountDelete;

    CreatePersonalKey: ;
    ListPersonalKeys: ;
    DeletePersonalKey: ;
    ListMemberKeys: MemberUpdate;
    DeleteMemberKey: MemberUpdate;

    CreateServiceAccount: ApiTokenCreate;
    ListServiceAccounts: ApiTokenRead;
    ReadServiceAccount: ApiTokenRead;
    UpdateServiceAccount: ApiTokenUpdate;
    DeleteServiceAccount: ApiTokenDelete;
    CreateServiceKey: ApiTokenCreate;
    ListServiceKeys: ApiTokenRead;
    DeleteServiceKey: ApiTokenDelete;

    LinkIntegration: IntegrationWrite | SecretRead | SecretDecrypt;
    ReadIntegration: IntegrationRead;
    ListIntegrations: IntegrationRead;
    ListIntegrationRuns: IntegrationRead;
    PlanIntegration: IntegrationRead | SecretRead;
    UpdateIntegration: IntegrationWrite;
    SyncIntegration: IntegrationWrite;
    UnlinkIntegration: IntegrationWrite;

    WhoAmI: ;

    ListAudit: AuditRead;
    ExportAudit: AuditRead;
}
