//! One request and its answer, whichever service it is of.

use std::future::{Future, ready};
use std::net::{IpAddr, Ipv4Addr};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, MatchedPath, Query, RawPathParams, State as Extracted};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use axum::routing::{self, MethodFilter, MethodRouter};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use tokio::time::{sleep, timeout};

use crate::error::{Error, ErrorKind, Result};
use crate::server::client_address::ClientAddress;
use crate::server::connection_table::Connection;
use crate::server::daily_quota::{Daily, DailyQuota};
use crate::server::log::Cause;
use crate::server::rate_limit::{Bucket, MINUTE, Quota, RateLimiter};
use crate::server::reply::Reply;
use crate::server::request_id::RequestId;
use crate::vault::{OwnKey, Session, Token, Vault};

/// How long a client may take to send the body of a request.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request waits for its turn.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of a body that is too long is read, so that the client is done writing and reads the answer.
const DRAINED: usize = 8 << 20;

/// How much of a body is kept before it is known who sends it.
const MAX_UNKNOWN: usize = 64 << 10;

/// How many requests of somebody unknown are taken from one address in a minute.
const MAX_UNAUTHENTICATED: u32 = 30;

/// What all requests share.
#[derive(Clone)]
pub(super) struct State(Arc<Shared>);

struct Shared {
    vault: Arc<Vault>,
    limiter: RateLimiter,
    /// Whether requests beyond a limit are refused.
    is_limited: bool,
    daily: Option<DailyQuota>,
    slots: Arc<Semaphore>,
}

impl State {
    pub(super) fn new(vault: Arc<Vault>, is_limited: bool, daily: Option<DailyQuota>, slots: usize) -> Self {
        let (limiter, slots) = (RateLimiter::default(), Arc::new(Semaphore::new(slots)));
        Self(Arc::new(Shared { vault, limiter, is_limited, daily, slots }))
    }
}

impl Shared {
    fn session(&self, token: Token, ip: Option<IpAddr>) -> Session<'_> {
        let session = self.vault.session(token);
        match ip {
            Some(ip) => session.from_ip(ip),
            None => session,
        }
    }
}

/// How a service answers what it has in common with the others.
pub(super) trait Service: 'static {
    /// What a request was refused for.
    type Problem: From<Error> + From<Fault> + Send;

    /// Longest body of a request, in bytes.
    const MAX_BODY: usize;

    /// What a challenge calls the service.
    const REALM: &str;

    /// Whether every response says how many requests are left, even if none are refused.
    const SHOWS_QUOTA: bool = false;

    /// Refuses a request before anybody asks whose it is.
    fn admit(_context: &RequestContext) -> Result<(), Self::Problem> {
        Ok(())
    }

    /// What a request is refused for in the end, where the service asks things in another order than the vault does.
    fn refine(_context: &RequestContext, problem: Self::Problem) -> Self::Problem {
        problem
    }

    /// Which bucket a request counts in. It is asked only where requests are counted.
    fn bucket(context: &RequestContext) -> Result<Bucket, Self::Problem>;

    /// Says what a request was refused for.
    fn refuse(problem: Self::Problem, request: RequestId) -> Reply;

    /// Adds the headers that every answer has.
    fn add_headers(reply: &mut Reply, quota: Option<Quota>);
}

/// What is refused before a service looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing is served at this address.
    NoSuchRoute,
    /// Something is, but not by this method.
    MethodNotAllowed,
    /// The body is longer than the service takes.
    BodyTooLong,
    /// The body did not come, or not in time.
    BodyIncomplete,
    /// Too many requests in too short a time.
    TooManyRequests(Quota),
    /// Too much is on its way already.
    Busy,
    /// Something is not as it must be, which was noticed at that place in the code.
    Defect(&'static Location<'static>),
    /// The handler panicked, with that text if it was written in the code. Any other text could hold a secret.
    Panicked(Option<&'static str>),
}

impl Fault {
    /// A defect that the caller has noticed.
    #[track_caller]
    pub(super) fn defect() -> Self {
        Self::Defect(Location::caller())
    }

