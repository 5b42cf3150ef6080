//! A project as dotenv.cloud's clients find it, and what they do with keys.

use ioenv::dotenv_cloud::KeyProof;
use ioenv::server::Server;
use ioenv::vault::{
    At, Custody, NewEnvironment, NewKey, NewProject, NewTarget, PermissionSet, SecretFormat, Vocabulary,
};
use ioenv::{
    Aes256Gcm, Cipher as _, Document, KeyDerivation as _, KeyString, LevelKey, Pbkdf2, SealedBlob, SystemRandom,
};
use serde_json::{Value, json};

use super::super::stage::{Client, Stage, path};

/// Acme with its project `orbit-shop`, that with its target `api`, and that with `production` and `staging`.
pub(super) struct World {
    pub(super) stage: Stage,
    /// Where all of Acme is.
    pub(super) base: String,
}

impl World {
    pub(super) fn new(key: NewKey) -> Self {
        Self::with_format(key, SecretFormat::Env)
    }

    pub(super) fn with_format(key: NewKey, format: SecretFormat) -> Self {
        Self::on(Stage::memory(), key, format)
    }

    /// Where requests are counted.
    pub(super) fn limited(key: NewKey) -> Self {
        Self::on(Stage::with(Server::rate_limited), key, SecretFormat::Env)
    }

    fn on(stage: Stage, key: NewKey, format: SecretFormat) -> Self {
        let system = stage.system();
        let new = NewProject::new("Orbit Shop").key(key).secret_format(format);
        system.create_project(stage.acme, &new).unwrap();
        system.create_target(At::Path(stage.acme, &path("orbit-shop")), &NewTarget::new("api")).unwrap();
        for name in ["production", "staging"] {
            system
                .create_environment(At::Path(stage.acme, &path("orbit-shop/api")), &NewEnvironment::new(name))
                .unwrap();
        }
        let base = format!("/api/v1/{}", stage.acme);
        Self { stage, base }
    }

    /// A client that may do what these words of the service say, bound to a place or not.
    pub(super) fn client(&self, words: &[&str], scope: Option<&str>) -> Client {
        let permissions = Vocabulary::DotenvCloud.parse(words).unwrap();
        self.stage.client(&self.stage.token(permissions, scope))
    }

    /// A client that may do everything.
    pub(super) fn admin(&self) -> Client {
        self.stage.client(&self.stage.token(PermissionSet::ALL, None))
    }

    /// Writes dotenv text to a level, which the vault can do where it holds the key.
    pub(super) fn write(&self, level: &str, text: &str) {
        self.stage
            .system()
            .set_document(At::Path(self.stage.acme, &path(level)), &Document::parse(text).unwrap())
            .unwrap();
    }

    /// The key, as the vault tells whoever may have it.
    pub(super) fn holder(&self) -> Holder {
        Holder::of_descriptor(&self.admin().get(&format!("{}/orbit-shop/encryption-key", self.base)).json(200), None)
    }

    pub(super) fn is_client_managed(&self) -> bool {
        let project = self.stage.system().project(At::Path(self.stage.acme, &path("orbit-shop"))).unwrap();
        project.custody == Custody::Client
    }
}

/// Whoever has a key.
#[derive(Debug)]
pub(crate) struct Holder {
    pub(crate) derivation: Pbkdf2,
    pub(crate) data: LevelKey,
    pub(crate) proof: String,
}

impl Holder {
    /// With a new salt.
    pub(crate) fn new(key: &str) -> Self {
        Self::with(key, Pbkdf2::generate(&SystemRandom).unwrap())
    }

    pub(super) fn with(key: &str, derivation: Pbkdf2) -> Self {
        let key = KeyString::new(key).unwrap();
        let data = derivation.derive(&key).unwrap();
        let proof = KeyProof::new(&key, &derivation).to_text().expose_secret().to_owned();
        Self { derivation, data, proof }
    }

    /// As a client does it that reads what the server says of the key: with the key string in that, or its own one.
    pub(super) fn of_descriptor(answer: &Value, own: Option<&str>) -> Self {
        let key = inner(answer);
        let salt = base64(key["key_check_salt"].as_str().unwrap());
        let derivation = Pbkdf2::new(&salt, key["key_check_iterations"].as_i64().unwrap()).unwrap();
        Self::with(own.unwrap_or_else(|| key["key"].as_str().unwrap()), derivation)
    }

    /// As the key of a project whose people hold it.
    pub(crate) fn to_new_key(&self) -> NewKey {
        let derivation = Some(self.derivation.clone());
        NewKey::Client { derivation, proof: self.proof.as_str().into(), hint: None }
    }

    /// What is said of it where it becomes that of a project.
    pub(crate) fn to_check(&self) -> Value {
        json!({
            "key_check": self.proof, "key_check_salt": to_base64(self.derivation.salt()),
            "key_check_iterations": self.derivation.iterations(),
        })
    }

    pub(crate) fn seal(&self, text: &str) -> String {
        Aes256Gcm.seal(&self.data, text.as_bytes(), &SystemRandom).unwrap().to_string()
    }

    pub(super) fn open(&self, content: &Value) -> String {
        let text = Aes256Gcm.open(&self.data, &content.as_str().unwrap().parse().unwrap()).unwrap();
        String::from_utf8(text.expose_secret().to_vec()).unwrap()
    }
}

/// What is in the text that describes a key.
pub(super) fn inner(answer: &Value) -> Value {
    let content = answer["data"]["attributes"]["content"].as_str().unwrap();
    serde_json::from_str::<Value>(content).unwrap()["key"].clone()
}

/// A blob's text is base64, too.
fn base64(text: &str) -> Vec<u8> {
    // 28 more bytes make any base64 of 16, which ends with `==`, long enough for a blob.
    let padded = format!("{}{}", "AAAA".repeat(10), text);
    padded.parse::<SealedBlob>().unwrap().as_bytes()[30..].to_vec()
}

fn to_base64(bytes: &[u8]) -> String {
    let padded = [[0; 30].as_slice(), bytes].concat();
    SealedBlob::from_bytes(padded).unwrap().to_string()[40..].to_owned()
}

/// The other object with these members put over its own.
pub(crate) fn over(mut object: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}
