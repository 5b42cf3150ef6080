//! The arguments of what of `ioenv vault` is about people, their rights, and what programs are given.

use std::num::NonZero;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueHint};

use super::{ListFormat, Typed};

/// How a list is printed.
#[derive(Args)]
pub(crate) struct ListingArgs {
    /// How to print
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub(crate) format: ListFormat,
}

/// From when on something no longer works.
#[derive(Args)]
pub(crate) struct ExpiresArgs {
    /// From when on it no longer works: 2031-02-03T04:05:06Z, or 30d for in 30 days [default: never]
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<Typed>,
}

#[derive(Subcommand)]
pub(crate) enum MemberCommand {
    /// List the members
    List(ListingArgs),
    /// Make somebody a member at once, and a user, if nobody has that email address
    #[command(
        visible_alias = "create",
        after_help = "Example:\n  ioenv vault member add mia@acme.example --role developer --team backend"
    )]
    Add {
        /// The email address
        #[arg(value_name = "EMAIL")]
        email: String,
        /// The name of a new user [default: what stands before the @]
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        role: MemberRoleArgs,
    },
    /// Invite somebody, and print the code that makes them a member, this once
    Invite {
        /// The email address
        #[arg(value_name = "EMAIL")]
        email: String,
        #[command(flatten)]
        role: MemberRoleArgs,
        #[command(flatten)]
        expires: ExpiresArgs,
    },
    /// List the invitations that nobody has accepted yet
    Invitations(ListingArgs),
    /// Make whoever was invited a member, by the code of the invitation, which is typed or piped in
    Accept {
        /// The name of a new user
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Withdraw an invitation
    Withdraw {
        /// The id that `invitations` shows
        id: Typed,
    },
    /// Give a member another role
    Update {
        /// The email address, or the id
        #[arg(value_name = "EMAIL")]
        member: String,
        /// The role
        #[arg(long, value_name = "ROLE")]
        role: String,
    },
    /// Remove a member from the organization
    #[command(visible_alias = "delete")]
    Remove {
        /// The email address, or the id
        #[arg(value_name = "EMAIL")]
        member: String,
    },
}

#[derive(Args)]
pub(crate) struct MemberRoleArgs {
    /// What they are: owner, admin, member, developer, auditor ..., or custom: and the name of a role
    #[arg(long, value_name = "ROLE", default_value = "member")]
    pub(crate) role: String,
    /// A team they are in
    #[arg(long, value_name = "TEAM", value_delimiter = ',')]
    pub(crate) team: Vec<String>,
}

