use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address belongs to the public internet: it is none that leads into the machine, its networks or those of
/// its provider, and none that leads nowhere.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
    }
}

/// Networks of IPv4 that are not public, each with the length of its prefix.
const INSIDE: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),            // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // of a provider, behind its translation
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's services for its machines
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, and the metadata of clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocols
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // relays to IPv6
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // measurements
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, and broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    !INSIDE.iter().any(|network| is_in(address, *network))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Public addresses are those of 2000::/3: not the loopback, nor fc00::/7, fe80::/10 and ff00::/8.
    first & 0xe000 == 0x2000
        && !(first == 0x2001 && second < 0x0200) // protocols, among them Teredo
        && !(first == 0x2001 && second == 0x0db8) // documentation
        && first != 0x2002 // 6to4
        && !(first == 0x3fff && second < 0x1000) // documentation
}

/// Addresses at which clouds tell their machines who they are, and hand out credentials, each with the length of the prefix
/// that is theirs.
const METADATA_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(100, 100, 100, 200), 32), // Alibaba
    (Ipv4Addr::new(168, 63, 129, 16), 32),   // Azure
    (Ipv4Addr::new(169, 254, 0, 23), 32),    // Tencent
    (Ipv4Addr::new(169, 254, 42, 42), 32),   // Scaleway
    (Ipv4Addr::new(169, 254, 169, 0), 24),   // AWS, Azure, Google, Oracle, DigitalOcean, OpenStack and others
    (Ipv4Addr::new(169, 254, 170, 0), 24),   // containers and pods of AWS
    (Ipv4Addr::new(192, 0, 0, 192), 32),     // Oracle
];
const METADATA_V6: &[Ipv6Addr] = &[
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),   // Scaleway
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),  // pods of AWS
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), // AWS
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),  // Google
];

/// Whether the metadata service of a cloud is at an address, however it is spelled.
pub(super) fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_metadata_v4(address),
        IpAddr::V6(address) => METADATA_V6.contains(&address) || stands_for(address).into_iter().any(is_metadata_v4),
    }
}

fn is_metadata_v4(address: Ipv4Addr) -> bool {
    METADATA_V4.iter().any(|network| is_in(address, *network))
}

/// All addresses of IPv4 to which a network may translate one of IPv6.
fn stands_for(address: Ipv6Addr) -> [Ipv4Addr; 6] {
    let bits = address.to_bits();
    #[expect(clippy::cast_possible_truncation, reason = "the lower bits are what is wanted")]
    let low = |shift: u32| (bits >> shift) as u32;
    // RFC 6052, section 2.2: the octet from the 64th bit on is skipped.
    let around = |before: u32| {
        let after = 32 - before;
        let lower = low(56 - after) & (u32::MAX >> (32 - after).min(31));
        (low(64) << after) | lower
    };
    [
        low(0),     // mapped, compatible, ISATAP, and translators with a prefix of 96 bits, such as NAT64
        !low(0),    // Teredo
        low(80),    // 6to4
        around(16), // a translator with a prefix of 48 bits
        around(8),  // of 56 bits
        low(24),    // of 64 bits
    ]
    .map(Ipv4Addr::from_bits)
}

/// The address that a range is compared with: that of IPv4, if one of IPv6 leads there.
pub(super) fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => embedded(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn is_in(address: Ipv4Addr, (network, length): (Ipv4Addr, u32)) -> bool {
    let mask = u32::MAX << (32 - length);
    address.to_bits() & mask == network.to_bits()
}

/// The address of IPv4 that one of IPv6 stands for: `::ffff:1.2.3.4`, or `64:ff9b::1.2.3.4` behind a translator.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = address.to_bits();
    let is_translated = bits >> 32 == 0x0064_ff9b_0000_0000_0000_0000;
    let embedded = is_translated.then(|| Ipv4Addr::from_bits(u32::try_from(bits & 0xffff_ffff).unwrap_or_default()));
    embedded.or_else(|| address.to_ipv4_mapped())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_is_not_public_however_it_is_spelled() {
        for inside in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.0",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            let v4: Ipv4Addr = inside.parse().unwrap();
            let [a, b, c, d] = v4.octets();
            assert!(!is_public(v4.into()), "{inside}");
            for prefix in ["::ffff:", "64:ff9b::", "::", "64:ff9b:1::", "2002:"] {
                let text = if prefix == "2002:" {
                    format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::")
                } else {
                    format!("{prefix}{inside}")
                };
                let v6: Ipv6Addr = text.parse().unwrap();
                assert!(!is_public(v6.into()), "{v6}");
            }
        }
        for inside in [
            "::",
            "::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2001:1ff:ffff::1",
            "2002::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "64:ff9b:1::8.8.8.8",
            "5f00::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
    }

    #[test]
    fn metadata_services_are_known_however_they_are_spelled() {
        for service in [
            "100.100.100.200",
            "168.63.129.16",
            "169.254.0.23",
            "169.254.42.42",
            "169.254.169.254",
            "169.254.169.253",
            "169.254.170.2",
            "169.254.170.23",
            "192.0.0.192",
        ] {
            let v4: Ipv4Addr = service.parse().unwrap();
            let [a, b, c, d] = v4.octets();
            assert!(is_metadata(v4.into()), "{service}");
            for v6 in [
                format!("::ffff:{service}"),
                format!("::{service}"),
                format!("64:ff9b::{service}"),
                format!("64:ff9b:1::{service}"),
                format!("64:ff9b:1:{a:02x}{b:02x}:{c:02x}:{d:02x}00::"),
                format!("fd00:64:0:{a:x}:{b:x}:{c:02x}{d:02x}::"),
                format!("fd00:64:0:1:{a:x}:{b:02x}{c:02x}:{d:02x}00:0"),
                format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::"),
                format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1"),
                format!("2001:0:1:2:3:4:{:x}:{:x}", !u16::from_be_bytes([a, b]), !u16::from_be_bytes([c, d])),
                format!("fe80::5efe:{service}"),
                format!("fd00:c1::{service}"),
                format!("fe80::{service}"),
            ] {
                assert!(is_metadata(v6.parse().unwrap()), "{v6}");
            }
        }
        for service in ["fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42"] {
            assert!(is_metadata(service.parse().unwrap()), "{service}");
        }
        for other in ["169.254.1.1", "10.0.0.1", "127.0.0.1", "::1", "fd00::1", "fe80::1", "9.9.9.9", "2606:4700::1111"]
        {
            assert!(!is_metadata(other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn what_is_beside_it_is_public() {
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2001:db7::1",
            "2001:db9::1",
            "2003::1",
            "2606:4700::1111",
            "3fff:1000::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }
}
