use crate::core::audit::{Action, Details, Resource};
use crate::core::custody::Custody;
use crate::core::id::LevelId;
use crate::core::name::VarName;
use crate::core::path::LevelPath;
use crate::core::secret::SecretString;
use crate::error::Result;
use crate::store::Order;
use crate::vault::envelope::client_managed;
use crate::vault::keys;
use crate::vault::place::At;
use crate::vault::place::{Place, Reach};
use crate::vault::records::{NodeKind, NodeRecord};
use crate::vault::scan::Scan;
use crate::vault::session::Session;
use crate::vault::use_case::UseCase;

/// What is looked for in the environments of a project.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "an entry is a name and a value")]
pub enum Search {
    /// Entries of exactly that name.
    Name(VarName),
    /// Entries of exactly that value.
    Value(SecretString),
}

/// An entry that was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FoundEntry {
    /// The level that says it itself.
    pub path: LevelPath,
    /// The id of that level.
    pub level: LevelId,
    /// Whether that is an environment: neither a target nor the project itself.
    pub is_environment: bool,
    /// The name.
    pub name: VarName,
    /// The value.
    pub value: SecretString,
}

impl Session<'_> {
    /// Looks for entries in all levels of a project that the actor may read.
    ///
    /// # Errors
    /// `NotFound`, without the project; `ClientManaged`.
    pub fn search_entries(&self, at: At<'_>, search: &Search) -> Result<Vec<FoundEntry>> {
        self.read(UseCase::SearchEntries, |operation| {
            let root = operation.project_place(at, Reach::Beneath)?;
            if root.project.custody == Custody::Client {
                return Err(client_managed());
            }
            let mut places = Vec::new();
            if operation.may(&root)? {
                places.push(Place { project: root.project.clone(), nodes: Vec::new() });
            }
            let prefix = keys::node(root.project.id, "");
            let mut targets: Vec<NodeRecord> = Vec::new();
            let mut scan = Scan::new(keys::nodes(root.project.id, ""), Order::Ascending);
            while let Some(record) = scan.next(operation.tx)? {
                let node: NodeRecord = operation.decode_authenticated(&record)?;
                let path = &record.key[prefix.len()..];
                let above =
                    path.rsplit_once('/').and_then(|(target, _)| targets.iter().find(|node| node.slug == target));
                let nodes: Vec<NodeRecord> = above.into_iter().chain([&node]).cloned().collect();
                if node.kind == NodeKind::Target {
                    targets.push(node);
                }
                let place = Place { project: root.project.clone(), nodes };
                if operation.may(&place)? {
                    places.push(place);
                }
            }
            let mut found = Vec::new();
            for place in places {
                let Some(level) = operation.level(&place.project, place.id())? else {
                    continue;
                };
                let Some(document) = operation.understood(&place.project, &level.content)? else {
                    continue;
                };
                let is_environment = place.nodes.last().is_some_and(|node| node.kind == NodeKind::Environment);
                let mut served = Vec::new();
                for entry in document.entries() {
                    let is_found = match search {
                        Search::Name(name) => entry.name() == name,
                        Search::Value(value) => entry.value().expose_secret() == value.expose_secret(),
                    };
                    if is_found {
                        served.push(entry.name().clone());
                        let (path, level, name) = (place.path()?, place.id(), entry.name().clone());
                        found.push(FoundEntry { path, level, is_environment, name, value: entry.value().clone() });
                    }
                }
                if !served.is_empty() {
                    operation.accessed(&place.project, &level, &served)?;
                }
            }
            let mut names: Vec<&str> = found.iter().map(|entry| entry.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            let details = Details::read("search", names).with("count", found.len());
            operation.record(Action::Read, Resource::of(&root)?, details)?;
            Ok(found)
        })
    }
}