    fn of_task(error: JoinError) -> Self {
        let payload = error.try_into_panic().ok();
        Self::Panicked(payload.and_then(|payload| payload.downcast_ref::<&'static str>().copied()))
    }

    /// Why the server failed, if this is its fault.
    pub(super) fn cause(self) -> Option<Cause> {
        match self {
            Self::NoSuchRoute
            | Self::MethodNotAllowed
            | Self::BodyTooLong
            | Self::BodyIncomplete
            | Self::TooManyRequests(_) => None,
            Self::Busy => Some(Cause::new("too many requests waited for the vault")),
            Self::Defect(location) => Some(Cause::new(&format!("a defect, noticed at {location}"))),
            Self::Panicked(None) => Some(Cause::new("a panic")),
            Self::Panicked(Some(text)) => Some(Cause::new(&format!("a panic: {text}"))),
        }
    }
}

/// Which kind of address a request was for.
#[derive(Clone)]
pub(super) struct Route(MatchedPath);

impl Route {
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// A request that was read whole.
pub(super) struct RequestContext {
    state: State,
    address: ClientAddress,
    parts: Parts,
    parameters: Vec<(String, String)>,
    query: Vec<(String, String)>,
    body: Result<Bytes, Fault>,
    /// The key of the caller, once it was found.
    key: OnceLock<OwnKey>,
    /// Whether anything was done in the name of the caller.
    has_session: AtomicBool,
    /// The place among those that are served at once, while it is held.
    slot: Mutex<Option<OwnedSemaphorePermit>>,
}

impl RequestContext {
    /// A request without its body, and without the parts of its path.
    fn new(state: State, parts: Parts) -> Self {
        // The connection knows it.
        let nowhere = ClientAddress { peer: Ipv4Addr::UNSPECIFIED.into(), client: None };
        let address = parts.extensions.get().copied().unwrap_or(nowhere);
        // What is not encoded as it should be is read as far as it can be.
        let query = Query::try_from_uri(&parts.uri).map(|Query(query)| query).unwrap_or_default();
        Self {
            state,
            address,
            parts,
            parameters: Vec::new(),
            query,
            body: Err(Fault::BodyIncomplete),
            key: OnceLock::new(),
            has_session: AtomicBool::new(false),
            slot: Mutex::new(None),
        }
    }

    /// Has the connection stay open while the server works for the request.
    async fn work(&self) {
        if let Some(connection) = self.connection() {
            connection.work().await;
        }
    }

    /// A session in the name of whoever asks.
    ///
    /// # Errors
    /// `Unauthenticated`, where there is no token, or nothing that could be one. Whether it is known is found out by the
    /// first call.
    pub(super) fn session(&self) -> Result<Session<'_>> {
        let token = bearer(&self.parts.headers).ok_or_else(|| {
            let message = "this takes a token: send the header `Authorization: Bearer` with it";
            Error::new(ErrorKind::Unauthenticated, message)
        })?;
        self.has_session.store(true, Ordering::Relaxed);
        Ok(self.state.0.session(token, self.ip()))
    }

    /// The key of the caller. It is looked up once a request, by whatever needs it first; what the request then does to the
    /// vault authenticates the caller again, in its own transaction.
    ///
    /// # Errors
    /// As [`Session::own_key`], and as [`session`](Self::session).
    pub(super) fn key(&self) -> Result<&OwnKey> {
        match self.key.get() {
            Some(key) => Ok(key),
            None => {
                let key = find_key(&self.session()?)?;
                Ok(self.key.get_or_init(|| key))
            }
        }
    }

    /// Whether the vault knows the caller, as far as that was found out by a request with this response.
    fn is_caller_known<P>(&self, answer: &Result<Reply, P>) -> bool {
        let is_done = answer.as_ref().is_ok_and(|reply| reply.status().as_u16() < 400);
        self.key.get().is_some() || (is_done && self.has_session.load(Ordering::Relaxed))
    }

    /// Waits for another network, which may take as long as its owner likes, without a place among those that are served
    /// at once. Whoever calls this bounds how many wait.
    pub(super) fn without_slot<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.hold(None);
        wait()
    }

    fn hold(&self, slot: Option<OwnedSemaphorePermit>) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = slot;
    }

