use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use ioenv::store::{Sqlite, Store};
use ioenv::vault::{NewOrganization, NewToken, PermissionSet, RootKey, Vault};
use ioenv::{SystemRandom, VaultLocation};

use crate::commands::init::note_unknown;
use crate::ignore::{Hidden, ignore};
use crate::levels::access::Access;
use crate::made::Made;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

const ROOT_KEY: &str = "ioenv.root";
const VAULT: &str = "ioenv.vault";

pub(crate) fn run(project: &Project, location: Option<String>) -> Result {
    let configuration = &project.configuration;
    let directory = configuration.file().and_then(Path::parent).unwrap_or(&project.directory);
    if let Some(given) = &location
        && let Some(named) = std::env::var_os("IOENV_VAULT").filter(|named| !named.is_empty())
        && named != given.as_str()
    {
        return Err(
            "IOENV_VAULT names another vault, which commands would look for: unset it, or leave the name of the vault \
             out"
            .into(),
        );
    }
    let location = match location.map(VaultLocation::from) {
        Some(url) if url.has_password() => {
            return Err("other users see the arguments of a program: put the URL into IOENV_VAULT".into());
        }
        Some(VaultLocation::File(file)) => VaultLocation::File(project.directory.join(file)),
        Some(url) => url,
        None if configuration.file().is_none() && std::env::var_os("IOENV_VAULT").is_none_or(|url| url.is_empty()) => {
            VaultLocation::File(directory.join(VAULT))
        }
        None => configuration.vault_location()?,
    };
    let settings = match configuration.file() {
        Some(_) => None,
        None => Some(settings(directory, &location)?),
    };
    if let VaultLocation::File(file) = &location
        && file.symlink_metadata().is_ok()
    {
        return Err(format!("{} is there already; nothing was changed", file.display()).into());
    }
    let named = configuration.root_key_file().unwrap_or_else(|| directory.join(ROOT_KEY));
    // What is named and not there yet is where the key is to be.
    let is_given = std::env::var_os("IOENV_ROOT_KEY").is_some_and(|key| !key.is_empty());
    let is_to_be_made = !is_given && named.symlink_metadata().is_err();
    let given = if is_to_be_made { None } else { configuration.root_key()? };
    let is_new = given.is_none();
    let file = named;
    if is_new && file.symlink_metadata().is_ok() {
        return Err(format!(
            "{} is there already, and not beside an ioenv.toml: name it in IOENV_ROOT_KEY_FILE, or move it away",
            file.display()
        )
        .into());
    }
    let root = given.map_or_else(|| RootKey::generate(&SystemRandom), Ok)?;
    let database = match &location {
        VaultLocation::Postgres(url) => Some(empty_database(postgres(url.expose_secret())?)?),
        _ => None,
    };

    let mut made = Made::default();
    let mut hidden: Vec<Hidden> = Vec::new();
    if is_new {
        hidden.push(Hidden::file(&file));
    }
    if let VaultLocation::File(vault) = &location {
        hidden.extend([Hidden::file(vault), Hidden::beside_vault(vault)]);
    }
    let unknown = ignore(&mut made, directory, &hidden).map_err(|error| format!("{error}; nothing was made"))?;
    // The key first: a vault without its key would be lost, a key without its vault is not missed.
    if is_new {
        made.key(&file, &root.to_text())?;
    }
    if let VaultLocation::File(vault) = &location {
        for end in ["", "-wal", "-shm"] {
            let mut name = vault.as_os_str().to_owned();
            name.push(end);
            made.expect(name);
        }
    }
    let store: Arc<dyn Store> = match (database, &location) {
        (Some(store), _) => store,
        (None, VaultLocation::File(file)) => Arc::new(Sqlite::create(file)?),
        (None, _) => return Err("a vault is made in a file or in a PostgreSQL database: name one of these".into()),
    };
    let access = Access::trusted(Vault::create(store, &root)?);
    let session = access.session();
    let name = project.chosen_organization.clone().unwrap_or_else(|| name_of(directory));
    let organization = session.create_organization(&NewOrganization::new(name))?;
    let issued = session.issue_token(organization.id, &NewToken::new("admin", PermissionSet::ALL))?;
    if let Some(settings) = &settings {
        made.file(&directory.join("ioenv.toml"), settings)?;
    }
    made.keep();

    let shown = file.strip_prefix(directory).unwrap_or(&file).display();
    let made =
        if is_new { format!(", and {shown}, to be kept: without it nothing can be read") } else { String::new() };
    let source = if settings.is_some() {
        ""
    } else {
        "\nto read from it: --source vault, or `source = \"vault\"` in ioenv.toml"
    };
    terminal::note(format!(
        "made the vault with the organization {}{made}{source}\n\
         the token that follows may do everything in the organization, and is shown this once\n\
         next: ioenv vault create PROJECT/ENVIRONMENT",
        organization.slug
    ));
    note_unknown(unknown);
    terminal::credential(issued.token.expose_secret())
}

/// Called as the directory is, if that can be a name.
fn name_of(directory: &Path) -> String {
    let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_a_name = name.starts_with(|first: char| first.is_ascii_alphanumeric()) && !name.contains(char::is_control);
    if is_a_name { name.to_owned() } else { "main".to_owned() }
}

/// The text of an `ioenv.toml`, where there is none yet.
fn settings(directory: &Path, location: &VaultLocation) -> Result<String> {
    let mut text = "# What `ioenv` and `ioenv::load()` load in this directory. Tokens and keys are not here.\n\
                    source = \"vault\"\n\
                    # path = \"project/environment\"\n"
        .to_owned();
    let name = match location {
        VaultLocation::File(file) => {
            let file = file.strip_prefix(directory).unwrap_or(file);
            file.to_str().ok_or("ioenv.toml cannot hold the name of that file: choose a plainer one")?
        }
        VaultLocation::Postgres(url) if !location.has_password() && std::env::var_os("IOENV_VAULT").is_none() => {
            url.expose_secret()
        }
        // A URL with a password, or from the environment, stays out of the file.
        _ => return Ok(text),
    };
    if name.contains(|c: char| c == '\'' || c.is_control()) {
        return Err("ioenv.toml cannot hold the name of that vault: choose a plainer one".into());
    }
    if name != VAULT {
        let _ = writeln!(text, "vault = '{name}'");
    }
    Ok(text)
}

/// Refuses a URL of anything else than a PostgreSQL database.
fn postgres(url: &str) -> Result<&str> {
    if ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(url);
    }
    Err("a vault is a file, or a PostgreSQL database whose URL begins with postgres:// or postgresql://: name one of these".into())
}

#[cfg(feature = "postgres")]
fn empty_database(url: &str) -> Result<Arc<dyn Store>> {
    use ioenv::store::{KeyRange, Order, StoreExt as _};

    let store = ioenv::store::Postgres::connect_single(url)?;
    if !store.read(|tx| tx.scan(&KeyRange::prefix(""), Order::Ascending, 1))?.is_empty() {
        return Err("there is a vault in this database already; nothing was changed".into());
    }
    Ok(Arc::new(store))
}

#[cfg(not(feature = "postgres"))]
fn empty_database(_url: &str) -> Result<Arc<dyn Store>> {
    Err("a vault in a PostgreSQL database needs the feature `postgres` of ioenv: enable it".into())
}
