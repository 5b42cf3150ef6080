//! The arguments of `ioenv vault`.

use std::num::NonZero;
use std::path::PathBuf;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Subcommand, ValueHint};
use ioenv::vault::{Action, TokenStyle};

use super::{
    AccountCommand, DeletedCommand, EnvCommand, GrantCommand, IntegrationCommand, ListFormat, MemberCommand,
    PersonalKeyCommand, RoleCommand, ServiceCommand, TeamCommand, Typed, WebhookCommand, one_of,
};

#[derive(Subcommand)]
pub(crate) enum VaultCommand {
    /// Make a vault with an organization, and print its first token
    ///
    /// The token may do everything in the organization, and is printed this once. The root key goes into ioenv.root,
    /// unless IOENV_ROOT_KEY or IOENV_ROOT_KEY_FILE gives one; it goes into .gitignore. --organization names the
    /// organization; without it, it is called as the directory is.
    #[command(
        after_help = "Examples:\n  ioenv vault init\n  ioenv vault init --organization acme /var/lib/ioenv.vault"
    )]
    Init {
        /// A SQLite file, or postgres://... [default: IOENV_VAULT, `vault` in ioenv.toml, or ioenv.vault]
        #[arg(value_name = "FILE|URL")]
        location: Option<String>,
    },
    /// Tell what there is in the vault
    Status,
    /// Make a level in the vault, and those above it
    #[command(
        after_help = "Examples:\n  ioenv vault create acme-store/backend/production\n  ioenv vault create acme-store --base"
    )]
    Create(CreateArgs),
    /// Make what a file declares, and change what differs; nothing is removed
    ///
    /// What is as declared is left alone, so the command can be run again, and goes on where it was cut short. Each
    /// token, key and signing secret that is made is printed, this once.
    #[command(
        after_help = "Examples:\n  ioenv vault apply team.toml --dry-run\n  ioenv vault apply team.toml --json > made.json"
    )]
    Apply(ApplyArgs),
    /// Print what there is, as a file for `apply`, without secrets, tokens and keys
    ///
    /// Of all organizations, or of that which --organization names. A secret is there by its name, marked to be kept.
    #[command(after_help = "Example:\n  ioenv vault dump --organization acme > acme.toml")]
    Dump,
    /// Show the audit log, newest first
    #[command(after_help = "Example:\n  ioenv vault audit --action update --since 7d")]
    Audit(AuditArgs),
    /// Show who changed what in a level, newest first; values are masked
    #[command(after_help = "Example:\n  ioenv vault history acme-store/dev")]
    History {
        /// The level [default: --path, or what is configured]
        #[arg(value_name = "LEVEL")]
        level: Option<Typed>,
        /// Show the values
        #[arg(long)]
        show: bool,
        /// How many changes
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Bring back a former content of a level
    ///
    /// What the level says now becomes a version in turn, so nothing is lost.
    #[command(
        after_help = "Examples:\n  ioenv vault restore acme-store/dev     # what it was before the last change\n  ioenv vault restore 4294967299         # a version that `history` shows"
    )]
    Restore {
        /// A version, or a level for its newest one
        #[arg(value_name = "VERSION|LEVEL")]
        what: Typed,
    },
    /// Make, list, rotate and revoke tokens
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// List, add, invite, change and remove members
    Member {
        #[command(subcommand)]
        command: MemberCommand,
    },
    /// Make, list, change and delete teams
    Team {
        #[command(subcommand)]
        command: TeamCommand,
    },
    /// Make, list, change and delete roles of the organization's own
    Role {
        #[command(subcommand)]
        command: RoleCommand,
    },
    /// Say who may do what in a project or an environment
    Grant {
        #[command(subcommand)]
        command: GrantCommand,
    },
    /// Make, list and delete accounts of an environment
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Make, list, change and delete service accounts and their keys
    Service {
        #[command(subcommand)]
        command: ServiceCommand,
    },
    /// Make, list, test and deliver webhooks
    Webhook {
        #[command(flatten)]
        outbound: OutboundArgs,
        #[command(subcommand)]
        command: WebhookCommand,
    },
    /// Link projects to other services, and copy secrets there
    Integration {
        #[command(subcommand)]
        command: IntegrationCommand,
    },
    /// Make, list and delete keys of members
    PersonalKey {
        #[command(subcommand)]
        command: PersonalKeyCommand,
    },
    /// Make, list, change, delete and restore environments
    Env {
        #[command(subcommand)]
        command: EnvCommand,
    },
    /// Delete a project, a target or an environment; if it holds anything, it can be restored for 30 days
    Delete {
        /// The project, the target or the environment
        #[arg(value_name = "LEVEL")]
        level: Typed,
        /// Delete an environment that is built in, too
        #[arg(long)]
        force: bool,
    },
    /// List, restore and remove what was deleted
    Deleted {
        #[command(subcommand)]
        command: DeletedCommand,
    },
    /// Put a new key in the place of a project's, or of the organization's own
    ///
    /// All that is sealed now is sealed anew. Former contents stay under the key they were sealed with, unless --history
    /// is given. Without a project, --organization names whose key is meant. A rotation that was cut short goes on when
    /// the command is run again.
    #[command(
        after_help = "Examples:\n  ioenv vault rotate acme-store\n  ioenv vault rotate acme-store --storage\n  ioenv vault rotate --organization acme"
    )]
    Rotate {
        /// The project whose key is rotated
        project: Option<Typed>,
        /// Seal former contents anew, too
        #[arg(long, requires = "project", conflicts_with = "storage")]
        history: bool,
        /// Rotate the key that the project's rows are wrapped with, not the one its levels are sealed with
        #[arg(long, requires = "project")]
        storage: bool,
    },
    /// Serve the vault over HTTP, to the clients of ioenv, dotenv.cloud and Stashbase, until this is ended
    ///
    /// It also delivers webhooks, runs integrations, and removes once an hour what is older than it is kept. Each request is a
    /// line on stderr, without anything that a client could have put a secret into.
    #[command(
        after_help = "Examples:\n  ioenv vault serve\n  ioenv vault serve --listen 10.0.0.5:8737 --allow-plain-http --behind 10.0.0.0/24"
    )]
    Serve(ServeArgs),
    /// Remove audit records that are older than they are kept
    Sweep,
    /// Copy the vault, while it is used, into a new SQLite file that only you can read
    ///
    /// It opens with the same root key, which is not in it.
    #[command(after_help = "Example:\n  ioenv vault backup /backup/ioenv-2031-02-03.vault")]
    Backup {
        /// The file, which must not be there yet
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Look for damage, and open what levels hold and held
    Check,
}

