use super::serde_text::serde_text;
use super::words::words;

words! {
    /// Whether an organization may be used. Only the operator can use one that is not active.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum OrganizationStatus: "the status of an organization" {
        /// It may be used.
        #[default]
        Active = "active",
        /// It was cancelled by its owner.
        Cancelled = "cancelled",
        /// It was locked, such as after a failed payment.
        Locked = "locked",
        /// It is suspended for a while.
        Suspended = "suspended",
    }
}

serde_text!(OrganizationStatus, "the status of an organization");
