//! What a webhook is sent, how it is signed, and how a receiver tells that it is genuine.

use std::fmt;

use ctutils::CtEq as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use serde_json::Value;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::clock::Timestamp;
use super::id::Id;
use super::random::Random;
use super::secret::SecretString;
use super::token::append_random;
use crate::error::Result;

/// How far the clocks of sender and receiver may be apart, in seconds.
const TOLERANCE: u64 = 300;
/// What a new signing secret begins with.
const SECRET_PREFIX: &str = "whsec_";

/// Why a request is not to be taken for a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "receivers and senders have agreed on these three")]
pub enum VerifyError {
    /// There is no body, or it is not JSON.
    InvalidPayload,
    /// There is no signature, or it is not the one of this body under this secret.
    InvalidSignature,
    /// It was signed more than 300 seconds ago, or as long ahead: it may be one that was sent before.
    TimestampTooOld,
}

impl VerifyError {
    /// The reason as a word: `invalid_payload`, `invalid_signature` or `timestamp_too_old`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidPayload => "invalid_payload",
            Self::InvalidSignature => "invalid_signature",
            Self::TimestampTooOld => "timestamp_too_old",
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::error::Error for VerifyError {}

/// What a webhook tells of. Of a member that the sender left out, or sent as something else, there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Its id, `evt_…`: the same in all attempts, so that a receiver can tell one that it has seen.
    pub id: Option<String>,
    /// What happened: `secrets.updated`.
    pub kind: Option<String>,
    /// When it happened, in whole seconds.
    pub created_at: Option<Timestamp>,
    /// Whether it did: a test says `false`.
    pub live_mode: Option<bool>,
    /// The id of the organization, `wks_…`.
    pub workspace: Option<String>,
    /// The id of the project, `proj_…`.
    pub project: Option<String>,
    /// The name of the project.
    pub project_name: Option<String>,
    /// The id of the environment, `env_…`.
    pub environment: Option<String>,
    /// The name of the environment.
    pub environment_name: Option<String>,
    /// Whether the environment is one of production.
    pub is_production: Option<bool>,
}

impl Event {
    fn read(value: &Value) -> Self {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let seconds = value.get("created_at").and_then(Value::as_i64);
        Self {
            id: text("/id"),
            kind: text("/type"),
            created_at: seconds.and_then(|seconds| Timestamp::from_millis(seconds.checked_mul(1000)?)),
            live_mode: value.get("live_mode").and_then(Value::as_bool),
            workspace: text("/data/workspace/id"),
            project: text("/data/project/id"),
            project_name: text("/data/project/name"),
            environment: text("/data/environment/id"),
            environment_name: text("/data/environment/name"),
            is_production: value.pointer("/data/environment/is_production").and_then(Value::as_bool),
        }
    }
}

/// What a body is made of; its members stand in this order.
#[derive(Serialize)]
pub(crate) struct EventBody<'a> {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) created_at: i64,
    pub(crate) live_mode: bool,
    pub(crate) data: EventData<'a>,
}

#[derive(Serialize)]
pub(crate) struct EventData<'a> {
    pub(crate) workspace: Workspace<'a>,
    pub(crate) project: Project<'a>,
    pub(crate) environment: Environment<'a>,
}

#[derive(Serialize)]
pub(crate) struct Workspace<'a> {
    pub(crate) id: String,
    pub(crate) name: &'a str,
    pub(crate) slug: &'a str,
}

#[derive(Serialize)]
pub(crate) struct Project<'a> {
    pub(crate) id: String,
    pub(crate) name: &'a str,
}

#[derive(Serialize)]
pub(crate) struct Environment<'a> {
    pub(crate) id: String,
    pub(crate) name: &'a str,
    pub(crate) is_production: bool,
}

impl<'a> EventBody<'a> {
    /// That entries of an environment have changed.
    pub(crate) fn secrets_updated(id: Id, created_at: Timestamp, live_mode: bool, data: EventData<'a>) -> Self {
        let created_at = created_at.as_millis() / 1000;
        Self { id: id.to_prefixed("evt"), kind: "secrets.updated", created_at, live_mode, data }
    }

    /// The body as it is sent.
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("invariant: texts, numbers and truths can be written as JSON")
    }
}

/// Draws a new signing secret: `whsec_` and 32 letters and digits.
///
/// # Errors
/// `Io`, when `random` fails.
pub(crate) fn new_signing_secret(random: &dyn Random) -> Result<SecretString> {
    let mut text = Zeroizing::new(String::with_capacity(SECRET_PREFIX.len() + 32));
    text.push_str(SECRET_PREFIX);
    append_random(&mut text, 32, random)?;
    Ok(std::mem::take(&mut *text).into())
}

