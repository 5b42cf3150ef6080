//! Lines that a person types without seeing them, where nothing is known of terminals.

use std::io;

use ioenv::SecretString;

use crate::result::Result;

pub(crate) struct Prompt;

impl Prompt {
    #[expect(clippy::unnecessary_wraps, reason = "it has the signature of the other one")]
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "it has the signature of the other one")]
    pub(crate) fn line(&mut self, prompt: &str) -> Result<SecretString> {
        Ok(rpassword::prompt_password(prompt)?.into())
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "it has the signature of the other one")]
    pub(crate) fn finish(self, _what: &str) -> Result {
        Ok(())
    }
}
