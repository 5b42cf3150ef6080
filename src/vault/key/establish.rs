use crate::core::dotenv_cloud::KeyProof;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ctutils::CtEq as _;

use crate::core::custody::Custody;
use crate::core::key::{KeyString, LevelKey, Pbkdf2};
use crate::core::random::Random;
use crate::core::secret::SecretString;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::envelope::Row;
use crate::vault::key_cache::KeyCache;
use crate::vault::operation::OperationContext;
use crate::vault::records::{DerivationRecord, KeyRecord, ProjectRecord};

/// A key that the blobs of a project are to be sealed with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NewKey {
    /// Held by the project's people, who say how it is derived and prove that they have it. The proof is base64 of 32
    /// bytes: that of [`KeyProof::new`] where there is a derivation, that of [`KeyProof::of`] where there is none.
    Client {
        /// How the key string becomes the key; none, if it is a random key.
        derivation: Option<Pbkdf2>,
        /// What will have to be shown with each write.
        proof: SecretString,
        /// A reminder of where the key is, which is no secret.
        hint: Option<String>,
    },
    /// Held by the vault: 32 random bytes. It is never stretched.
    Random,
    /// Held by the vault: a key string, as dotenv.cloud's clients expect one, stretched with a new salt. One is drawn,
    /// where none is given.
    String(Option<KeyString>),
}

/// A [`NewKey`], with all that takes long behind it.
pub(in crate::vault) enum PreparedKey {
    Client { derivation: Option<Pbkdf2>, proof: SecretString, hint: Option<String> },
    Server { derivation: Option<Pbkdf2>, text: SecretString, data: LevelKey, proof: SecretString },
}

impl NewKey {
    pub(in crate::vault) fn prepare(self, cache: &KeyCache, random: &dyn Random) -> Result<PreparedKey> {
        match self {
            Self::Client { derivation, proof, hint } => {
                check_proof(&proof)?;
                if let Some(derivation) = &derivation
                    && (derivation.iterations() != Pbkdf2::DEFAULT_ITERATIONS
                        || !(16..=64).contains(&derivation.salt().len()))
                {
                    let message = "a new key is stretched 600,000 times, with a salt of 16 to 64 bytes";
                    return Err(Error::new(ErrorKind::InvalidValue, message));
                }
                Ok(PreparedKey::Client { derivation, proof, hint })
            }
            Self::Random => {
                let data = LevelKey::generate(random)?;
                let proof = KeyProof::of(&data).to_text();
                Ok(PreparedKey::Server { derivation: None, text: data.to_text(), data, proof })
            }
            Self::String(key) => {
                let key = match key {
                    Some(key) => key,
                    None => KeyString::generate(random)?,
                };
                let derivation = Pbkdf2::generate(random)?;
                // Its people may hold it one day, and its proof must not give it away then.
                let proof = KeyProof::establish(&key, &derivation)?.to_text();
                let data = cache.derive(&derivation, &key)?;
                Ok(PreparedKey::Server { derivation: Some(derivation), text: key.to_text(), data, proof })
            }
        }
    }
}

impl PreparedKey {
    pub(in crate::vault) fn custody(&self) -> Custody {
        match self {
            Self::Client { .. } => Custody::Client,
            Self::Server { .. } => Custody::Server,
        }
    }
}

impl OperationContext<'_, '_> {
    /// What is stored of a key.
    pub(in crate::vault) fn key_record(
        &mut self,
        project: &ProjectRecord,
        version: u32,
        key: &PreparedKey,
    ) -> Result<KeyRecord> {
        let (derivation, text, data, proof, hint) = match key {
            PreparedKey::Client { derivation, proof, hint } => (derivation, None, None, proof, hint.clone()),
            PreparedKey::Server { derivation, text, data, proof } => (derivation, Some(text), Some(data), proof, None),
        };
        let text = match text {
            Some(text) => Some(self.seal_row(project, Row::KeyText(version), text.expose_secret().as_bytes())?),
            None => None,
        };
        let data = match data {
            Some(data) => Some(self.seal_row(project, Row::KeyBytes(version), data.expose_bytes())?),
            None => None,
        };
        Ok(KeyRecord {
            version,
            custody: key.custody(),
            derivation: derivation.as_ref().map(|derivation| DerivationRecord {
                salt: BASE64.encode(derivation.salt()),
                iterations: derivation.iterations(),
            }),
            check: Some(self.seal_row(project, Row::KeyProof(version), proof.expose_secret().as_bytes())?),
            hint,
            created_at: self.now,
            rotated_at: None,
            text,
            data,
            seals: 0,
            dek_version: project.dek_version,
        })
    }
}

impl OperationContext<'_, '_> {
    /// Lets a write to a client-managed project through, if it comes with the proof of the key in use.
    pub(in crate::vault) fn check_proof(
        &mut self,
        project: &ProjectRecord,
        proof: Option<&SecretString>,
    ) -> Result<()> {
        let record = self.active_key(project)?;
        let (Some(check), Some(proof)) = (&record.check, proof.filter(|proof| !proof.expose_secret().is_empty()))
        else {
            let message = "this project's key is held by its people: send the proof of the key along";
            return Err(Error::new(ErrorKind::KeyProofRequired, message));
        };
        let check = self.open_row(project, Row::KeyProof(record.version), record.dek_version, check)?;
        if check.expose_secret().ct_eq(proof.expose_secret().as_bytes()).to_bool() {
            return Ok(());
        }
        let message =
            "the proof is not that of the project's key: seal and prove with the key in use; nothing was stored";
        Err(Error::new(ErrorKind::KeyProofMismatch, message))
    }
}

/// A proof is base64 of 32 bytes, in the one form that can be compared as text.
pub(in crate::vault) fn check_proof(proof: &SecretString) -> Result<()> {
    let text = proof.expose_secret();
    let is_canonical = BASE64.decode(text).is_ok_and(|bytes| bytes.len() == 32 && BASE64.encode(&bytes) == text);
    if is_canonical {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidValue, "the proof of a key is 44 characters of base64, which hold 32 bytes"))
}
