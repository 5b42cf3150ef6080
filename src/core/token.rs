use std::fmt::{self, Debug};
use std::str::FromStr;

use ctutils::CtEq as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::id::OrganizationId;
use super::key::LevelKey;
use super::path::LevelPath;
use super::random::Random;
use super::secret::SecretString;
use super::serde_text::serde_text;
use super::words::words;
use super::wrap::RootKey;
use crate::error::{Error, ErrorKind, Result};

const ALPHANUMERIC: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Largest token of another service that is taken, in bytes.
const MAX_OPAQUE_BYTES: usize = 512;
/// How much of a token's random part is shown.
const HINT_CHARS: usize = 4;

/// How a new token is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenFormat {
    /// `ioenv_` and 32 letters and digits.
    Ioenv,
    /// `dotenv_`, the organization's ULID, `_` and 48 letters and digits.
    DotenvCloud {
        /// Whose token it is.
        organization: OrganizationId,
    },
    /// `sb_env_` and 32 letters and digits: the key of an environment account.
    StashbaseEnvironment,
    /// `sb_personal_` and 32 letters and digits: the key of a user.
    StashbasePersonal,
    /// `sb_service_` and 32 letters and digits: the key of a service account.
    StashbaseService,
}

words! {
    /// The service whose tokens a new one looks like.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum TokenStyle: "the format of a token" {
        /// ioenv.
        #[default]
        Ioenv = "ioenv",
        /// dotenv.cloud.
        Dotenv = "dotenv",
        /// Stashbase, which tells tokens for one place from tokens for the whole organization.
        Stashbase = "stashbase",
    }
}

impl TokenStyle {
    /// Returns the format of a new token for a place, or for the whole organization.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::vault::{OrganizationId, TokenFormat, TokenStyle};
    ///
    /// let organization: OrganizationId = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse()?;
    /// let style: TokenStyle = "stashbase".parse()?;
    /// assert_eq!(style.format(organization, None), TokenFormat::StashbaseService);
    /// assert_eq!(style.format(organization, Some(&"acme-store".parse()?)), TokenFormat::StashbaseEnvironment);
    /// # Ok(())
    /// # }
    /// ```
    pub fn format(self, organization: OrganizationId, scope: Option<&LevelPath>) -> TokenFormat {
        match (self, scope) {
            (Self::Ioenv, _) => TokenFormat::Ioenv,
            (Self::Dotenv, _) => TokenFormat::DotenvCloud { organization },
            (Self::Stashbase, Some(_)) => TokenFormat::StashbaseEnvironment,
            (Self::Stashbase, None) => TokenFormat::StashbaseService,
        }
    }

    /// Returns the style whose new tokens have this format at this place.
    #[cfg(feature = "sealed")]
    pub(crate) fn of(format: TokenFormat, scope: Option<&LevelPath>) -> Option<Self> {
        match (format, scope) {
            (TokenFormat::Ioenv, _) => Some(Self::Ioenv),
            (TokenFormat::DotenvCloud { .. }, _) => Some(Self::Dotenv),
            (TokenFormat::StashbaseEnvironment, Some(_)) | (TokenFormat::StashbaseService, None) => {
                Some(Self::Stashbase)
            }
            _ => None,
        }
    }
}

