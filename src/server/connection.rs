//! Connections: taken, bounded, and ended without cutting off an answer.

use std::convert::Infallible;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::header::X_CONTENT_TYPE_OPTIONS;
use axum::http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep, timeout};

use crate::server::client_address::ClientAddress;
use crate::server::connection_table::{Admission, Connection, ConnectionTable, Place};
use crate::server::log::{AccessLogEntry, Cause, Log, Warning};
use crate::server::request_context::Route;
use crate::server::request_id::{self, RequestId};
use crate::vault::IpRange;

/// Longest headers of a request, with its address, in bytes.
const MAX_HEADERS: usize = 64 << 10;
/// How long a client may take for the headers of a request, and stay without one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a client may leave an answer untaken, and how much of it must be taken in each second beyond that.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_PACE: u32 = 64 << 10;
/// How long what is on its way may still take when the server is stopped.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be taken, such as for want of file descriptors, and none gives way.
const PAUSE: Duration = Duration::from_millis(100);
/// How long to wait for the file descriptor of a connection that gives way.
const SHORT_PAUSE: Duration = Duration::from_millis(1);

/// Takes connections until `stop` is done.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    proxies: Vec<IpRange>,
    log: Option<Log>,
    stop: impl Future<Output = ()>,
) {
    let table = Arc::new(ConnectionTable::new(proxies));
    let front = Arc::new(Front { router: TowerToHyperService::new(router), log });
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEADERS);
    let mut stop = pin!(stop);
    loop {
        let (stream, peer, place) = tokio::select! {
            accepted = accept(&listener, &table) => accepted,
            () = &mut stop => break,
        };
        // Answers are short: each goes out as it is.
        let _ = stream.set_nodelay(true);
        let front = Arc::clone(&front);
        let open = place.connection().clone();
        let stream = WriteTimeout::new(stream, ANSWER_TIMEOUT).flushing(open.clone());
        let service = service_fn(move |request| Arc::clone(&front).answer(request, peer, open.clone()));
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            tokio::select! {
                // Whatever ended it, the client knows; nothing is left to be done.
                _ = connection => {}
                () = place.connection().closing() => {}
            }
            drop(place);
        });
    }
    drop(listener);
    // Who is not through by then is cut off.
    let _ = timeout(STOP_TIMEOUT, graceful.shutdown()).await;
}

/// Accepts a connection for which there is room.
async fn accept(listener: &TcpListener, table: &Arc<ConnectionTable>) -> (TcpStream, IpAddr, Place) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            sleep(if table.give_way() { SHORT_PAUSE } else { PAUSE }).await;
            continue;
        };
        loop {
            match table.admit(peer.ip()) {
                Admission::Open(place) => return (stream, peer.ip(), place),
                Admission::Refused => break,
                Admission::Full => table.changed().await,
            }
        }
    }
}

/// A stream that fails where the other side does not take what is written to it. Otherwise whoever never reads an answer
/// would hold the connection, and the answer, for as long as they like.
struct WriteTimeout<S> {
    stream: S,
    patience: Duration,
    /// Until when what is being written must have been taken; nothing, where all of it was, or never had to wait.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Notified when the client has taken all that was written.
    connection: Option<Connection>,
}

