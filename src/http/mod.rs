//! The policies for outgoing requests, and the one HTTP client under everything that sends.
//!
//! [`ServicePolicy`] is for a *trusted* service, which the program or its operator configured. [`OutboundPolicy`] is for
//! an *untrusted* URL, which somebody else chose. Under both, the address that was checked is the address that is
//! connected to, time and size are bounded, no redirect is followed and no proxy is used.
//!
//! | | trusted | untrusted |
//! |---|---|---|
//! | plain HTTP | to this machine; elsewhere if allowed | if allowed |
//! | addresses | all | public ones; others in ranges that are allowed; never the metadata services of clouds |
//! | connections | reused | one for each request |
//! | look-up of a name | on the calling thread | on a thread of its own, so that the deadline holds |

mod address;
#[cfg(any(feature = "worker", all(feature = "http", test)))]
pub(crate) mod client;
#[cfg(any(feature = "worker", all(feature = "http", test)))]
pub(crate) mod error;
#[cfg(any(feature = "worker", all(feature = "http", test)))]
pub(crate) mod json;
pub(crate) mod policy;
mod resolver;
#[cfg(any(feature = "worker", all(feature = "http", test)))]
pub(crate) mod retry;

pub use self::policy::{OutboundPolicy, ServicePolicy};
pub use self::resolver::Resolver;
pub use crate::core::delivery_error::DeliveryError;
pub use crate::core::ip_range::IpRange;
