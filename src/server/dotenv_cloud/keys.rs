//! The keys that blobs are sealed with.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use super::fields::Fields;
use super::level_request::LevelRequest;
use super::problem::Problem;
use crate::core::blob::SealedBlob;
use crate::core::id::LevelId;
use crate::core::key::Pbkdf2;
use crate::core::refusal::Refusal;
use crate::core::secret::SecretString;
use crate::error::ErrorKind;
use crate::server::reply::{self, Reply};
use crate::server::request_context::{Fault, RequestContext};
use crate::vault::At;
use crate::vault::{
    ClientRotation, Confirmation, Custody, HistoryPolicy, KeyInfo, NewKey, Permission, ProjectKey, Session,
};
use crate::wire::dotenv_cloud::envelope::{Done, Resource, ResourceKind, Single};
use crate::wire::dotenv_cloud::error::ErrorCode;
use crate::wire::dotenv_cloud::key::{
    ClientRotated, Count, CustodyChanged, Derivation, DescribedKey, KeyDescriptor, KeyDocument, KeyEntry, Pending,
    PendingVersion, Reencrypted, Remaining, Rotated, RotatedKey,
};
use crate::wire::plain::Plain;

/// How many versions a request that rotates seals anew at a time, and for how long it begins to.
const STEP: usize = 100;
const MAX_CARRYING_ON: Duration = Duration::from_secs(5);

/// How many versions are sent to be sealed anew, where it is not said.
const PENDING: u64 = 50;
const MAX_PENDING: u64 = 100;
/// Longest texts of them together, so that what comes back is no longer than a request may be.
const MAX_PENDING_BYTES: usize = 2 << 20;

pub(super) fn read(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::KeyRetrieve])?;
    active(&request.session, request.at()?)
}

/// The key in use, as it is sent.
pub(super) fn active(session: &Session<'_>, project: At<'_>) -> Result<Reply, Problem> {
    let key = session.key(project)?;
    if key.custody == Custody::Server && key.derivation.is_none() {
        // Clients would take the text of a random key for one that is padded, and seal with what nobody else has.
        let message =
            "The key of this project is none that clients of this service can use: rotate it once, to get one that is.";
        return Err(Problem::new(StatusCode::NOT_FOUND, ErrorCode::NoActiveEncryptionKey, message));
    }
    let descriptor = KeyDescriptor {
        key: DescribedKey {
            managed: key.custody.into(),
            key: key.text.map(Plain),
            version: key.version,
            derivation: derivation(key.derivation.as_ref()),
            created_at: Some(key.created_at),
        },
    };
    let content = serde_json::to_string(&descriptor).map_err(|_| Fault::defect())?;
    let attributes = KeyDocument { format: "json".to_owned(), encrypted: false, content: Plain(content.into()) };
    let data = Resource { kind: ResourceKind::Key.into(), id: key.version.to_string(), attributes };
    Ok(reply::json(StatusCode::OK, &Single { data }))
}

pub(super) fn history(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::KeyRetrieve])?;
    let keys = request.session.keys(request.at()?)?;
    let data: Vec<KeyEntry> = keys.into_iter().map(entry).collect();
    Ok(reply::json(StatusCode::OK, &Single { data }))
}

/// What is told of a key without its text.
pub(super) fn entry(key: KeyInfo) -> KeyEntry {
    KeyEntry {
        version: key.version.to_string(),
        managed: key.custody.into(),
        key_check: key.proof.map(Plain),
        derivation: derivation(key.derivation.as_ref()),
        is_active: key.is_active,
        created_at: Some(key.created_at),
        rotated_at: key.rotated_at,
    }
}

pub(super) fn rotate(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::KeyRotate])?;
    let policy = request.body(|fields| fields.choice("history_policy").unwrap_or_default())?;
    let session = &request.session;
    // All steps are for the project that is there now, even if another one takes its slug in between.
    let project = At::Id(*session.chain(request.at()?)?.first().ok_or(Fault::defect())?);
    let mut rotated = session.rotate_to_key_string(project, policy);
    if rotated.as_ref().is_err_and(|error| error.kind() == ErrorKind::RotationInProgress) && carry_on(session, project)?
    {
        // Nothing is left of the one before.
        rotated = session.rotate_to_key_string(project, policy);
    }
    let key = rotated?;
    if policy == HistoryPolicy::Reencrypt {
        // The key is in use, whatever becomes of versions: what is left of them, the next rotation takes on.
        let _ = carry_on(session, project);
    }
    let done = Done { data: Rotated { key: rotated_key(key) }, message: "The key was rotated.".to_owned() };
    Ok(reply::json(StatusCode::OK, &done))
}

