use std::fmt::Debug;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};

/// Finds the addresses of a host.
pub trait Resolver: Debug + Send + Sync {
    /// Returns the addresses of the host called `host`, each with `port`. The method may block: a caller with a deadline
    /// stops waiting when the deadline has passed.
    ///
    /// # Errors
    /// Whatever prevented the look-up.
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The operating system's resolver.
#[derive(Debug)]
pub(super) struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        (host, port).to_socket_addrs().map(Iterator::collect)
    }
}
