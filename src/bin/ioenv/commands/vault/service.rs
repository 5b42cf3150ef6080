use ioenv::vault::{
    IpRange, NewServiceAccount, NewServiceKey, OrganizationId, ServiceAccount, ServiceAccountUpdate, Session,
};

use super::audit::actor;
use super::listing::{NONE, find, print, time};
use super::time::{end, shown};
use super::token::{permissions, words};
use crate::args::{ServiceCommand, Typed};
use crate::given::Given as _;
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, command: ServiceCommand) -> Result {
    let access = Access::open(project)?;
    let (session, organization) = (access.session(), access.organization()?);
    let note = |what: &str, name: &str| terminal::note(format!("{what} {}", terminal::printable(name)));
    match command {
        ServiceCommand::List(listing) => {
            let rows: Vec<[String; 6]> = session.service_accounts(organization)?.into_iter().map(row).collect();
            print(&listing, ["ID", "NAME", "PERMISSIONS", "FROM", "CREATED", "CREATED BY"], &rows)
        }
        ServiceCommand::Create { name, permission, allow } => {
            let new = NewServiceAccount::new(name, permissions(&permission)?).allow_list(ranges(&allow));
            note("made the service account", &session.create_service_account(organization, &new)?.name);
            Ok(())
        }
        ServiceCommand::Update { service, name, permission, allow } => {
            let permissions = if permission.is_empty() { None } else { Some(permissions(&permission)?) };
            let ranges = Some(ranges(&allow)).filter(|ranges| !ranges.is_empty());
            let update = ServiceAccountUpdate::new()
                .given(name, ServiceAccountUpdate::name)
                .given(permissions, ServiceAccountUpdate::permissions)
                .given(ranges, ServiceAccountUpdate::allow_list);
            let id = one(&session, organization, &service)?.id;
            note("changed the service account", &session.update_service_account(organization, id, &update)?.name);
            Ok(())
        }
        ServiceCommand::Delete { service } => {
            let service = one(&session, organization, &service)?;
            session.delete_service_account(organization, service.id)?;
            note("deleted the service account", &service.name);
            Ok(())
        }
        ServiceCommand::Keys { service, listing } => {
            let id = one(&session, organization, &service)?.id;
            let rows: Vec<[String; 7]> = session
                .service_keys(organization, id)?
                .into_iter()
                .map(|key| {
                    let [used, end] = [key.last_used_at, key.expires_at].map(time);
                    let created_by = actor(&key.created_by);
                    [key.id.to_string(), key.name, key.hint, shown(key.created_at), used, end, created_by]
                })
                .collect();
            print(&listing, ["ID", "NAME", "KEY", "CREATED", "LAST USED", "EXPIRES", "CREATED BY"], &rows)
        }
        ServiceCommand::Key { service, name, expires } => {
            let service = one(&session, organization, &service)?;
            let new = NewServiceKey::new(name).given(end(&expires), NewServiceKey::expires_at);
            let issued = session.create_service_key(organization, service.id, &new)?;
            let [name, service] = [&issued.info.name, &service.name].map(|text| terminal::printable(text));
            terminal::note(format!("the key {name} ({}) of {service}, shown this once:", issued.info.id));
            terminal::credential(issued.key.expose_secret())
        }
        ServiceCommand::DeleteKey { service, key } => {
            let id = one(&session, organization, &service)?.id;
            let keys = session.service_keys(organization, id)?;
            let key = find("key", &keys, &key, |key| key.id, |key| &key.name)?;
            session.delete_service_key(organization, id, key.id)?;
            note("deleted the key", &key.name);
            Ok(())
        }
    }
}

fn row(one: ServiceAccount) -> [String; 6] {
    let ranges: Vec<String> = one.allow_list.iter().map(ToString::to_string).collect();
    let from = if ranges.is_empty() { NONE.to_owned() } else { ranges.join(", ") };
    [one.id.to_string(), one.name, words(one.permissions), from, shown(one.created_at), actor(&one.created_by)]
}

pub(super) fn ranges(typed: &[Typed]) -> Vec<IpRange> {
    typed.iter().map(Typed::get).collect()
}

fn one(session: &Session<'_>, organization: OrganizationId, typed: &str) -> Result<ServiceAccount> {
    let all = session.service_accounts(organization)?;
    find("service account", &all, typed, |one| one.id, |one| &one.name).cloned()
}
