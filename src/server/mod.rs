//! A vault over HTTP, for the clients of ioenv, dotenv.cloud and Stashbase.
//!
//! ```no_run
//! use ioenv::server::Server;
//! use ioenv::store::Memory;
//! use ioenv::vault::{RootKey, Vault};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let root = RootKey::parse(&std::env::var("IOENV_ROOT_KEY")?)?;
//!     let vault = Vault::create(Memory::new(), &root)?; // or a store that lasts
//!     let listener = std::net::TcpListener::bind("127.0.0.1:8737")?;
//!     Server::new(vault).serve(listener, std::future::pending()).await?;
//!     Ok(())
//! }
//! ```
//!
//! All three services are there at once, because their addresses differ: ioenv has `/api/v1/env/…` and
//! `/api/v1/project/…`, dotenv.cloud the rest of `/api/v1/…`, and Stashbase `/v1/…`. Each sees all of the vault that it
//! has words for. `GET /health` answers `ok` without a token. `docs/server.md` has what is served, and how to run it.

mod client_address;
mod connection;
mod connection_table;
mod daily_quota;
mod dotenv_cloud;
mod ioenv;
mod log;
mod rate_limit;
mod reply;
mod request_context;
mod request_id;
mod stashbase;

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract;
use axum::http::{Request, StatusCode};
use axum::routing::get;

use self::daily_quota::DailyQuota;
use self::dotenv_cloud::DotenvCloud;
use self::ioenv::Ioenv;
pub use self::log::AccessLogEntry;
use self::log::Log;
use self::reply::Reply;
use self::request_context::{Fault, State, refuse};
use self::stashbase::Stashbase;
use crate::error::{Error, ErrorKind, Result};
use crate::vault::{IpRange, Vault};

/// Most calls of the vault that are on their way at once; more wait their turn.
const MAX_CONCURRENT: usize = 64;

/// Whether requests are limited.
enum Limits {
    /// Where others can reach the server.
    OffLoopback,
    On,
    Off,
}

/// A vault over HTTP.
///
/// It speaks plain HTTP/1.1, so it listens on this machine only, unless [`allow_plain_http`](Self::allow_plain_http)
/// says that something before it ends TLS.
pub struct Server {
    vault: Arc<Vault>,
    proxies: Vec<IpRange>,
    plain_http: bool,
    limits: Limits,
    daily_requests: Option<u32>,
    log: Option<Log>,
}

impl Server {
    /// A server of this vault.
    pub fn new(vault: impl Into<Arc<Vault>>) -> Self {
        Self {
            vault: vault.into(),
            proxies: Vec::new(),
            plain_http: false,
            limits: Limits::OffLoopback,
            daily_requests: None,
            log: None,
        }
    }

    /// The same, which also listens where others can reach it, although it does not speak TLS. For servers behind a proxy
    /// that does.
    #[must_use]
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Trusts `X-Forwarded-For` from these proxies: the client of a request is the last address in it that is not one of
    /// them. If that cannot be read, the address is unknown, and keys with an allow-list are refused. Without trusted
    /// proxies all requests through a proxy come from the proxy: in the audit log, for keys with an allow-list, and for
    /// rate limits.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: impl IntoIterator<Item = IpRange>) -> Self {
        self.proxies.extend(proxies);
        self
    }

    /// Refuses more requests than the services allow, also on loopback; elsewhere that is the default. For ioenv 100 a minute and token; for dotenv.cloud
    /// 100 a minute and organization, and ten rotations of a key an hour; for Stashbase 180 reads and 120 writes a minute
    /// and key, and of secrets 100 and 100, where an environment's keys count together, and those of a user; and of those
    /// without a token that is known 30 a minute and address. Each process counts by itself.
    #[must_use]
    pub fn rate_limited(mut self) -> Self {
        self.limits = Limits::On;
        self
    }

    /// Refuses nobody for the number of their requests, wherever the server listens.
    #[must_use]
    pub fn without_rate_limits(mut self) -> Self {
        self.limits = Limits::Off;
        self
    }

    /// Sets how many requests a key makes in a day before it is slowed to one a second: 100,000 where requests are limited, and
    /// otherwise any number; 0 is any number in any case. From four fifths of it on, the header `X-IOENV-Daily-Requests` and the
    /// log say so. Each request is recorded in the audit log, so this bounds how fast one key can fill it. Requests of other
    /// keys are neither slowed nor refused.
    #[must_use]
    pub fn daily_requests(mut self, requests: u32) -> Self {
        self.daily_requests = Some(requests);
        self
    }

    /// Calls `log` for each request that was answered. An entry of a request that failed has the cause; see
    /// [`AccessLogEntry`]. It is called from several threads, and delays the response until it returns.
    #[must_use]
    pub fn log(mut self, log: impl Fn(&AccessLogEntry<'_>) + Send + Sync + 'static) -> Self {
        self.log = Some(Arc::new(log));
        self
    }

    /// Answers requests until `stop` is done, and then those that are on their way, for at most ten seconds more.
    ///
    /// It runs on the tokio runtime it is awaited in, which needs its IO and time drivers; calls of the vault run on its
    /// threads for blocking work.
    ///
    /// # Errors
    /// `Config`, when others can reach where it listens and [`allow_plain_http`](Self::allow_plain_http) was not called;
    /// `Io`, when the socket cannot be used.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send) -> Result<()> {
        let address =
            listener.local_addr().map_err(|error| Error::io("cannot tell where the server listens", error))?;
        if !self.plain_http && !address.ip().to_canonical().is_loopback() {
            let message = format!(
                "the server does not speak TLS, and others can reach {address}: listen on 127.0.0.1, or put it behind \
                 a proxy that speaks TLS and say so with `allow_plain_http`"
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        let listening = listener.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(listener));
        let listener = listening.map_err(|error| Error::io("cannot listen on the socket", error))?;
        let router = self.router(address.ip());
        connection::serve(listener, router, self.proxies, self.log, stop).await;
        Ok(())
    }

    /// The router of a server that listens at an address.
    fn router(&self, address: IpAddr) -> Router {
        let is_limited = match self.limits {
            Limits::OffLoopback => !address.to_canonical().is_loopback(),
            Limits::On => true,
            Limits::Off => false,
        };
        let daily_requests =
            self.daily_requests.or(is_limited.then_some(daily_quota::DEFAULT)).filter(|most| *most > 0);
        let daily = daily_requests.map(DailyQuota::new);
        let state = State::new(Arc::clone(&self.vault), is_limited, daily, MAX_CONCURRENT);
        // An empty answer at the root: clients look whether somebody is there.
        let about =
            Router::new().route("/", get(|| async { StatusCode::NO_CONTENT })).route("/health", get(|| async { "ok" }));
        about
            .merge(ioenv::routes())
            .merge(stashbase::routes())
            .merge(dotenv_cloud::routes())
            .fallback(no_such_route)
            .with_state(state)
    }
}

/// Refuses an address at which nothing is served, in the words of the service it looks like.
async fn no_such_route(extract::State(state): extract::State<State>, request: Request<Body>) -> Reply {
    let path = request.uri().path();
    if path == "/v1" || path.starts_with("/v1/") {
        refuse::<Stashbase>(state, Fault::NoSuchRoute, request).await
    } else if path.starts_with("/api/v1/env/") || path.starts_with("/api/v1/project/") {
        refuse::<Ioenv>(state, Fault::NoSuchRoute, request).await
    } else {
        refuse::<DotenvCloud>(state, Fault::NoSuchRoute, request).await
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("vault", &self.vault).finish_non_exhaustive()
    }
}