/// The header `stashbase-signature` of a body that is sent at that time.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::{SecretString, vault::Timestamp, webhook};
///
/// let secret = SecretString::from("whsec_4fJ2kQ9xT7bN1mZ6");
/// let now: Timestamp = "2025-10-09T08:53:20Z".parse()?;
/// let header = webhook::sign(br#"{"id":"evt_1","type":"secrets.updated"}"#, &secret, now);
/// assert_eq!(header, "1760000000.e3cd22516f19bfc1539677823f9835e572a3e3e0fc5a62934f2a2dda3e9e62ab");
/// # Ok(())
/// # }
/// ```
pub fn sign(body: &[u8], secret: &SecretString, now: Timestamp) -> String {
    signature(body, secret, now.as_millis() / 1000)
}

fn signature(body: &[u8], secret: &SecretString, seconds: i64) -> String {
    let header = format!("{seconds}.");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("invariant: HMAC takes keys of any length");
    mac.update(header.as_bytes());
    mac.update(body);
    header + &base16ct::lower::encode_string(&mac.finalize().into_bytes())
}

/// Tells whether a request is a genuine webhook, and what it tells of.
///
/// `body` is the body as it came, byte for byte; `header` the header `stashbase-signature`; `secret` the webhook's whole
/// signing secret, with its prefix. The clocks may be 300 seconds apart. The signature is compared in constant time.
///
/// # Errors
/// The first of these that is wrong: no body, no signature, no time in it, a time that is too far off, another signature,
/// a body that is not JSON.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ioenv::webhook::{self, VerifyError};
/// use ioenv::{SecretString, vault::Timestamp};
///
/// let secret = SecretString::from("whsec_4fJ2kQ9xT7bN1mZ6");
/// let now: Timestamp = "2025-10-09T08:53:20Z".parse()?;
/// let body = br#"{"id":"evt_1","type":"secrets.updated"}"#;
/// let header = "1760000000.e3cd22516f19bfc1539677823f9835e572a3e3e0fc5a62934f2a2dda3e9e62ab";
/// let event = webhook::verify(body, header, &secret, now)?;
/// assert_eq!(event.kind.as_deref(), Some("secrets.updated"));
/// assert_eq!(webhook::verify(b"{}", header, &secret, now), Err(VerifyError::InvalidSignature));
/// # Ok(())
/// # }
/// ```
pub fn verify(body: &[u8], header: &str, secret: &SecretString, now: Timestamp) -> Result<Event, VerifyError> {
    if body.is_empty() {
        return Err(VerifyError::InvalidPayload);
    }
    let seconds = leading_integer(header).ok_or(VerifyError::InvalidSignature)?;
    if (now.as_millis() / 1000).abs_diff(seconds) > TOLERANCE {
        return Err(VerifyError::TimestampTooOld);
    }
    let expected = signature(body, secret, seconds);
    // What is compared is all of it: a time that is spelled in another way is another signature.
    if !expected.as_bytes().ct_eq(header.as_bytes()).to_bool() {
        return Err(VerifyError::InvalidSignature);
    }
    let value: Value = serde_json::from_slice(body).map_err(|_| VerifyError::InvalidPayload)?;
    Ok(Event::read(&value))
}

/// The number that a text begins with, behind white space and perhaps a sign. What is too large is held at the end.
fn leading_integer(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit);
    let number = digits.fold(None, |number: Option<i64>, digit| {
        Some(number.unwrap_or(0).saturating_mul(10).saturating_add((digit - b'0').into()))
    })?;
    Some(if text.starts_with('-') { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_read_as_far_as_it_is_one() {
        for (text, expected) in [
            ("1760000000.ab", Some(1_760_000_000)),
            (" \t+5s.ab", Some(5)),
            ("-5.ab", Some(-5)),
            ("99999999999999999999999.", Some(i64::MAX)),
            ("-99999999999999999999999.", Some(-i64::MAX)),
            ("5", Some(5)),
            ("", None),
            (".5", None),
            ("-", None),
            ("+-5", None),
            ("x5", None),
        ] {
            assert_eq!(leading_integer(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_body_is_right_to_the_byte() {
        let id = Id::parse_prefixed("evt", "evt_02WP8qFtGJTkHk10j5u4aZ").unwrap();
        let environment = Environment { id: id.to_prefixed("env"), name: "api-dev", is_production: false };
        let project = Project { id: id.to_prefixed("proj"), name: "a \"project\"" };
        let data = EventData {
            workspace: Workspace { id: id.to_prefixed("wks"), name: "Acorn", slug: "acorn" },
            project,
            environment,
        };
        let time = Timestamp::from_millis(1_760_000_000_999).unwrap();
        let body = EventBody::secrets_updated(id, time, true, data).to_text();
        let expected = concat!(
            r#"{"id":"evt_02WP8qFtGJTkHk10j5u4aZ","type":"secrets.updated","created_at":1760000000,"live_mode":true,"#,
            r#""data":{"workspace":{"id":"wks_02WP8qFtGJTkHk10j5u4aZ","name":"Acorn","slug":"acorn"},"#,
            r#""project":{"id":"proj_02WP8qFtGJTkHk10j5u4aZ","name":"a \"project\""},"#,
            r#""environment":{"id":"env_02WP8qFtGJTkHk10j5u4aZ","name":"api-dev","is_production":false}}}"#,
        );
        assert_eq!(body, expected);
    }
}