/// Takes a rotation on, as far as a request may; `true`, if nothing of it is left.
fn carry_on(session: &Session<'_>, project: At<'_>) -> crate::Result<bool> {
    let start = Instant::now();
    loop {
        if session.continue_rotation(project, STEP)?.is_done {
            return Ok(true);
        }
        if start.elapsed() > MAX_CARRYING_ON {
            return Ok(false);
        }
    }
}

fn rotated_key(key: ProjectKey) -> Resource<RotatedKey> {
    let attributes = RotatedKey {
        id: key.version,
        key: key.text.map(Plain),
        version: key.version.to_string(),
        is_active: true,
        created_at: Some(key.created_at),
        managed: key.custody.into(),
        derivation: derivation(key.derivation.as_ref()),
    };
    Resource { kind: ResourceKind::RotatedKey.into(), id: key.version.to_string(), attributes }
}

pub(super) fn rotate_client(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::KeyRotate, Permission::SecretWrite])?;
    let (key, blobs, current_key_proof, policy) = request.body(|fields| {
        let blobs = sealed_anew(fields, "secrets", |id| match id {
            // What can be no id here is not that of a level of the project.
            Value::String(id) => Some(LevelId::parse(&id).ok()),
            _ => None,
        });
        let policy = fields.choice("history_policy").unwrap_or_default();
        (new_client_key(fields), blobs, fields.secret("current_key_proof"), policy)
    })?;
    // What is wrong with it was told.
    let key = key.ok_or(Fault::defect())?;
    let blobs: Option<Vec<(LevelId, SealedBlob)>> = blobs.into_iter().map(|(id, blob)| Some((id?, blob))).collect();
    let Some(blobs) = blobs else {
        request.check()?;
        return Err(invalid_rotation(INCOMPLETE));
    };
    let count = blobs.len();
    let rotation = ClientRotation { key, blobs, current_key_proof, policy };
    let rotated = request.session.rotate_client_key(request.at()?, &rotation);
    rotated.map_err(|error| match (error.kind(), error.refusal()) {
        (_, Some(Refusal::ReusedIv)) => Problem::of_field("secrets", &error),
        (ErrorKind::InvalidValue, _) => invalid_rotation(INCOMPLETE),
        _ => error.into(),
    })?;
    let (message, data) = ("The key was rotated.".to_owned(), Count { count });
    Ok(reply::json(StatusCode::OK, &ClientRotated { success: true, message, data }))
}

const INCOMPLETE: &str = "A key that the project's people hold is rotated with each level that holds something, sealed once with the new key: read all levels again; nothing was stored.";

fn invalid_rotation(message: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, ErrorCode::InvalidKeyRotation, message)
}

/// The key that people hold from now on; nothing, where something is wrong with it.
fn new_client_key(fields: &mut Fields) -> Option<NewKey> {
    let proof = fields.required_secret("key_check");
    let salt = fields.required_text("key_check_salt");
    let iterations = fields.number("key_check_iterations");
    if !proof.expose_secret().is_empty() && decoded_length(proof.expose_secret()) != Some(32) {
        fields.refuse("key_check", "The key check field must be base64 of 32 bytes.");
    }
    if !salt.is_empty() && !decoded_length(&salt).is_some_and(|length| (16..=64).contains(&length)) {
        fields.refuse("key_check_salt", "The key check salt field must be base64 of 16 to 64 bytes.");
    }
    if iterations != Some(Pbkdf2::DEFAULT_ITERATIONS.into()) {
        let message = format!("The key check iterations field must be {}.", Pbkdf2::DEFAULT_ITERATIONS);
        fields.refuse("key_check_iterations", message);
    }
    let derivation = Pbkdf2::new(&BASE64.decode(&salt).ok()?, Pbkdf2::DEFAULT_ITERATIONS.into()).ok()?;
    Some(NewKey::Client { derivation: Some(derivation), proof, hint: None })
}

