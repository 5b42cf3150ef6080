//! The arguments, and the examples in `--help`.
#![expect(clippy::doc_markdown, reason = "clap prints these comments as they are, backticks too")]

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum, ValueHint};
use ioenv::DataKey;
use ioenv::vault::{RootKey, Token};

/// A name, a level or the id of a key, as it was typed. Clap's own complaint about a value repeats it, and people do
/// type `NAME=secret`, or a key where its file belongs; so it is judged by [`Typed::get`].
#[derive(Clone)]
pub(crate) struct Typed(String);

impl From<String> for Typed {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Typed {
    /// As it was typed, which nothing repeats.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// What was meant; ends the program with a usage error if it is none.
    pub(crate) fn get<T: FromStr<Err = ioenv::Error>>(&self) -> T {
        if self.0.contains(DataKey::PREFIX) {
            usage("this is a key, and keys go into IOENV_KEY or a key file");
        }
        if self.0.contains(RootKey::PREFIX) {
            usage("this is a root key, and it goes into IOENV_ROOT_KEY or a root key file");
        }
        if Token::parse(&self.0).is_ok() {
            usage("this is a token, and it goes into IOENV_TOKEN or a token file");
        }
        self.0.parse().unwrap_or_else(|error: ioenv::Error| usage(&error.to_string()))
    }
}

/// The arguments. What clap would repeat of a value in the wrong place is not repeated.
pub(crate) fn parse() -> Args {
    Args::try_parse().unwrap_or_else(|error| {
        let repeats = |kind| error.get(kind).is_some_and(|value| !value.to_string().starts_with("--"));
        let is_stray = match error.kind() {
            ErrorKind::UnknownArgument => repeats(ContextKind::InvalidArg),
            ErrorKind::TooManyValues => true,
            _ => false,
        };
        if is_stray {
            usage("there is an argument too many; put `--` before the command of `ioenv run`, and see `--help`");
        }
        error.exit()
    })
}

/// Ends the program with a usage error.
pub(crate) fn usage(message: &str) -> ! {
    Args::command().error(ErrorKind::ValueValidation, message).exit()
}

/// Keeps a program's environment in one encrypted, hierarchical file.
#[derive(Parser)]
#[command(
    name = "ioenv",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "\
Start with:
  ioenv init acme-store
  ioenv import .env --path acme-store
  ioenv run -- ./server"
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct ProjectArgs {
    /// The level: project[/target][/environment] [default: IOENV_PATH, or `path` in ioenv.toml]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) path: Option<Typed>,
    /// Where to look for ioenv.toml [default: the working directory]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,
    /// A file with keys, one a line [default: IOENV_KEY, IOENV_KEY_FILE, or ioenv.key beside ioenv.toml]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key_file: Option<PathBuf>,
    /// Where the levels are [default: IOENV_SOURCE, `source` in ioenv.toml, or the sealed file]
    #[arg(long, global = true, value_enum, value_name = "SOURCE")]
    pub(crate) source: Option<SourceArg>,
    /// The organization of the vault, by its slug [default: that of IOENV_TOKEN, or the only one]
    #[arg(long, global = true, value_name = "SLUG")]
    pub(crate) organization: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum SourceArg {
    /// The sealed file
    Sealed,
    /// The vault that IOENV_VAULT or `vault` in ioenv.toml names, or ioenv.vault beside it
    Vault,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make ioenv.toml, ioenv.sealed and ioenv.key for a project
    ///
    /// The key goes into .gitignore. `path` in ioenv.toml says which level is loaded: --path, or else the project.
    /// With --key-file, the key is made there.
    #[command(after_help = "Example:\n  ioenv init acme-store")]
    Init {
        /// The name of the project
        #[arg(value_name = "PROJECT")]
        name: Typed,
    },
    /// Take the entries of a dotenv file into a level
    #[command(after_help = "\
Examples:
  ioenv import .env --path acme-store
  ioenv import .env.production --path acme-store/backend/production --variable PORT LOG_LEVEL")]
    Import(ImportArgs),
    /// Set one entry of a level; the value comes from a hidden prompt or from stdin
    ///
    /// Of what comes from stdin, one line end is cut off. A level that is not there is made, and sealed with the key of
    /// the level above it.
    #[command(after_help = "\
Examples:
  ioenv set STRIPE_SECRET_KEY --path acme-store/backend/production
  ioenv set JWT_PRIVATE_KEY < key.pem
  echo 8080 | ioenv set PORT --variable")]
    Set(SetArgs),
    /// Remove entries from a level, or a whole level
    #[command(after_help = "\
Examples:
  ioenv unset STRIPE_SECRET_KEY --path acme-store/backend/production
  ioenv unset --all --path acme-store/backend/producton")]
    Unset {
        /// The names of the entries
        #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
        names: Vec<Typed>,
        /// Remove the level itself, with all it says; the levels below it stay
        #[arg(long, requires = "path")]
        all: bool,
    },
    /// Print one value
    ///
    /// As it is, and without a line end unless a terminal shows it. ${NAME} is replaced if the configuration says so.
    #[command(after_help = "Example:\n  psql \"$(ioenv get DATABASE_URL)\"")]
    Get {
        /// The name of the variable
        name: Typed,
    },
    /// List what a level resolves to, and which level decided; values are masked
    #[command(after_help = "Example:\n  ioenv list --path acme-store/backend/production")]
    List(ListArgs),
    /// Tell where a value comes from, and what it overrides
    #[command(after_help = "Example:\n  ioenv explain DATABASE_URL --path acme-store/backend/production")]
    Explain {
        /// The name of the variable
        name: Typed,
    },
    /// Tell the names that differ between two levels, with all they inherit; values are masked
    #[command(after_help = "Example:\n  ioenv diff acme-store/backend/staging acme-store/backend/production")]
    Diff(DiffArgs),
    /// Move levels from the sealed file into the vault
    ///
    /// Levels that are missing are made. Where both sides use the same key, blobs are copied as they are; otherwise
    /// they are opened and sealed anew.
    #[command(after_help = "Examples:\n  ioenv push acme-store/backend\n  ioenv push --all")]
    Push(TransferArgs),
    /// Move levels from the vault into the sealed file; see `push`
    #[command(after_help = "Examples:\n  ioenv pull acme-store/backend\n  ioenv pull --all")]
    Pull(TransferArgs),
    /// Make and look after a vault
    #[command(after_help = "\
Start with:
  ioenv vault init
  ioenv vault create acme-store/dev
  ioenv set API_KEY --source vault --path acme-store/dev
  ioenv vault token create server --permission read --path acme-store/dev")]
    Vault {
        #[command(subcommand)]
        command: VaultCommand,
    },
    /// Show the levels there are and their keys; needs no key itself
    #[command(after_help = "Example:\n  ioenv tree")]
    Tree,
    /// Print all values, for other programs
    ///
    /// As they are written: ${NAME} is replaced with --expand only.
    #[command(after_help = "\
Examples:
  ioenv export --format json --path acme-store/backend/production
  ioenv export --expand -o .env")]
    Export(ExportArgs),
    /// Run a program with the environment of a level
    ///
    /// On Unix ioenv becomes the program, so signals and the exit code are the program's. 1 means that it could not be
    /// run.
    #[command(after_help = "Example:\n  ioenv run --path acme-store/backend/production -- ./server")]
    Run(RunArgs),
    /// Show the keys of the file and which levels use them
    #[command(after_help = "\
Examples:
  ioenv key
  ioenv key check
  ioenv key new production && ioenv key use production --path acme-store/backend/production")]
    Key {
        #[command(subcommand)]
        command: Option<KeyCommand>,
    },
}

#[derive(clap::Args)]
pub(crate) struct ImportArgs {
    /// The dotenv file, or `-` for stdin
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Make the level exactly what the file says; without it, entries the file does not name stay
    #[arg(long)]
    pub(crate) replace: bool,
    /// Mark these entries as variables, whose values may be shown
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',')]
    pub(crate) variable: Vec<Typed>,
}