#[derive(clap::Args)]
pub(crate) struct CreateArgs {
    /// The level
    #[arg(value_name = "LEVEL")]
    pub(crate) level: Typed,
    /// Of two parts, take the last one for a target rather than for an environment
    #[arg(long)]
    pub(crate) target: bool,
    /// Make the project with the environments dev, staging and prod
    #[arg(long, conflicts_with = "client_key")]
    pub(crate) base: bool,
    /// Keep the key out of the vault: make the project for the one key at hand, as the sealed file uses it
    #[arg(long)]
    pub(crate) client_key: bool,
}

#[derive(clap::Args)]
pub(crate) struct ServeArgs {
    /// The address and the port; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8737")]
    pub(crate) listen: Typed,
    /// Listen where others can reach it, too: something before it speaks TLS
    #[arg(long)]
    pub(crate) allow_plain_http: bool,
    /// Believe these proxies, one address or a range such as 10.0.0.0/8, where a request came from
    #[arg(long, value_name = "RANGE")]
    pub(crate) behind: Vec<Typed>,
    /// Refuse more requests than the three services allow, as is done anyway where others can reach the server
    #[arg(long)]
    pub(crate) limit_rate: bool,
    /// Refuse nobody for the number of their requests
    #[arg(long, conflicts_with = "limit_rate")]
    pub(crate) no_limit_rate: bool,
    /// How many requests a key makes in a day before it is slowed to one a second; 0 is any number. Where requests are
    /// limited, the default is 100000
    #[arg(long, value_name = "NUMBER")]
    pub(crate) daily_requests: Option<u32>,
    /// Where integrations with `file` write to
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    pub(crate) directory: Option<PathBuf>,
    /// How many connections to a PostgreSQL vault may be open at once; otherwise IOENV_VAULT_CONNECTIONS says it, or four
    /// for each core are, at least 8 and at most 64
    #[arg(long, value_name = "NUMBER")]
    pub(crate) connections: Option<NonZero<u32>>,
    #[command(flatten)]
    pub(crate) outbound: OutboundArgs,
}