    fn connection(&self) -> Option<&Connection> {
        self.parts.extensions.get()
    }

    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.address.client
    }

    pub(super) fn address(&self) -> &ClientAddress {
        &self.address
    }

    pub(super) fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The path of the address, as it was sent.
    pub(super) fn path(&self) -> &str {
        self.parts.uri.path()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// A part of the path, decoded; empty for one that the route does not have.
    pub(super) fn parameter(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Whether the route has such a part.
    pub(super) fn has_parameter(&self, name: &str) -> bool {
        self.parameters.iter().any(|(key, _)| key == name)
    }

    /// A parameter of the query, decoded; the last one of that name.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query_all(name).last()
    }

    /// All values of a parameter of the query, in their order.
    pub(super) fn query_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body, as it came.
    ///
    /// # Errors
    /// Where it did not come whole, or is longer than the service takes. That is told where the body is asked for, so that
    /// whoever is unknown is told that first.
    pub(super) fn body(&self) -> Result<&[u8], Fault> {
        self.body.as_deref().map_err(|fault| *fault)
    }
}

/// Has requests of a method answered by `work`, which runs where it may block.
pub(super) fn answer<S: Service>(
    method: MethodFilter,
    work: fn(&RequestContext) -> Result<Reply, S::Problem>,
) -> MethodRouter<State> {
    routing::on(method, move |Extracted(state): Extracted<State>, request: Request<Body>| async move {
        let route = request.extensions().get::<MatchedPath>().cloned().map(Route);
        let (id, shows_token) = (request_id(&request), shows_token(request.headers()));
        let (context, fault) = read::<S>(state, request).await;
        let Performed { answer, quota, daily } =
            perform::<S>(context, move |context, unknown| match (fault, unknown) {
                (Some(fault), _) => Err(fault.into()),
                (None, unknown) => {
                    S::admit(context)?;
                    unknown.map_or_else(|| work(context), Err)
                }
            })
            .await;
        let mut reply = answer.unwrap_or_else(|problem| S::refuse(problem, id));
        S::add_headers(&mut reply, quota);
        challenge::<S>(&mut reply, shows_token);
        if let Some(daily) = daily {
            daily.warn(&mut reply);
        }
        if let Some(route) = route {
            reply.extensions_mut().insert(route);
        }
        reply
    })
}

/// Refuses a request whatever it says.
pub(super) async fn refuse<S: Service>(state: State, fault: Fault, request: Request<Body>) -> Reply {
    let (id, shows_token) = (request_id(&request), shows_token(request.headers()));
    let (parts, body) = request.into_parts();
    // A connection with something unread in it ends, and a client that sends its next request over it at the same time gets
    // no answer. What does not come is not missed.
    let _ = timeout(BODY_TIMEOUT, collect(body, 0, ready(false))).await;
    let (problem, quota) = if S::SHOWS_QUOTA {
        let context = RequestContext::new(state, parts);
        context.work().await;
        let Performed { answer, quota, .. } = perform::<S>(context, move |_, _| Err(fault.into())).await;
        (answer.err().unwrap_or_else(|| fault.into()), quota)
    } else {
        (fault.into(), None)
    };
    let mut reply = S::refuse(problem, id);
    S::add_headers(&mut reply, quota);
    challenge::<S>(&mut reply, shows_token);
    reply
}

