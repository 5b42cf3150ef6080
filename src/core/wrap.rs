use std::fmt::{self, Debug, Write as _};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use super::aes_key::{AesKey, KeyText};
use super::blob::SealedBlob;
use super::cipher::{open_bound, seal_bound};
use super::id::{Id, IntegrationId, OrganizationId, ProjectId};
use super::key::LevelKey;
use super::random::Random;
use super::secret::{SecretBytes, SecretString};
use crate::error::{Error, ErrorKind, Result};

/// What stands between two fields of a context. No field can hold it.
const SEPARATOR: char = '\u{1f}';

/// The operator's key, under which a vault's organization KEKs are kept. It is never stored in the vault.
///
/// Its text is `ioenv_root_` and 48 characters, made like those of a [`LevelKey`] with the label `ioenv:root:v1`; so
/// neither passes for the other.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::SystemRandom;
/// use ioenv::vault::RootKey;
///
/// let key = RootKey::generate(&SystemRandom)?;
/// let text = key.to_text();
/// assert!(text.expose_secret().starts_with("ioenv_root_"));
/// RootKey::parse(text.expose_secret())?;
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail
/// println!("{}", ioenv::vault::RootKey::from_bytes(&[0; 32]));
/// ```
#[derive(Clone)]
pub struct RootKey(AesKey);

impl RootKey {
    /// What the text of every root key starts with.
    pub const PREFIX: &str = "ioenv_root_";
    const TEXT: KeyText = KeyText { name: "root key", prefix: Self::PREFIX, label: "ioenv:root:v1" };

    /// Draws a new key.
    ///
    /// # Errors
    /// `Io`, when `random` fails.
    pub fn generate(random: &dyn Random) -> Result<Self> {
        AesKey::generate(random).map(Self)
    }

    /// Takes key bytes that come from elsewhere, such as a key management service or a file of 32 bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(AesKey::from_bytes(bytes))
    }

    /// Reads a key's text, or 32 bytes as 44 characters of standard base64; white space around it is ignored.
    ///
    /// # Errors
    /// `InvalidValue`, which says whether it is another kind of key, or the prefix, the length or the checksum is
    /// wrong.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.starts_with(LevelKey::PREFIX) {
            let message = "this is a level key, not a root key: a root key starts with `ioenv_root_`";
            return Err(Error::new(ErrorKind::InvalidValue, message));
        }
        if text.len() == 44 {
            // The crate wants room for what the padding could have been.
            let mut bytes = Zeroizing::new([0; 33]);
            let length = BASE64.decode_slice(text, bytes.as_mut_slice());
            if let (Ok(32), Some(key)) = (length, bytes.first_chunk()) {
                return Ok(Self::from_bytes(key));
            }
        }
        AesKey::parse(&Self::TEXT, text).map(Self)
    }

    /// The key as text, to be kept where no stranger reads.
    pub fn to_text(&self) -> SecretString {
        self.0.to_text(&Self::TEXT)
    }

    /// The key as what [`wrap`] takes.
    pub(crate) fn as_key(&self) -> &AesKey {
        &self.0
    }
}

impl FromStr for RootKey {
    type Err = Error;

    /// Reads it, as [`parse`](RootKey::parse) does.
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey([REDACTED])")
    }
}

/// The place that wrapped bytes belong to, as associated data: a label, ids and numbers, joined by the byte 0x1F.
///
/// What is wrapped for one place does not open at another. Names are never part of it, so that renaming wraps nothing
/// again.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Context(String);

impl Context {
    /// That of an organization's KEK, which is wrapped under the root key.
    pub(crate) fn organization_kek(organization: OrganizationId, version: u32) -> Self {
        Self::new("ioenv:kek:v1", [Field::Id(organization.into()), version.into()])
    }

    /// That of a project DEK, which is wrapped under the organization's KEK.
    pub(crate) fn project_dek(organization: OrganizationId, project: ProjectId, version: u32) -> Self {
        Self::new("ioenv:dek:v1", [Field::Id(organization.into()), Field::Id(project.into()), version.into()])
    }

    /// That of a row of a project, which is wrapped under the project DEK of that version. `place` are the
    /// ids and numbers that make out the one row among all of `what`.
    pub(crate) fn row(
        organization: OrganizationId,
        project: ProjectId,
        what: Sealed,
        place: &[Field],
        version: u32,
    ) -> Self {
        let fields = [Field::Id(organization.into()), Field::Id(project.into()), Field::Word(what)];
        Self::new("ioenv:row:v1", fields.into_iter().chain(place.iter().copied()).chain([version.into()]))
    }

