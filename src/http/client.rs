use std::fmt;
use std::io::{self, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{self, HeaderMap, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver as UreqResolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Timeout};

use super::error::SendError;
use super::policy::{OutboundPolicy, ServicePolicy};
use super::resolver::{Resolver, SystemResolver};
use crate::core::delivery_error::DeliveryError;

/// How long a request may take, from the look-up of the name to the last byte of the response that is read.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long it may take to connect, including TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How many addresses of a host are tried.
const MAX_ADDRESSES: usize = 16;
/// How many idle connections to a trusted service are kept for later requests, and for how long.
const MAX_IDLE_CONNECTIONS: usize = 3;
const MAX_IDLE_AGE: Duration = Duration::from_secs(15);

/// Sends requests under a policy. It is shared between threads.
///
/// It neither retries nor follows redirects, and uses no proxy.
pub(crate) struct Client {
    policy: Policy,
    resolver: Arc<dyn Resolver>,
    /// Created by the first request, because it reads the certificates that the machine trusts.
    agent: OnceLock<Agent>,
}

/// One request.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// If it is empty, the request has no body, unless its method requires one.
    pub(crate) body: &'a [u8],
    /// How many bytes of the response's body are read.
    pub(crate) max_body: usize,
}

/// The response to a request, whatever its status.
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: HeaderMap,
    /// What was read of the body: less than was sent if that is longer than `max_body`, or broke off.
    pub(crate) body: Vec<u8>,
}

impl fmt::Debug for Response {
    /// Shows the status only: headers and body may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Response {
    /// Returns the value of the first header of that name, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    /// Creates a client of a service that the program or its operator configured.
    pub(crate) fn trusted(policy: ServicePolicy) -> Self {
        Self::new(Policy::Trusted(policy), Arc::new(SystemResolver))
    }

    /// Creates a client for URLs that somebody else chose.
    pub(crate) fn untrusted(policy: &OutboundPolicy) -> Self {
        Self::new(Policy::Untrusted(policy.clone()), Arc::clone(policy.names()))
    }

    fn new(policy: Policy, resolver: Arc<dyn Resolver>) -> Self {
        Self { policy, resolver, agent: OnceLock::new() }
    }

    /// Sends one request and waits at most ten seconds for the response. A trusted client can exceed them by the
    /// timeout of the operating system's resolver, which it calls on this thread.
    ///
    /// # Errors
    /// Why there is no response.
    pub(crate) fn send(&self, request: Request<'_>) -> Result<Response, SendError> {
        let mut builder = http::Request::builder().method(request.method).uri(request.url);
        for (name, value) in request.headers {
            builder = builder.header(*name, *value);
        }
        // It fails for a URL or a header that HTTP cannot express.
        let built = builder.body(request.body).map_err(|_| SendError::NoResponse(DeliveryError::Protocol))?;
        let requires_body = matches!(request.method, "POST" | "PUT" | "PATCH");
        let agent = self.agent.get_or_init(|| self.new_agent());
        let response =
            if request.body.is_empty() && !requires_body { agent.run(built.map(drop)) } else { agent.run(built) };
        let (parts, body) = response?.into_parts();
        let mut bytes = Vec::new();
        // The status has arrived: where the body breaks off, its beginning is what there is. A body that was read to its
        // end leaves the connection to the next request.
        let _ = body.into_reader().take(request.max_body as u64).read_to_end(&mut bytes);
        Ok(Response { status: parts.status.as_u16(), headers: parts.headers, body: bytes })
    }

