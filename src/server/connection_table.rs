//! The connections that are open, and which of them give way to others.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::future::pending;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use crate::server::client_address::network;
use crate::vault::IpRange;

/// Most connections at once.
const MAX_CONNECTIONS: usize = 1024;
/// Most connections of one peer: an IPv4 address, or a /64 of IPv6. Trusted proxies have as many as they like, because
/// they connect for many clients.
const MAX_OF_PEER: usize = 512;

/// All connections of a server.
pub(super) struct ConnectionTable {
    state: Mutex<State>,
    /// A connection ended, or may give way now.
    changed: Notify,
    proxies: Vec<IpRange>,
}

#[derive(Default)]
struct State {
    last: u64,
    open: HashMap<u64, Entry>,
    sizes: HashMap<IpAddr, usize>,
}

struct Entry {
    /// The peer, or the /64 it is in.
    network: IpAddr,
    is_proxy: bool,
    phase: Phase,
    since: Instant,
    /// Whether a request over it came from an authenticated caller.
    is_known: bool,
    give_way: Arc<Notify>,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The head of a request.
    Idle,
    /// The rest of a request.
    Reading,
    /// The server.
    Working,
    /// The client, which has to take the response.
    Answering,
}

impl Entry {
    /// Returns how soon it gives way, the lowest first; `None` while the server works for it.
    fn rank(&self) -> Option<u8> {
        match (self.phase, self.is_known) {
            (Phase::Working, _) => None,
            (_, false) => Some(0),
            (Phase::Idle, true) => Some(1),
            (Phase::Reading | Phase::Answering, true) => Some(2),
        }
    }
}

/// Whether there is room for one more connection.
pub(super) enum Admission {
    Open(Place),
    /// Its peer has too many, and the server works for all of them.
    Refused,
    /// There are too many, and the server works for all of them: [`ConnectionTable::changed`] tells when to try again.
    Full,
}

impl ConnectionTable {
    pub(super) fn new(proxies: Vec<IpRange>) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), proxies }
    }

    /// Admits a connection of a peer. If there are too many, another one gives way.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Admission {
        let peer = peer.to_canonical();
        let network = network(peer, 64);
        let is_proxy = self.proxies.iter().any(|range| range.contains(peer));
        let mut state = self.lock();
        let is_crowded = !is_proxy && state.sizes.get(&network).is_some_and(|size| *size >= MAX_OF_PEER);
        if is_crowded && !state.give_way(|entry| entry.network == network && !entry.is_proxy) {
            return Admission::Refused;
        }
        if state.open.len() >= MAX_CONNECTIONS && !state.give_way(|_| true) {
            return Admission::Full;
        }
        state.last += 1;
        let (id, give_way) = (state.last, Arc::new(Notify::new()));
        let entry = Entry {
            network,
            is_proxy,
            phase: Phase::Idle,
            since: Instant::now(),
            is_known: false,
            give_way: Arc::clone(&give_way),
        };
        state.open.insert(id, entry);
        *state.sizes.entry(network).or_default() += 1;
        Admission::Open(Place(Connection { table: Arc::clone(self), id, give_way }))
    }

    /// Has one connection give way, if there is one that may.
    pub(super) fn give_way(&self) -> bool {
        self.lock().give_way(|_| true)
    }

    /// Waits until a connection has ended, or may give way.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Has the connection give way that waits for the least, of the peer with the most connections, for the longest time.
    fn give_way(&mut self, may: impl Fn(&Entry) -> bool) -> bool {
        let candidates = self.open.iter().filter(|(_, entry)| may(entry)).filter_map(|(id, entry)| {
            let size = if entry.is_proxy { 1 } else { self.sizes.get(&entry.network).copied().unwrap_or_default() };
            Some(((entry.rank()?, Reverse(size), entry.since, *id), *id))
        });
        let Some((_, id)) = candidates.min_by_key(|(order, _)| *order) else {
            return false;
        };
        if let Some(entry) = self.remove(id) {
            entry.give_way.notify_one();
        }
        true
    }

    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.open.remove(&id)?;
        if let Some(size) = self.sizes.get_mut(&entry.network) {
            *size -= 1;
            if *size == 0 {
                self.sizes.remove(&entry.network);
            }
        }
        Some(entry)
    }
}

