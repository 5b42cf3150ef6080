//! The confirmation that a call needs which destroys something.

use crate::error::{Error, ErrorKind, Result};

/// Whether the caller has confirmed a call that destroys something.
///
/// Without it, such a call changes nothing and fails with [`ErrorKind::Unconfirmed`], or with the kind that its
/// documentation names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a call is confirmed or not")]
pub enum Confirmation {
    /// The caller has not confirmed it.
    #[default]
    Missing,
    /// The caller has confirmed it.
    Given,
}

impl Confirmation {
    /// Returns `Given` if a flag is set, such as that of a command or a request.
    pub const fn from_flag(flag: bool) -> Self {
        if flag { Self::Given } else { Self::Missing }
    }

    pub(super) const fn is_missing(self) -> bool {
        matches!(self, Self::Missing)
    }

    /// Refuses a call that cannot be undone, unless it is confirmed.
    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::Given => Ok(()),
            Self::Missing => {
                Err(Error::new(ErrorKind::Unconfirmed, "this cannot be undone: confirm it, if that is meant"))
            }
        }
    }
}