    fn new_agent(&self) -> Agent {
        // Without any certificate, requests over TLS fail; those without TLS need none.
        let trusted = rustls_native_certs::load_native_certs().certs;
        let roots = trusted.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots.collect::<Vec<_>>()))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Config::builder()
            .https_only(self.policy.requires_tls())
            .http_status_as_error(false)
            .max_idle_connections(self.policy.max_idle_connections())
            .max_idle_age(MAX_IDLE_AGE)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .tls_config(tls)
            .user_agent(concat!("ioenv/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = CheckedResolver { policy: self.policy.clone(), resolver: Arc::clone(&self.resolver) };
        Agent::with_parts(config, DefaultConnector::default(), resolver)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// Where requests may go.
#[derive(Clone, Debug)]
enum Policy {
    Trusted(ServicePolicy),
    Untrusted(OutboundPolicy),
}

impl Policy {
    /// Whether no request without TLS is allowed, whatever the address is.
    fn requires_tls(&self) -> bool {
        matches!(self, Self::Untrusted(policy) if !policy.allows_http())
    }

    /// A connection to an address that somebody else chose serves one request: for the next one, it is checked again.
    fn max_idle_connections(&self) -> usize {
        match self {
            Self::Trusted(_) => MAX_IDLE_CONNECTIONS,
            Self::Untrusted(_) => 0,
        }
    }

    /// Refuses an address that a request must not be sent to.
    fn check(&self, address: IpAddr, is_tls: bool) -> Result<(), ureq::Error> {
        match self {
            Self::Trusted(policy) if is_tls || policy.allows_http() || address.to_canonical().is_loopback() => Ok(()),
            // The URL stays out of the error: it may hold a secret.
            Self::Trusted(_) => Err(ureq::Error::RequireHttpsOnly(String::new())),
            Self::Untrusted(policy) if policy.allows(address) => Ok(()),
            Self::Untrusted(_) => Err(io::Error::from(io::ErrorKind::HostUnreachable).into()),
        }
    }
}

/// Resolves hosts to the addresses that the policy allows. ureq connects to no other.
#[derive(Debug)]
struct CheckedResolver {
    policy: Policy,
    resolver: Arc<dyn Resolver>,
}

impl CheckedResolver {
    /// Returns the addresses of a host, unchecked.
    ///
    /// An address needs no look-up. A name of a trusted service is looked up on the calling thread, so that a program
    /// that must be single-threaded stays so; it is the operator's name that may be slow. A name that somebody else
    /// chose is looked up on a thread of its own, because that person may also choose how long its name server is
    /// silent, and the worker that waits holds a lease.
    fn look_up(&self, host: &str, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, ureq::Error> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        match self.policy {
            Policy::Trusted(_) => self.resolver.resolve(host, port).map_err(|_| ureq::Error::HostNotFound),
            Policy::Untrusted(_) => look_up_within(Arc::clone(&self.resolver), host.to_owned(), port, timeout),
        }
    }
}

impl UreqResolver for CheckedResolver {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let is_tls = uri.scheme_str() != Some("http");
        let host = uri.host().unwrap_or_default();
        let port = match uri.port_u16() {
            Some(port) => port,
            // A port that is no number would otherwise count as the default one.
            None if uri.authority().is_some_and(|authority| !authority.as_str().ends_with(host)) => {
                return Err(ureq::Error::BadUri("port".to_owned()));
            }
            None if is_tls => 443,
            None => 80,
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let mut allowed = self.empty();
        let mut refusal = ureq::Error::HostNotFound;
        for address in self.look_up(host, port, *timeout.after)? {
            match self.policy.check(address.ip(), is_tls) {
                Ok(()) if allowed.len() == MAX_ADDRESSES => break,
                Ok(()) => allowed.push(address),
                Err(error) => refusal = error,
            }
        }
        if allowed.is_empty() { Err(refusal) } else { Ok(allowed) }
    }
}

/// Looks a name up on a thread of its own and waits for it until the timeout. The system's resolver can be neither
/// interrupted nor given a timeout; the thread ends when that resolver gives up.
fn look_up_within(
    resolver: Arc<dyn Resolver>,
    host: String,
    port: u16,
    timeout: Duration,
) -> Result<Vec<SocketAddr>, ureq::Error> {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::Builder::new().spawn(move || sender.send(resolver.resolve(&host, port)))?;
    match receiver.recv_timeout(timeout) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(_)) | Err(mpsc::RecvTimeoutError::Disconnected) => Err(ureq::Error::HostNotFound),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(ureq::Error::Timeout(Timeout::Resolve)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io::Write as _;
    use std::net::TcpListener;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::{self, ThreadId};

    use super::*;

    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

    /// A server that sends the same response to every request and keeps connections open.
    struct Server {
        port: u16,
        requests: mpsc::Receiver<String>,
        connections: Arc<AtomicUsize>,
    }

    impl Server {
        fn new(response: impl Into<String>) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let (sender, requests) = mpsc::channel();
            let (response, connections) = (response.into(), Arc::new(AtomicUsize::new(0)));
            let accepted = Arc::clone(&connections);
            thread::spawn(move || {
                for stream in listener.incoming() {
                    accepted.fetch_add(1, Ordering::Relaxed);
                    let (mut stream, sender, response) = (stream.unwrap(), sender.clone(), response.clone());
                    thread::spawn(move || {
                        let (mut request, mut bytes) = (String::new(), [0; 4096]);
                        while let Ok(length @ 1..) = stream.read(&mut bytes) {
                            request.push_str(&String::from_utf8_lossy(&bytes[..length]));
                            // The only body that the tests send has two bytes.
                            let end = if request.contains("content-length: 2") { "{}" } else { "\r\n\r\n" };
                            if request.ends_with(end) {
                                let _ = sender.send(std::mem::take(&mut request));
                                let _ = stream.write_all(response.as_bytes());
                            }
                        }
                    });
                }
            });
            Self { port, requests, connections }
        }

        fn url(&self) -> String {
            format!("http://127.0.0.1:{}/", self.port)
        }

        fn connections(&self) -> usize {
            self.connections.load(Ordering::Relaxed)
        }

        fn was_left_alone(&self) -> bool {
            self.connections() == 0
        }
    }

    /// Resolves each name to the next of its answers, and remembers the threads that asked.
    #[derive(Clone, Debug, Default)]
    struct Names {
        answers: Arc<Mutex<VecDeque<Vec<SocketAddr>>>>,
        threads: Arc<Mutex<Vec<ThreadId>>>,
    }

    impl Names {
        fn new<const N: usize>(answers: [Vec<SocketAddr>; N]) -> Self {
            Self { answers: Arc::new(Mutex::new(answers.into())), threads: Arc::default() }
        }

        fn threads(&self) -> Vec<ThreadId> {
            self.threads.lock().unwrap().clone()
        }
    }

    impl Resolver for Names {
        fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
            self.threads.lock().unwrap().push(thread::current().id());
            Ok(self.answers.lock().unwrap().pop_front().unwrap_or_default())
        }
    }

    fn anywhere() -> OutboundPolicy {
        OutboundPolicy::new().allow_private_addresses().allow_http()
    }

    fn trusted(policy: ServicePolicy, names: &Names) -> Client {
        Client::new(Policy::Trusted(policy), Arc::new(names.clone()))
    }

    fn send(client: &Client, method: &str, url: &str, body: &[u8]) -> Result<Response, SendError> {
        client.send(Request { method, url, headers: &[("x-one", "1")], body, max_body: 4 })
    }

    fn get(client: &Client, url: &str) -> Result<Response, SendError> {
        send(client, "GET", url, b"")
    }

    fn no_response(code: DeliveryError) -> SendError {
        SendError::NoResponse(code)
    }

    #[test]
    fn a_request_is_sent_as_it_is_given() {
        let server = Server::new("HTTP/1.1 201 Created\r\ncontent-length: 6\r\n\r\nanswer");
        let url = format!("{}in?x=1", server.url());
        for client in [Client::untrusted(&anywhere()), Client::trusted(ServicePolicy::new())] {
            let response = send(&client, "POST", &url, b"{}").unwrap();
            assert_eq!((response.status, response.body.as_slice()), (201, &b"answ"[..]));
            let request = server.requests.recv().unwrap();
            assert!(request.starts_with("POST /in?x=1 HTTP/1.1\r\n") && request.ends_with("\r\n\r\n{}"), "{request}");
            assert!(request.contains("x-one: 1\r\n") && request.contains("content-length: 2\r\n"), "{request}");
            for method in ["GET", "DELETE", "HEAD"] {
                assert_eq!(send(&client, method, &url, b"").unwrap().status, 201);
                let request = server.requests.recv().unwrap();
                assert!(request.starts_with(method) && !request.contains("content-length"), "{request}");
            }
            for bad in ["", "planted", "ftp://127.0.0.1/", "http://127.0.0.1:99999/", "http:///", "http://a b/"] {
                let refused = send(&client, "POST", bad, b"").unwrap_err();
                assert_eq!(refused, no_response(DeliveryError::Protocol), "{bad}");
            }
            let request = Request { method: "POST", url: &url, headers: &[("x", "a\nb")], body: b"", max_body: 4 };
            assert_eq!(client.send(request).unwrap_err(), no_response(DeliveryError::Protocol));
        }
    }

    #[test]
    fn headers_of_a_response_are_found_by_name() {
        let server = Server::new(
            "HTTP/1.1 429 Slow Down\r\nETag: \"v1\"\r\nretry-after: 7\r\nX-Two: a\r\nX-Two: b\r\nX-Bytes: \u{ff}\r\n\
             content-length: 0\r\n\r\n",
        );
        let response = get(&Client::trusted(ServicePolicy::new()), &server.url()).unwrap();
        assert_eq!(response.status, 429);
        assert_eq!(response.header("etag"), Some("\"v1\""));
        assert_eq!(response.header("Retry-After"), Some("7"));
        assert_eq!(response.header("x-two"), Some("a"));
        assert_eq!(response.header("x-bytes"), None, "it is no text");
        assert_eq!(response.header("x-three"), None);
        assert_eq!(response.header("not a name"), None);
    }

    #[test]
    fn a_response_is_shown_without_what_is_in_it() {
        let server = Server::new("HTTP/1.1 200 OK\r\nset-cookie: planted\r\ncontent-length: 4\r\n\r\nplan");
        let response = get(&Client::trusted(ServicePolicy::new()), &server.url()).unwrap();
        assert_eq!(format!("{response:?}"), "Response { status: 200, .. }");
    }

    #[test]
    fn a_redirect_is_a_response() {
        let inside = Server::new(OK);
        let redirect = format!("HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", inside.url());
        let server = Server::new(redirect);
        for client in [Client::untrusted(&anywhere()), Client::trusted(ServicePolicy::new())] {
            let response = get(&client, &server.url()).unwrap();
            assert_eq!((response.status, response.header("location")), (302, Some(inside.url().as_str())));
        }
        assert!(inside.was_left_alone());
    }

    #[test]
    fn connections_to_a_trusted_service_are_reused() {
        let server = Server::new("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyes");
        let client = Client::trusted(ServicePolicy::new());
        for method in ["GET", "POST", "GET", "DELETE", "PUT"] {
            assert_eq!(send(&client, method, &server.url(), b"").unwrap().body, b"yes");
        }
        assert_eq!(server.connections(), 1);
    }

    #[test]
    fn each_request_to_an_untrusted_url_connects_again() {
        let server = Server::new(OK);
        let client = Client::untrusted(&anywhere());
        for _ in 0..3 {
            get(&client, &server.url()).unwrap();
        }
        assert_eq!(server.connections(), 3);
    }

    #[test]
    fn a_connection_whose_response_was_not_read_to_its_end_is_not_reused() {
        let server = Server::new("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ntoo long!");
        let client = Client::trusted(ServicePolicy::new());
        for _ in 0..2 {
            assert_eq!(get(&client, &server.url()).unwrap().body, b"too ");
        }
        assert_eq!(server.connections(), 2);
    }

    #[test]
    fn only_a_name_that_somebody_else_chose_is_looked_up_on_another_thread() {
        let server = Server::new(OK);
        let here = vec![SocketAddr::from(([127, 0, 0, 1], server.port))];
        let this_thread = thread::current().id();

        let names = Names::new([here.clone(), here.clone()]);
        let client = trusted(ServicePolicy::new(), &names);
        for _ in 0..2 {
            get(&client, "http://service.example.test/").unwrap();
        }
        assert_eq!(names.threads(), [this_thread; 2]);

        let names = Names::new([here]);
        let client = Client::untrusted(&anywhere().resolver(names.clone()));
        get(&client, "http://hooks.example.test/").unwrap();
        let [other] = names.threads().try_into().unwrap();
        assert_ne!(other, this_thread);

        get(&client, &server.url()).unwrap();
        assert_eq!(names.threads().len(), 1, "an address is not looked up");
    }

    #[test]
    fn a_trusted_service_without_tls_is_on_this_machine_or_takes_permission() {
        let server = Server::new(OK);
        let here = SocketAddr::from(([127, 0, 0, 1], server.port));
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], server.port));

        let names = Names::new([vec![elsewhere], vec![elsewhere, here]]);
        let client = trusted(ServicePolicy::new(), &names);
        let refused = get(&client, "http://service.example.test/planted").unwrap_err();
        assert_eq!(refused, SendError::PlainHttp);
        assert_eq!(get(&client, "http://192.0.2.1/").unwrap_err(), SendError::PlainHttp);
        assert_eq!(get(&client, "http://service.example.test/").unwrap().status, 200, "of two addresses, the one here");

        let check = |policy, address: &str, is_tls| Policy::Trusted(policy).check(address.parse().unwrap(), is_tls);
        for loopback in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            check(ServicePolicy::new(), loopback, false).unwrap();
        }
        for address in ["192.0.2.1", "10.0.0.1", "9.9.9.9", "::ffff:10.0.0.1", "2001:db8::1", "fe80::1"] {
            assert!(check(ServicePolicy::new(), address, false).is_err(), "{address}");
            check(ServicePolicy::new(), address, true).unwrap();
            check(ServicePolicy::new().allow_http(), address, false).unwrap();
        }
    }

    #[test]
    fn an_untrusted_url_that_leads_inside_is_refused_however_it_is_spelled() {
        let server = Server::new(OK);
        let (policy, port) = (OutboundPolicy::new().allow_http(), server.port);
        let client = Client::untrusted(&policy);
        for host in ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]", "0"]
        {
            let refused = get(&client, &format!("http://{host}:{port}/")).unwrap_err();
            assert_eq!(refused, no_response(DeliveryError::HostUnreachable), "{host}");
        }
        let names = Names::default();
        let client = Client::untrusted(&OutboundPolicy::new().allow_private_addresses().resolver(names.clone()));
        assert_eq!(get(&client, &server.url()).unwrap_err(), SendError::PlainHttp);
        assert_eq!(get(&client, "http://hooks.example.test/").unwrap_err(), SendError::PlainHttp);
        assert!(names.threads().is_empty(), "it is refused before it is looked up");
        assert!(server.was_left_alone());
    }

    #[test]
    fn a_name_that_changes_between_check_and_connection_leads_nowhere_else() {
        let server = Server::new(OK);
        let inside = SocketAddr::from(([127, 0, 0, 1], server.port));
        // Nothing answers there, from where the tests run or from anywhere.
        let outside: SocketAddr = "[2001:4860:4860::8888]:9".parse().unwrap();
        let policy = OutboundPolicy::new().allow_http().resolver(Names::new([vec![outside], vec![inside]]));
        let client = Client::untrusted(&policy);
        let first = get(&client, "http://hooks.example.test/").unwrap_err();
        assert_ne!(first, no_response(DeliveryError::Protocol), "it was tried, at the address that was checked");
        let second = get(&client, "http://hooks.example.test/").unwrap_err();
        assert_eq!(second, no_response(DeliveryError::HostUnreachable));
        let third = get(&client, "http://hooks.example.test/").unwrap_err();
        assert_eq!(third, no_response(DeliveryError::NotFound));
        assert!(server.was_left_alone());
    }
}
