//! How many requests are taken in which time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::core::id::OrganizationId;
use crate::server::client_address::ClientAddress;

/// Most networks of unknown callers that are counted one by one; others are counted together.
const MAX_NETWORKS: usize = 10_000;
/// Most /64 networks of one /48 that are counted one by one; others of it are counted together.
const MAX_NETWORKS_OF_SITE: usize = 16;
/// Most keys of one organization that are counted one by one; others of it are counted together.
const MAX_KEYS_OF_ORGANIZATION: usize = 10_000;
/// How often windows that are over are removed.
const PURGE_EVERY: Duration = Duration::from_secs(1);

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);

/// What a request is counted in.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    /// What is counted, such as reads of one service.
    kind: &'static str,
    /// Requests of the same member are counted together.
    member: String,
    /// What the member belongs to: an organization, or a larger network.
    group: String,
    is_known: bool,
    /// How many requests are taken in a window.
    limit: u32,
    /// How long a window is.
    window: Duration,
}

impl Bucket {
    /// The bucket of an authenticated caller.
    pub(super) fn of_caller(
        kind: &'static str,
        member: String,
        organization: OrganizationId,
        limit: u32,
        window: Duration,
    ) -> Self {
        let group = organization.to_string();
        Self { kind, member, group, is_known: true, limit, window }
    }

    /// The bucket of all who send requests from a network.
    pub(super) fn of_network(kind: &'static str, address: &ClientAddress, limit: u32, window: Duration) -> Self {
        let (member, group) = (address.network(), address.site());
        Self { kind, member, group, is_known: false, limit, window }
    }
}

/// Counts requests in windows that begin with the first one. Windows of unknown callers are bounded in number. None is
/// given up before it ends, because a caller could then reset its own count, and those of others, by filling the table
/// from many addresses. They are apart from those of authenticated callers, so that neither crowds out the other.
#[derive(Debug)]
pub(super) struct RateLimiter {
    callers: Mutex<Windows>,
    networks: Mutex<Windows>,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self {
            callers: Mutex::new(Windows::new(usize::MAX, MAX_KEYS_OF_ORGANIZATION)),
            networks: Mutex::new(Windows::new(MAX_NETWORKS, MAX_NETWORKS_OF_SITE)),
        }
    }
}

/// What became of a request that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quota {
    /// How many are taken in a window.
    pub(super) limit: u32,
    /// How many more are taken in this one.
    pub(super) remaining: u32,
    /// How many seconds this one still goes on, rounded up.
    pub(super) seconds: u64,
    /// Whether this one is not taken.
    pub(super) is_exceeded: bool,
}

impl Quota {
    /// The refusal of what was not begun, because too much of it is under way.
    pub(super) fn exceeded(retry_after: Option<Duration>) -> Self {
        let seconds = retry_after.map_or(1, |wait| wait.as_secs().max(1));
        Self { limit: 0, remaining: 0, seconds, is_exceeded: true }
    }

    /// When the window ends, in seconds since 1970.
    pub(super) fn resets_at(&self) -> u64 {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now.as_secs().saturating_add(self.seconds)
    }
}

impl RateLimiter {
    /// Counts one more request of a bucket.
    pub(super) fn count(&self, bucket: Bucket) -> Quota {
        self.count_at(bucket, Instant::now())
    }

    fn count_at(&self, bucket: Bucket, now: Instant) -> Quota {
        let windows = if bucket.is_known { &self.callers } else { &self.networks };
        windows.lock().unwrap_or_else(PoisonError::into_inner).count(bucket, now)
    }
}

