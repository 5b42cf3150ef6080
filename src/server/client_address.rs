//! Where a request came from.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderValue};

use crate::vault::IpRange;

/// Where a request came from, as far as that is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientAddress {
    /// The address that is connected.
    pub(super) peer: IpAddr,
    /// The address of the client; `None` if a trusted proxy sent a header that cannot be read.
    pub(super) client: Option<IpAddr>,
}

impl ClientAddress {
    /// Returns the connected address, or, if that is a trusted proxy, the last address in `X-Forwarded-For` that is not
    /// one. Each proxy appends the address it was connected to, so anybody may have written what stands before.
    pub(super) fn find(peer: IpAddr, headers: &HeaderMap, proxies: &[IpRange]) -> Self {
        let peer = peer.to_canonical();
        let is_proxy = |address: IpAddr| proxies.iter().any(|range| range.contains(address));
        let mut client = Some(peer);
        let lines: Vec<&[u8]> = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
        for hop in lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b',')) {
            if !client.is_some_and(is_proxy) {
                break;
            }
            client = parse_hop(hop);
        }
        Self { peer, client }
    }

    /// Returns the network by which requests are counted. The holder of one IPv6 address mostly has the 2^64 beside it.
    /// Requests of unknown addresses count together for each proxy they came through.
    pub(super) fn network(&self) -> String {
        self.within(64)
    }

    /// Returns the larger network of which somebody may hold all: a /48 of IPv6.
    pub(super) fn site(&self) -> String {
        self.within(48)
    }

    fn within(&self, bits: u32) -> String {
        match self.client {
            Some(client) => network(client, bits).to_string(),
            None => format!("unknown behind {}", self.peer),
        }
    }
}

/// Returns the first address of the IPv6 network with so many bits. An IPv4 address is a network of its own.
pub(super) fn network(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> (128 - bits) << (128 - bits)).into(),
        IpAddr::V4(_) => address,
    }
}