#[derive(clap::Args)]
pub(crate) struct SetArgs {
    /// The name of the entry
    pub(crate) name: Typed,
    /// The value; better left out, since arguments are seen by other users and kept by the shell
    #[arg(allow_hyphen_values = true)]
    pub(crate) value: Option<String>,
    /// Taken only to be refused without being repeated, as clap would
    #[arg(hide = true, allow_hyphen_values = true)]
    pub(crate) more: Vec<String>,
    /// Mark the entry as a variable, whose value may be shown
    #[arg(long, conflicts_with = "secret")]
    pub(crate) variable: bool,
    /// Mark the entry as a secret, as new ones are
    #[arg(long)]
    pub(crate) secret: bool,
}

#[derive(clap::Args)]
pub(crate) struct ListArgs {
    /// Only what the level says itself, without what it inherits
    #[arg(long)]
    pub(crate) own: bool,
    /// Show the values
    #[arg(long)]
    pub(crate) show: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub(crate) format: ListFormat,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ListFormat {
    Table,
    Json,
}

#[derive(clap::Args)]
pub(crate) struct ExportArgs {
    /// How to print
    #[arg(long, value_enum, default_value_t = ExportFormat::Env)]
    pub(crate) format: ExportFormat,
    /// Only what the level says itself, without what it inherits
    #[arg(long)]
    pub(crate) own: bool,
    /// Replace ${NAME} by the value of NAME
    #[arg(long)]
    pub(crate) expand: bool,
    /// Write into a new file that only you can read
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ExportFormat {
    Env,
    Json,
}

#[derive(clap::Args)]
pub(crate) struct RunArgs {
    /// Let the level's values replace those that are set already
    #[arg(long = "override")]
    pub(crate) override_process: bool,
    /// Give the program these variables and no others of the level
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) only: Vec<Typed>,
    /// Replace ${NAME} by the value of NAME
    #[arg(long)]
    pub(crate) expand: bool,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) command: Vec<OsString>,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Try the keys at hand on every level, or on the chain of --path
    #[command(after_help = "Example:\n  ioenv key check --path acme-store/backend/production")]
    Check,
    /// Add a random key to the file, and to the key file
    #[command(after_help = "Example:\n  ioenv key new production")]
    New {
        /// A name for the key
        id: Typed,
        /// Ask for a passphrase instead; it is kept nowhere
        #[arg(long)]
        passphrase: bool,
    },
    /// Seal a level with another key of the file from now on
    #[command(after_help = "Example:\n  ioenv key use production --path acme-store/backend/production")]
    Use {
        /// The name of the key
        id: Typed,
    },
    /// Remove a key that no level uses
    #[command(after_help = "Example:\n  ioenv key remove main")]
    Remove {
        /// The name of the key
        id: Typed,
    },
}

