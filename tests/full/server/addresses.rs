//! Where a request comes from, behind proxies: for allow-lists, the audit log, the access log and rate limits.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ioenv::server::Server;
use ioenv::vault::{
    ActorKind, At, AuditFilter, NewProject, NewServiceAccount, NewServiceKey, Paging, PermissionSet, Token,
};

use super::stage::{Stage, path, ranges};

/// Requests over a socket of their own, because headers may hold any bytes.
fn status(stage: &Stage, address: &str, token: &str, lines: &[&[u8]]) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", stage.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = "HTTP/1.1\r\nhost: x\r\nconnection: close";
    let mut request = format!("GET {address} {head}\r\nauthorization: Bearer {token}\r\n").into_bytes();
    for line in lines {
        request.extend([&b"X-Forwarded-For: "[..], line, b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    stream.write_all(&request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A server behind the proxy 127.0.0.1, and also 10.0.0.0/8.
fn proxied(change: impl FnOnce(Server) -> Server) -> Stage {
    Stage::with(|server| change(server.trusted_proxies(ranges(["127.0.0.1", "10.0.0.0/8"]))))
}

/// A key that is usable from these addresses only, or from everywhere if there are none.
fn key<const N: usize>(stage: &Stage, addresses: [&str; N]) -> Token {
    let account = NewServiceAccount::new(addresses.concat() + "account", PermissionSet::ALL);
    let account = account.allow_list(ranges(addresses));
    let account = stage.system().create_service_account(stage.acme, &account).unwrap().id;
    stage.system().create_service_key(stage.acme, account, &NewServiceKey::new("key")).unwrap().key
}

/// An address of each service that a known caller may read.
fn readable(stage: &Stage) -> [String; 3] {
    stage.system().create_project(stage.acme, &NewProject::new("shop").has_base(true)).unwrap();
    let dev = stage.system().environment(At::Path(stage.acme, &path("shop/dev"))).unwrap().id.to_prefixed("env");
    [format!("/api/v1/env/{dev}/variables"), format!("/api/v1/{}/projects", stage.acme), "/v1/projects".to_owned()]
}

/// Headers with the client's address last, however it is written.
const READABLE: [(&[&[u8]], &str); 12] = [
    (&[b"203.0.113.7"], "203.0.113.7"),
    (&[b"\xff, 203.0.113.7"], "203.0.113.7"),
    (&[b"\xff", b"203.0.113.7"], "203.0.113.7"),
    (&[b"127.0.0.1, 203.0.113.7, 10.1.2.3"], "203.0.113.7"),
    (&[b"127.0.0.1", b"203.0.113.7", b"10.1.2.3"], "203.0.113.7"),
    (&[b"203.0.113.7:4711"], "203.0.113.7"),
    (&[b"203.0.113.7:4711, 10.1.2.3:443"], "203.0.113.7"),
    (&[b"\"203.0.113.7\""], "203.0.113.7"),
    (&[b"::ffff:203.0.113.7"], "203.0.113.7"),
    (&[b"[2001:db8::1]"], "2001:db8::1"),
    (&[b"[2001:db8::1]:4711"], "2001:db8::1"),
    (&[b"\"[2001:db8::1]:4711\""], "2001:db8::1"),
];

/// Headers whose last address that is no proxy cannot be read.
const UNREADABLE: [&[&[u8]]; 12] = [
    &[b""],
    &[b"203.0.113.7,"],
    &[b"203.0.113.7, ,10.1.2.3"],
    &[b"203.0.113.7", b""],
    &[b"203.0.113.7", b"\xff"],
    &[b"203.0.113.7, \xff, 10.1.2.3"],
    &[b"203.0.113.7, unknown"],
    &[b"203.0.113.7, 127.0.0.1, x, 10.1.2.3"],
    &[b"203.0.113.7:"],
    &[b"\"203.0.113.7"],
    &[b"[2001:db8::1"],
    &[b"fe80::1%eth0"],
];

#[test]
fn an_allow_list_takes_the_address_of_the_client_and_no_other() {
    let stage = proxied(|server| server);
    let proxy = key(&stage, ["127.0.0.0/8", "10.0.0.0/8"]);
    let client = key(&stage, ["203.0.113.7", "2001:db8::1"]);
    let all = key(&stage, ["0.0.0.0/0", "::/0"]);
    let anywhere = key(&stage, []);
    for address in readable(&stage) {
        let status = |key: &Token, lines: &[&[u8]]| status(&stage, &address, key.expose_secret(), lines);
        for (lines, _) in READABLE {
            let shown = lines.concat();
            let shown = shown.escape_ascii();
            assert_eq!(status(&proxy, lines), 403, "{address} {shown}");
            assert_eq!(status(&client, lines), 200, "{address} {shown}");
            assert_eq!(status(&all, lines), 200, "{address} {shown}");
        }
        for lines in UNREADABLE {
            let shown = lines.concat();
            let shown = shown.escape_ascii();
            for key in [&proxy, &client, &all] {
                assert_eq!(status(key, lines), 403, "{address} {shown}");
            }
            assert_eq!(status(&anywhere, lines), 200, "{address} {shown}");
        }
        // A request of the proxy itself.
        assert_eq!((status(&proxy, &[]), status(&client, &[])), (200, 403));
    }
}

#[test]
fn the_header_of_others_than_trusted_proxies_is_ignored() {
    let stage = Stage::with(|server| server.trusted_proxies(ranges(["10.0.0.0/8"])));
    let here = key(&stage, ["127.0.0.1"]);
    let client = key(&stage, ["203.0.113.7", "2001:db8::1"]);
    let lines = READABLE.iter().map(|(lines, _)| *lines).chain(UNREADABLE);
    for lines in lines.chain([&[][..]]) {
        assert_eq!(status(&stage, "/v1/projects", here.expose_secret(), lines), 200);
        assert_eq!(status(&stage, "/v1/projects", client.expose_secret(), lines), 403);
    }
}

#[test]
fn both_logs_have_the_address_of_the_client_or_none() {
    let logged = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&logged);
    let stage = proxied(|server| server.log(move |entry| log.lock().unwrap().push((entry.ip, entry.to_string()))));
    let key = key(&stage, []);
    let cases = READABLE.into_iter().map(|(lines, ip)| (lines, Some(ip))).chain(UNREADABLE.map(|lines| (lines, None)));
    for (lines, ip) in cases {
        let shown = lines.concat();
        let shown = shown.escape_ascii();
        assert_eq!(status(&stage, "/v1/projects", key.expose_secret(), lines), 200, "{shown}");
        let ip = ip.map(|ip| ip.parse::<IpAddr>().unwrap());
        let (entry, line) = logged.lock().unwrap().pop().unwrap();
        assert_eq!(entry, ip, "{shown}");
        assert!(line.starts_with(&format!("{} GET /v1/projects 200 ", ip.map_or("-".to_owned(), |ip| ip.to_string()))));
        let page = stage.system().audit(stage.acme, &AuditFilter::new(), &Paging::new()).unwrap();
        let record = page.items.iter().find(|record| record.actor.kind != ActorKind::System).unwrap();
        assert_eq!(record.ip, ip, "{shown}");
    }
}

#[test]
fn clients_with_ports_have_limits_of_their_own() {
    let stage = proxied(Server::rate_limited);
    let ask = |line: &[u8]| status(&stage, "/v1/whoami", "ioenv_0123456789abcdef", &[line]);
    for port in 0..30 {
        assert_eq!(ask(format!("203.0.113.7:{}", 4000 + port).as_bytes()), 401);
    }
    assert_eq!(ask(b"203.0.113.7:5000"), 429);
    assert_eq!(ask(b"203.0.113.7"), 429);
    for other in [&b"203.0.113.8:5000"[..], b"[2001:db8::1]:5000", b"127.0.0.1"] {
        assert_eq!(ask(other), 401);
    }
}

#[test]
fn unknown_addresses_are_counted_together() {
    let stage = proxied(Server::rate_limited);
    let ask = |lines: &[&[u8]]| status(&stage, "/v1/whoami", "ioenv_0123456789abcdef", lines);
    for number in 0..30 {
        let line = format!("203.0.113.{number}:");
        let lines = if number % 2 == 0 { [line.as_bytes(), b"\xff"] } else { [b"\xff", line.as_bytes()] };
        assert_eq!(ask(&lines), 401);
    }
    for lines in UNREADABLE {
        assert_eq!(ask(lines), 429);
    }
    // Those whose address is known do not suffer for it, nor does the proxy.
    assert_eq!((ask(&[b"203.0.113.7"]), ask(&[])), (401, 401));
}
