use std::fmt;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{Request, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Timeout};

use super::{Lookup, OutboundPolicy};
use crate::core::DeliveryError;

/// How long a request may take, from the look-up to the last byte of the answer that is read.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// How long it may take to connect, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Most addresses of a host that are tried.
const MAX_ADDRESSES: usize = 16;

/// Sends requests to where a policy allows. It is shared between threads; each request has a connection of its own.
///
/// There are no retries in it, and neither redirects nor proxies are followed: what was checked is what is connected to.
pub(crate) struct Client {
    agent: Agent,
}

/// What a service answered, whatever the status is.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// What was read of it: less than it sent, if it sent more than that or broke off.
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// A client for requests that this policy allows. Certificates are checked against those the machine trusts, which
    /// are read now.
    pub(crate) fn new(policy: &OutboundPolicy) -> Self {
        // Without any the requests fail, each with the code for it; a vault that only sends by http needs none.
        let trusted = rustls_native_certs::load_native_certs().certs;
        let roots = trusted.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots.collect::<Vec<_>>()))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Config::builder()
            .https_only(!policy.allows_http())
            .http_status_as_error(false)
            .max_idle_connections(0)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .tls_config(tls)
            .user_agent(concat!("ioenv/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = CheckedResolver { policy: policy.clone() };
        Self { agent: Agent::with_parts(config, DefaultConnector::default(), resolver) }
    }

    /// Sends one request, and waits for the answer for at most [`TIMEOUT`]. Of the answer's body `limit` bytes are read,
    /// and no more of it is waited for. A request that has an empty body has none, unless its method asks for one.
    ///
    /// # Errors
    /// Why there is no answer. Nothing of the request or of the host's networks is in it.
    pub(crate) fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        limit: usize,
    ) -> Result<Answer, DeliveryError> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // A URL or a header that HTTP has no room for.
        let request = request.body(body).map_err(|_| DeliveryError::Protocol)?;
        let asks_for_body = matches!(method, "POST" | "PUT" | "PATCH");
        let response =
            if body.is_empty() && !asks_for_body { self.agent.run(request.map(drop)) } else { self.agent.run(request) };
        let response = response.map_err(|error| code(&error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        // The status has been told; where the body breaks off, what came of it is what there is.
        let _ = response.into_body().into_reader().take(limit as u64).read_to_end(&mut body);
        Ok(Answer { status, body })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Looks hosts up, and lets through what the policy allows. What it returns is what is connected to.
#[derive(Debug)]
struct CheckedResolver {
    policy: OutboundPolicy,
}

impl Resolver for CheckedResolver {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let port = match uri.port_u16() {
            Some(port) => port,
            // A port that is none would otherwise count as the usual one.
            None if uri.authority().is_some_and(|authority| !authority.as_str().ends_with(host)) => {
                return Err(ureq::Error::BadUri("port".to_owned()));
            }
            None if uri.scheme_str() == Some("http") => 80,
            None => 443,
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let found = look_up(self.policy.names(), host.to_owned(), port, *timeout.after)?;
        if found.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        let mut allowed = self.empty();
        for address in found.into_iter().filter(|address| self.policy.allows(address.ip())).take(MAX_ADDRESSES) {
            allowed.push(address);
        }
        if allowed.is_empty() { Err(io::Error::from(io::ErrorKind::HostUnreachable).into()) } else { Ok(allowed) }
    }
}

/// Looks a host up in a thread of its own, because the system's way knows no limit of time.
fn look_up(names: Arc<dyn Lookup>, host: String, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, ureq::Error> {
    let (found, receiver) = mpsc::sync_channel(1);
    std::thread::Builder::new().spawn(move || found.send(names.lookup(&host, port)))?;
    match receiver.recv_timeout(timeout) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(_)) | Err(mpsc::RecvTimeoutError::Disconnected) => Err(ureq::Error::HostNotFound),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(ureq::Error::Timeout(Timeout::Resolve)),
    }
}

fn code(error: &ureq::Error) -> DeliveryError {
    use io::ErrorKind as Kind;

    match error {
        ureq::Error::HostNotFound => DeliveryError::NotFound,
        ureq::Error::Timeout(Timeout::Connect) => DeliveryError::TimedOut,
        ureq::Error::Timeout(_) => DeliveryError::Aborted,
        ureq::Error::Io(error) => match error.kind() {
            Kind::ConnectionRefused => DeliveryError::Refused,
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => {
                DeliveryError::Reset
            }
            Kind::NetworkUnreachable => DeliveryError::NetworkUnreachable,
            Kind::HostUnreachable | Kind::AddrNotAvailable => DeliveryError::HostUnreachable,
            Kind::TimedOut | Kind::WouldBlock => DeliveryError::TimedOut,
            _ => DeliveryError::Protocol,
        },
        _ => DeliveryError::Protocol,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers every connection with `answer`, and tells what was sent to it.
    fn server(answer: &'static str) -> (u16, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (mut request, mut bytes) = (String::new(), [0; 4096]);
                // The one body that is sent here has two bytes.
                while !request.ends_with(if request.contains("content-length: 2") { "{}" } else { "\r\n\r\n" }) {
                    match stream.read(&mut bytes).unwrap() {
                        0 => break,
                        length => request.push_str(&String::from_utf8_lossy(&bytes[..length])),
                    }
                }
                let _ = sender.send(request);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        (port, receiver)
    }

    fn anywhere() -> OutboundPolicy {
        OutboundPolicy::new().allow_private_addresses().allow_http()
    }

    fn get(policy: &OutboundPolicy, url: &str) -> Result<Answer, DeliveryError> {
        Client::new(policy).send("GET", url, &[], b"", 4)
    }

    #[test]
    fn a_request_is_sent_as_it_is_given() {
        let (port, received) = server("HTTP/1.1 201 Created\r\ncontent-length: 6\r\n\r\nanswer");
        let url = format!("http://127.0.0.1:{port}/in?x=1");
        let client = Client::new(&anywhere());
        let answer = client.send("POST", &url, &[("x-one", "1")], b"{}", 4).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (201, &b"answ"[..]));
        let request = received.recv().unwrap();
        assert!(request.starts_with("POST /in?x=1 HTTP/1.1\r\n") && request.ends_with("\r\n\r\n{}"), "{request}");
        assert!(request.contains("x-one: 1\r\n") && request.contains("content-length: 2\r\n"), "{request}");
        for method in ["GET", "DELETE", "HEAD"] {
            assert_eq!(client.send(method, &url, &[], b"", 4).unwrap().status, 201);
            let request = received.recv().unwrap();
            assert!(request.starts_with(method) && !request.contains("content-length"), "{request}");
        }
        for bad in ["", "planted", "ftp://127.0.0.1/", "http://127.0.0.1:99999/", "http:///", "http://a b/"] {
            assert_eq!(client.send("POST", bad, &[], b"", 4).unwrap_err(), DeliveryError::Protocol, "{bad}");
        }
        assert_eq!(client.send("POST", &url, &[("x", "a\nb")], b"", 4).unwrap_err(), DeliveryError::Protocol);
    }

    #[test]
    fn a_redirect_is_an_answer() {
        let (inside, received) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        let answer = format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{inside}/\r\ncontent-length: 0\r\n\r\n");
        let (port, _) = server(answer.leak());
        let answer = get(&anywhere(), &format!("http://127.0.0.1:{port}/")).unwrap();
        assert_eq!(answer.status, 302);
        assert!(received.try_recv().is_err(), "nothing went there");
    }

    #[test]
    fn what_leads_inside_is_refused_however_it_is_spelled() {
        let (port, received) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        let policy = OutboundPolicy::new().allow_http();
        for host in ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]", "0"]
        {
            let refused = get(&policy, &format!("http://{host}:{port}/")).unwrap_err();
            assert_eq!(refused, DeliveryError::HostUnreachable, "{host}");
        }
        assert!(received.try_recv().is_err(), "nothing went there");
        let refused = get(&OutboundPolicy::new().allow_private_addresses(), &format!("http://127.0.0.1:{port}/"));
        assert_eq!(refused.unwrap_err(), DeliveryError::Protocol, "not without TLS");
    }

    /// Tells each time another address.
    #[derive(Debug)]
    struct Turning(std::sync::Mutex<Vec<SocketAddr>>);

    impl Lookup for Turning {
        fn lookup(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
            Ok(self.0.lock().unwrap().pop().into_iter().collect())
        }
    }

    #[test]
    fn a_name_that_changes_between_check_and_connection_leads_nowhere_else() {
        let (port, received) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        let inside = SocketAddr::from(([127, 0, 0, 1], port));
        // Nothing answers there, from where the tests run or from anywhere.
        let outside: SocketAddr = "[2001:4860:4860::8888]:9".parse().unwrap();
        let policy = OutboundPolicy::new().allow_http().lookup(Turning(vec![inside, outside].into()));
        let client = Client::new(&policy);
        let first = client.send("GET", "http://hooks.example.test/", &[], b"", 4).unwrap_err();
        assert_ne!(first, DeliveryError::Protocol, "it was tried, at the address that was checked");
        let second = client.send("GET", "http://hooks.example.test/", &[], b"", 4).unwrap_err();
        assert_eq!(second, DeliveryError::HostUnreachable);
        let third = client.send("GET", "http://hooks.example.test/", &[], b"", 4).unwrap_err();
        assert_eq!(third, DeliveryError::NotFound);
        assert!(received.try_recv().is_err(), "nothing went inside");
    }
}
