//! Which URLs a webhook may have.

use std::fmt;
use std::net::IpAddr;

use crate::error::{Error, ErrorKind, Result};
use crate::http::policy::OutboundPolicy;

/// Longest URL, in units of UTF-16.
const MAX_URL: usize = 512;
/// Names that lead inside wherever they are looked up.
const INSIDE: [&str; 3] = ["localhost", "local", "internal"];

/// Refuses what is not `https://`, a host with a domain, perhaps a port, and perhaps a path. Hosts that lead inside, and
/// `http://`, are for policies that allow them. Where a name leads is found out when something is sent.
pub(super) fn check_url(url: &str, policy: &OutboundPolicy) -> Result<()> {
    if url.encode_utf16().count() <= MAX_URL && is_url(url, policy) {
        return Ok(());
    }
    let message = "this is not a URL for a webhook: write one like https://hooks.example.com/in, with a host of the public internet and at most 512 characters";
    Err(Error::new(ErrorKind::InvalidValue, message))
}

fn is_url(url: &str, policy: &OutboundPolicy) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let is_allowed =
        scheme.eq_ignore_ascii_case("https") || policy.allows_http() && scheme.eq_ignore_ascii_case("http");
    if !is_allowed || url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return false;
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = split_port(authority);
    let is_port = |port: &str| (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    port.is_none_or(is_port)
        && (is_domain(host) || policy.allows_ranges() && is_inside(host) && allows_host(policy, host))
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        // The colons of an address of IPv6 stand in brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Two labels or more, of which the last has letters only.
fn is_domain(host: &str) -> bool {
    let Some((labels, top)) = host.rsplit_once('.') else {
        return false;
    };
    top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !INSIDE.iter().any(|inside| top.eq_ignore_ascii_case(inside))
        && labels.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A name without a domain, or an address.
fn is_inside(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match address {
        Some(address) => address.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()),
        None => host.split('.').all(is_label),
    }
}

/// Whether a policy allows the address that a host is; of a name that is found out when something is sent.
fn allows_host(policy: &OutboundPolicy, host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    address.parse().map_or(true, |address| policy.allows(address))
}

/// The host of a URL that was checked, in lower case.
pub(super) fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    split_port(rest.split('/').next().unwrap_or_default()).0.to_ascii_lowercase()
}

/// A URL as it is shown to whoever looks for a fault: behind the host may be a password of the receiver's.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = host(self.0);
        let is_host = self.0.contains("://") && (is_domain(&host) || is_inside(&host));
        if is_host { write!(f, "{host}/…") } else { f.write_str("…") }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn urls_are_judged_as_the_vectors_say() {
        let vectors = include_str!("../../../tests/vectors/stashbase-webhook.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let cases = vectors["webhook_url"].as_array().unwrap();
        assert_eq!(cases.len(), 15);
        for case in cases {
            let url = case["url"].as_str().unwrap();
            let result = check_url(url, &OutboundPolicy::new());
            assert_eq!(result.is_ok(), case["valid"].as_bool().unwrap(), "{url}");
        }
    }

    #[test]
    fn what_leads_inside_takes_a_policy_that_allows_it() {
        let (public, private) = (OutboundPolicy::new(), OutboundPolicy::new().allow_private_addresses());
        for url in [
            "https://localhost/in",
            "https://receiver",
            "https://127.0.0.1:8080/in",
            "https://[::1]:8080/in",
            "https://[fd00::1]",
            "https://receiver.internal/",
            "https://x.LOCALHOST/",
            "https://x.local/",
        ] {
            assert!(check_url(url, &public).is_err() && check_url(url, &private).is_ok(), "{url}");
        }
        for bad in [
            "http://hooks.example.test/",
            "ftp://hooks.example.test/",
            "https://",
            "https://:80/",
            "https://hooks.example.test:/",
            "https://hooks.example.test:123456/",
            "https://hooks.example.test/a b",
            "https://hooks.example.test/a\u{7f}",
            "https://hooks.example.test/\u{a0}",
            "https://[::1/",
            "https://[1.2.3.4]/",
            "https://user@receiver/",
            "https://hooks.example.test#x",
            "https://-a.example.test/",
            "https://a..test/",
        ] {
            assert!(check_url(bad, &private).is_err(), "{bad}");
        }
        assert!(check_url("HTTP://hooks.example.test/?x#y", &OutboundPolicy::new().allow_http()).is_ok());
    }

    #[test]
    fn an_address_must_be_in_a_range() {
        let policy = OutboundPolicy::new().allow_range("10.0.0.0/8".parse().unwrap());
        for (url, is_fine) in [
            ("https://10.0.0.1/in", true),
            ("https://receiver/in", true),
            ("https://127.0.0.1/in", false),
            ("https://169.254.169.254/in", false),
            ("https://[::ffff:10.0.0.1]/in", true),
            ("https://[::1]/in", false),
        ] {
            assert_eq!(check_url(url, &policy).is_ok(), is_fine, "{url}");
        }
    }

    #[test]
    fn hosts_are_told_apart() {
        for (url, expected) in [
            ("https://Hooks.Example.test", "hooks.example.test"),
            ("https://hooks.example.test:8443/in:2", "hooks.example.test"),
            ("https://[::1]:8443/", "[::1]"),
            ("https://[::1]", "[::1]"),
        ] {
            assert_eq!(host(url), expected);
        }
    }
}