#[derive(clap::Args)]
pub(crate) struct DiffArgs {
    /// The level to compare with
    #[arg(value_name = "LEVEL_A")]
    pub(crate) from: Typed,
    /// The level that is compared
    #[arg(value_name = "LEVEL_B")]
    pub(crate) to: Typed,
    /// Only what the levels say themselves, without what they inherit
    #[arg(long)]
    pub(crate) own: bool,
    /// Show the values
    #[arg(long)]
    pub(crate) show: bool,
}

#[derive(clap::Args)]
pub(crate) struct TransferArgs {
    /// The level [default: --path, or what is configured]
    #[arg(value_name = "LEVEL")]
    pub(crate) level: Option<Typed>,
    /// All levels of the project
    #[arg(long)]
    pub(crate) all: bool,
    /// Replace levels that say something else over there
    #[arg(long)]
    pub(crate) force: bool,
}

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
pub(crate) struct AuditArgs {
    /// Done by the token of that id, or by `system`
    #[arg(long, value_name = "ID")]
    pub(crate) actor: Option<Typed>,
    /// What was done
    #[arg(long, value_enum)]
    pub(crate) action: Option<ActionArg>,
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

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ActionArg {
    Create,
    Read,
    Update,
    Delete,
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
        #[arg(long, value_enum, default_value_t = TokenFormatArg::Ioenv)]
        format: TokenFormatArg,
    },
    /// List the tokens, which are not shown themselves
    List,
    /// Make a token anew, with the same rights, and print it, this once; the old one no longer works
    Rotate {
        /// The id that `list` shows
        id: Typed,
    },
    /// Revoke a token
    Revoke {
        /// The id that `list` shows
        id: Typed,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum TokenFormatArg {
    Ioenv,
    Dotenv,
    Stashbase,
}
