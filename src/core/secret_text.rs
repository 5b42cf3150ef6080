use zeroize::{Zeroize as _, Zeroizing};

use super::secret::SecretString;

/// Text of a secret that is put together piece by piece. It wipes the smaller buffer when it grows, and itself when it
/// is dropped.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Creates an empty text that holds `capacity` bytes before it grows.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(String::with_capacity(capacity)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push(&mut self, part: &str) {
        if self.0.capacity() - self.0.len() < part.len() {
            let mut larger = String::with_capacity((self.0.len() + part.len()).next_power_of_two());
            larger.push_str(&self.0);
            self.0.zeroize();
            *self.0 = larger;
        }
        self.0.push_str(part);
    }

    /// Appends, or returns `None` if the text would be longer than `limit`.
    pub(crate) fn push_within(&mut self, part: &str, limit: usize) -> Option<()> {
        if self.len() + part.len() > limit {
            return None;
        }
        self.push(part);
        Some(())
    }
}

impl From<SecretText> for SecretString {
    fn from(mut text: SecretText) -> Self {
        std::mem::take(&mut *text.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_keeps_every_piece() {
        let mut text = SecretText::with_capacity(1);
        for piece in ["", "a", "é", "long enough for several buffers", ""] {
            text.push(piece);
        }
        assert_eq!((text.as_str(), text.len()), ("aélong enough for several buffers", 34));
        assert_eq!(SecretString::from(text).expose_secret(), "aélong enough for several buffers");
    }
}
