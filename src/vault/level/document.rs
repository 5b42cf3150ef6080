use super::super::place::Reach;
use super::super::session::Session;
use super::super::use_case::UseCase;
use crate::Result;
use crate::core::{Action, Details, Document, Id, LevelPath, Resource};

impl Session<'_> {
    /// What a level says itself, or nothing where nobody has said anything yet.
    ///
    /// # Errors
    /// `NotFound`; `ClientManaged`.
    pub fn document(&self, organization: Id, path: &LevelPath) -> Result<Option<Document>> {
        self.read(UseCase::ReadDocument, |operation| {
            let place = operation.place(organization, path, Reach::Inside)?;
            let document = match operation.level(&place.project, place.id())? {
                Some(level) => {
                    operation.accessed_all(&place.project, &level);
                    Some(operation.document(&place.project, &level.content)?)
                }
                None => None,
            };
            let names = document.iter().flat_map(Document::entries).map(|entry| entry.name().as_str());
            operation.record(Action::Read, Resource::of(&place)?, Details::read("list", names))?;
            Ok(document)
        })
    }
}