/// What a program shows to be let in.
///
/// It is wiped when dropped and never printed. A store keeps its [`TokenHash`] and its [`hint`](Token::hint) only.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::vault::{Sha256Hasher, Token, TokenHasher as _};
///
/// let stored = Sha256Hasher.hash(&Token::parse("ioenv_AbCdEf012345")?);
/// let shown = Token::parse("ioenv_AbCdEf012345")?;
/// assert!(Sha256Hasher.hash(&shown).matches(&stored));
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail
/// # fn main() -> Result<(), ioenv::Error> {
/// println!("{}", ioenv::vault::Token::parse("ioenv_AbCdEf012345")?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// Draws a new token: about 190 random bits, or 285 for dotenv.cloud.
    ///
    /// # Errors
    /// `Io`, when `random` fails.
    pub(crate) fn mint(format: TokenFormat, random: &dyn Random) -> Result<Self> {
        let (prefix, length) = match format {
            TokenFormat::Ioenv => ("ioenv_".to_owned(), 32),
            TokenFormat::DotenvCloud { organization } => (format!("dotenv_{organization}_"), 48),
            TokenFormat::StashbaseEnvironment => ("sb_env_".to_owned(), 32),
            TokenFormat::StashbasePersonal => ("sb_personal_".to_owned(), 32),
            TokenFormat::StashbaseService => ("sb_service_".to_owned(), 32),
        };
        let mut text = Zeroizing::new(String::with_capacity(prefix.len() + length));
        text.push_str(&prefix);
        append_random(&mut text, length, random)?;
        Ok(Self(std::mem::take(&mut *text).into()))
    }

    /// Takes what has the shape of a token: `ioenv_` and 12 to 250 of `A-Z a-z 0-9 _ -`, or `dotenv_` or `sb_` and
    /// printable ASCII up to 512 bytes in all.
    ///
    /// # Errors
    /// `InvalidValue`, without a word of the text; it says so when this is a level key or a root key.
    pub fn parse(text: &str) -> Result<Self> {
        match broken_rule(text) {
            None => Ok(Self(text.into())),
            Some(rule) => Err(Error::new(ErrorKind::InvalidValue, format!("this is not a token: {rule}"))),
        }
    }

    /// The token itself, as it is sent.
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }

    /// What may be shown, to tell tokens from each other: the prefix and four characters. What has fewer than twelve
    /// behind its prefix shows none of them.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// assert_eq!(ioenv::vault::Token::parse("ioenv_AbCdEf012345")?.hint(), "ioenv_AbCd…");
    /// # Ok(())
    /// # }
    /// ```
    pub fn hint(&self) -> String {
        let text = self.expose_secret();
        let prefix = prefix_length(text);
        let shown = if text.len() - prefix < 12 { prefix } else { prefix + HINT_CHARS };
        let end = if text.starts_with("ioenv_") { "…" } else { "" };
        format!("{}{end}", &text[..shown])
    }
}

/// How much of a token is no secret: what those that we mint begin with, and else the name of its service.
fn prefix_length(text: &str) -> usize {
    let is_minted = |prefix: &&str| match prefix.strip_prefix("dotenv_") {
        Some(organization) => OrganizationId::parse(organization.trim_end_matches('_')).is_ok(),
        None => matches!(*prefix, "sb_env_" | "sb_personal_" | "sb_service_"),
    };
    let mut ends = text.match_indices('_').map(|(at, _)| at + 1);
    let service = ends.next().unwrap_or(0);
    let minted = ends.next().filter(|end| *end < text.len()).map(|end| &text[..end]).filter(is_minted);
    minted.map_or(service, str::len)
}

impl Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([REDACTED])")
    }
}

impl FromStr for Token {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

fn broken_rule(text: &str) -> Option<&'static str> {
    if text.starts_with(LevelKey::PREFIX) {
        return Some("it is a level key, which is never sent anywhere");
    }
    if text.starts_with(RootKey::PREFIX) {
        return Some("it is a root key, which is never sent anywhere");
    }
    if let Some(rest) = text.strip_prefix("ioenv_") {
        let is_token = (12..=250).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        return (!is_token).then_some("`ioenv_` must be followed by 12 to 250 of A-Z, a-z, 0-9, _ and -");
    }
    let Some(rest) = text.strip_prefix("dotenv_").or_else(|| text.strip_prefix("sb_")) else {
        return Some("it starts with none of `ioenv_`, `dotenv_` and `sb_`");
    };
    if text.len() > MAX_OPAQUE_BYTES {
        return Some("it is longer than 512 bytes");
    }
    let is_token = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic());
    (!is_token).then_some("it is empty, or holds a space or something that is not printable ASCII")
}

/// Appends letters and digits, each as likely as any other.
pub(super) fn append_random(text: &mut String, mut missing: usize, random: &dyn Random) -> Result<()> {
    let mut bytes = Zeroizing::new([0; 64]);
    // 62 of 64 bytes are of use; a source of which hardly any is, is broken.
    for _ in 0..64 {
        random.fill(bytes.as_mut_slice())?;
        // 248 is the largest multiple of 62 in a byte; what lies above would make some characters likelier.
        for byte in bytes.iter().filter(|byte| **byte < 248).take(missing) {
            text.push(ALPHANUMERIC[usize::from(byte % 62)].into());
            missing -= 1;
        }
        if missing == 0 {
            return Ok(());
        }
    }
    Err(Error::new(ErrorKind::Io, "the random source gives no random bytes"))
}

