use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use super::address::is_public;

/// Where the requests of a vault may go: by https, to the public internet, unless its operator allows more.
///
/// ```
/// use ioenv::vault::OutboundPolicy;
///
/// // For tests, and for receivers on the operator's own network.
/// let policy = OutboundPolicy::new().allow_private_addresses().allow_http();
/// ```
#[derive(Clone, Debug)]
pub struct OutboundPolicy {
    private_addresses: bool,
    http: bool,
    lookup: Arc<dyn Lookup>,
}

impl OutboundPolicy {
    /// Https and the public internet alone.
    pub fn new() -> Self {
        Self { private_addresses: false, http: false, lookup: Arc::new(SystemLookup) }
    }

    /// The same, and also to loopback, private, link-local and other addresses that lead inside.
    ///
    /// # Security
    /// Whoever may create a webhook can then have requests sent to whatever the machine reaches.
    #[must_use]
    pub fn allow_private_addresses(mut self) -> Self {
        self.private_addresses = true;
        self
    }

    /// The same, and also without TLS.
    #[must_use]
    pub fn allow_http(mut self) -> Self {
        self.http = true;
        self
    }

    /// The same with a way of one's own to look hosts up. What it answers is checked like any other address.
    #[must_use]
    pub fn lookup(mut self, lookup: impl Lookup + 'static) -> Self {
        self.lookup = Arc::new(lookup);
        self
    }

    /// Whether addresses that lead inside are allowed.
    pub fn allows_private_addresses(&self) -> bool {
        self.private_addresses
    }

    /// Whether requests without TLS are allowed.
    pub fn allows_http(&self) -> bool {
        self.http
    }

    /// Whether a request may go to this address.
    ///
    /// ```
    /// use ioenv::vault::OutboundPolicy;
    ///
    /// let policy = OutboundPolicy::new();
    /// assert!(policy.allows([9, 9, 9, 9].into()));
    /// assert!(!policy.allows([169, 254, 169, 254].into()));
    /// assert!(!policy.allows("::ffff:10.0.0.1".parse().unwrap()));
    /// ```
    pub fn allows(&self, address: IpAddr) -> bool {
        self.private_addresses || is_public(address)
    }

    #[cfg(feature = "http")]
    pub(super) fn names(&self) -> Arc<dyn Lookup> {
        Arc::clone(&self.lookup)
    }
}

impl Default for OutboundPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// Finds the addresses of a host.
pub trait Lookup: Debug + Send + Sync {
    /// The addresses of `host`, which may be one itself, each with that port. It may block; who waits for it does not
    /// wait longer than the request may take.
    ///
    /// # Errors
    /// Whatever kept it from finding any.
    fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The operating system's way.
#[derive(Debug)]
struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        (host, port).to_socket_addrs().map(Iterator::collect)
    }
}
