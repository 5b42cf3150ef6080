//! Where a request came from.

use std::net::IpAddr;

use axum::http::HeaderMap;

use crate::vault::IpRange;

/// Where a request came from, as far as that is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientAddress(pub(super) IpAddr);

impl ClientAddress {
    /// The address that is connected, or what the proxies say that are trusted: each appends to `X-Forwarded-For` whom it
    /// was connected to, so the last address that is no such proxy counts. What stands before it anybody may have written.
    pub(super) fn find(peer: IpAddr, headers: &HeaderMap, proxies: &[IpRange]) -> Self {
        let is_proxy = |address: &IpAddr| proxies.iter().any(|range| range.contains(*address));
        let mut address = peer.to_canonical();
        let values: Vec<&str> =
            headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
        for said in values.iter().rev().flat_map(|value| value.rsplit(',')) {
            if !is_proxy(&address) {
                break;
            }
            match said.trim().parse::<IpAddr>() {
                Ok(said) => address = said.to_canonical(),
                Err(_) => break,
            }
        }
        Self(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(peer: &str, said: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in said {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let proxies = ["10.0.0.0/8".parse().unwrap(), "127.0.0.1".parse().unwrap()];
        ClientAddress::find(peer.parse().unwrap(), &headers, &proxies).0.to_string()
    }

    #[test]
    fn the_last_address_that_is_no_proxy_counts() {
        assert_eq!(find("192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(find("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(find("::ffff:192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(find("127.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(find("127.0.0.1", &["203.0.113.9, 198.51.100.7, 10.1.2.3"]), "198.51.100.7");
        assert_eq!(find("127.0.0.1", &["203.0.113.9", "198.51.100.7", "10.1.2.3"]), "198.51.100.7");
        assert_eq!(find("127.0.0.1", &["2001:db8::1"]), "2001:db8::1");
        // What cannot be understood was not written by a proxy.
        assert_eq!(find("127.0.0.1", &["198.51.100.7, nonsense"]), "127.0.0.1");
        assert_eq!(find("127.0.0.1", &["nonsense, 198.51.100.7"]), "198.51.100.7");
    }
}
