use ioenv::vault::{At, EnvironmentRole, NewAccount};

use super::audit::actor;
use super::listing::{find, print, time};
use super::time::end;
use super::token::{permissions, words};
use crate::args::AccountCommand;
use crate::given::Given as _;
use crate::levels::access::Access;
use crate::levels::vault::environment_hint;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, command: AccountCommand) -> Result {
    let access = Access::open(project)?;
    let (session, organization) = (access.session(), access.organization()?);
    let path = project.path()?;
    match command {
        AccountCommand::List(listing) => {
            let accounts =
                session.accounts(At::Path(organization, &path)).map_err(|error| environment_hint(&path, error))?;
            let rows: Vec<[String; 7]> = accounts
                .into_iter()
                .map(|one| {
                    let [used, end] = [one.last_used_at, one.expires_at].map(time);
                    let created_by = actor(&one.created_by);
                    [one.id.to_string(), one.name, one.hint, words(one.permissions), used, end, created_by]
                })
                .collect();
            print(&listing, ["ID", "NAME", "KEY", "PERMISSIONS", "LAST USED", "EXPIRES", "CREATED BY"], &rows)
        }
        AccountCommand::Create { name, role, permission, expires } => {
            let permissions = match role {
                Some(role) => role.get::<EnvironmentRole>().grantable(),
                None => permissions(&permission)?,
            };
            let new = NewAccount::new(name, permissions).given(end(&expires), NewAccount::expires_at);
            let issued = session
                .create_account(At::Path(organization, &path), &new)
                .map_err(|error| environment_hint(&path, error))?;
            let name = terminal::printable(&issued.account.name);
            terminal::note(format!(
                "the key of the account {name} ({}) of {path}, shown this once:",
                issued.account.id
            ));
            terminal::credential(issued.key.expose_secret())
        }
        AccountCommand::Delete { account } => {
            let accounts =
                session.accounts(At::Path(organization, &path)).map_err(|error| environment_hint(&path, error))?;
            let account = find("account", &accounts, &account, |one| one.id, |one| &one.name)?;
            session.delete_account(At::Path(organization, &path), account.id)?;
            terminal::note(format!("deleted the account {}", terminal::printable(&account.name)));
            Ok(())
        }
    }
}