/// Says of a response to an unknown caller how to authenticate, as RFC 6750 has it.
fn challenge<S: Service>(reply: &mut Reply, shows_token: bool) {
    if reply.status() == StatusCode::UNAUTHORIZED && !reply.headers().contains_key(WWW_AUTHENTICATE) {
        let error = if shows_token { ", error=\"invalid_token\"" } else { "" };
        if let Ok(challenge) = HeaderValue::try_from(format!("Bearer realm=\"{}\"{error}", S::REALM)) {
            reply.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
    }
}

/// Whether a request has what should be a token.
fn shows_token(headers: &HeaderMap) -> bool {
    let is_bearer =
        |value: &HeaderValue| value.as_bytes().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "));
    headers.get_all(AUTHORIZATION).iter().any(is_bearer)
}

/// The id that the connection gave the request.
fn request_id(request: &Request<Body>) -> RequestId {
    request.extensions().get().copied().unwrap_or_else(RequestId::generate)
}

/// Reads a request whole. The fault is that of its path.
async fn read<S: Service>(state: State, request: Request<Body>) -> (RequestContext, Option<Fault>) {
    let (mut parts, body) = request.into_parts();
    let parameters = RawPathParams::from_request_parts(&mut parts, &()).await;
    let mut context = RequestContext::new(state, parts);
    let fault = match parameters {
        Ok(parameters) => {
            context.parameters = parameters.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            None
        }
        Err(_) => Some(Fault::NoSuchRoute),
    };
    if let Ok(body) = timeout(BODY_TIMEOUT, collect(body, S::MAX_BODY, is_known(&context))).await {
        context.body = body;
    }
    context.work().await;
    (context, fault)
}

/// Whether the vault knows the caller.
async fn is_known(context: &RequestContext) -> bool {
    let Some(token) = bearer(&context.parts.headers) else {
        return false;
    };
    let (shared, ip) = (Arc::clone(&context.state.0), context.ip());
    let Ok(slot) = Arc::clone(&shared.slots).acquire_owned().await else {
        return false;
    };
    let request = tokio::task::spawn_blocking(move || {
        let found = find_key(&shared.session(token, ip));
        drop(slot);
        found
    });
    match request.await {
        Ok(Ok(key)) => {
            context.key.get_or_init(|| key);
            true
        }
        Ok(Err(error)) => error.kind() != ErrorKind::Unauthenticated,
        Err(_) => false,
    }
}

fn find_key(session: &Session<'_>) -> Result<OwnKey> {
    session.own_key()?.ok_or_else(|| Error::new(ErrorKind::Unauthenticated, "invariant: a request comes with a key"))
}

/// Reads a body to its end. More than a little of it is kept only of those who are known, because what each of them sends
/// takes room until it was answered.
async fn collect(body: Body, limit: usize, is_known: impl Future<Output = bool>) -> Result<Bytes, Fault> {
    let (mut limit, mut is_known) = (limit, Some(is_known));
    let mut body = Limited::new(body, limit.max(DRAINED));
    let mut bytes = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| if error.is::<LengthLimitError>() { Fault::BodyTooLong } else { Fault::BodyIncomplete })?;
        if let Some(data) = frame.data_ref() {
            length += data.len();
            if length > MAX_UNKNOWN
                && limit > MAX_UNKNOWN
                && let Some(is_known) = is_known.take()
                && !is_known.await
            {
                (limit, bytes) = (MAX_UNKNOWN, Vec::new());
            }
            if length <= limit {
                bytes.extend_from_slice(data);
            }
        }
    }
    if length > limit { Err(Fault::BodyTooLong) } else { Ok(bytes.into()) }
}

/// A request that was performed.
struct Performed<P> {
    answer: Result<Reply, P>,
    /// How many requests are left, if they are counted.
    quota: Option<Quota>,
    /// The same for the day.
    daily: Option<Daily>,
}

/// What was counted of a request.
#[derive(Default)]
struct Counts {
    quota: OnceLock<Quota>,
    daily: OnceLock<Daily>,
}

/// What comes of a request once it was counted.
enum Admission<P> {
    /// It is performed, perhaps for an unknown caller, and perhaps not at once.
    Admitted {
        unknown: Option<P>,
        wait: Option<Duration>,
    },
    Refused(P),
}

