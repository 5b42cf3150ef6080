//! Connections: taken, bounded, and ended without cutting off an answer.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::client_address::ClientAddress;
use super::exchange::Route;
use super::log::{Answered, Log};
use crate::vault::IpRange;

/// Most connections at once; more wait to be taken.
const MAX_CONNECTIONS: usize = 1024;
/// Longest headers of a request, with its address, in bytes.
const MAX_HEADERS: usize = 64 << 10;
/// How long a client may take for the headers of a request, and stay without one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long what is on its way may still take when the server is stopped.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be taken, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes connections until `stop` is done.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    proxies: Vec<IpRange>,
    log: Option<Log>,
    stop: impl Future<Output = ()>,
) {
    let front = Arc::new(Front { router: TowerToHyperService::new(router), proxies, log });
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEADERS);
    let mut stop = pin!(stop);
    loop {
        let accepting = async {
            let slot = Arc::clone(&slots).acquire_owned().await.expect("invariant: it is never closed");
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            accepted = accepting => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, peer)) = accepted else {
            sleep(PAUSE).await;
            continue;
        };
        // Answers are short: each goes out as it is.
        let _ = stream.set_nodelay(true);
        let front = Arc::clone(&front);
        let service = service_fn(move |request| Arc::clone(&front).answer(request, peer.ip()));
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // Whatever ended it, the client knows; nothing is left to be done.
            let _ = connection.await;
            drop(slot);
        });
    }
    drop(listener);
    // Who is not through by then is cut off.
    let _ = timeout(STOP_TIMEOUT, graceful.shutdown()).await;
}

/// What every connection needs.
struct Front {
    router: TowerToHyperService<Router>,
    proxies: Vec<IpRange>,
    log: Option<Log>,
}

impl Front {
    async fn answer(self: Arc<Self>, request: Request<Incoming>, peer: IpAddr) -> Result<Response<Body>, Infallible> {
        let started = Instant::now();
        let address = ClientAddress::find(peer, request.headers(), &self.proxies);
        let method = request.method().clone();
        let mut request = request;
        request.extensions_mut().insert(address);
        let Ok(response) = self.router.call(request).await;
        if let Some(log) = &self.log {
            let route = response.extensions().get::<Route>();
            log(&Answered {
                method: method.as_str(),
                route: route.map_or("-", Route::as_str),
                status: response.status().as_u16(),
                ip: address.0,
                took: started.elapsed(),
            });
        }
        Ok(response)
    }
}
