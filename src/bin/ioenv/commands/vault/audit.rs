use std::io::Write as _;

use ioenv::vault::{ActorKind, AuditFilter, AuditRecord, Page, Timestamp};

use super::time::{moment, shown};
use crate::args::{AuditArgs, ListFormat, Typed};
use crate::given::Given as _;
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, args: &AuditArgs) -> Result {
    let access = Access::open(project)?;
    let organization = access.organization()?;
    let by_system = args.actor.as_ref().is_some_and(|actor| actor.text() == "system");
    let actor = args.actor.as_ref().filter(|_| !by_system).map(Typed::get);
    let time = |typed: &Typed| moment(typed, Timestamp::checked_sub);
    let filter = AuditFilter::new()
        .by_system(by_system)
        .given(actor, AuditFilter::actor)
        .given(args.action, AuditFilter::action)
        .given(project.chosen_path.clone(), AuditFilter::path)
        .given(args.name.as_ref().map(Typed::get), AuditFilter::name)
        .given(args.since.as_ref().map(time), AuditFilter::since)
        .given(args.until.as_ref().map(time), AuditFilter::until);

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
    let action = match record.details.operation() {
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
