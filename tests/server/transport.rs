//! What all services have in common: connections, sizes, addresses, and the end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::stage::Stage;

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
    let mut idle = TcpStream::connect(("127.0.0.1", stage.port)).unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut head = [0; 15];
    idle.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    stage.stop();
    assert!(idle.read_to_end(&mut Vec::new()).is_ok());
    assert!(TcpStream::connect(("127.0.0.1", stage.port)).is_err());
}

#[test]
fn a_connection_goes_on_after_a_request_that_was_refused_unread() {
    let stage = Stage::memory();
    let mut connection = TcpStream::connect(("127.0.0.1", stage.port)).unwrap();
    for (line, status) in [("POST /nowhere", "404"), ("POST /api/v1/user", "405"), ("POST /api/v1/nowhere", "404")] {
        write!(connection, "{line} HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n").unwrap();
        // The body comes late.
        std::thread::sleep(std::time::Duration::from_millis(20));
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
