//! Keys that make many requests in a day.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ioenv::server::Server;
use ioenv::vault::{PermissionSet, Token};

use super::stage::Stage;

/// A path of each service, of which a key may ask. The last one takes the id of the organization.
const PATHS: [&str; 3] = ["/v1/projects", "/api/v1/user", "/api/v1/env/none/variables"];

const HEADER: &str = "x-ioenv-daily-requests";

#[test]
fn a_key_is_warned_and_then_slowed_and_others_are_not() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&lines);
    let stage =
        Stage::with(|server| server.daily_requests(5).log(move |entry| log.lock().unwrap().push(entry.to_string())));
    let (greedy, other) = (stage.admin(), stage.admin());
    for (number, header) in [(1, None), (2, None), (3, None), (4, Some("4/5")), (5, Some("5/5")), (6, Some("5/5"))] {
        let answer = greedy.get(PATHS[number % PATHS.len()]);
        assert!(answer.status < 429, "{number}: {}", answer.text);
        assert_eq!(answer.header(HEADER), header, "{number}");
        assert_eq!(other.get("/health").status, 200);
    }
    assert_eq!(other.get(PATHS[0]).header(HEADER), None);
    assert_eq!(stage.stranger().get(PATHS[0]).header(HEADER), None);
    let lines = lines.lock().unwrap();
    let said = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!((said("has made 4 of its 5 requests"), said("has made 5 of its 5 requests")), (1, 1), "{lines:?}");
    assert_eq!(said("is slowed to one a second"), 1, "{lines:?}");
}

#[test]
fn those_who_are_slowed_hold_no_place() {
    let stage = Stage::with(|server| server.daily_requests(1));
    let tokens: Vec<_> = (0..4).map(|_| stage.token(PermissionSet::ALL, None)).collect();
    for token in &tokens {
        stage.client(token).get(PATHS[0]).json(200);
    }
    // More than are served at once, and of each key more than may wait.
    let send = |token: &Token| {
        let mut stream = TcpStream::connect(("127.0.0.1", stage.port)).unwrap();
        let token = token.expose_secret();
        write!(stream, "GET /v1/projects HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n").unwrap();
        stream.set_nonblocking(true).unwrap();
        stream
    };
    let waiting: Vec<Vec<TcpStream>> =
        tokens.iter().map(|token| std::iter::repeat_with(|| send(token)).take(40).collect()).collect();
    // One of each key is refused at once, so thirty of it wait.
    let status = |stream: &TcpStream| {
        let mut line = [0; 12];
        stream
            .peek(&mut line)
            .is_ok_and(|count| count == line.len())
            .then(|| String::from_utf8_lossy(&line[9..]).into_owned())
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    while !waiting.iter().all(|streams| streams.iter().any(|stream| status(stream).as_deref() == Some("429"))) {
        let is_full = waiting.iter().flatten().any(|stream| status(stream).as_deref() == Some("503"));
        assert!(!is_full, "those who wait hold all places");
        assert!(Instant::now() < deadline, "no request is refused");
        thread::sleep(Duration::from_millis(10));
    }
    stage.admin().get(PATHS[0]).json(200);
    drop(waiting);
}

#[test]
fn any_number_is_taken_where_that_is_said() {
    for change in [
        (|server: Server| server) as fn(Server) -> Server,
        |server| server.daily_requests(0),
        |server| server.rate_limited().without_rate_limits(),
    ] {
        let stage = Stage::with(change);
        let client = stage.admin();
        for _ in 0..110 {
            let answer = client.get("/v1/whoami");
            assert_eq!((answer.status, answer.header(HEADER)), (200, None));
        }
    }
}

/// A server that others can reach, limits requests without being told to.
#[test]
fn limits_are_on_off_loopback() {
    for (change, is_limited) in
        [((|server: Server| server) as fn(Server) -> Server, true), (|server| server.without_rate_limits(), false)]
    {
        let stage = Stage::listening("0.0.0.0:0", |server| change(server.allow_plain_http()));
        let stranger = stage.stranger();
        let statuses: Vec<u16> = (0..31).map(|_| stranger.get("/v1/projects").status).collect();
        assert_eq!(statuses[..30], [401; 30]);
        assert_eq!(statuses[30], if is_limited { 429 } else { 401 });
    }
}
