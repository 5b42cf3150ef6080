use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::limits::MAX_FILE_BYTES;
use crate::error::{Error, ErrorKind, Result};

/// What a level is at rest: `base64(iv[12] ‖ ciphertext ‖ tag[16])`, as dotenv.cloud stores and sends it.
///
/// The text is standard base64 with padding (RFC 4648, section 4) without a version marker. Line ends inside it are
/// ignored, as the service's own client does; anything else that is not base64 is refused.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// let text = "obLD1OX2BxgpOktccAW8CQnVN7ITyxQLNuEnYWExIxjrVF+P2Pk=";
/// let blob: ioenv::SealedBlob = text.parse()?;
/// assert_eq!(blob.as_bytes().len(), 12 + 10 + 16);
/// assert_eq!(blob.to_string(), text);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SealedBlob {
    /// At least `MIN_BYTES`.
    bytes: Vec<u8>,
}

impl SealedBlob {
    /// Bytes of the initialization vector that stands first.
    pub const IV_BYTES: usize = 12;
    /// Bytes of the authentication tag that stands last.
    pub const TAG_BYTES: usize = 16;
    /// The blob of an empty document.
    const MIN_BYTES: usize = Self::IV_BYTES + Self::TAG_BYTES;

    /// Takes the decoded bytes.
    ///
    /// # Errors
    /// `Corrupt`, when there are fewer than 28.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        if bytes.len() < Self::MIN_BYTES {
            return Err(Error::new(ErrorKind::Corrupt, "the blob is too short: it was cut off or is no blob"));
        }
        Ok(Self { bytes })
    }

    /// The decoded bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Initialization vector, ciphertext and tag.
    pub(crate) fn parts(&self) -> (&[u8], &[u8], &[u8]) {
        let (iv, rest) = self.bytes.split_at(Self::IV_BYTES);
        let (ciphertext, tag) = rest.split_at(rest.len() - Self::TAG_BYTES);
        (iv, ciphertext, tag)
    }
}

impl FromStr for SealedBlob {
    type Err = Error;

    /// # Errors
    /// `Corrupt`, first for what is not base64, then for what is too short; `Limit` beyond 16 MiB of text.
    fn from_str(text: &str) -> Result<Self> {
        if text.len() > MAX_FILE_BYTES {
            return Err(Error::new(ErrorKind::Limit, "the blob is larger than 16 MiB"));
        }
        // Most texts are one line, so line ends are looked for only where decoding stumbles.
        let decoded = BASE64.decode(text).or_else(|_| BASE64.decode(text.replace(['\n', '\r'], "")));
        let bytes = decoded.map_err(|_| {
            Error::new(ErrorKind::Corrupt, "the blob is not base64: it was cut off, changed, or is no blob")
        })?;
        Self::from_bytes(bytes)
    }
}

impl fmt::Display for SealedBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(&self.bytes))
    }
}

impl fmt::Debug for SealedBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedBlob").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_padded_standard_base64() {
        let blob = SealedBlob::from_bytes(vec![0xfb; 29]).unwrap();
        let text = blob.to_string();
        assert!(text.contains('+') && text.ends_with('='));
        assert_eq!(text.parse::<SealedBlob>().unwrap(), blob);
        assert_eq!(format!("{}\r\n{}\n", &text[..5], &text[5..]).parse::<SealedBlob>().unwrap(), blob);

        let url_safe = text.replace('+', "-");
        for bad in [text.trim_end_matches('='), &url_safe, &format!(" {text}"), "A=1\n", ""] {
            assert_eq!(bad.parse::<SealedBlob>().unwrap_err().kind(), ErrorKind::Corrupt, "{bad}");
        }
    }

    #[test]
    fn refuses_what_cannot_hold_iv_and_tag() {
        assert_eq!(SealedBlob::from_bytes(vec![0; 27]).unwrap_err().kind(), ErrorKind::Corrupt);
        assert!(SealedBlob::from_bytes(vec![0; 28]).is_ok());
    }
}
