//! The machine's own clock and random source, behind the core's traits.

#[cfg(feature = "sealed")]
pub(crate) use clock::SystemClock;

use crate::core::Random;
use crate::{Error, Result};

#[cfg(feature = "sealed")]
mod clock {
    use std::time::SystemTime;

    use crate::core::Clock;

    /// The clock of the operating system.
    #[derive(Debug)]
    pub(crate) struct SystemClock;

    impl Clock for SystemClock {
        fn now(&self) -> SystemTime {
            SystemTime::now()
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
