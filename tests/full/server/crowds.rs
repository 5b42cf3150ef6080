//! Many connections that are open and ask for nothing, beside clients that do.
#![cfg(target_os = "linux")] // where every address of 127.0.0.0/8 can be a client's

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use ioenv::server::Server;
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;

use super::stage::{Stage, ranges};

/// Sooner than a server ends connections for their own sake.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a connection has sent that then waits.
const HALVES: [&str; 6] = [
    "",
    "G",
    "GET /v1/projects HTTP/1.1\r\nhost: x\r\n",
    "POST /api/v1/cli/telemetry HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{",
    "POST /api/v1/cli/telemetry HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
    "GET /health HTTP/1.1\r\nhost: x\r\n\r\nGET /v1/projects HTTP/1.1\r\n",
];

struct Crowd {
    runtime: Runtime,
    server: SocketAddr,
}

impl Crowd {
    fn of(stage: &Stage) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, server: ([127, 0, 0, 1], stage.port).into() }
    }

    /// A connection of a peer, which sends so much.
    fn connect(&self, peer: Ipv4Addr, sent: &str) -> TcpStream {
        let stream = self.runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind((peer, 0).into()).unwrap();
            socket.connect(self.server).await.unwrap().into_std().unwrap()
        });
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // The other side may have closed it already.
        let _ = (&stream).write_all(sent.as_bytes());
        stream
    }
}

fn peer(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, number)
}

/// Reads a response without a body that matters, and returns its status.
fn status(stream: &mut TcpStream) -> u16 {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the server answers at once");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    stream.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A request of a known caller.
fn request(stage: &Stage) -> String {
    let token = stage.token(ioenv::vault::PermissionSet::ALL, None);
    format!("GET /v1/projects HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", token.expose_secret())
}

#[test]
fn half_requests_of_one_peer_block_nobody() {
    for half in HALVES {
        let stage = Stage::memory();
        let (crowd, request) = (Crowd::of(&stage), request(&stage));
        let halves: Vec<TcpStream> = (0..1100).map(|_| crowd.connect(peer(1), half)).collect();
        for client in [peer(2), peer(1)] {
            let mut stream = crowd.connect(client, "GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
            assert_eq!(status(&mut stream), 200, "{half:?}");
            stream.write_all(request.as_bytes()).unwrap();
            assert_eq!(status(&mut stream), 200, "{half:?}");
        }
        drop(halves);
    }
}

#[test]
fn half_requests_of_many_peers_block_nobody() {
    for half in HALVES {
        let stage = Stage::memory();
        let (crowd, request) = (Crowd::of(&stage), request(&stage));
        let mut known = crowd.connect(peer(1), &request);
        assert_eq!(status(&mut known), 200);
        let halves: Vec<TcpStream> = (10..16).cycle().take(1200).map(|at| crowd.connect(peer(at), half)).collect();
        for client in [peer(2), peer(10)] {
            let mut stream = crowd.connect(client, "GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
            assert_eq!(status(&mut stream), 200, "{half:?}");
            stream.write_all(request.as_bytes()).unwrap();
            assert_eq!(status(&mut stream), 200, "{half:?}");
        }
        // The connection of a known caller did not give way.
        known.write_all(request.as_bytes()).unwrap();
        assert_eq!(status(&mut known), 200, "{half:?}");
        drop(halves);
    }
}

#[test]
fn half_requests_through_a_proxy_give_way_too() {
    let stage = Stage::with(|server: Server| server.trusted_proxies(ranges(["127.0.0.1"])));
    let (crowd, request) = (Crowd::of(&stage), request(&stage));
    let halves: Vec<TcpStream> = (0..1100).map(|_| crowd.connect(peer(1), HALVES[2])).collect();
    for client in [peer(1), peer(2)] {
        assert_eq!(status(&mut crowd.connect(client, &request)), 200);
    }
    drop(halves);
}

#[test]
fn a_request_that_is_sent_slowly_is_answered_where_there_is_room() {
    let stage = Stage::memory();
    let (crowd, request) = (Crowd::of(&stage), request(&stage));
    let (first, second) = request.split_at(20);
    let mut slow = crowd.connect(peer(2), first);
    let halves: Vec<TcpStream> = (0..700).map(|_| crowd.connect(peer(1), HALVES[2])).collect();
    slow.write_all(second.as_bytes()).unwrap();
    assert_eq!(status(&mut slow), 200, "those of another peer gave way");
    drop(halves);
}