/// What a store keeps of a token. Its text, which is also what serde reads and writes, is 64 lower-case hexadecimal
/// digits, by which a token is looked up.
///
/// It is not printed by `Debug`, and compared only in constant time.
#[derive(Clone)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Takes the 32 bytes of a hash that another [`TokenHasher`] made.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the hash.
    pub const fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// The SHA-256 of a text with as many random bits as a token has.
    pub(crate) fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Reads 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// `InvalidValue`.
    pub fn parse(text: &str) -> Result<Self> {
        let mut hash = [0; 32];
        match base16ct::lower::decode(text, &mut hash) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(hash)),
            _ => Err(Error::new(ErrorKind::InvalidValue, "this is not the hash of a token")),
        }
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).to_bool()
    }
}

impl FromStr for TokenHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&base16ct::HexDisplay(&self.0), f)
    }
}

impl Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash([REDACTED])")
    }
}

serde_text!(TokenHash, "the hash of a token");

/// How a vault makes of a token the hash that it keeps.
///
/// ```
/// use ioenv::vault::{Sha256Hasher, Token, TokenHash, TokenHasher};
///
/// /// Tokens of another program, which are kept apart from all others.
/// #[derive(Debug)]
/// struct Own;
///
/// impl TokenHasher for Own {
///     fn hash(&self, token: &Token) -> TokenHash {
///         let mut bytes = Sha256Hasher.hash(token).to_bytes();
///         bytes.reverse();
///         TokenHash::from_bytes(bytes)
///     }
/// }
/// ```
pub trait TokenHasher: Debug + Send + Sync {
    /// The hash of a token; the same one every time, because tokens are looked up by it.
    fn hash(&self, token: &Token) -> TokenHash;
}

/// SHA-256 over the whole token. Tokens that are minted here have so many random bits that a fast hash without a salt
/// is enough.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sha256Hasher;

impl TokenHasher for Sha256Hasher {
    fn hash(&self, token: &Token) -> TokenHash {
        TokenHash::of(token.expose_secret())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use proptest::prelude::*;

    use super::*;

    /// Counts through all bytes, from 240 on.
    #[derive(Debug)]
    struct Counter(AtomicU8);

    impl Counter {
        fn new() -> Self {
            Self(AtomicU8::new(240))
        }
    }

    impl Random for Counter {
        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
            Ok(())
        }
    }

    /// Gives one byte forever.
    #[derive(Debug)]
    struct Stuck;

