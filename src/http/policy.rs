use std::net::IpAddr;
use std::sync::Arc;

use super::address::{is_metadata, is_public, plain};
use super::resolver::{Resolver, SystemResolver};
use crate::core::ip_range::IpRange;

/// The policy for requests to URLs that somebody other than the operator chose, such as webhooks.
///
/// By default requests use HTTPS and go to addresses of the public internet only.
///
/// ```
/// use ioenv::http::OutboundPolicy;
///
/// # fn main() -> ioenv::Result<()> {
/// // For receivers on the operator's own network.
/// let policy = OutboundPolicy::new().allow_range("10.1.0.0/16".parse()?).allow_http();
/// assert!(policy.allows([10, 1, 2, 3].into()) && !policy.allows([127, 0, 0, 1].into()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OutboundPolicy {
    ranges: Vec<IpRange>,
    http: bool,
    resolver: Arc<dyn Resolver>,
}

impl OutboundPolicy {
    /// Creates a policy that allows HTTPS to public addresses only.
    pub fn new() -> Self {
        Self { ranges: Vec::new(), http: false, resolver: Arc::new(SystemResolver) }
    }

    /// Also allows the addresses of a range, although they are not public. Those of the metadata services of clouds are
    /// refused in any case.
    ///
    /// # Security
    /// Everyone who may create a webhook can then have requests sent to everything in the range.
    #[must_use]
    pub fn allow_range(mut self, range: IpRange) -> Self {
        self.ranges.push(range);
        self
    }

    /// Also allows loopback and private addresses (RFC 1918, RFC 4193), such as in a test. Link-local and other addresses that
    /// are not public take [`allow_range`](Self::allow_range).
    ///
    /// # Security
    /// Everyone who may create a webhook can then have requests sent to the machine and to its networks.
    #[must_use]
    pub fn allow_private_addresses(self) -> Self {
        let v4 = |octets: [u8; 4], prefix| IpRange::new(octets.into(), prefix);
        let v6 = |first, last, prefix| IpRange::new([first, 0, 0, 0, 0, 0, 0, last].into(), prefix);
        let ranges = [
            v4([127, 0, 0, 0], 8),
            v4([10, 0, 0, 0], 8),
            v4([172, 16, 0, 0], 12),
            v4([192, 168, 0, 0], 16),
            v6(0, 1, 128),
            v6(0xfc00, 0, 7),
        ];
        ranges.into_iter().flatten().fold(self, Self::allow_range)
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

    /// Returns whether some addresses that are not public are allowed.
    #[cfg(feature = "vault")]
    pub(crate) fn allows_ranges(&self) -> bool {
        !self.ranges.is_empty()
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
        let plain = plain(address);
        !is_metadata(address) && (is_public(address) || self.ranges.iter().any(|range| range.contains(plain)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(ranges: &[&str], address: &str) -> bool {
        let ranges = ranges.iter().map(|range| range.parse().unwrap());
        ranges.fold(OutboundPolicy::new(), OutboundPolicy::allow_range).allows(address.parse().unwrap())
    }

    #[test]
    fn a_range_opens_itself_alone() {
        let ranges = ["10.0.0.0/8", "fd12::/16"];
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd12::1", "9.9.9.9"] {
            assert!(allows(&ranges, address), "{address}");
        }
        for address in ["127.0.0.1", "::1", "192.168.0.1", "169.254.1.1", "fe80::1", "fd13::1", "::ffff:127.0.0.1"] {
            assert!(!allows(&ranges, address), "{address}");
        }
        let private = OutboundPolicy::new().allow_private_addresses();
        for (address, is_allowed) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("172.31.0.1", true),
            ("fd00::1", true),
            ("169.254.1.1", false),
            ("fe80::1", false),
            ("100.64.0.1", false),
            ("fd00:ec2::254", false),
        ] {
            assert_eq!(private.allows(address.parse().unwrap()), is_allowed, "{address}");
        }
    }

    #[test]
    fn no_range_opens_the_metadata_of_a_cloud() {
        let all = ["0.0.0.0/0", "::/0", "169.254.169.254", "fd00:ec2::254", "100.100.100.200"];
        assert!(allows(&all, "169.254.1.1") && allows(&all, "fe80::1"));
        for address in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "168.63.129.16",
        ] {
            assert!(!allows(&all, address), "{address}");
        }
    }
}
