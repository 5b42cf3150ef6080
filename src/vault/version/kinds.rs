//! The kinds of what comes back: an entry that became a secret does not become a variable again by a restore.

use std::collections::BTreeMap;
use std::mem;

use crate::core::document::{Document, Entry, Kind};
use crate::core::name::VarName;
use crate::error::{ErrorKind, Result};
use crate::store::Order;
use crate::vault::keys;
use crate::vault::operation::OperationContext;
use crate::vault::place::Place;
use crate::vault::records::{ContentRecord, number_in};
use crate::vault::rights::READING;
use crate::vault::scan::Scan;

/// The variables of a former document that were no secret so far, with the ids of their entries, as far as those are known.
type Variables = BTreeMap<VarName, Option<u32>>;

impl OperationContext<'_, '_> {
    /// Makes secrets of those variables of a former document that are secrets now or were since, and returns whether there
    /// are any. A variable is the same by its name and through renames.
    ///
    /// A caller who may read and decrypt there brings back what was: the values of variables are stored and recorded in
    /// plaintext, which only such a caller may do with the value of a secret.
    pub(super) fn keep_secrets(
        &mut self,
        place: &Place,
        former: &ContentRecord,
        document: &mut Document,
    ) -> Result<bool> {
        if self.allow(READING).is_ok() {
            return Ok(false);
        }
        let (project, node) = (place.project.id, place.id());
        let entries = self.entries(&place.project, former)?;
        let is_variable = |entry: &&Entry| entry.kind() == Kind::Variable;
        let mut variables: Variables = document
            .entries()
            .iter()
            .filter(is_variable)
            .map(|entry| (entry.name().clone(), entries.get(entry.name()).map(|record| record.id)))
            .collect();
        let mut secrets = Vec::new();
        let mut present = self.level(&place.project, node)?.map(|level| level.content);
        let later = keys::versions(project, node).after(&keys::version(project, node, former.number));
        let mut versions = Scan::new(later, Order::Descending);
        while !variables.is_empty() {
            let content = match present.take() {
                Some(content) => content,
                None => match versions.next(self.tx)? {
                    Some(version) => self.content(project, node, number_in(&version.key)?)?,
                    None => break,
                },
            };
            secrets.extend(self.secrets_among(place, &content, former.number, &mut variables)?);
        }
        for name in &secrets {
            document.set_kind(name.as_str(), Kind::Secret);
        }
        Ok(!secrets.is_empty())
    }

    /// Takes those that are secrets in a content, or were between the content of that number and this one, out of
    /// `variables`, and returns their names.
    fn secrets_among(
        &mut self,
        place: &Place,
        content: &ContentRecord,
        after: u32,
        variables: &mut Variables,
    ) -> Result<Vec<VarName>> {
        let document = match self.understood(&place.project, content) {
            Ok(document) => document.unwrap_or_default(),
            // What the project's people wrote under a key of theirs may have made a secret of any name.
            Err(error) if error.kind() == ErrorKind::ClientManaged => {
                return Ok(mem::take(variables).into_keys().collect());
            }
            Err(error) => return Err(error),
        };
        let entries = self.entries(&place.project, content)?;
        let by_id = entries.names_by_id();
        let is_secret = |name: &VarName| {
            entries.was_secret_after(after, name)
                || document.get(name.as_str()).is_some_and(|entry| entry.kind() == Kind::Secret)
        };
        let mut secrets = Vec::new();
        variables.retain(|name, id| {
            let renamed = id.and_then(|id| by_id.get(&id).copied());
            let is_kept = !is_secret(name) && !renamed.is_some_and(is_secret);
            if !is_kept {
                secrets.push(name.clone());
            }
            is_kept
        });
        Ok(secrets)
    }
}