/// Whose requests a window counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counted {
    Member(&'static str, String),
    /// Those of a group that are not counted one by one.
    Group(&'static str, String),
    /// Those of all groups that are not.
    Others(&'static str),
}

#[derive(Debug)]
struct Window {
    ends: Instant,
    used: u32,
    group: String,
}

/// Windows that go on, and some that are over.
#[derive(Debug)]
struct Windows {
    of: HashMap<Counted, Window>,
    /// How many windows there are of each group.
    sizes: HashMap<(&'static str, String), usize>,
    max: usize,
    max_of_group: usize,
    purged_at: Option<Instant>,
}

impl Windows {
    fn new(max: usize, max_of_group: usize) -> Self {
        Self { of: HashMap::new(), sizes: HashMap::new(), max, max_of_group, purged_at: None }
    }

    fn count(&mut self, bucket: Bucket, now: Instant) -> Quota {
        let Bucket { kind, member, group, limit, window, .. } = bucket;
        let counted = self.counted(kind, member, &group, now);
        let there = self.of.entry(counted).or_insert_with(|| {
            *self.sizes.entry((kind, group.clone())).or_default() += 1;
            Window { ends: now + window, used: 0, group }
        });
        if there.ends <= now {
            (there.ends, there.used) = (now + window, 0);
        }
        let is_exceeded = there.used >= limit;
        there.used = there.used.saturating_add(1);
        let left = there.ends - now;
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        Quota { limit, remaining: limit.saturating_sub(there.used), seconds, is_exceeded }
    }

    /// Returns the most specific window for which there is room.
    fn counted(&mut self, kind: &'static str, member: String, group: &str, now: Instant) -> Counted {
        let member = Counted::Member(kind, member);
        if self.of.contains_key(&member) {
            return member;
        }
        if self.purged_at.is_none_or(|purged| now >= purged + PURGE_EVERY) {
            self.purge(now);
        }
        let is_full = self.of.len() >= self.max;
        let key = (kind, group.to_owned());
        if !is_full && self.sizes.get(&key).is_none_or(|size| *size < self.max_of_group) {
            return member;
        }
        let group = Counted::Group(kind, key.1);
        if !is_full || self.of.contains_key(&group) { group } else { Counted::Others(kind) }
    }

    /// Removes the windows that are over.
    fn purge(&mut self, now: Instant) {
        self.of.retain(|_, window| window.ends > now);
        self.sizes.clear();
        for (counted, window) in &self.of {
            let (Counted::Member(kind, _) | Counted::Group(kind, _) | Counted::Others(kind)) = counted;
            *self.sizes.entry((kind, window.group.clone())).or_default() += 1;
        }
        self.purged_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn from(address: &str) -> Bucket {
        let peer: IpAddr = address.parse().unwrap();
        Bucket::of_network("unknown", &ClientAddress { peer, client: Some(peer) }, 2, MINUTE)
    }

    fn organization(number: u8) -> OrganizationId {
        format!("{number:026}").parse().unwrap()
    }

    /// Whether a request at that time is refused.
    fn is_refused(limiter: &RateLimiter, start: Instant, bucket: Bucket) -> bool {
        limiter.count_at(bucket, start).is_exceeded
    }

    fn size(windows: &Mutex<Windows>) -> usize {
        let windows = windows.lock().unwrap();
        assert_eq!(windows.sizes.values().sum::<usize>(), windows.of.len());
        windows.of.len()
    }

    #[test]
    fn so_many_are_taken_and_then_none_until_the_window_ends() {
        let (limiter, start) = (RateLimiter::default(), Instant::now());
        let count = |address: &str, after| limiter.count_at(from(address), start + after);
        let (second, a) = (Duration::from_secs(1), "192.0.2.1");
        assert_eq!(count(a, Duration::ZERO), Quota { limit: 2, remaining: 1, seconds: 60, is_exceeded: false });
        assert_eq!(count(a, second / 2), Quota { limit: 2, remaining: 0, seconds: 60, is_exceeded: false });
        assert_eq!(count(a, second * 59), Quota { limit: 2, remaining: 0, seconds: 1, is_exceeded: true });
        assert!(!count("192.0.2.2", second * 59).is_exceeded, "each bucket for itself");
        assert_eq!(count(a, MINUTE), Quota { limit: 2, remaining: 1, seconds: 60, is_exceeded: false });
    }

    #[test]
    fn a_network_is_counted_as_one() {
        let (limiter, start) = (RateLimiter::default(), Instant::now());
        for (one, other) in [("2001:db8::1", "2001:db8::ffff:2"), ("192.0.2.1", "::ffff:192.0.2.1")] {
            let addresses = [one, other, one, other].map(|address| address.parse::<IpAddr>().unwrap().to_canonical());
            let refused = addresses.map(|address| is_refused(&limiter, start, from(&address.to_string())));
            assert_eq!(refused, [false, false, true, true]);
        }
        assert!(!is_refused(&limiter, start, from("2001:db8:0:1::1")));
        assert!(!is_refused(&limiter, start, from("192.0.2.2")));
    }

    #[test]
    fn unknown_addresses_are_counted_by_the_proxy_they_came_through() {
        let (limiter, start) = (RateLimiter::default(), Instant::now());
        let behind = |peer: &str| {
            let address = ClientAddress { peer: peer.parse().unwrap(), client: None };
            is_refused(&limiter, start, Bucket::of_network("unknown", &address, 1, MINUTE))
        };
        assert_eq!([behind("10.0.0.1"), behind("10.0.0.1"), behind("10.0.0.2")], [false, true, false]);
        assert!(!is_refused(&limiter, start, from("10.0.0.1")));
    }

    #[test]
    fn a_large_network_neither_fills_the_table_nor_resets_a_count() {
        let (limiter, start) = (RateLimiter::default(), Instant::now());
        let millis = Duration::from_millis;
        for _ in 0..2 {
            assert!(!is_refused(&limiter, start, from("192.0.2.1")));
            assert!(!is_refused(&limiter, start, from("2001:db8:1::1")));
        }
        let mut taken = 0;
        for number in 0..60_000_u32 {
            let address = format!("2001:db8:1:{number:x}::1");
            let quota = limiter.count_at(from(&address), start + millis(1) * (number / 2));
            taken += u32::from(!quota.is_exceeded);
        }
        assert!(taken <= 2 * 17, "{taken}: 16 networks and one for the rest, two requests each");
        assert!(size(&limiter.networks) < 20);
        let later = start + millis(30_000);
        assert!(is_refused(&limiter, later, from("192.0.2.1")), "the count of another");
        assert!(is_refused(&limiter, later, from("2001:db8:1::1")), "and its own");
        assert!(!is_refused(&limiter, later, from("2001:db8:2::1")), "a neighbour is not refused");
    }

    #[test]
    fn many_networks_neither_fill_the_memory_nor_reset_a_count() {
        let addresses: [fn(u32) -> String; 2] = [
            |number| std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).to_string(),
            |number| format!("2001:db8:{number:x}::1"),
        ];
        for address in addresses {
            let (limiter, start) = (RateLimiter::default(), Instant::now());
            for _ in 0..2 {
                assert!(!is_refused(&limiter, start, from("192.0.2.1")));
            }
            for number in 0..50_000 {
                is_refused(&limiter, start, from(&address(number)));
            }
            assert!(size(&limiter.networks) <= MAX_NETWORKS + 1);
            assert!(is_refused(&limiter, start, from("192.0.2.1")), "nobody resets a count");
            assert!(!is_refused(&limiter, start, from(&address(0))), "its second request");
            assert!(is_refused(&limiter, start, from(&address(49_999))), "the rest is counted together");
            // An authenticated caller is not crowded out, and the table is free again when the windows end.
            let caller = Bucket::of_caller("service", "key".to_owned(), organization(1), 1, MINUTE);
            assert!(!is_refused(&limiter, start, caller));
            assert!(!is_refused(&limiter, start + MINUTE, from(&address(49_999))));
            assert_eq!(size(&limiter.networks), 1);
        }
    }

    #[test]
    fn many_keys_of_an_organization_are_counted_together() {
        let (limiter, start) = (RateLimiter::default(), Instant::now());
        let bucket =
            |key: usize, of: OrganizationId| Bucket::of_caller("service", format!("{of} {key}"), of, 1, MINUTE);
        let [many, few] = [organization(1), organization(2)];
        assert!(!is_refused(&limiter, start, bucket(0, few)));
        for key in 0..MAX_KEYS_OF_ORGANIZATION {
            assert!(!is_refused(&limiter, start, bucket(key, many)));
        }
        assert!(!is_refused(&limiter, start, bucket(MAX_KEYS_OF_ORGANIZATION, many)));
        assert!(is_refused(&limiter, start, bucket(MAX_KEYS_OF_ORGANIZATION + 1, many)));
        assert!(is_refused(&limiter, start, bucket(7, many)), "no count is reset");
        assert!(is_refused(&limiter, start, bucket(0, few)));
        assert!(!is_refused(&limiter, start, bucket(1, few)), "others are not refused");
        assert_eq!(size(&limiter.callers), MAX_KEYS_OF_ORGANIZATION + 3);
    }

    #[test]
    fn each_kind_counts_by_itself() {
        let (limiter, start) = (RateLimiter::default(), Instant::now());
        let bucket = |kind| Bucket::of_caller(kind, "key".to_owned(), organization(1), 1, MINUTE);
        let refused = ["read", "write", "read"].map(|kind| is_refused(&limiter, start, bucket(kind)));
        assert_eq!(refused, [false, false, true]);
    }
}
