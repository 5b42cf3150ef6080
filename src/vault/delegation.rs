//! What a caller may hand on: nobody makes, changes or takes over a credential that is usable for more, for longer or from
//! more addresses than the one they came with. Trusted programs and users in person have no such bounds.

use super::operation::OperationContext;
use crate::core::clock::Timestamp;
use crate::core::ip_range::IpRange;
use crate::core::permission::PermissionSet;
use crate::error::{Error, ErrorKind, Result};

/// Most ranges of addresses that a key may be used from.
const MAX_ALLOW_LIST: usize = 100;

impl OperationContext<'_, '_> {
    /// Refuses a credential that does more, lives longer or is used from more addresses than the caller's own.
    pub(super) fn check_credential(
        &self,
        permissions: PermissionSet,
        expires_at: Option<Timestamp>,
        allow_list: &[IpRange],
    ) -> Result<()> {
        self.check_held(permissions)?;
        self.check_outlived(expires_at)?;
        self.check_addresses(allow_list)
    }

    /// Refuses what would live longer than the credential it is made with.
    pub(super) fn check_outlived(&self, expires_at: Option<Timestamp>) -> Result<()> {
        let own_end = self.principal.token.as_ref().and_then(|(_, token)| token.expires_at);
        match (own_end, expires_at) {
            (Some(own), None) => Err(outlives(own)),
            (Some(own), Some(end)) if end > own => Err(outlives(own)),
            _ => Ok(()),
        }
    }

    /// Refuses what would be used from more addresses than the credential it is made with. An empty list is every address.
    fn check_addresses(&self, allow_list: &[IpRange]) -> Result<()> {
        let own = self.own_allow_list();
        let is_inside = |range: &IpRange| own.iter().any(|own| range.is_within(*own));
        if own.is_empty() || (!allow_list.is_empty() && allow_list.iter().all(is_inside)) {
            return Ok(());
        }
        let message = "nothing can be used from more addresses than the token or key that makes or changes it: its allow-list \
                       must lie inside the one of that key";
        Err(Error::new(ErrorKind::Denied, message))
    }

    /// Returns the allow-list of the caller's credential, which is empty if it may be used from everywhere.
    pub(super) fn own_allow_list(&self) -> &[IpRange] {
        self.principal.token.as_ref().map_or(&[], |(_, token)| &token.allow_list)
    }

    /// Refuses to make a member, who has no end and comes from everywhere, or to give one more rights, with a credential that
    /// has either bound.
    pub(super) fn check_unbounded(&self) -> Result<()> {
        let is_bounded = self.principal.token.as_ref().is_some_and(|(_, token)| token.expires_at.is_some());
        if !is_bounded && self.own_allow_list().is_empty() {
            return Ok(());
        }
        let message = "a member stays for longer, and comes from more addresses, than a token or key with an end or an \
                       allow-list: log in, or use a key that has neither";
        Err(Error::new(ErrorKind::Denied, message))
    }
}

/// Checks a list of ranges that a key may be used from.
pub(super) fn check_allow_list(ranges: &[IpRange]) -> Result<Vec<IpRange>> {
    if ranges.len() > MAX_ALLOW_LIST {
        return Err(Error::new(ErrorKind::Limit, "an allow-list has at most 100 ranges of addresses"));
    }
    Ok(ranges.to_vec())
}

#[cold]
fn outlives(own_end: Timestamp) -> Error {
    let message = format!("nothing can live longer than the token or key it is made with: let it expire by {own_end}");
    Error::new(ErrorKind::Denied, message)
}