/// Parses one element of the header: an address, with or without a port, perhaps in quotes.
fn parse_hop(hop: &[u8]) -> Option<IpAddr> {
    let hop = hop.trim_ascii();
    let hop = hop.strip_prefix(b"\"").and_then(|hop| hop.strip_suffix(b"\"")).unwrap_or(hop);
    // A zone is only known to the machine that wrote it.
    let hop = str::from_utf8(hop).ok().filter(|hop| !hop.contains('%'))?;
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']'));
    let address = match bare {
        Some(bare) => bare.parse().ok().filter(IpAddr::is_ipv6),
        None => hop.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip())),
    };
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The address that a server behind proxies finds; `-` if it is unknown.
    fn find(peer: &str, lines: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
        }
        let proxies = ["10.0.0.0/8".parse().unwrap(), "127.0.0.1".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let address = ClientAddress::find(peer.parse().unwrap(), &headers, &proxies);
        address.client.map_or("-".to_owned(), |client| client.to_string())
    }

    #[test]
    fn the_header_of_an_untrusted_peer_is_ignored() {
        let headers: [&[&[u8]]; 5] = [&[], &[b"198.51.100.7"], &[b"127.0.0.1"], &[b"\xff"], &[b""]];
        for lines in headers {
            assert_eq!(find("192.0.2.1", lines), "192.0.2.1");
            assert_eq!(find("::ffff:192.0.2.1", lines), "192.0.2.1");
        }
    }

    #[test]
    fn the_last_address_that_is_no_proxy_counts() {
        let headers: [(&[&[u8]], &str); 16] = [
            (&[], "127.0.0.1"),
            (&[b"198.51.100.7"], "198.51.100.7"),
            (&[b"203.0.113.9, 198.51.100.7, 10.1.2.3"], "198.51.100.7"),
            (&[b"203.0.113.9", b"198.51.100.7", b"10.1.2.3"], "198.51.100.7"),
            (&[b"203.0.113.9,198.51.100.7", b"10.1.2.3 , fd00::5"], "198.51.100.7"),
            (&[b"198.51.100.7", b"203.0.113.9"], "203.0.113.9"),
            (&[b"10.1.2.3, 10.1.2.4"], "10.1.2.3"),
            (&[b"198.51.100.7\t,\t10.1.2.3"], "198.51.100.7"),
            (&[b"2001:db8::1"], "2001:db8::1"),
            (&[b"2001:DB8:0:0::1, ::ffff:10.1.2.3"], "2001:db8::1"),
            (&[b"::ffff:198.51.100.7"], "198.51.100.7"),
            // What stands before it is not looked at.
            (&[b"nonsense, 198.51.100.7"], "198.51.100.7"),
            (&[b"\xff, 198.51.100.7"], "198.51.100.7"),
            (&[b"\xff", b"198.51.100.7"], "198.51.100.7"),
            (&[b",, 198.51.100.7"], "198.51.100.7"),
            (&[b"\", 198.51.100.7"], "198.51.100.7"),
        ];
        for (lines, client) in headers {
            assert_eq!(find("127.0.0.1", lines), client, "{}", lines.concat().escape_ascii());
        }
    }

    #[test]
    fn an_address_may_have_a_port_brackets_or_quotes() {
        for (hop, client) in [
            (&b"203.0.113.7:4711"[..], "203.0.113.7"),
            (b"\"203.0.113.7\"", "203.0.113.7"),
            (b"\"203.0.113.7:4711\"", "203.0.113.7"),
            (b"[2001:db8::1]", "2001:db8::1"),
            (b"[2001:db8::1]:4711", "2001:db8::1"),
            (b"\"[2001:db8::1]\"", "2001:db8::1"),
            (b"\"[2001:db8::1]:4711\"", "2001:db8::1"),
            (b"[::ffff:203.0.113.7]:4711", "203.0.113.7"),
        ] {
            assert_eq!(find("127.0.0.1", &[hop]), client, "{}", hop.escape_ascii());
            // A proxy that is written so is skipped like any other.
            assert_eq!(find("127.0.0.1", &[hop, b"10.1.2.3:443, \"[fd00::5]:443\""]), client, "{}", hop.escape_ascii());
        }
    }

    #[test]
    fn an_address_that_cannot_be_read_is_unknown() {
        for hop in [
            &b""[..],
            b" ",
            b"\t",
            b"nonsense",
            b"unknown",
            b"_hidden",
            b"\xff",
            b"203.0.113.7\xff",
            b"\xc2\xa0203.0.113.7",
            b"203.0.113.7:",
            b"203.0.113.7:x",
            b"203.0.113.7:99999",
            b"203.0.113.7:_port",
            b"203.0.113.7/32",
            b"203.0.113.007",
            b"203.0.113",
            b"203.0.113.7 10.1.2.3",
            b"203.0.113.7;10.1.2.3",
            b"for=203.0.113.7",
            b"\"203.0.113.7",
            b"203.0.113.7\"",
            b"'203.0.113.7'",
            b"\"\"",
            b"[203.0.113.7]",
            b"[2001:db8::1",
            b"2001:db8::1]",
            b"[2001:db8::1]4711",
            b"[2001:db8::1]:",
            b"fe80::1%eth0",
            b"[fe80::1%25eth0]",
            b"[fe80::1%1]:4711",
        ] {
            let shown = hop.escape_ascii();
            assert_eq!(find("127.0.0.1", &[hop]), "-", "{shown}");
            assert_eq!(find("127.0.0.1", &[b"198.51.100.7", hop]), "-", "{shown}");
            let line = [b"198.51.100.7, ", hop, b", 10.1.2.3"].concat();
            assert_eq!(find("127.0.0.1", &[&line]), "-", "behind another proxy: {shown}");
        }
        for line in [&b"198.51.100.7,"[..], b"198.51.100.7, ", b"198.51.100.7,,", b",", b"198.51.100.7, , 10.1.2.3"] {
            assert_eq!(find("127.0.0.1", &[line]), "-", "{}", line.escape_ascii());
        }
    }
}
