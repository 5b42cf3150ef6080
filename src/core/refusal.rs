use super::clock::Timestamp;
use super::permission::PermissionSet;
use crate::error::Error;

/// Why a vault refused a request, as [`Error::refusal`] returns it: what a service has a status or a message of its own
/// for.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::vault::{Actor, Refusal, RootKey, Token, Vault};
/// use ioenv::{SystemRandom, store::Memory};
///
/// let vault = Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?;
/// let stranger = Token::parse("ioenv_AbCdEf012345")?;
/// match vault.session(Actor::Token(stranger)).whoami() {
///     Err(error) => match error.refusal() {
///         Some(Refusal::Expired { since }) => println!("the token expired at {since}: issue another one"),
///         _ => println!("{error}"),
///     },
///     Ok(identity) => println!("{identity:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The token or key has expired, so it is `Unauthenticated`. Only its holder learns this; a token that is unknown
    /// or was revoked is refused without a reason.
    Expired {
        /// When it expired.
        since: Timestamp,
    },
    /// The caller is `Denied`, because the key may not be used from this address.
    Address,
    /// The caller is `Denied`, because the organization is not active.
    OrganizationInactive,
    /// The caller is `Denied`, because these permissions are missing.
    Permissions(PermissionSet),
    /// The blob is an `InvalidValue`, because its initialization vector was used in the project before, for another level
    /// or other content. The same content is accepted when it is sealed again.
    ReusedIv,
    /// The slug is refused: it is taken, for a `Conflict`, or has a fixed meaning where it would stand, for an
    /// `InvalidName`.
    Slug,
    /// The version is `VersionLocked`, because it was replaced too long ago.
    VersionLocked {
        /// For how many days the organization can open versions.
        days: u32,
        /// When the version was replaced.
        replaced_at: Timestamp,
    },
}

impl Error {
    /// Returns why a vault refused the request, if there is more to say than the [`kind`](Error::kind).
    pub fn refusal(&self) -> Option<Refusal> {
        self.any_refusal().and_then(|refusal| refusal.downcast_ref()).copied()
    }

    #[cold]
    pub(crate) fn with_refusal(self, refusal: Refusal) -> Self {
        self.with_any_refusal(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_refusal_survives_a_clone() {
        let error = Error::new(ErrorKind::Denied, "denied").with_refusal(Refusal::Address);
        assert_eq!(error.clone().refusal(), Some(Refusal::Address));
        assert_eq!(Error::new(ErrorKind::Denied, "denied").refusal(), None);
    }
}
