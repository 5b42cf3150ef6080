use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::serde_text::serde_text;
use crate::error::{Error, ErrorKind, Result};

/// A range of addresses in the notation of CIDR (RFC 4632, RFC 4291), such as `192.0.2.0/24` or `2001:db8::/32`. An
/// address alone is the range that has only that.
///
/// It has the addresses of its family alone: `0.0.0.0/0` is all of IPv4, `::/0` all of IPv6. IPv4 addresses that are
/// mapped into IPv6 (`::ffff:192.0.2.1`), as a socket for both families gives them, count as IPv4 everywhere.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// use ioenv::vault::IpRange;
///
/// let office: IpRange = "192.0.2.17/24".parse()?;
/// assert_eq!(office.to_string(), "192.0.2.0/24");
/// assert!(office.contains("::ffff:192.0.2.200".parse().unwrap()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpRange {
    /// The first address; what follows the prefix is zero.
    first: IpAddr,
    prefix: u8,
}

impl IpRange {
    /// The range of the addresses that share their first `prefix` bits with `address`.
    ///
    /// # Errors
    /// `InvalidValue`, for more than 32 bits of an IPv4 address or 128 of an IPv6 address.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self> {
        let (address, prefix) = match (address.to_canonical(), address) {
            (IpAddr::V4(mapped), IpAddr::V6(_)) if (96..=128).contains(&prefix) => (IpAddr::V4(mapped), prefix - 96),
            _ => (address, prefix),
        };
        let first = match address {
            IpAddr::V4(address) if prefix <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V4((address.to_bits() & mask).into())
            }
            IpAddr::V6(address) if prefix <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
            _ => return Err(invalid()),
        };
        Ok(Self { first, prefix })
    }

    /// Whether all of its addresses are in another range. A range of one family is never within one of the other.
    pub fn is_within(self, other: Self) -> bool {
        self.prefix >= other.prefix && other.contains(self.first)
    }

    /// Whether an address is in it.
    pub fn contains(self, address: IpAddr) -> bool {
        Self::new(address.to_canonical(), self.prefix).is_ok_and(|range| range == self)
    }
}

#[cold]
fn invalid() -> Error {
    let message = "a range of addresses is written like 192.0.2.0/24 or 2001:db8::/32";
    Error::new(ErrorKind::InvalidValue, message)
}

impl FromStr for IpRange {
    type Err = Error;

    /// # Errors
    /// `InvalidValue`.
    fn from_str(text: &str) -> Result<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let prefix = match prefix {
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
                prefix.parse().map_err(|_| invalid())?
            }
            Some(_) => return Err(invalid()),
            None if address.is_ipv4() => 32,
            None => 128,
        };
        Self::new(address, prefix)
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