    impl Random for Stuck {
        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            bytes.fill(255);
            Ok(())
        }
    }

    fn token(text: &str) -> Token {
        Token::parse(text).unwrap()
    }

    #[test]
    fn minted_tokens_have_the_form_of_their_service() {
        let organization = OrganizationId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
        // 240 to 247 are 54 to 61 above 186; 248 to 255 are left out; then it starts over.
        let drawn = "stuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl";
        for (format, prefix, length, hint) in [
            (TokenFormat::Ioenv, "ioenv_", 32, "ioenv_stuv…"),
            (
                TokenFormat::DotenvCloud { organization },
                "dotenv_01ARZ3NDEKTSV4RRFFQ69G5FAV_",
                48,
                "dotenv_01ARZ3NDEKTSV4RRFFQ69G5FAV_stuv",
            ),
            (TokenFormat::StashbaseEnvironment, "sb_env_", 32, "sb_env_stuv"),
            (TokenFormat::StashbasePersonal, "sb_personal_", 32, "sb_personal_stuv"),
            (TokenFormat::StashbaseService, "sb_service_", 32, "sb_service_stuv"),
        ] {
            let minted = Token::mint(format, &Counter::new()).unwrap();
            assert_eq!(minted.expose_secret(), format!("{prefix}{}", &drawn[..length]));
            assert_eq!(token(minted.expose_secret()).hint(), hint);
            let json = serde_json::to_string(&format).unwrap();
            assert_eq!(serde_json::from_str::<TokenFormat>(&json).unwrap(), format);
        }
        assert_eq!(Token::mint(TokenFormat::Ioenv, &Stuck).unwrap_err().kind(), ErrorKind::Io);
    }

    #[test]
    fn every_character_is_as_likely_as_any_other() {
        let mut text = String::new();
        // 62 * 64 characters are sixteen rounds through the 248 bytes that count.
        append_random(&mut text, 62 * 64, &Counter::new()).unwrap_or_else(|error| panic!("{error}"));
        for byte in ALPHANUMERIC {
            assert_eq!(text.matches(char::from(*byte)).count(), 64);
        }
    }

    #[test]
    fn shapes_are_checked() {
        let long = "a".repeat(250);
        for good in [
            "ioenv_AbCdEf012345",
            "ioenv_-_-_-_-_-_-_",
            &format!("ioenv_{long}"),
            "dotenv_abc123",
            "dotenv_01ARZ3NDEKTSV4RRFFQ69G5FAV_x|y",
            "sb_personal_x",
            &format!("sb_{}", "a".repeat(509)),
        ] {
            assert_eq!(token(good).expose_secret(), good);
        }
        for bad in [
            "",
            "ioenv_",
            "ioenv_planted0123 ",
            "ioenv_planted.0123",
            "ioenv_plantedabcd",
            &format!("ioenv_planted{long}"),
            "dotenv_",
            "dotenv_planted x",
            "dotenv_planted\n",
            "dotenv_plantedü",
            "sb_",
            &format!("sb_planted{}", "a".repeat(503)),
            " sb_planted",
            "Bearer sb_planted",
            "planted",
        ] {
            let error = Token::parse(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue, "{bad}");
            assert!(!error.to_string().contains("planted"), "{error}");
        }
        let level_key = LevelKey::from_bytes(&[7; 32]).to_text();
        let error = Token::parse(level_key.expose_secret()).unwrap_err();
        assert!(error.to_string().contains("it is a level key"), "{error}");
        let root_key = RootKey::from_bytes(&[7; 32]).to_text();
        let error = Token::parse(root_key.expose_secret()).unwrap_err();
        assert!(error.to_string().contains("it is a root key"), "{error}");
    }

    #[test]
    fn a_hint_gives_little_away() {
        for (text, hint) in [
            ("ioenv_AbCdEf012345", "ioenv_AbCd…"),
            ("dotenv_abc123", "dotenv_"),
            ("dotenv_abcdefghijkl", "dotenv_abcd"),
            ("dotenv_01ARZ3NDEKTSV4RRFFQ69G5FAV_abc", "dotenv_01ARZ3NDEKTSV4RRFFQ69G5FAV_"),
            ("sb_env_short", "sb_env_"),
            ("sb_planted", "sb_"),
            ("sb_env_", "sb_"),
            ("dotenv_planted-and-more_", "dotenv_plan"),
            ("dotenv_planted-and-more_x", "dotenv_plan"),
            ("sb_planted_0123456789ab", "sb_plan"),
            ("dotenv_01ARZ3NDEKTSV4RRFFQ69G5FAV_", "dotenv_01AR"),
        ] {
            assert_eq!(token(text).hint(), hint);
        }
        let shown = format!("{:?} {:?}", token("sb_planted"), Sha256Hasher.hash(&token("sb_planted")));
        assert_eq!(shown, "Token([REDACTED]) TokenHash([REDACTED])");
    }

    #[test]
    fn hashes_are_sha_256_of_the_whole_text() {
        let text = "52323c007441e6899be9093f2a6cab537a47aa8e0b6793f8212937424aca7293";
        let hash = Sha256Hasher.hash(&token("ioenv_AbCdEf012345"));
        assert_eq!(hash.to_string(), text);
        assert!(TokenHash::parse(text).unwrap().matches(&hash));
        assert!(!Sha256Hasher.hash(&token("ioenv_AbCdEf012346")).matches(&hash));
        assert_eq!(serde_json::to_string(&hash).unwrap(), format!("\"{text}\""));
        for bad in ["", &text[2..], &text[1..], &text.to_uppercase(), &format!("{text}00"), &text.replace('5', "g")] {
            assert_eq!(TokenHash::parse(bad).unwrap_err().kind(), ErrorKind::InvalidValue);
        }
    }

    proptest! {
        #[test]
        fn anything_may_be_offered(text in "(ioenv_|dotenv_|sb_|sb_env_)?([a-z_]{0,8}|.{0,40})") {
            if let Ok(token) = Token::parse(&text) {
                let hint = token.hint();
                let shown = hint.trim_end_matches('…');
                prop_assert!(text.starts_with(shown) && shown.len() < text.len());
                prop_assert!(Sha256Hasher.hash(&token).to_string().len() == 64);
            }
            let _ = TokenHash::parse(&text);
        }
    }
}
