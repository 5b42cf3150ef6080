//! What all services have in common: connections, sizes, addresses, and the end.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ioenv::server::Server;
use ioenv::vault::{At, NewProject, OrganizationStatus, OrganizationUpdate, PermissionSet};

use super::stage::{Stage, path, ranges};

#[test]
fn somebody_is_there() {
    let stage = Stage::memory();
    stage.stranger().get("/").empty(204);
    stage.stranger().send("HEAD", "/", None).empty(204);
    let health = stage.stranger().get("/health");
    assert_eq!((health.status, health.text.as_str()), (200, "ok"));
}

#[test]
fn stopping_ends_what_is_idle_and_nothing_listens_any_more() {
    let mut stage = Stage::memory();
    let mut idle = connect(&stage);
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut head = [0; 15];
    idle.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    stage.stop();
    assert!(idle.read_to_end(&mut Vec::new()).is_ok());
    assert!(TcpStream::connect(("127.0.0.1", stage.port)).is_err());
}

fn connect(stage: &Stage) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", stage.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// All that comes until the connection is closed.
fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// What is answered to `request`, which says that the connection is closed then.
fn ask(stage: &Stage, request: &str) -> String {
    let mut stream = connect(stage);
    stream.write_all(request.as_bytes()).unwrap();
    answer(stream)
}

/// The beginning of a request that sets a variable, by whoever may.
fn setting(stage: &Stage) -> String {
    let project = NewProject::new("shop").has_base(true);
    stage.system().create_project(stage.acme, &project).unwrap();
    let id = stage.system().environment(At::Path(stage.acme, &path("shop/dev"))).unwrap().id.to_prefixed("env");
    let token = stage.token(PermissionSet::ALL, Some("shop"));
    let token = token.expose_secret();
    format!("PUT /api/v1/env/{id}/variables/K HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n")
}

