//! The receiver's side of webhooks: whether a request is genuine, and what it tells of.
//!
//! A receiver needs the webhook's signing secret and the request's body as it came; a body that was parsed and written
//! again is another one.
//!
//! ```
//! use ioenv::{SecretString, webhook};
//!
//! /// The status to answer with: any 2xx within 10 seconds says that it was taken.
//! fn receive(signature: &str, body: &[u8], secret: &SecretString) -> u16 {
//!     match webhook::verify_now(body, signature, secret) {
//!         Ok(event) => {
//!             println!("{:?} in {:?}", event.kind, event.environment_name);
//!             204
//!         }
//!         Err(error) => {
//!             eprintln!("not taken: {error}");
//!             400
//!         }
//!     }
//! }
//! # assert_eq!(receive("", b"{}", &"whsec_1".into()), 400);
//! ```

use crate::core::clock::Clock as _;
use crate::core::secret::SecretString;
pub use crate::core::webhook::{Event, VerifyError, sign, verify};
use crate::system::SystemClock;

/// The header of the signature, in lower case.
pub const SIGNATURE_HEADER: &str = "stashbase-signature";
/// The header that says which webhook it is, in lower case.
pub const ID_HEADER: &str = "stashbase-webhook-id";

/// [`verify`] by the machine's own clock.
///
/// # Errors
/// As [`verify`].
pub fn verify_now(body: &[u8], header: &str, secret: &SecretString) -> Result<Event, VerifyError> {
    verify(body, header, secret, SystemClock.now())
}
