use std::net::IpAddr;
use std::sync::Arc;

use super::address::is_public;
use super::resolver::{Resolver, SystemResolver};

/// The policy for requests to URLs that somebody other than the operator chose, such as webhooks.
///
/// By default requests use HTTPS and go to addresses of the public internet only.
///
/// ```
/// use ioenv::http::OutboundPolicy;
///
/// // For tests, and for receivers on the operator's own network.
/// let policy = OutboundPolicy::new().allow_private_addresses().allow_http();
/// ```
#[derive(Clone, Debug)]
pub struct OutboundPolicy {
    private_addresses: bool,
    http: bool,
    resolver: Arc<dyn Resolver>,
}

impl OutboundPolicy {
    /// Creates a policy that allows HTTPS to public addresses only.
    pub fn new() -> Self {
        Self { private_addresses: false, http: false, resolver: Arc::new(SystemResolver) }
    }

    /// Also allows loopback, private, link-local and other addresses that are not public.
    ///
    /// # Security
    /// Everyone who may create a webhook can then have requests sent to whatever the machine reaches.
    #[must_use]
    pub fn allow_private_addresses(mut self) -> Self {
        self.private_addresses = true;
        self
    }

    /// Also allows requests without TLS.
    #[must_use]
    pub fn allow_http(mut self) -> Self {
        self.http = true;
        self
    }

    /// Resolves host names with `resolver` instead of the operating system. The addresses that it returns are checked
    /// like any others.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolver + 'static) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Returns whether addresses that are not public are allowed.
    #[cfg(feature = "vault")]
    pub(crate) fn allows_private_addresses(&self) -> bool {
        self.private_addresses
    }

    /// Returns whether requests without TLS are allowed.
    #[cfg(any(feature = "vault", test))]
    pub(crate) fn allows_http(&self) -> bool {
        self.http
    }

    /// Returns whether a request may go to this address.
    ///
    /// ```
    /// use ioenv::http::OutboundPolicy;
    ///
    /// let policy = OutboundPolicy::new();
    /// assert!(policy.allows([9, 9, 9, 9].into()));
    /// assert!(!policy.allows([169, 254, 169, 254].into()));
    /// assert!(!policy.allows("::ffff:10.0.0.1".parse().unwrap()));
    /// ```
    pub fn allows(&self, address: IpAddr) -> bool {
        self.private_addresses || is_public(address)
    }

    #[cfg(any(feature = "worker", all(feature = "http", test)))]
    pub(super) fn names(&self) -> &Arc<dyn Resolver> {
        &self.resolver
    }
}

impl Default for OutboundPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// The policy for requests to a service that the program or its operator configured.
///
/// By default requests use HTTPS, or plain HTTP to this machine's loopback addresses, where nobody can listen in.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServicePolicy {
    http: bool,
}

impl ServicePolicy {
    /// Creates a policy that allows HTTPS, and plain HTTP to loopback addresses only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also allows plain HTTP to other machines.
    ///
    /// # Security
    /// Tokens and secrets are then readable on the network between the two machines.
    #[must_use]
    pub fn allow_http(mut self) -> Self {
        self.http = true;
        self
    }

    /// Returns whether plain HTTP to other machines is allowed.
    #[cfg(any(feature = "worker", all(feature = "http", test)))]
    pub(crate) fn allows_http(self) -> bool {
        self.http
    }
}
