//! What an expansion starts from and what comes of it, in each notation.

use crate::core::document::Kind;
use crate::core::name::VarName;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind};

/// A reference to a name that has no value.
///
/// It stays as it was written; in the notation of Stashbase, an empty text stands in its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Unresolved {
    /// The variable whose value holds the reference.
    pub name: VarName,
    /// The name that has no value.
    pub reference: VarName,
}

/// The variables of the process, by name.
pub(super) type Process<'a> = &'a dyn Fn(&str) -> Option<SecretString>;

/// What counts for a variable instead of its own value.
pub(super) struct Replacement {
    pub(super) number: usize,
    pub(super) value: SecretString,
    /// `None` where the value is the process's own.
    pub(super) kind: Option<Kind>,
}

#[cold]
pub(super) fn too_large(name: &VarName, largest: &str) -> Error {
    let message = format!("expanding {name} gives more than {largest}, or all values together more than 16 MiB");
    Error::new(ErrorKind::Limit, message).with_names([name.clone()])
}