serde_text!(IpRange, "a range of addresses, such as 192.0.2.0/24");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(text: &str) -> IpRange {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_have_one_spelling() {
        for (text, spelled) in [
            ("192.0.2.17/24", "192.0.2.0/24"),
            ("192.0.2.17", "192.0.2.17/32"),
            ("203.0.113.9/0", "0.0.0.0/0"),
            ("2001:DB8::1/32", "2001:db8::/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("2001:db8::1/0", "::/0"),
            ("::ffff:192.0.2.17/120", "192.0.2.0/24"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::ffff:192.0.2.17", "192.0.2.17/32"),
        ] {
            assert_eq!(range(text).to_string(), spelled, "{text}");
            assert_eq!(range(spelled), range(text));
            let json = serde_json::to_string(&range(text)).unwrap();
            assert_eq!(serde_json::from_str::<IpRange>(&json).unwrap(), range(text));
        }
    }

    #[test]
    fn what_is_no_range_is_refused_without_a_word_of_it() {
        for bad in [
            "",
            "/",
            "planted",
            "192.0.2.0/33",
            "192.0.2.0/",
            "192.0.2.0/+8",
            "192.0.2.0/ 8",
            "192.0.2/24",
            "192.0.2.0/8/8",
            "2001:db8::/129",
            "2001:db8::/999",
            "192.0.2.0-192.0.2.9",
            " 192.0.2.0/24",
            "planted.example/24",
        ] {
            let error = bad.parse::<IpRange>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue, "{bad}");
            assert!(!error.to_string().contains("planted"), "{error}");
        }
    }

    #[test]
    fn a_range_has_the_addresses_between_its_ends() {
        for (text, inside, outside) in [
            ("192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127", "192.0.3.0"]),
            ("192.0.2.1", ["192.0.2.1", "::ffff:192.0.2.1"], ["192.0.2.0", "::192.0.2.1"]),
            ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "2001:db8::1"]),
            ("2001:db8::/33", ["2001:db8::", "2001:db8:7fff::1"], ["2001:db8:8000::", "2001:db7:ffff::"]),
            ("::/0", ["::1", "ffff::1"], ["192.0.2.1", "::ffff:192.0.2.1"]),
            ("::ffff:192.0.2.0/120", ["192.0.2.9", "::ffff:192.0.2.9"], ["192.0.3.0", "::ffff:192.0.3.0"]),
        ] {
            assert!(inside.iter().all(|address| range(text).contains(address.parse().unwrap())), "{text}");
            assert!(!outside.iter().any(|address| range(text).contains(address.parse().unwrap())), "{text}");
        }
    }

    #[test]
    fn a_range_is_within_those_that_have_all_of_it() {
        for (inner, outer) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.7", "192.0.2.0/24"),
            ("192.0.2.0/24", "0.0.0.0/0"),
            ("::ffff:192.0.2.0/120", "192.0.0.0/16"),
            ("192.0.2.0/24", "::ffff:0:0/96"),
            ("2001:db8::1", "2001:db8::/32"),
            ("2001:db8::/32", "::/0"),
        ] {
            assert!(range(inner).is_within(range(outer)), "{inner} {outer}");
        }
        for (inner, outer) in [
            ("192.0.2.0/24", "192.0.2.0/25"),
            ("192.0.2.0/24", "192.0.3.0/24"),
            ("0.0.0.0/0", "192.0.2.0/24"),
            ("192.0.2.0/24", "::/0"),
            ("::/0", "0.0.0.0/0"),
            ("::/128", "0.0.0.0/0"),
            ("::/95", "::ffff:0:0/96"),
            ("2001:db8::/31", "2001:db8::/32"),
        ] {
            assert!(!range(inner).is_within(range(outer)), "{inner} {outer}");
        }
    }

    proptest! {
        #[test]
        fn a_range_within_another_has_no_address_outside_of_it(
            a in any::<u32>(), b in any::<u32>(), inner in 0_u8..=32, outer in 0_u8..=32, host in any::<u32>(),
        ) {
            let outer = IpRange::new(IpAddr::V4(a.into()), outer).unwrap();
            // Near enough that some are inside.
            let near = a ^ (b >> (a % 32));
            let inner = IpRange::new(IpAddr::V4(near.into()), inner).unwrap();
            let mask = u32::MAX.checked_shl(32 - u32::from(inner.prefix)).unwrap_or(0);
            let some = IpAddr::V4(((near & mask) | (host & !mask)).into());
            prop_assert!(inner.contains(some));
            if inner.is_within(outer) {
                prop_assert!(outer.contains(some));
            }
        }

        #[test]
        fn a_range_has_what_shares_its_prefix(a in any::<u32>(), b in any::<u32>(), prefix in 0_u8..=32) {
            let ranged = IpRange::new(IpAddr::V4(a.into()), prefix).unwrap();
            let shared = prefix == 0 || (a ^ b).leading_zeros() >= u32::from(prefix);
            prop_assert_eq!(ranged.contains(IpAddr::V4(b.into())), shared);
            prop_assert!(ranged.contains(IpAddr::V4(a.into())));
            prop_assert_eq!(ranged.to_string().parse::<IpRange>().unwrap(), ranged);
        }

        #[test]
        fn anything_may_be_written(text in "[0-9a-f:./ ]{0,45}|.{0,20}") {
            if let Ok(ranged) = text.parse::<IpRange>() {
                prop_assert_eq!(ranged.to_string().parse::<IpRange>().unwrap(), ranged);
            }
        }
    }
}
