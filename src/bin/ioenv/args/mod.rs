//! The arguments, and the examples in `--help`.
#![expect(clippy::doc_markdown, reason = "clap prints these comments as they are, backticks too")]

mod team;
mod vault;

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum, ValueHint};
use ioenv::vault::{Id, RootKey, Token};
use ioenv::{LevelKey, SourceKind};

pub(crate) use self::team::{
    AccountCommand, DeletedCommand, EnvCommand, ExpiresArgs, GrantCommand, GranteeArgs, IntegrationCommand,
    ListingArgs, MemberCommand, PersonalKeyCommand, RoleCommand, ServiceCommand, TeamCommand, WebhookCommand,
};
pub(crate) use self::vault::{ApplyArgs, AuditArgs, CreateArgs, OutboundArgs, ServeArgs, TokenCommand, VaultCommand};

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
        if self.0.contains(LevelKey::PREFIX) {
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

    /// The id that was meant: as lists show it, or with a prefix, as receivers of webhooks see it.
    pub(crate) fn id<T: From<Id>>(&self) -> T {
        let id = match self.0.split_once('_') {
            Some((prefix, _)) => Id::parse_prefixed(prefix, &self.0).unwrap_or_else(|_| self.get()),
            None => self.get(),
        };
        id.into()
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
    #[arg(long, global = true, value_parser = source(), value_name = "SOURCE")]
    pub(crate) source: Option<SourceKind>,
    /// The organization of the vault, by its slug [default: that of IOENV_TOKEN, or the only one]
    #[arg(long, global = true, value_name = "SLUG")]
    pub(crate) organization: Option<String>,
}

const SOURCES: [(SourceKind, &str); 2] = [
    (SourceKind::Sealed, "The sealed file"),
    (SourceKind::Vault, "The vault that IOENV_VAULT or `vault` in ioenv.toml names, or ioenv.vault beside it"),
];

fn source() -> impl TypedValueParser<Value = SourceKind> {
    one_of(SOURCES.map(|(kind, help)| (kind, PossibleValue::new(kind.as_str()).help(help))))
}

/// Reads the name of one of these values.
fn one_of<T: Copy + Send + Sync + 'static>(
    values: impl IntoIterator<Item = (T, PossibleValue)>,
) -> impl TypedValueParser<Value = T> {
    let (values, names): (Vec<T>, Vec<PossibleValue>) = values.into_iter().unzip();
    PossibleValuesParser::new(names.clone()).map(move |text| {
        let found = names.iter().position(|name| name.get_name() == text);
        values[found.expect("invariant: the parser lets no other name pass")]
    })
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make ioenv.toml, ioenv.sealed and ioenv.key for a project
    ///
    /// The key goes into .gitignore, and git is asked whether it ignores it. `path` in ioenv.toml says which level is loaded:
    /// --path, or else the project. With --key-file or IOENV_KEY_FILE, the key is made there; a key in IOENV_KEY is taken as
    /// it is. The sealed file is made where IOENV_FILE says. All of them are made, or none.
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
        /// With --all: also a level of the sealed file that the keys here do not open
        #[arg(long, requires = "all")]
        force: bool,
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
    /// ${NAME} is replaced as configured, or with --expand.
    #[command(after_help = "\
Examples:
  ioenv export --format json --path acme-store/backend/production
  ioenv export --expand -o .env")]
    Export(ExportArgs),
    /// Run a program with the environment of a level
    ///
    /// On Unix ioenv becomes the program, so signals and the exit code are the program's. 127 means that there is no such
    /// program, 126 that it could not be run. If the program loads the same level itself, with ioenv::load() or this
    /// command, it needs no key: it takes the values that it was given.
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
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) variable: Vec<Typed>,
}

#[derive(clap::Args)]
pub(crate) struct SetArgs {
    /// The name of the entry
    pub(crate) name: Typed,
    /// The value. Prefer the prompt or stdin: other users can see arguments, and the shell keeps them
    #[arg(allow_hyphen_values = true)]
    pub(crate) value: Option<String>,
    /// Taken only to be refused without being repeated, as clap would
    #[arg(hide = true, allow_hyphen_values = true)]
    pub(crate) more: Vec<String>,
    /// A value that begins with `-`
    #[arg(last = true, value_name = "VALUE")]
    pub(crate) last: Vec<String>,
    /// Let each $ of the value stand for itself, even where ${NAME} is replaced
    #[arg(long)]
    pub(crate) literal: bool,
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
    /// Write into a new file that only you can read, or with --force over one; a pipe or a device takes the text
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ExportFormat {
    /// NAME=value, as dotenv readers and shells read it
    Env,
    /// Commands for a POSIX shell: export NAME='value'
    Shell,
    /// One object of strings
    Json,
    /// The level itself as it is, with comments, kinds and references; `ioenv import --replace` reads it back
    Document,
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
    /// Leave IOENV_KEY and IOENV_KEY_FILE to the program, for one that opens levels itself
    #[arg(long)]
    pub(crate) keep_key: bool,
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
    /// Seal the levels of a key with a new one; the old one stays in the file, retired
    ///
    /// A retired key opens what it has sealed, and seals nothing new. Levels that a merge brings in under it are moved by
    /// the next rotation, or by rotating the retired key itself.
    #[command(after_help = "\
Examples:
  ioenv key rotate main
  ioenv key new pass --passphrase && ioenv key rotate main pass")]
    Rotate {
        /// The name of the key
        id: Typed,
        /// The key to take instead, which is made if there is none of that name [default: a new name]
        new: Option<Typed>,
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