impl<S> WriteTimeout<S> {
    fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, deadline: None, connection: None }
    }

    fn flushing(self, connection: Connection) -> Self {
        Self { connection: Some(connection), ..self }
    }

    /// What becomes of a write.
    fn judge(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match (&written, &mut self.deadline) {
            (Poll::Pending, deadline) => {
                let deadline = deadline.get_or_insert_with(|| Box::pin(sleep(self.patience)));
                ready!(deadline.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            (Poll::Ready(Ok(length)), Some(deadline)) => {
                let more = Duration::from_secs(1) * u32::try_from(*length).unwrap_or(u32::MAX) / ANSWER_PACE;
                let end = deadline.deadline() + more;
                deadline.as_mut().reset(end);
                written
            }
            _ => written,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// It is called when nothing is left to be written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.deadline = None;
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if let (Poll::Ready(Ok(())), Some(connection)) = (&flushed, &self.connection) {
            connection.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Whether a method is one of those there are: a client may write anything in its place.
fn is_known(method: &Method) -> bool {
    use Method as M;
    [M::GET, M::HEAD, M::POST, M::PUT, M::PATCH, M::DELETE, M::OPTIONS, M::TRACE, M::CONNECT].contains(method)
}

/// What every connection needs.
struct Front {
    router: TowerToHyperService<Router>,
    log: Option<Log>,
}

impl Front {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: IpAddr,
        connection: Connection,
    ) -> Result<Response<Body>, Infallible> {
        let started = Instant::now();
        connection.begin().await;
        let address = ClientAddress::find(peer, request.headers(), connection.proxies());
        let method = request.method().clone();
        let id = RequestId::generate();
        let mut request = request;
        request.extensions_mut().insert(address);
        request.extensions_mut().insert(id);
        request.extensions_mut().insert(connection.clone());
        let Ok(mut response) = self.router.call(request).await;
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let id = id.to_string();
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(request_id::HEADER, value);
        }
        if let Some(log) = &self.log {
            let route = response.extensions().get::<Route>();
            let cause = response.extensions().get::<Cause>();
            let warning = response.extensions().get::<Warning>();
            log(&AccessLogEntry {
                method: if is_known(&method) { method.as_str() } else { "-" },
                route: route.map_or("-", Route::as_str),
                status: response.status().as_u16(),
                ip: address.client,
                took: started.elapsed(),
                request_id: &id,
                cause: cause.map(Cause::as_str),
                warning: warning.map(Warning::as_str),
            });
        }
        connection.answer();
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::poll_fn;
    use std::task::Waker;

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    /// Longer than a test takes.
    const LONG: Duration = Duration::from_secs(60 * 60);

    /// A client that takes so many bytes of each write, in turn, and then nothing more. It is slow where it takes 0.
    struct Client(VecDeque<usize>);

    impl AsyncWrite for Client {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            match self.0.pop_front() {
                None | Some(0) => Poll::Pending,
                Some(length) => Poll::Ready(Ok(length.min(bytes.len()))),
            }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn stream<const N: usize>(patience: Duration, taken: [usize; N]) -> WriteTimeout<Client> {
        WriteTimeout::new(Client(taken.into()), patience)
    }

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_time().build().unwrap()
    }

    /// Tries to write, once, and tells until when the client must have taken it.
    fn deadline_after_write(stream: &mut WriteTimeout<Client>) -> Option<tokio::time::Instant> {
        let bytes = vec![0; 1 << 20];
        let written = Pin::new(&mut *stream).poll_write(&mut Context::from_waker(Waker::noop()), &bytes);
        assert!(!matches!(written, Poll::Ready(Err(_))));
        stream.deadline.as_ref().map(|deadline| deadline.deadline())
    }

    #[test]
    fn who_takes_nothing_is_given_up_on() {
        let mut stream = stream(Duration::ZERO, []);
        let error = runtime().block_on(poll_fn(|context| Pin::new(&mut stream).poll_write(context, b"x"))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn who_takes_too_little_is_given_up_on() {
        let runtime = runtime();
        let _context = runtime.enter();
        let mut stream = stream(LONG, [0, 0, 1, 0, ANSWER_PACE as usize, 0]);
        let begin = deadline_after_write(&mut stream).unwrap();
        assert_eq!(deadline_after_write(&mut stream), Some(begin), "to wait again is no reason to wait longer");
        let second = Duration::from_secs(1);
        for earned in [second / ANSWER_PACE, second / ANSWER_PACE, second + second / ANSWER_PACE] {
            assert_eq!(deadline_after_write(&mut stream), Some(begin + earned));
        }
    }

    #[test]
    fn who_takes_all_of_it_may_pause_between_answers() {
        let runtime = runtime();
        let _context = runtime.enter();
        let mut stream = stream(LONG, [100, 0, 100, 0]);
        assert_eq!(deadline_after_write(&mut stream), None, "it did not have to wait");
        assert!(deadline_after_write(&mut stream).is_some());
        assert!(deadline_after_write(&mut stream).is_some());
        assert!(Pin::new(&mut stream).poll_flush(&mut Context::from_waker(Waker::noop())).is_ready());
        assert!(stream.deadline.is_none(), "nothing is left to be taken");
        assert!(deadline_after_write(&mut stream).is_some(), "the next answer has its own time");
    }
}