/// Performs a request by `work`, which is given why the caller is unknown, if that was found out.
async fn perform<S: Service>(
    context: RequestContext,
    work: impl FnOnce(&RequestContext, Option<S::Problem>) -> Result<Reply, S::Problem> + Send + 'static,
) -> Performed<S::Problem> {
    let (context, counts) = (Arc::new(context), Arc::new(Counts::default()));
    let counted = Arc::clone(&counts);
    let performed = with_slot(&context, move |context| match admit::<S>(context, &counted) {
        Admission::Admitted { unknown, wait: Some(wait) } if !wait.is_zero() => Err((wait, work, unknown)),
        Admission::Admitted { unknown, .. } => Ok(finish::<S>(context, work(context, unknown))),
        Admission::Refused(problem) => Ok(finish::<S>(context, Err(problem))),
    });
    let answer = match performed.await {
        Ok(Ok(answer)) => answer,
        Ok(Err((wait, work, unknown))) => {
            // Others are served meanwhile.
            sleep(wait).await;
            let performed = with_slot(&context, move |context| finish::<S>(context, work(context, unknown)));
            performed.await.unwrap_or_else(|fault| Err(fault.into()))
        }
        Err(fault) => Err(fault.into()),
    };
    let shared = &context.state.0;
    let quota = counts.quota.get().copied().or_else(|| {
        // The server could not find out whose it is.
        let bucket = || Bucket::of_network("requests that failed", &context.address, MAX_UNAUTHENTICATED, MINUTE);
        S::SHOWS_QUOTA.then(|| shared.limiter.count(bucket()))
    });
    Performed { answer, quota, daily: counts.daily.get().copied() }
}

/// Runs `work`, which may block, with a place among the requests that are served at once.
async fn with_slot<T: Send + 'static>(
    context: &Arc<RequestContext>,
    work: impl FnOnce(&RequestContext) -> T + Send + 'static,
) -> Result<T, Fault> {
    let slots = Arc::clone(&context.state.0.slots);
    let Ok(Ok(slot)) = timeout(QUEUE_TIMEOUT, slots.acquire_owned()).await else {
        return Err(Fault::Busy);
    };
    context.hold(Some(slot));
    let used = Arc::clone(context);
    // If the client goes away meanwhile, the place is given back when the work is done.
    let task = tokio::task::spawn_blocking(move || {
        let slot = SlotGuard(&used);
        let done = work(&used);
        drop(slot);
        done
    });
    // A panic stays with the request that met it.
    task.await.map_err(Fault::of_task)
}

/// Gives the place of a request back when it is dropped.
struct SlotGuard<'c>(&'c RequestContext);

impl Drop for SlotGuard<'_> {
    fn drop(&mut self) {
        self.0.hold(None);
    }
}

/// Ends a request that was performed.
fn finish<S: Service>(context: &RequestContext, answer: Result<Reply, S::Problem>) -> Result<Reply, S::Problem> {
    if let Some(connection) = context.connection().filter(|_| context.is_caller_known(&answer)) {
        connection.mark_known();
    }
    answer.map_err(|problem| S::refine(context, problem))
}

/// Counts a request, and refuses it if there were too many before it.
fn admit<S: Service>(context: &RequestContext, counts: &Counts) -> Admission<S::Problem> {
    let Shared { limiter, is_limited, daily, .. } = &*context.state.0;
    let is_counted = *is_limited || S::SHOWS_QUOTA;
    if !is_counted && daily.is_none() {
        return Admission::Admitted { unknown: None, wait: None };
    }
    let (bucket, unknown) = match S::bucket(context) {
        Ok(bucket) => (bucket, None),
        // Nobody knows who asks. Those who are known at the same address do not suffer for it.
        Err(problem) => {
            let bucket = Bucket::of_network("unknown callers", context.address(), MAX_UNAUTHENTICATED, MINUTE);
            (bucket, Some(problem))
        }
    };
    if is_counted {
        let quota = *counts.quota.get_or_init(|| limiter.count(bucket));
        if *is_limited && quota.is_exceeded {
            return Admission::Refused(Fault::TooManyRequests(quota).into());
        }
    }
    let wait = match (daily, context.key.get()) {
        (Some(daily), Some(key)) => daily.wait(*counts.daily.get_or_init(|| daily.count(key))),
        _ => Ok(None),
    };
    match wait {
        Ok(wait) => Admission::Admitted { unknown, wait },
        Err(quota) => Admission::Refused(Fault::TooManyRequests(quota).into()),
    }
}

/// The token of the one header that has it.
fn bearer(headers: &HeaderMap) -> Option<Token> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    if scheme.eq_ignore_ascii_case("bearer") { Token::parse(token).ok() } else { None }
}
