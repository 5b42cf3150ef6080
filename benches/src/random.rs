//! Numbers that look random and are the same on every run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// `SplitMix64`.
#[derive(Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// Another seed, other numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of several.
    pub fn pick<'a>(&mut self, several: &[&'a str]) -> &'a str {
        let index = self.draw() % several.len() as u64;
        several[usize::try_from(index).expect("invariant: below a length")]
    }

    /// So many bytes.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.draw().to_le_bytes()).flatten().take(length).collect()
    }

    /// So many bytes as hexadecimal digits.
    pub fn hex(&mut self, length: usize) -> String {
        let digits = self.bytes(length).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
    }

    /// So many bytes as base64.
    pub fn base64(&mut self, length: usize) -> String {
        STANDARD.encode(self.bytes(length))
    }

    /// A private key in PEM, of the size that one of RSA with 2048 bits has.
    pub fn pem(&mut self) -> String {
        let body = self.base64(1_218);
        let lines: Vec<&str> = (0..body.len()).step_by(64).map(|at| &body[at..body.len().min(at + 64)]).collect();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
    }

    /// Three parts of base64url, 300 bytes, as a JSON web token with a few claims has.
    pub fn jwt(&mut self) -> String {
        let part = |text: String| text.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned();
        ["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9".to_owned(), part(self.base64(164)), part(self.base64(32))].join(".")
    }
}
