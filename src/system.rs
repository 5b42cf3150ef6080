//! The machine's own clock and random source, behind the core's traits.

#[cfg(feature = "vault")]
pub use clock::SystemClock;

use crate::core::random::Random;
use crate::error::{Error, Result};

#[cfg(feature = "vault")]
mod clock {
    use std::time::SystemTime;

    use crate::core::clock::{Clock, Timestamp};

    /// The clock of the operating system.
    ///
    /// ```
    /// use ioenv::vault::{Clock as _, SystemClock, Timestamp};
    ///
    /// assert!(SystemClock.now() > Timestamp::MIN);
    /// ```
    #[derive(Clone, Copy, Debug, Default)]
    pub struct SystemClock;

    impl Clock for SystemClock {
        fn now(&self) -> Timestamp {
            SystemTime::now().into()
        }
    }
}

/// The cryptographic random source of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|error| {
            Error::io("the operating system has no random bytes to give", std::io::Error::other(error))
        })
    }
}
