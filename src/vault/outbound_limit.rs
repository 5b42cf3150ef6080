//! How many operations wait for another network at once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::core::id::OrganizationId;
use crate::error::{Error, ErrorKind, Result};

/// Most operations of one organization that wait at once.
const MAX_OF_ORGANIZATION: usize = 4;
/// Most operations altogether that wait at once: each holds a thread of the program.
const MAX: usize = 128;
/// How long a test of a webhook takes at most.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// A concurrency limit for operations that wait for a network that somebody else chose.
#[derive(Debug, Default)]
pub(super) struct OutboundLimit(Mutex<HashMap<OrganizationId, usize>>);

/// The right to wait; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct OutboundPermit<'v> {
    limit: &'v OutboundLimit,
    organization: OrganizationId,
}

impl OutboundLimit {
    /// Returns a permit for an organization.
    ///
    /// # Errors
    /// `RateLimited`, if too many operations wait already.
    pub(super) fn permit(&self, organization: OrganizationId) -> Result<OutboundPermit<'_>> {
        let mut waiting = self.waiting();
        let of_organization = waiting.get(&organization).copied().unwrap_or_default();
        let message = if of_organization >= MAX_OF_ORGANIZATION {
            "the organization waits for four webhooks or integrations already: try again when one of them has answered"
        } else if waiting.values().sum::<usize>() >= MAX {
            "too many webhooks and integrations are being waited for: try again later"
        } else {
            waiting.insert(organization, of_organization + 1);
            return Ok(OutboundPermit { limit: self, organization });
        };
        Err(Error::new(ErrorKind::RateLimited, message).with_retry_after(RETRY_AFTER))
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<OrganizationId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OutboundPermit<'_> {
    fn drop(&mut self) {
        let mut waiting = self.limit.waiting();
        if let Some(count) = waiting.get_mut(&self.organization) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.organization);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organization(number: u8) -> OrganizationId {
        format!("{number:026}").parse().unwrap()
    }

    #[test]
    fn an_organization_waits_so_often_and_no_more() {
        let limit = OutboundLimit::default();
        let mut held: Vec<_> = (0..MAX_OF_ORGANIZATION).map(|_| limit.permit(organization(1)).unwrap()).collect();
        let refused = limit.permit(organization(1)).unwrap_err();
        assert_eq!((refused.kind(), refused.retry_after()), (ErrorKind::RateLimited, Some(RETRY_AFTER)));
        assert!(limit.permit(organization(2)).is_ok(), "others may");
        held.pop();
        held.push(limit.permit(organization(1)).unwrap());
        assert!(limit.permit(organization(1)).is_err());
        drop(held);
        assert!(limit.waiting().is_empty());
    }

    #[test]
    fn all_together_are_bounded() {
        let limit = OutboundLimit::default();
        let of = |number: usize| organization(u8::try_from(number / MAX_OF_ORGANIZATION).unwrap());
        let held: Vec<_> = (0..MAX).map(|number| limit.permit(of(number)).unwrap()).collect();
        assert_eq!(limit.permit(of(MAX)).unwrap_err().kind(), ErrorKind::RateLimited);
        drop(held);
        assert!(limit.permit(of(MAX)).is_ok());
    }
}
