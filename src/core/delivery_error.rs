use super::serde_text::serde_text;
use super::words::words;

words! {
    /// Why a request to another service got no answer. Its text is the code that is logged.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum DeliveryError: "the code of a delivery" {
        /// The answer did not come in time.
        Aborted = "ECONNABORTED",
        /// The host's name is not known.
        NotFound = "ENOTFOUND",
        /// Nothing listens there.
        Refused = "ECONNREFUSED",
        /// The connection was not made in time.
        TimedOut = "ETIMEDOUT",
        /// The connection was closed before the answer came.
        Reset = "ECONNRESET",
        /// No network leads there.
        NetworkUnreachable = "ENETURNEACH",
        /// The host is not reached, or stands at an address that requests may not go to.
        HostUnreachable = "ENHOSTUNREACH",
        /// What answers speaks no HTTP, or its certificate is not trusted.
        Protocol = "EPROTO",
    }
}

serde_text!(DeliveryError, "the code of a delivery");