    /// That of the credentials of an integration of a project, which are wrapped under the project DEK of that
    /// version.
    pub(crate) fn integration(
        organization: OrganizationId,
        project: ProjectId,
        integration: IntegrationId,
        version: u32,
    ) -> Self {
        let fields =
            [Field::Id(organization.into()), Field::Id(project.into()), Field::Id(integration.into()), version.into()];
        Self::new("ioenv:integration:v1", fields)
    }

    fn new(label: &str, fields: impl IntoIterator<Item = Field>) -> Self {
        let mut text = label.to_owned();
        for field in fields {
            text.push(SEPARATOR);
            match field {
                Field::Id(id) => write!(text, "{id}"),
                Field::Number(number) => write!(text, "{number}"),
                Field::Word(what) => text.write_str(what.as_str()),
            }
            .expect("invariant: writing into a string does not fail");
        }
        Self(text)
    }
}

impl Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({})", self.0.replace(SEPARATOR, " "))
    }
}

/// A part of a [`Context`]. It is no text, so that no two lists of fields are joined to the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// An id, written as a ULID.
    Id(Id),
    /// A number, such as a version, written in decimal without leading zeros.
    Number(u64),
    /// The kind of a row.
    Word(Sealed),
}

impl<T: Into<Id>> From<T> for Field {
    fn from(id: T) -> Self {
        Self::Id(id.into())
    }
}

impl From<u64> for Field {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Field {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

/// What kind of row is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sealed {
    /// When the entries of a level were last read.
    Access,
    /// The document of a level, or of one version of it.
    Blob,
    /// What shows that a root key is the right one.
    Check,
    /// What is known of the entries of a document beside their values.
    Entries,
    /// The text of the key that blobs are sealed with.
    KeyText,
    /// The bytes of that key.
    KeyBytes,
    /// The proof that a client holds a key.
    KeyProof,
    /// What a webhook's requests are signed with.
    SigningSecret,
    /// What an integration has written at a service.
    Written,
}

impl Sealed {
    fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Blob => "blob",
            Self::Check => "check",
            Self::Entries => "entries",
            Self::KeyBytes => "key-bytes",
            Self::KeyText => "key-text",
            Self::KeyProof => "key-proof",
            Self::SigningSecret => "signing-secret",
            Self::Written => "written",
        }
    }
}

/// Encrypts `plaintext` for the place that `context` names: `nonce(12) ‖ ciphertext ‖ tag(16)`, AES-256-GCM.
///
/// # Errors
/// `Io`, when `random` fails; `Limit`, when the plaintext is beyond what the cipher can take.
///
/// # Security
/// Nonces are drawn at random. Keep one key below 2^32 calls.
pub(crate) fn wrap(key: &AesKey, context: &Context, plaintext: &[u8], random: &dyn Random) -> Result<Vec<u8>> {
    seal_bound(key, context.0.as_bytes(), plaintext, random)
}

/// Decrypts what [`wrap`] made, or says nothing about why not.
///
/// # Errors
/// `DecryptionFailed`, for whatever is wrong: the key, the place or the bytes.
pub(crate) fn unwrap(key: &AesKey, context: &Context, bytes: &[u8]) -> Result<SecretBytes> {
    open(key, context.0.as_bytes(), bytes)
}

/// Wraps a key under another one. 60 bytes.
///
/// # Errors
/// `Io`, when `random` fails.
pub(crate) fn wrap_key(under: &AesKey, context: &Context, key: &AesKey, random: &dyn Random) -> Result<Vec<u8>> {
    wrap(under, context, key.expose_bytes(), random)
}

/// Gets a key back that [`wrap_key`] wrapped.
///
/// # Errors
/// `DecryptionFailed`, for whatever is wrong.
pub(crate) fn unwrap_key(under: &AesKey, context: &Context, bytes: &[u8]) -> Result<AesKey> {
    let key = unwrap(under, context, bytes)?;
    key.expose_secret().try_into().map(AesKey::from_bytes).map_err(|_| failed())
}

fn open(key: &AesKey, associated: &[u8], bytes: &[u8]) -> Result<SecretBytes> {
    let (nonce, rest) = bytes.split_at_checked(SealedBlob::IV_BYTES).ok_or_else(failed)?;
    let tag_at = rest.len().checked_sub(SealedBlob::TAG_BYTES).ok_or_else(failed)?;
    let (ciphertext, tag) = rest.split_at(tag_at);
    open_bound(key, associated, (nonce, ciphertext, tag)).ok_or_else(failed)
}

