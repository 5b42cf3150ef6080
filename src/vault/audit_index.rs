//! What is stored of an audit record: itself, and a mark for each thing it can be looked up by.

use super::keys;
use super::records::{MARK, encode};
use crate::core::audit::{ActorKind, AuditRecord};
use crate::core::id::LevelId;
use crate::error::Result;
use crate::store::Record;

/// By what records can be looked for, beside their time.
#[derive(Clone, Copy)]
pub(super) enum Index {
    Action,
    Actor,
    Name,
    /// A project, a target or an environment.
    Place,
}

impl Index {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Actor => "actor",
            Self::Name => "name",
            Self::Place => "place",
        }
    }
}

/// Adds what is stored of an audit record: itself, and a mark for each thing that it can be looked for by.
pub(super) fn add_to(records: &mut Vec<Record>, record: &AuditRecord) -> Result<()> {
    let organization = record.resource.organization;
    records.push(Record { key: keys::audit(organization, record.id), value: encode(record)? });
    for (index, value) in indexed(record) {
        let key = keys::audit_by(index.as_str(), organization, &value, record.id);
        records.push(Record { key, value: MARK.to_owned() });
    }
    Ok(())
}

/// What a record can be looked for by.
pub(super) fn indexed(record: &AuditRecord) -> Vec<(Index, String)> {
    let resource = &record.resource;
    let mut indexed = vec![(Index::Action, record.action.as_str().to_owned()), (Index::Actor, actor_key(record))];
    let project = resource.project.map(LevelId::from);
    let level = resource.environment.filter(|id| Some(*id) != project);
    let places = [project, resource.target.map(LevelId::from), level];
    indexed.extend(places.into_iter().flatten().map(|id| (Index::Place, id.to_string())));
    indexed.extend(resource.key.as_ref().map(|name| (Index::Name, name.to_string())));
    indexed
}

fn actor_key(record: &AuditRecord) -> String {
    match (record.actor.kind, record.actor.id) {
        (ActorKind::System, _) | (_, None) => SYSTEM.to_owned(),
        (_, Some(id)) => id.to_string(),
    }
}

pub(super) const SYSTEM: &str = "system";