#[derive(Subcommand)]
pub(crate) enum TeamCommand {
    /// List the teams
    List(ListingArgs),
    /// Make a team
    Create {
        /// A name for it
        name: String,
        /// What it is about
        #[arg(long)]
        description: Option<String>,
    },
    /// Change a team
    #[command(group(ArgGroup::new("change").required(true).multiple(true).args(["name", "description"])))]
    Update {
        /// The name, or the id
        team: String,
        /// Another name
        #[arg(long)]
        name: Option<String>,
        /// Another description; an empty one removes it
        #[arg(long)]
        description: Option<String>,
    },
    /// Delete a team, with what was granted to it
    Delete {
        /// The name, or the id
        team: String,
    },
    /// List who is in a team
    Members {
        /// The name, or the id
        team: String,
        #[command(flatten)]
        listing: ListingArgs,
    },
    /// Put a member into a team
    Add {
        /// The name of the team, or its id
        team: String,
        /// The email address of the member, or the id
        #[arg(value_name = "EMAIL")]
        member: String,
    },
    /// Take a member out of a team
    Remove {
        /// The name of the team, or its id
        team: String,
        /// The email address of the member, or the id
        #[arg(value_name = "EMAIL")]
        member: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum RoleCommand {
    /// List the roles that the organization has made
    List(ListingArgs),
    /// Make a role
    #[command(after_help = "Example:\n  ioenv vault role create support --permission project:read,environment:read")]
    Create {
        /// A name for it
        name: String,
        /// What it is about
        #[arg(long)]
        description: Option<String>,
        /// What it allows, in the words of `token create`
        #[arg(long, value_name = "WORD", value_delimiter = ',', required = true)]
        permission: Vec<String>,
    },
    /// Change a role, for all who have it
    #[command(group(ArgGroup::new("change").required(true).multiple(true).args(["name", "description", "permission"])))]
    Update {
        /// The name, or the id
        role: String,
        /// Another name
        #[arg(long)]
        name: Option<String>,
        /// Another description; an empty one removes it
        #[arg(long)]
        description: Option<String>,
        /// All that it allows from now on
        #[arg(long, value_name = "WORD", value_delimiter = ',')]
        permission: Vec<String>,
    },
    /// Delete a role that nobody has
    Delete {
        /// The name, or the id
        role: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum GrantCommand {
    /// List what is granted at --path: a project or an environment
    List(ListingArgs),
    /// Grant a role at --path, in place of the one that is granted there
    #[command(
        visible_aliases = ["create", "update"],
        after_help = "Example:\n  ioenv vault grant give editor --team backend --path acme-store"
    )]
    Give {
        /// viewer, editor or admin; in a project also project-viewer, project-editor, project-admin and full
        role: String,
        #[command(flatten)]
        to: GranteeArgs,
    },
    /// Take back what is granted at --path
    #[command(visible_alias = "delete")]
    Revoke {
        #[command(flatten)]
        from: GranteeArgs,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct GranteeArgs {
    /// The member of that email address
    #[arg(long, value_name = "EMAIL")]
    pub(crate) user: Option<String>,
    /// The team of that name
    #[arg(long, value_name = "TEAM")]
    pub(crate) team: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// List the accounts of the environment at --path
    List(ListingArgs),
    /// Make an account of the environment at --path, and print its key, this once
    #[command(
        group(ArgGroup::new("allowed").required(true).args(["role", "permission"])),
        after_help = "Example:\n  ioenv vault account create api --role viewer --path acme-store/backend/production"
    )]
    Create {
        /// A name for it
        name: String,
        /// What somebody of that role can give: viewer, editor or admin
        #[arg(long)]
        role: Option<Typed>,
        /// What it may do, in the words of `token create`
        #[arg(long, value_name = "WORD", value_delimiter = ',')]
        permission: Vec<String>,
        #[command(flatten)]
        expires: ExpiresArgs,
    },
    /// Delete an account of the environment at --path; its key no longer works
    Delete {
        /// The name, or the id
        account: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum ServiceCommand {
    /// List the service accounts
    List(ListingArgs),
    /// Make a service account, which has no key yet
    #[command(
        after_help = "Example:\n  ioenv vault service create deployer --permission projects.read,secrets.read\n  ioenv vault service key deployer ci --expires 180d"
    )]
    Create {
        /// A name for it
        name: String,
        /// What it may do, in the words of `token create`
        #[arg(long, value_name = "WORD", value_delimiter = ',', required = true)]
        permission: Vec<String>,
        /// From where its keys may be used, such as 192.0.2.0/24 [default: everywhere]
        #[arg(long, value_name = "RANGE", value_delimiter = ',')]
        allow: Vec<Typed>,
    },
    /// Change a service account
    #[command(group(ArgGroup::new("change").required(true).multiple(true).args(["name", "permission", "allow"])))]
    Update {
        /// The name, or the id
        service: String,
        /// Another name
        #[arg(long)]
        name: Option<String>,
        /// All that it may do from now on
        #[arg(long, value_name = "WORD", value_delimiter = ',')]
        permission: Vec<String>,
        /// From where its keys may be used from now on
        #[arg(long, value_name = "RANGE", value_delimiter = ',')]
        allow: Vec<Typed>,
    },
    /// Delete a service account; its keys no longer work
    Delete {
        /// The name, or the id
        service: String,
    },
    /// List the keys of a service account, which are not shown themselves
    Keys {
        /// The name of the service account, or its id
        service: String,
        #[command(flatten)]
        listing: ListingArgs,
    },
    /// Make a key for a service account and print it, this once
    Key {
        /// The name of the service account, or its id
        service: String,
        /// A name for the key
        name: String,
        #[command(flatten)]
        expires: ExpiresArgs,
    },
    /// Delete a key of a service account; it no longer works
    DeleteKey {
        /// The name of the service account, or its id
        service: String,
        /// The name of the key, or its id
        key: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum WebhookCommand {
    /// List the webhooks of the environment at --path
    List(ListingArgs),
    /// Make a webhook of the environment at --path, and print its signing secret
    #[command(
        after_help = "Example:\n  ioenv vault webhook create https://hooks.acme.example/ioenv --enable --path acme-store/production"
    )]
    Create {
        /// Where events are sent
        url: String,
        /// What it is about
        #[arg(long)]
        description: Option<String>,
        /// Send events from now on
        #[arg(long)]
        enable: bool,
    },
    /// Change a webhook
    Update {
        /// The id that `list` shows
        id: Typed,
        /// Another URL
        #[arg(long)]
        url: Option<String>,
        /// Another description; an empty one removes it
        #[arg(long)]
        description: Option<String>,
    },
    /// Send events to a webhook from now on
    Enable {
        /// The id that `list` shows
        id: Typed,
    },
    /// Send no more events to a webhook
    Disable {
        /// The id that `list` shows
        id: Typed,
    },
    /// Delete a webhook, with its log
    Delete {
        /// The id that `list` shows
        id: Typed,
    },
    /// Send an event now that says it is a test
    Test {
        /// The id that `list` shows
        id: Typed,
    },
    /// Print the signing secret of a webhook
    Secret {
        /// The id that `list` shows
        id: Typed,
    },
    /// Put another signing secret in the place of a webhook's, and print it
    Rotate {
        /// The id that `list` shows
        id: Typed,
    },
    /// Show what became of the events of a webhook
    Logs {
        /// The id that `list` shows
        id: Typed,
        /// How many records
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        listing: ListingArgs,
    },
    /// Deliver events, and copy what integrations are for, until the program is ended
    Run {
        /// Deliver what is due now, and end
        #[arg(long)]
        once: bool,
        /// Where integrations with `file` write to
        #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
        directory: Option<PathBuf>,
        /// How many connections to a PostgreSQL vault may be open at once; otherwise IOENV_VAULT_CONNECTIONS says it, or four
        /// for each core are, at least 8 and at most 64
        #[arg(long, value_name = "NUMBER")]
        connections: Option<NonZero<u32>>,
    },
}

#[derive(Subcommand)]
pub(crate) enum IntegrationCommand {
    /// List the integrations of the project at --path
    List(ListingArgs),
    /// Link the project at --path to a service; its token is typed, or piped in
    #[command(
        visible_alias = "create",
        after_help = "Examples:\n  ioenv vault integration link vercel --setting project=prj_1 --map acme-store/prod --path acme-store\n  ioenv vault integration link file --map acme-store/dev=dev.env --path acme-store"
    )]
    Link {
        /// vercel, cloudflare-workers or file
        provider: Typed,
        /// How it is called [default: as the provider]
        #[arg(long)]
        name: Option<String>,
        /// What the service needs to be told: project and team of Vercel, account of Cloudflare
        #[arg(long = "setting", value_name = "NAME=VALUE")]
        settings: Vec<Typed>,
        /// An environment, and what the service calls it, which for Vercel can be left out for dev, staging and prod
        #[arg(long = "map", value_name = "LEVEL[=TARGET]")]
        map: Vec<Typed>,
        /// Copy from now on; without it, see `plan` first
        #[arg(long)]
        enable: bool,
    },
    /// Change an integration
    Update {
        /// The id that `list` shows
        id: Typed,
        /// Another name
        #[arg(long)]
        name: Option<String>,
        /// All environments that are copied from now on
        #[arg(long = "map", value_name = "LEVEL[=TARGET]")]
        map: Vec<Typed>,
        /// Type or pipe in another token of the service
        #[arg(long)]
        credentials: bool,
        /// Copy from now on, and what there is now at once
        #[arg(long, conflicts_with = "disable")]
        enable: bool,
        /// Copy no more
        #[arg(long)]
        disable: bool,
    },
    /// Remove an integration; at the service nothing is removed
    #[command(visible_alias = "delete")]
    Unlink {
        /// The id that `list` shows
        id: Typed,
    },
    /// Show what `sync` would change at the service
    Plan {
        /// The id that `list` shows
        id: Typed,
        /// Where files are written to, for an integration with `file`
        #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
        directory: Option<PathBuf>,
        #[command(flatten)]
        listing: ListingArgs,
    },
    /// Copy now, also what is disabled
    Sync {
        /// The id that `list` shows
        id: Typed,
        /// Where files are written to, for an integration with `file`
        #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
        directory: Option<PathBuf>,
    },
    /// Show what an integration has done
    Runs {
        /// The id that `list` shows
        id: Typed,
        #[command(flatten)]
        listing: ListingArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum EnvCommand {
    /// List the environments right below a project or a target
    List {
        /// The project or the target [default: --path, or what is configured]
        #[arg(value_name = "LEVEL")]
        level: Option<Typed>,
        #[command(flatten)]
        listing: ListingArgs,
    },
    /// Make an environment below a project or a target that is there
    #[command(after_help = "Example:\n  ioenv vault env create acme-store/live --status production")]
    Create {
        /// The environment
        #[arg(value_name = "LEVEL")]
        level: Typed,
        /// Its name [default: as in the path]
        #[arg(long)]
        name: Option<String>,
        /// What it is about
        #[arg(long)]
        description: Option<String>,
        /// production, staging, development, local, or a word of one's own
        #[arg(long)]
        status: Option<String>,
        /// Whether live systems use it [default: if its status is production]
        #[arg(long)]
        production: Option<bool>,
    },
    /// Change an environment
    #[command(group(ArgGroup::new("change").required(true).multiple(true).args(["name", "slug", "description", "status", "production"])))]
    #[command(after_help = "Example:\n  ioenv vault env update acme-store/live --status production")]
    Update {
        /// The environment
        #[arg(value_name = "LEVEL")]
        level: Typed,
        /// Another name
        #[arg(long)]
        name: Option<String>,
        /// Another slug; its path changes with it
        #[arg(long)]
        slug: Option<Typed>,
        /// Another description; an empty one removes it
        #[arg(long)]
        description: Option<String>,
        /// production, staging, development, local, or a word of one's own
        #[arg(long)]
        status: Option<String>,
        /// Whether live systems use it
        #[arg(long)]
        production: Option<bool>,
    },
    /// Delete an environment; if it holds anything, it can be restored for 30 days
    Delete {
        /// The environment
        #[arg(value_name = "LEVEL")]
        level: Typed,
        /// Delete one that is built in, too
        #[arg(long)]
        force: bool,
    },
    /// Restore an environment that was deleted
    Restore {
        /// The id that `ioenv vault deleted list` shows
        id: Typed,
    },
}

#[derive(Subcommand)]
pub(crate) enum PersonalKeyCommand {
    /// List the keys of a member
    List {
        #[command(flatten)]
        of: UserArgs,
        #[command(flatten)]
        listing: ListingArgs,
    },
    /// Make a key in the name of a member, and print it, this once
    #[command(
        after_help = "Example:\n  ioenv vault personal-key create laptop --user mia@acme.example --level read_only"
    )]
    Create {
        /// A name for it
        name: String,
        #[command(flatten)]
        of: UserArgs,
        /// What it may do at most of what the member may: full_access, read_only or secrets_write
        #[arg(long, default_value = "full_access")]
        level: Typed,
        /// From where it may be used, such as 192.0.2.0/24 [default: everywhere]
        #[arg(long, value_name = "RANGE", value_delimiter = ',')]
        allow: Vec<Typed>,
        #[command(flatten)]
        expires: ExpiresArgs,
    },
    /// Delete a key of a member; it no longer works
    Delete {
        /// The name of the key, or its id
        key: String,
        #[command(flatten)]
        of: UserArgs,
    },
}

/// Whose key it is.
#[derive(Args)]
pub(crate) struct UserArgs {
    /// The email address of the member, or the id
    #[arg(long, value_name = "EMAIL")]
    pub(crate) user: String,
}

#[derive(Subcommand)]
pub(crate) enum DeletedCommand {
    /// List the projects, targets and environments that can be restored
    List(ListingArgs),
    /// Restore one, with all that was in it
    Restore {
        /// The id that `list` shows
        id: Typed,
    },
    /// Remove one for good
    Purge {
        /// The id that `list` shows
        id: Typed,
        /// That is what is meant
        #[arg(long, required = true)]
        yes: bool,
    },
}
