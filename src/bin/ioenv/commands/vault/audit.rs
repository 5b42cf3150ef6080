use std::io::Write as _;

use ioenv::vault::{ActorKind, AuditFilter, AuditRecord, Page, Timestamp};
use serde_json::Value;

use super::time::{moment, shown};
use crate::args::{AuditArgs, ListFormat, Typed};
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, args: &AuditArgs) -> Result {
    let access = Access::open(project)?;
    let organization = access.organization()?;
    let mut filter = AuditFilter::default();
    match &args.actor {
        Some(actor) if actor.text() == "system" => filter.by_system = true,
        actor => filter.actor = actor.as_ref().map(Typed::get),
    }
    filter.action = args.action;
    filter.path.clone_from(&project.chosen_path);
    filter.name = args.name.as_ref().map(Typed::get);
    filter.since = args.since.as_ref().map(|since| moment(since, Timestamp::checked_sub));
    filter.until = args.until.as_ref().map(|until| moment(until, Timestamp::checked_sub));

    let session = access.session();
    let records = Page::first(args.limit, |paging| session.audit(organization, &filter, paging))?;
    match args.format {
        ListFormat::Json => Ok(writeln!(std::io::stdout().lock(), "{}", serde_json::to_string_pretty(&records)?)?),
        ListFormat::Table => {
            let rows: Vec<[String; 5]> = records.iter().map(row).collect();
            terminal::table(["TIME", "ACTOR", "ACTION", "WHERE", "WHAT"], &rows)
        }
    }
}

fn row(record: &AuditRecord) -> [String; 5] {
    let resource = &record.resource;
    let details = Value::from(record.details.clone());
    let action = match details["op"].as_str() {
        Some(operation) => format!("{} ({operation})", record.action.as_str()),
        None => record.action.as_str().to_owned(),
    };
    let kind = resource.kind;
    let what = match (&resource.key, &resource.name) {
        (Some(name), _) => format!("{kind} {name}"),
        (None, Some(name)) => format!("{kind} {}", terminal::printable(name)),
        (None, None) => kind.to_string(),
    };
    [
        shown(record.timestamp),
        actor(&record.actor),
        action,
        resource.path.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        what,
    ]
}

pub(super) fn actor(actor: &ioenv::vault::AuditActor) -> String {
    let name = actor.name.as_deref().map(terminal::printable).unwrap_or_default();
    match (actor.kind, actor.id) {
        (ActorKind::System, _) | (_, None) if name.is_empty() => "system".to_owned(),
        (ActorKind::System, _) | (_, None) => format!("system {name}"),
        (ActorKind::User, Some(id)) => format!("user {name} {id}").replace("  ", " "),
        (_, Some(id)) => format!("token {name} {id}").replace("  ", " "),
    }
}