/// A connection, as long as it has its [`Place`].
#[derive(Clone)]
pub(super) struct Connection {
    table: Arc<ConnectionTable>,
    id: u64,
    give_way: Arc<Notify>,
}

impl Connection {
    /// Returns the trusted proxies of the server.
    pub(super) fn proxies(&self) -> &[IpRange] {
        &self.table.proxies
    }

    /// Waits until the connection is to be closed.
    pub(super) async fn closing(&self) {
        self.give_way.notified().await;
    }

    /// The head of a request has arrived. Does not return if the connection has given way.
    pub(super) async fn begin(&self) {
        if !self.enter(Phase::Reading) {
            pending::<()>().await;
        }
    }

    /// The server has all of a request, and works for it. Does not return if the connection has given way.
    pub(super) async fn work(&self) {
        if !self.enter(Phase::Working) {
            pending::<()>().await;
        }
    }

    /// An authenticated caller has sent a request.
    pub(super) fn mark_known(&self) {
        if let Some(entry) = self.table.lock().open.get_mut(&self.id) {
            entry.is_known = true;
        }
    }

    /// The response is ready.
    pub(super) fn answer(&self) {
        self.enter(Phase::Answering);
    }

    /// All that was written was taken. If that is the response, the connection waits for the next request.
    pub(super) fn flushed(&self) {
        let mut state = self.table.lock();
        if let Some(entry) = state.open.get_mut(&self.id).filter(|entry| entry.phase == Phase::Answering) {
            (entry.phase, entry.since) = (Phase::Idle, Instant::now());
        }
    }

    fn enter(&self, phase: Phase) -> bool {
        let mut state = self.table.lock();
        let Some(entry) = state.open.get_mut(&self.id) else {
            return false;
        };
        let was_working = entry.phase == Phase::Working;
        (entry.phase, entry.since) = (phase, Instant::now());
        drop(state);
        if was_working {
            self.table.changed.notify_one();
        }
        true
    }
}

/// The place of a connection in the table, which is free again when this is dropped.
pub(super) struct Place(Connection);

