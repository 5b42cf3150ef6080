use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// What is told of each request that was answered.
pub(super) type Log = Arc<dyn Fn(&AccessLogEntry<'_>) + Send + Sync>;

/// A request that was answered. It holds nothing that a client wrote, but which method and which kind of address it was, so that
/// whatever a client puts into an address by mistake is not written down.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AccessLogEntry<'a> {
    /// Such as `GET`; `-` for one that is none of the usual ones.
    pub method: &'a str,
    /// Which kind of address it was, such as `/v1/environment/secrets/{name}`; `-` for one that is not served.
    pub route: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// Where it came from.
    pub ip: IpAddr,
    /// From when all of its headers were there to when the answer was ready.
    pub took: Duration,
}

/// `127.0.0.1 GET /v1/environment/secrets 200 1.2 ms`.
impl fmt::Display for AccessLogEntry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ip, method, route, status, took } = self;
        write!(f, "{ip} {method} {route} {status} {:.1} ms", took.as_secs_f64() * 1000.0)
    }
}