/// How many bytes are in base64, in the one form that can be compared as text.
fn decoded_length(text: &str) -> Option<usize> {
    BASE64.decode(text).ok().filter(|bytes| BASE64.encode(bytes) == text).map(|bytes| bytes.len())
}

/// A list of `{"id", "content"}`, each content a blob.
fn sealed_anew<T>(fields: &mut Fields, field: &str, id: fn(Value) -> Option<T>) -> Vec<(T, SealedBlob)> {
    let Some(items) = fields.required_list(field) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        if fields.is_full() {
            break;
        }
        let mut members = match item {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        let name = format!("{field}.{index}.id");
        let id = members.remove("id").and_then(id);
        if id.is_none() {
            fields.refuse(&name, format!("The {name} field is required, as it was sent."));
        }
        let name = format!("{field}.{index}.content");
        let content: SecretString = match members.remove("content") {
            Some(Value::String(text)) if !text.is_empty() => text.into(),
            _ => {
                fields.refuse(&name, format!("The {name} field is required."));
                continue;
            }
        };
        all.extend(id.zip(fields.blob(&name, &content)));
    }
    all
}

pub(super) fn pending(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::KeyRotate])?;
    let limit = request.body(|fields| {
        let limit = fields.number("limit").unwrap_or(PENDING);
        if !(1..=MAX_PENDING).contains(&limit) {
            fields.refuse("limit", format!("The limit field must be between 1 and {MAX_PENDING}."));
        }
        limit
    })?;
    let limit = usize::try_from(limit).unwrap_or_default();
    let found = request.session.pending_versions(request.at()?, limit)?;
    let mut data: Vec<PendingVersion> = Vec::new();
    let mut bytes = 0;
    for version in found.versions {
        let blob = version.content.to_string();
        bytes += blob.len();
        if bytes > MAX_PENDING_BYTES && !data.is_empty() {
            break;
        }
        let key_version = version.key_version.to_string();
        data.push(PendingVersion { id: version.id, content: Plain(blob.into()), key_version });
    }
    Ok(reply::json(StatusCode::OK, &Pending { data, meta: Remaining { remaining: found.remaining } }))
}

pub(super) fn reencrypt(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::KeyRotate])?;
    let (versions, proof) = request.body(|fields| {
        let versions = sealed_anew(fields, "versions", |id| match id {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        });
        (versions, fields.secret("key_proof"))
    })?;
    // None at all is missed where the others are compared.
    let proof = proof.unwrap_or_else(|| "".into());
    let done = request.session.reencrypt_versions(request.at()?, &versions, &proof);
    let done = done.map_err(|error| match error.refusal() {
        Some(Refusal::ReusedIv) => Problem::of_field("versions", &error),
        _ => error.into(),
    })?;
    let data = Reencrypted { updated: done.updated, remaining: done.remaining };
    Ok(reply::json(StatusCode::OK, &Single { data }))
}

/// Which way a key goes.
enum Move {
    ToServer(SecretString),
    ToClient(Confirmation),
}

pub(super) fn change_custody(context: &RequestContext) -> Result<Reply, Problem> {
    let request = LevelRequest::read(context, &[Permission::KeyRotate, Permission::KeyRetrieve])?;
    let wanted = request.body(|fields| match fields.required_choice("managed") {
        Some(Custody::Server) => Some(Move::ToServer(fields.required_secret("key"))),
        Some(Custody::Client) => Some(Move::ToClient(fields.confirmation("confirmed"))),
        None => None,
    })?;
    let project = request.at()?;
    // What is wrong with it was told.
    let data = match wanted.ok_or(Fault::defect())? {
        Move::ToServer(key) => {
            request.session.store_key_on_server(project, &key)?;
            CustodyChanged { managed: Custody::Server.into(), key: None }
        }
        Move::ToClient(confirmation) => {
            let key = request.session.move_key_to_client(project, confirmation)?;
            CustodyChanged { managed: Custody::Client.into(), key: Some(Plain(key)) }
        }
    };
    Ok(reply::json(StatusCode::OK, &Done { data, message: "The key has changed hands.".to_owned() }))
}

fn derivation(derivation: Option<&Pbkdf2>) -> Derivation {
    Derivation {
        key_check_salt: derivation.map(|derivation| BASE64.encode(derivation.salt())),
        key_check_iterations: derivation.map(|derivation| derivation.iterations().into()),
    }
}