impl Place {
    pub(super) fn connection(&self) -> &Connection {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self(connection) = self;
        connection.table.lock().remove(connection.id);
        connection.table.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn table(proxies: &[&str]) -> Arc<ConnectionTable> {
        Arc::new(ConnectionTable::new(proxies.iter().map(|range| range.parse().unwrap()).collect()))
    }

    fn open(table: &Arc<ConnectionTable>, peer: &str) -> Connection {
        match table.admit(peer.parse().unwrap()) {
            // It never leaves by itself.
            Admission::Open(place) => std::mem::ManuallyDrop::new(place).connection().clone(),
            Admission::Refused => panic!("{peer} was refused"),
            Admission::Full => panic!("there was no room for {peer}"),
        }
    }

    fn is_done(future: impl Future<Output = ()>) -> bool {
        pin!(future).poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    fn is_open(connection: &Connection) -> bool {
        connection.table.lock().open.contains_key(&connection.id)
    }

    /// A connection in each phase, of an unknown caller and of a known one.
    fn in_phase(connection: Connection, phase: Phase, is_known: bool) -> Connection {
        if is_known {
            connection.mark_known();
        }
        assert!(connection.enter(phase));
        connection
    }

    fn peer(number: usize) -> String {
        std::net::Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(number).unwrap()).to_string()
    }

    #[test]
    fn a_peer_has_so_many_connections_and_its_oldest_give_way() {
        for (one, other) in [("192.0.2.1", "::ffff:192.0.2.1"), ("2001:db8::1", "2001:db8::ffff:1")] {
            let table = table(&[]);
            let neighbours = ["192.0.2.2", "2001:db8:0:1::1"].map(|peer| open(&table, peer));
            let connections: Vec<Connection> =
                (0..MAX_OF_PEER * 3).map(|at| open(&table, if at % 2 == 0 { one } else { other })).collect();
            let (gone, stay) = connections.split_at(MAX_OF_PEER * 2);
            assert!(gone.iter().all(|one| !is_open(one) && is_done(one.closing())));
            assert!(stay.iter().chain(&neighbours).all(|one| is_open(one) && !is_done(one.closing())));
        }
    }

    #[test]
    fn a_peer_for_which_the_server_works_is_refused_more() {
        let table = table(&[]);
        let working: Vec<Connection> =
            (0..MAX_OF_PEER).map(|_| in_phase(open(&table, "192.0.2.1"), Phase::Working, false)).collect();
        assert!(matches!(table.admit("192.0.2.1".parse().unwrap()), Admission::Refused));
        open(&table, "192.0.2.2");
        working[7].answer();
        open(&table, "192.0.2.1");
        assert_eq!(working.iter().filter(|one| !is_open(one)).count(), 1);
    }

    #[test]
    fn a_trusted_proxy_has_as_many_as_it_likes() {
        let table = table(&["192.0.2.0/24"]);
        let connections: Vec<Connection> = (0..MAX_CONNECTIONS).map(|_| open(&table, "192.0.2.1")).collect();
        assert!(connections.iter().all(is_open));
    }

    #[test]
    fn unknown_callers_give_way_first() {
        let order = [
            (Phase::Reading, false),
            (Phase::Idle, false),
            (Phase::Answering, false),
            (Phase::Idle, true),
            (Phase::Reading, true),
            (Phase::Answering, true),
        ];
        let table = table(&[]);
        // The last ones are the oldest.
        let mut connections: Vec<Connection> = order
            .iter()
            .rev()
            .enumerate()
            .map(|(at, (phase, is_known))| in_phase(open(&table, &peer(at)), *phase, *is_known))
            .collect();
        connections.reverse();
        let working = in_phase(open(&table, &peer(100)), Phase::Working, false);
        let rank = |(phase, is_known): (Phase, bool)| match (phase, is_known) {
            (_, false) => 0,
            (Phase::Idle, true) => 1,
            _ => 2,
        };
        let mut last = 0;
        for _ in 0..order.len() {
            let before: Vec<bool> = connections.iter().map(is_open).collect();
            assert!(table.give_way());
            let gone = (0..order.len()).find(|at| before[*at] && !is_open(&connections[*at])).unwrap();
            assert!(rank(order[gone]) >= last, "{:?}", order[gone]);
            last = rank(order[gone]);
        }
        assert!(!table.give_way() && is_open(&working), "nothing gives way that the server works for");
    }

    #[test]
    fn many_peers_give_way_when_all_is_full() {
        let table = table(&["198.51.100.0/24"]);
        let known = in_phase(open(&table, "192.0.2.1"), Phase::Idle, true);
        let proxy = in_phase(open(&table, "198.51.100.1"), Phase::Idle, false);
        // A small peer is the older one, but the large ones give way first.
        let small = open(&table, "192.0.2.2");
        for at in 0..MAX_CONNECTIONS * 3 {
            open(&table, &peer(at % 16));
        }
        assert!(is_open(&known) && is_open(&small) && is_open(&proxy));
        assert_eq!(table.lock().open.len(), MAX_CONNECTIONS);
        // So do networks of IPv6.
        for at in 0..MAX_CONNECTIONS * 3 {
            open(&table, &format!("2001:db8:0:{at:x}::1"));
        }
        assert!(is_open(&known));
        let state = table.lock();
        assert_eq!((state.open.len(), state.sizes.values().sum()), (MAX_CONNECTIONS, MAX_CONNECTIONS));
    }

    #[test]
    fn if_the_server_works_for_all_one_more_waits() {
        let table = table(&[]);
        let working: Vec<Connection> =
            (0..MAX_CONNECTIONS).map(|at| in_phase(open(&table, &peer(at)), Phase::Working, false)).collect();
        assert!(matches!(table.admit("192.0.2.1".parse().unwrap()), Admission::Full));
        assert!(!is_done(table.changed()));
        working[0].answer();
        assert!(is_done(table.changed()));
        open(&table, "192.0.2.1");
        assert!(!is_open(&working[0]));
        drop(Place(working[1].clone()));
        assert!(is_done(table.changed()));
        open(&table, "192.0.2.2");
    }

    #[test]
    fn a_connection_that_gave_way_begins_nothing() {
        let table = table(&[]);
        let [kept, gone] = ["192.0.2.1", "192.0.2.2"].map(|peer| open(&table, peer));
        assert!(is_done(kept.begin()) && is_done(kept.work()));
        assert!(table.give_way());
        assert!(!is_done(gone.begin()) && !is_done(gone.work()));
        kept.flushed();
        assert!(!table.give_way(), "what is flushed before the response is not the response");
        kept.answer();
        kept.flushed();
        assert!(table.give_way() && table.lock().sizes.is_empty());
        drop(Place(kept));
    }
}
