use ioenv::vault::{Actor, NewPersonalKey, PersonalKey};

use super::listing::{NONE, find, print, time};
use super::member;
use super::service::ranges;
use super::time::{end, shown};
use crate::args::PersonalKeyCommand;
use crate::given::Given as _;
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, command: PersonalKeyCommand) -> Result {
    let access = Access::open(project)?;
    let (session, organization) = (access.session(), access.organization()?);
    match command {
        PersonalKeyCommand::List { of, listing } => {
            let user = member::one(&session, organization, &of.user)?.user;
            let rows: Vec<[String; 8]> = session.member_keys(organization, user)?.into_iter().map(row).collect();
            print(&listing, ["ID", "NAME", "KEY", "LEVEL", "FROM", "CREATED", "LAST USED", "EXPIRES"], &rows)
        }
        PersonalKeyCommand::Create { name, of, level, allow, expires } => {
            // Nobody but the operator can speak for somebody else.
            access.trusted_only()?;
            let member = member::one(&session, organization, &of.user)?;
            let new = NewPersonalKey::new(name, level.get())
                .allow_list(ranges(&allow))
                .given(end(&expires), NewPersonalKey::expires_at);
            let issued = access.vault.session(Actor::User(member.user)).create_personal_key(organization, &new)?;
            let [name, email] = [&issued.info.name, &member.email].map(|text| terminal::printable(text));
            terminal::note(format!("the key {name} ({}) of {email}, shown this once:", issued.info.id));
            terminal::credential(issued.key.expose_secret())
        }
        PersonalKeyCommand::Delete { key, of } => {
            let user = member::one(&session, organization, &of.user)?.user;
            let keys = session.member_keys(organization, user)?;
            let key = find("key", &keys, &key, |key| key.id, |key| &key.name)?;
            session.delete_member_key(organization, user, key.id)?;
            terminal::note(format!("deleted the key {}", terminal::printable(&key.name)));
            Ok(())
        }
    }
}

fn row(key: PersonalKey) -> [String; 8] {
    let from: Vec<String> = key.allow_list.iter().map(ToString::to_string).collect();
    let from = if from.is_empty() { NONE.to_owned() } else { from.join(", ") };
    let [used, end] = [key.last_used_at, key.expires_at].map(time);
    [key.id.to_string(), key.name, key.hint, key.level.to_string(), from, shown(key.created_at), used, end]
}