#[cold]
fn failed() -> Error {
    Error::new(
        ErrorKind::DecryptionFailed,
        "decryption failed: the key is not the right one, or what is stored was changed or moved",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::clock::Timestamp;

    /// Draws what a vector says.
    #[derive(Debug)]
    struct Fixed(Vec<u8>);

    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            bytes.copy_from_slice(&self.0[..bytes.len()]);
            Ok(())
        }
    }

    fn id<T: From<Id>>(text: &str) -> T {
        Id::parse(text).unwrap().into()
    }

    fn kind(result: Result<SecretBytes>) -> ErrorKind {
        result.unwrap_err().kind()
    }

    #[test]
    fn a_root_key_has_a_text_of_its_own() {
        let key = RootKey::from_bytes(&[7; 32]);
        let text = key.to_text();
        let text = text.expose_secret();
        assert_eq!(text.len(), 59);
        assert_eq!(RootKey::parse(&format!(" {text}\n")).unwrap().0.expose_bytes(), &[7; 32]);
        let base64 = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
        assert_eq!(RootKey::parse(base64).unwrap().0.expose_bytes(), &[7; 32]);

        // The same 48 characters under the other prefix.
        let level_key = text.replace("ioenv_root_", "ioenv_key_");
        assert!(LevelKey::parse(&level_key).unwrap_err().to_string().contains("typo"));
        assert!(RootKey::parse(&level_key).unwrap_err().to_string().contains("this is a level key"));
        assert!(LevelKey::parse(text).unwrap_err().to_string().contains("ioenv_key_"));
        for bad in ["", "ioenv_root_", &base64[1..], &base64.replace('=', "A"), &text[..58], &format!("{text}A")] {
            let error = RootKey::parse(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            assert!(error.to_string().contains("root key"), "{error}");
        }
        assert_eq!(format!("{key:?}"), "RootKey([REDACTED])");
    }

    #[test]
    fn contexts_are_spelled_out() {
        let (a, b) =
            (id::<OrganizationId>("01ARZ3NDEKTSV4RRFFQ69G5FAV"), id::<ProjectId>("01BX5ZZKBKACTAV9WEVGEMMVRZ"));
        let spelled = |context: Context| context.0.replace('\u{1f}', "|");
        assert_eq!(spelled(Context::organization_kek(a, 1)), "ioenv:kek:v1|01ARZ3NDEKTSV4RRFFQ69G5FAV|1");
        assert_eq!(
            spelled(Context::project_dek(a, b, 12)),
            "ioenv:dek:v1|01ARZ3NDEKTSV4RRFFQ69G5FAV|01BX5ZZKBKACTAV9WEVGEMMVRZ|12"
        );
        assert_eq!(
            spelled(Context::integration(a, b, Id::from(a).into(), 3)),
            "ioenv:integration:v1|01ARZ3NDEKTSV4RRFFQ69G5FAV|01BX5ZZKBKACTAV9WEVGEMMVRZ|01ARZ3NDEKTSV4RRFFQ69G5FAV|3"
        );
        assert_eq!(
            spelled(Context::row(a, b, Sealed::Blob, &[a.into(), 7_u64.into()], 2)),
            "ioenv:row:v1|01ARZ3NDEKTSV4RRFFQ69G5FAV|01BX5ZZKBKACTAV9WEVGEMMVRZ|blob|01ARZ3NDEKTSV4RRFFQ69G5FAV|7|2"
        );
    }

    #[test]
    fn keys_are_wrapped_and_nothing_shorter_passes_for_one() {
        let (root, key) = (AesKey::from_bytes(&[1; 32]), AesKey::from_bytes(&[2; 32]));
        let context = Context::organization_kek(id("01ARZ3NDEKTSV4RRFFQ69G5FAV"), 1);
        let random = Fixed(vec![9; 12]);
        let wrapped = wrap_key(&root, &context, &key, &random).unwrap();
        assert_eq!(wrapped.len(), 60);
        assert_eq!(unwrap_key(&root, &context, &wrapped).unwrap().expose_bytes(), &[2; 32]);
        let short = wrap(&root, &context, &[2; 31], &random).unwrap();
        assert_eq!(unwrap_key(&root, &context, &short).err().unwrap().kind(), ErrorKind::DecryptionFailed);
    }

    #[test]
    fn a_row_opens_in_its_place_alone() {
        let root = RootKey::from_bytes(&[1; 32]);
        let (organization, project) = (id("01ARZ3NDEKTSV4RRFFQ69G5FAV"), id("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
        let context = Context::row(organization, project, Sealed::Blob, &[Field::Number(3)], 1);
        let bytes = wrap(root.as_key(), &context, b"PORT=8080\n", &Fixed(vec![9; 12])).unwrap();
        assert_eq!(unwrap(root.as_key(), &context, &bytes).unwrap().expose_secret(), b"PORT=8080\n");
        let another = Context::row(organization, project, Sealed::Blob, &[Field::Number(4)], 1);
        assert_eq!(kind(unwrap(root.as_key(), &another, &bytes)), ErrorKind::DecryptionFailed);
    }

    mod vectors {
        use serde_json::Value;
        use sha2::{Digest as _, Sha256};

        use super::*;

        fn unhex(value: &Value) -> Vec<u8> {
            base16ct::lower::decode_vec(value.as_str().unwrap()).unwrap()
        }

        #[test]
        fn the_envelope_is_right_to_the_byte() {
            let vectors = include_str!("../../tests/vectors/ioenv-envelope.json");
            let vectors: Value = serde_json::from_str(vectors).unwrap();
            for case in vectors["wraps"].as_array().unwrap() {
                let fields: Vec<&str> = case["context"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                let associated = fields.join("\u{1f}");
                let key = AesKey::from_bytes(&unhex(&case["key"]).try_into().unwrap());
                let (plaintext, wrapped) = (unhex(&case["plaintext"]), unhex(&case["wrapped"]));
                assert_eq!(associated.as_bytes(), unhex(&case["associated_data"]), "{}", case["name"]);
                let random = Fixed(unhex(&case["nonce"]));
                let sealed = seal_bound(&key, associated.as_bytes(), &plaintext, &random).unwrap();
                assert_eq!(sealed, wrapped, "{}", case["name"]);
                assert_eq!(open(&key, associated.as_bytes(), &wrapped).unwrap().expose_secret(), plaintext);
            }
            for case in vectors["sha256"].as_array().unwrap() {
                let hash = Sha256::digest(case["text"].as_str().unwrap());
                assert_eq!(hash.as_slice(), unhex(&case["hash"]));
            }
            for case in vectors["hkdf_sha256"].as_array().unwrap() {
                let mut derived = [0; 32];
                let (key, info) = (case["key"].as_str().unwrap(), case["info"].as_str().unwrap());
                hkdf::Hkdf::<Sha256>::new(Some(&unhex(&case["salt"])), key.as_bytes())
                    .expand(info.as_bytes(), &mut derived)
                    .unwrap();
                assert_eq!(derived.as_slice(), unhex(&case["derived"]));
            }
        }
    }

    fn an_id<T: From<Id> + Debug>() -> impl Strategy<Value = T> {
        (0..1_i64 << 40, any::<[u8; 10]>())
            .prop_map(|(millis, random)| Id::from_parts(Timestamp::from_millis(millis).unwrap(), random).into())
    }

    proptest! {
        #[test]
        fn every_field_and_every_bit_counts(
            (org, project, level) in (an_id::<OrganizationId>(), an_id::<ProjectId>(), an_id::<Id>()),
            (number, version) in (any::<u64>(), any::<u32>()),
            plaintext: Vec<u8>,
            flip: prop::sample::Index,
        ) {
            let key = AesKey::from_bytes(&[5; 32]);
            let place = [level.into(), number.into()];
            let context = Context::row(org, project, Sealed::Blob, &place, version);
            let wrapped = wrap(&key, &context, &plaintext, &Fixed(vec![3; 12])).unwrap();
            prop_assert_eq!(wrapped.len(), 28 + plaintext.len());
            let opened = unwrap(&key, &context, &wrapped).unwrap();
            prop_assert_eq!(opened.expose_secret(), &plaintext[..]);

            let other = Id::from_parts(Timestamp::MAX, [0; 10]);
            for elsewhere in [
                Context::row(other.into(), project, Sealed::Blob, &place, version),
                Context::row(org, other.into(), Sealed::Blob, &place, version),
                Context::row(org, project, Sealed::KeyText, &place, version),
                Context::row(org, project, Sealed::Blob, &[other.into(), number.into()], version),
                Context::row(org, project, Sealed::Blob, &[level.into(), number.wrapping_add(1).into()], version),
                Context::row(org, project, Sealed::Blob, &[level.into()], version),
                Context::row(org, project, Sealed::Blob, &[number.into(), level.into()], version),
                Context::row(org, project, Sealed::Blob, &place, version.wrapping_add(1)),
                Context::project_dek(org, project, version),
                Context::organization_kek(org, version),
            ] {
                prop_assert_eq!(kind(unwrap(&key, &elsewhere, &wrapped)), ErrorKind::DecryptionFailed);
            }

            let mut changed = wrapped.clone();
            let bit = flip.index(changed.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(kind(unwrap(&key, &context, &changed)), ErrorKind::DecryptionFailed);
            prop_assert_eq!(kind(unwrap(&key, &context, &wrapped[..flip.index(wrapped.len())])), ErrorKind::DecryptionFailed);
            let another = AesKey::from_bytes(&[6; 32]);
            prop_assert_eq!(kind(unwrap(&another, &context, &wrapped)), ErrorKind::DecryptionFailed);
        }
    }
}