/// Where webhooks may be, beyond https and the public internet.
#[derive(clap::Args)]
pub(crate) struct OutboundArgs {
    /// Let webhooks be at these addresses, one address or ranges such as 10.0.0.0/8,fd12::/16, although they lead inside
    #[arg(long, global = true, value_name = "RANGE", value_delimiter = ',')]
    pub(crate) allow_private: Vec<Typed>,
    /// Let webhooks be at http:// URLs, too
    #[arg(long, global = true)]
    pub(crate) allow_http: bool,
}

#[derive(clap::Args)]
pub(crate) struct ApplyArgs {
    /// The file, in TOML, or `-` for stdin
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Only tell what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) outbound: OutboundArgs,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args)]
pub(crate) struct AuditArgs {
    /// Done by the token of that id, or by `system`
    #[arg(long, value_name = "ID")]
    pub(crate) actor: Option<Typed>,
    /// What was done
    #[arg(long, value_parser = action())]
    pub(crate) action: Option<Action>,
    /// To the entry of that name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<Typed>,
    /// At that time or later: 2031-02-03T04:05:06Z, or 7d for the last 7 days
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Typed>,
    /// Before that time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Typed>,
    /// How many records
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// How to print
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub(crate) format: ListFormat,
}

fn action() -> impl TypedValueParser<Value = Action> {
    one_of(Action::ALL.iter().map(|action| (*action, PossibleValue::new(action.as_str()))))
}

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it, this once
    #[command(
        after_help = "Examples:\n  ioenv vault token create server --permission read --path acme-store/dev --expires 90d\n  ioenv vault token create ci --permission read,write --format dotenv"
    )]
    Create {
        /// A name for it
        name: String,
        /// What it may do: read, write, admin; or words such as secret:read and secrets.read; or * for all
        #[arg(long, value_name = "WORD", value_delimiter = ',', required = true)]
        permission: Vec<String>,
        /// From when on it no longer works: 2031-02-03T04:05:06Z, or 30d for in 30 days [default: never]
        #[arg(long, value_name = "TIME")]
        expires: Option<Typed>,
        /// As whose it is spelled
        #[arg(long, value_parser = token_style(), default_value_t)]
        format: TokenStyle,
    },
    /// List the tokens, which are not shown themselves
    List,
    /// Make a token anew, with the same rights, and print it, this once; the old one no longer works
    Rotate {
        /// The id that `list` shows
        id: Typed,
    },
    /// Revoke a token, or all that somebody has created
    Revoke {
        /// The id that `list` shows
        #[arg(required_unless_present = "created_by")]
        id: Option<Typed>,
        /// The id of a user or token: every token, account and service key that it created or rotated, and those that were
        /// created with these
        #[arg(long, value_name = "ID", conflicts_with = "id")]
        created_by: Option<Typed>,
    },
}

fn token_style() -> impl TypedValueParser<Value = TokenStyle> {
    one_of(TokenStyle::ALL.iter().map(|style| (*style, PossibleValue::new(style.as_str()))))
}