#[test]
fn a_body_that_is_too_long_is_answered() {
    let stage = Stage::memory();
    let start = setting(&stage);
    for megabytes in [2, 7] {
        let body = vec![b' '; megabytes << 20];
        let mut stream = connect(&stage);
        write!(stream, "{start}connection: close\r\ncontent-length: {}\r\n\r\n", body.len()).unwrap();
        stream.write_all(&body).unwrap();
        is_too_long(&answer(stream));

        let mut stream = connect(&stage);
        write!(stream, "{start}connection: close\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        for chunk in body.chunks(100_000) {
            write!(stream, "{:x}\r\n", chunk.len()).unwrap();
            stream.write_all(chunk).unwrap();
            stream.write_all(b"\r\n").unwrap();
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
        is_too_long(&answer(stream));
    }
}

#[test]
fn whoever_is_unknown_is_told_so_however_long_the_body_is() {
    let stage = Stage::memory();
    let start = setting(&stage).replace("authorization", "x-authorization");
    let body = " ".repeat(2 << 20);
    let length = body.len();
    let answered = ask(&stage, &format!("{start}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"));
    assert!(answered.starts_with("HTTP/1.1 401 "), "{answered}");
}

#[track_caller]
fn is_too_long(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
    assert!(
        answer.ends_with(r#"{"error":{"code":"VALIDATION_ERROR","message":"The body must have at most 1 MiB."}}"#),
        "{answer}"
    );
}

#[test]
fn a_body_that_does_not_end_is_not_read_to_its_end() {
    let stage = Stage::memory();
    let mut stream = connect(&stage);
    write!(stream, "{}transfer-encoding: chunked\r\n\r\n", setting(&stage)).unwrap();
    let sent = send_until_refused(&mut stream, format!("{:x}\r\n{}\r\n", 50_000, " ".repeat(50_000)).as_bytes());
    // What the sockets hold comes on top of what was read.
    assert!(sent < 64 << 20, "{sent}");
    stage.stranger().get("/").empty(204);
}

#[test]
fn headers_that_do_not_end_are_cut_off() {
    let stage = Stage::memory();
    for (start, more) in [
        ("GET / HTTP/1.1\r\nhost: x\r\nmore: ", "x".repeat(1000)),
        ("GET / HTTP/1.1\r\nhost: x\r\n", "more: x\r\n".repeat(100)),
        ("GET /", "x".repeat(1000)),
        ("", "X".repeat(1000)),
    ] {
        let mut stream = connect(&stage);
        stream.write_all(start.as_bytes()).unwrap();
        let sent = send_until_refused(&mut stream, more.as_bytes());
        assert!(sent < 16 << 20, "{sent}");
    }
    stage.stranger().get("/").empty(204);
}

/// How much could be sent until the other side had enough.
fn send_until_refused(stream: &mut TcpStream, more: &[u8]) -> usize {
    let mut sent = 0;
    loop {
        match stream.write_all(more) {
            Ok(()) => sent += more.len(),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
                return sent;
            }
        }
    }
}

#[test]
fn long_headers_are_told_so() {
    let stage = Stage::memory();
    let fits = "x".repeat(48 * 1024);
    let answered =
        ask(&stage, &format!("GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\nmore: {fits}\r\n\r\n"));
    assert!(answered.starts_with("HTTP/1.1 200 "), "{answered}");
    let too_long = "x".repeat(64 * 1024);
    let answered = ask(&stage, &format!("GET /health HTTP/1.1\r\nhost: x\r\nmore: {too_long}"));
    assert!(answered.starts_with("HTTP/1.1 431 "), "{answered}");
    let too_many = "a: b\r\n".repeat(101);
    let answered = ask(&stage, &format!("GET /health HTTP/1.1\r\nhost: x\r\n{too_many}\r\n"));
    assert!(answered.starts_with("HTTP/1.1 431 "), "{answered}");
}

#[test]
fn one_of_two_tokens_is_none() {
    let stage = Stage::memory();
    let start = setting(&stage);
    let token = start.lines().find(|line| line.starts_with("authorization")).unwrap();
    let rest = "connection: close\r\ncontent-length: 13\r\n\r\n{\"value\":\"x\"}";
    assert!(ask(&stage, &format!("{start}{rest}")).starts_with("HTTP/1.1 200 "));
    for second in [token, "authorization: Basic eDp5", "Authorization: "] {
        let answered = ask(&stage, &format!("{start}{second}\r\n{rest}"));
        assert!(answered.starts_with("HTTP/1.1 401 "), "{answered}");
    }
}

#[test]
fn older_and_hastier_clients_are_answered() {
    let stage = Stage::memory();
    let answered = ask(&stage, "GET /health HTTP/1.0\r\n\r\n");
    assert!(answered.starts_with("HTTP/1.0 200 ") && answered.ends_with("\r\n\r\nok"), "{answered}");

    let first = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
    let second = "GET /api/v1/env/x/variables HTTP/1.1\r\nhost: x\r\n\r\n";
    let third = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answered = ask(&stage, &format!("{first}{second}{third}"));
    let statuses: Vec<&str> = answered.split("HTTP/1.1 ").skip(1).map(|one| &one[..3]).collect();
    assert_eq!(statuses, ["200", "401", "204"], "{answered}");
}

#[test]
fn what_is_no_request_is_refused() {
    let stage = Stage::memory();
    for request in [
        "nonsense\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nhost : x\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}\r\n\r\n",
    ] {
        let answered = ask(&stage, request);
        assert!(answered.starts_with("HTTP/1.1 400 "), "{request:?}: {answered}");
    }
    // Whoever goes away leaves the others alone.
    let start = setting(&stage);
    for cut in [5, start.len() / 2, start.len()] {
        drop(connect(&stage).write_all(&start.as_bytes()[..cut]));
    }
    stage.stranger().get("/").empty(204);
}

#[test]
fn two_hundred_at_once_are_answered() {
    let stage = Stage::memory();
    let start = setting(&stage);
    let streams: Vec<TcpStream> = (0..200).map(|_| connect(&stage)).collect();
    thread::scope(|scope| {
        for (n, mut stream) in streams.into_iter().enumerate() {
            let start = &start;
            scope.spawn(move || {
                let body = format!(r#"{{"value":"{n}","isSecret":true}}"#);
                write!(stream, "{start}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
                let answered = answer(stream);
                assert!(answered.starts_with("HTTP/1.1 200 "), "{answered}");
            });
        }
    });
}

#[test]
fn what_is_on_its_way_when_the_server_stops_is_answered() {
    let mut stage = Stage::memory();
    let start = setting(&stage);
    let mut stream = connect(&stage);
    write!(stream, "{start}expect: 100-continue\r\ncontent-length: 13\r\n\r\n").unwrap();
    let mut goes_on = [0; 25];
    stream.read_exact(&mut goes_on).unwrap();
    assert_eq!(&goes_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let port = stage.port;
    thread::scope(|scope| {
        let stopping = scope.spawn(|| stage.stop());
        while TcpStream::connect(("127.0.0.1", port)).is_ok() {
            thread::sleep(Duration::from_millis(10));
        }
        assert!(!stopping.is_finished());
        stream.write_all(br#"{"value":"x"}"#).unwrap();
        let answered = answer(stream);
        assert!(answered.starts_with("HTTP/1.1 200 ") && answered.contains(r#""value":"x""#), "{answered}");
    });
}

#[test]
fn a_connection_goes_on_after_a_request_that_was_refused_unread() {
    let stage = Stage::memory();
    let mut connection = TcpStream::connect(("127.0.0.1", stage.port)).unwrap();
    for (line, status) in [("POST /nowhere", "404"), ("POST /api/v1/user", "405"), ("POST /api/v1/nowhere", "404")] {
        write!(connection, "{line} HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n").unwrap();
        // The body comes late.
        thread::sleep(Duration::from_millis(20));
        connection.write_all(&vec![b'x'; 200_000]).unwrap();
        assert_eq!(status_of(&mut connection), status, "{line}");
    }
}

/// Reads one answer, and tells its status.
fn status_of(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    connection.read_exact(&mut vec![0; length]).unwrap();
    head.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn little_is_kept_of_what_somebody_unknown_sends() {
    let stage = Stage::memory();
    // Nobody has to be known there, so it shows what was kept.
    let telemetry = "/api/v1/cli/telemetry";
    let body = |length| Some("x".repeat(length));
    let unknown = stage.stranger().with("authorization", "Bearer ioenv_0123456789abcdef");
    for (client, length, status) in [
        (stage.stranger(), 64 << 10, 204),
        (stage.stranger(), (64 << 10) + 1, 413),
        (unknown.clone(), 64 << 10, 204),
        (unknown, (64 << 10) + 1, 413),
        (stage.admin(), (64 << 10) + 1, 204),
        (stage.admin(), 4 << 20, 204),
        (stage.admin(), (4 << 20) + 1, 413),
    ] {
        assert_eq!(client.send("POST", telemetry, body(length).as_deref()).status, status, "{length}");
    }
    // Whoever is known is told what is wrong where they are not let in.
    let update = OrganizationUpdate::new().status(OrganizationStatus::Suspended);
    let admin = stage.admin();
    stage.system().update_organization(stage.acme, &update).unwrap();
    let answer = admin.send("POST", &format!("/api/v1/{}/secrets/store", stage.acme), body(1 << 20).as_deref());
    assert_eq!(answer.json(403)["error"], "organization_inactive");
}

#[test]
fn no_answer_is_kept_by_what_it_passes_through() {
    let stage = Stage::memory();
    let (admin, stranger) = (stage.admin(), stage.stranger());
    let acme = stage.acme;
    for path in [
        "/v1/whoami",
        "/v1/projects",
        "/v1/projects/none",
        "/v1/none",
        "/api/v1/user",
        "/api/v1/none",
        &format!("/api/v1/{acme}/projects"),
        &format!("/api/v1/{acme}/none/encryption-key"),
        "/api/v1/env/x/variables",
        "/api/v1/project/x",
    ] {
        for (client, method) in [(&admin, "GET"), (&stranger, "GET"), (&admin, "OPTIONS"), (&admin, "HEAD")] {
            let answer = client.send(method, path, None);
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{method} {path}: {}", answer.status);
        }
    }
}

#[test]
fn whoever_has_many_addresses_of_one_network_is_counted_as_one() {
    let stage = Stage::with(|server| server.rate_limited().trusted_proxies(ranges(["127.0.0.1"])));
    let ask = |address: &str| stage.stranger().with("x-forwarded-for", address).get("/v1/whoami").status;
    for number in 0..30 {
        assert_eq!(ask(&format!("2001:db8:0:1::{number}")), 401);
    }
    assert_eq!(ask("2001:db8:0:1:ffff:1:2:3"), 429);
    assert_eq!((ask("2001:db8:0:2::1"), ask("192.0.2.1")), (401, 401));
}

#[test]
fn what_is_logged_was_not_written_by_a_client() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&lines);
    let stage = Stage::with(|server| server.log(move |answered| log.lock().unwrap().push(answered.to_string())));
    for method in ["GET", "ioenv_planted", "PATCH"] {
        ask(&stage, &format!("{method} /v1/planted?planted HTTP/1.1\r\nhost: planted\r\nconnection: close\r\n\r\n"));
    }
    let lines = lines.lock().unwrap();
    let starts: Vec<&str> = lines.iter().map(|line| line.split(" 404 ").next().unwrap()).collect();
    assert_eq!(starts, ["127.0.0.1 GET -", "127.0.0.1 - -", "127.0.0.1 PATCH -"]);
}

#[test]
fn what_is_no_text_is_the_address_of_nothing() {
    let stage = Stage::memory();
    for path in
        ["/api/v1/%ff/x", "/api/v1/x/%ff/y/z", "/v1/projects/%ff", "/api/v1/env/%ff", "/api/v1/project/%ff/audit"]
    {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let answer = stage.admin().send(method, path, None);
            assert!([404, 405].contains(&answer.status), "{method} {path}: {}", answer.text);
            answer.json(answer.status);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
}

#[test]
fn nobody_resets_a_count_from_many_addresses() {
    let stage = Stage::with(|server| server.rate_limited().trusted_proxies(ranges(["127.0.0.1"])));
    let ask = |address: &str| stage.stranger().with("x-forwarded-for", address).get("/v1/whoami").status;
    for address in ["192.0.2.1", "2001:db8:1::1"] {
        for _ in 0..30 {
            assert_eq!(ask(address), 401);
        }
        assert_eq!(ask(address), 429);
    }
    // More networks of one /48 than are counted one by one.
    let request = |number: usize| {
        format!("GET /v1/whoami HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 2001:db8:1:{:x}::1\r\n\r\n", number + 1)
    };
    let mut stream = connect(&stage);
    let writer = stream.try_clone().unwrap();
    let statuses = thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = std::io::BufWriter::new(writer);
            for number in 0..11_000 {
                writer.write_all(request(number).as_bytes()).unwrap();
            }
            writer.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
            writer.flush().unwrap();
        });
        let mut answers = String::new();
        stream.read_to_string(&mut answers).unwrap();
        answers.split("HTTP/1.1 ").skip(1).map(|one| one[..3].to_owned()).collect::<Vec<_>>()
    });
    let count = |status: &str| statuses.iter().filter(|one| *one == status).count();
    assert_eq!((count("401") + count("429"), count("204")), (11_000, 1));
    assert!(count("401") <= 17 * 30, "{} of one network", count("401"));
    assert_eq!((ask("192.0.2.1"), ask("2001:db8:1::1")), (429, 429), "a count was reset");
    // Others, and those who are known, do not suffer for it.
    assert_eq!((ask("192.0.2.2"), ask("2001:db8:2::1")), (401, 401));
    stage.admin().with("x-forwarded-for", "2001:db8:1::1").get("/v1/projects").json(200);
}

#[test]
fn every_response_forbids_to_guess_its_type() {
    let stage = Stage::with(Server::rate_limited);
    let (admin, stranger) = (stage.admin(), stage.stranger());
    let acme = stage.acme;
    let mut statuses = BTreeSet::new();
    for path in [
        "/",
        "/health",
        "/none",
        "/v1",
        "/v1/whoami",
        "/v1/projects",
        "/v1/none",
        "/api/v1/user",
        "/api/v1/none",
        &format!("/api/v1/{acme}/projects"),
        &format!("/api/v1/organizations/{acme}/projects"),
        "/api/v1/cli/telemetry",
        "/api/v1/env/x/variables",
        "/api/v1/project/x",
    ] {
        for (client, method) in [
            (&admin, "GET"),
            (&stranger, "GET"),
            (&admin, "POST"),
            (&admin, "DELETE"),
            (&admin, "OPTIONS"),
            (&admin, "HEAD"),
        ] {
            let answer = client.send(method, path, None);
            let all: Vec<_> = answer.headers.get_all("x-content-type-options").iter().collect();
            assert_eq!(all, ["nosniff"], "{method} {path}: {}", answer.status);
            statuses.insert(answer.status);
        }
    }
    for _ in 0..30 {
        statuses.insert(stranger.get("/v1/whoami").status);
    }
    let answer = stranger.get("/v1/whoami");
    assert_eq!((answer.status, answer.header("x-content-type-options")), (429, Some("nosniff")));
    assert!([200, 204, 401, 404, 405].iter().all(|status| statuses.contains(status)), "{statuses:?}");
}

#[test]
fn unknown_callers_are_told_how_to_authenticate() {
    let stage = Stage::memory();
    let acme = stage.acme;
    let revoked = stage.token(PermissionSet::ALL, None);
    let id = stage.system().tokens(acme).unwrap()[0].id;
    stage.system().revoke_token(acme, id).unwrap();
    let services = [
        ("ioenv", vec!["/api/v1/env/x/variables".to_owned(), "/api/v1/project/x/tokens".to_owned()]),
        ("dotenv.cloud", vec!["/api/v1/user".to_owned(), format!("/api/v1/{acme}/shop/secrets")]),
        ("Stashbase", vec!["/v1/whoami".to_owned(), "/v1/projects".to_owned()]),
    ];
    for (realm, paths) in services {
        for path in paths {
            for (authorization, error) in [
                (None, ""),
                (Some("Basic eDp5".to_owned()), ""),
                (Some("Bearer ".to_owned()), ""),
                (Some("Bearer x".to_owned()), ", error=\"invalid_token\""),
                (Some("bearer ioenv_0123456789abcdef".to_owned()), ", error=\"invalid_token\""),
                (Some(format!("Bearer {}", revoked.expose_secret())), ", error=\"invalid_token\""),
            ] {
                let client = match &authorization {
                    Some(value) => stage.stranger().with("authorization", value),
                    None => stage.stranger(),
                };
                let answer = client.get(&path);
                let challenge = format!("Bearer realm=\"{realm}\"{error}");
                let told =
                    (answer.headers.get_all("www-authenticate").iter().count(), answer.header("www-authenticate"));
                assert_eq!((answer.status, told), (401, (1, Some(&*challenge))), "{path} {authorization:?}");
            }
        }
    }
    let admin = stage.admin();
    for path in ["/", "/health", "/v1/projects", "/v1/none", "/api/v1/user", "/api/v1/none", "/api/v1/env/x/variables"]
    {
        let answer = admin.get(path);
        assert_eq!((answer.status == 401, answer.header("www-authenticate")), (false, None), "{path}");
    }
}
