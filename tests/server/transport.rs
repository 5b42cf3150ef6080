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
