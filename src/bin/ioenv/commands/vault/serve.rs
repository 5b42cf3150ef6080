//! `ioenv vault serve`.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ioenv::server::Server;
use ioenv::vault::Vault;

use super::integration::with_files;
use super::service::ranges;
use crate::args::{ServeArgs, usage};
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

/// How often what is older than it is kept is removed.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
/// How soon a thread notices that it is to end.
const NOTICE: Duration = Duration::from_millis(200);

pub(super) fn run(project: &Project, args: &ServeArgs) -> Result {
    let access = with_files(
        Access::open_shared(project, args.connections)?.with_outbound(&args.outbound),
        args.directory.clone(),
    );
    access.trusted_only()?;
    let address: SocketAddr =
        args.listen.text().parse().unwrap_or_else(|_| usage("--listen takes an address such as 127.0.0.1:8737"));
    if !args.allow_plain_http && !address.ip().to_canonical().is_loopback() {
        let message = "others could reach the server there, and it does not speak TLS: listen on 127.0.0.1; or put it \
                       behind a proxy that speaks TLS, and say so with --allow-plain-http";
        return Err(message.into());
    }
    let vault = Arc::new(access.vault);
    let mut server =
        Server::new(Arc::clone(&vault)).trusted_proxies(ranges(&args.behind)).log(|answered| terminal::note(answered));
    if args.allow_plain_http {
        server = server.allow_plain_http();
    }
    if args.limit_rate {
        server = server.rate_limited();
    }
    if args.no_limit_rate {
        server = server.without_rate_limits();
    }
    if let Some(requests) = args.daily_requests {
        server = server.daily_requests(requests);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| look_after(&vault, &stop));
        #[cfg(feature = "worker")]
        scope.spawn(|| {
            if let Err(error) = ioenv::worker::Worker::new(&vault).run_until(&stop) {
                terminal::note(format!("webhooks are no longer delivered, nor integrations run: {error}"));
            }
        });
        let result = runtime.block_on(listen(server, address));
        stop.store(true, Ordering::Relaxed);
        result
    })
}

async fn listen(server: Server, address: SocketAddr) -> Result {
    let listener = TcpListener::bind(address)
        .map_err(|error| format!("cannot listen on {address}: {error}; name another address or port with --listen"))?;
    let address = listener.local_addr()?;
    terminal::note(format!("serving at http://{address}, until this is ended"));
    Ok(server.serve(listener, end()).await?)
}

/// Waits until the program is asked to end.
async fn end() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        return;
    }
    // Without it, the program is ended as others are.
    let _ = tokio::signal::ctrl_c().await;
}

/// Removes what is older than it is kept, now and once an hour.
fn look_after(vault: &Vault, stop: &AtomicBool) {
    let mut last: Option<Instant> = None;
    while !stop.load(Ordering::Relaxed) {
        if last.is_none_or(|last| last.elapsed() >= SWEEP_EVERY) {
            if let Err(error) = vault.sweep() {
                terminal::note(format!("what is too old was not removed: {error}"));
            }
            last = Some(Instant::now());
        }
        thread::sleep(NOTICE);
    }
}
