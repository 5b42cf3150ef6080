//! How many requests are taken in which time.

use serde_json::json;

use super::super::stage::Stage;
use super::{Scene, refused};

#[test]
fn a_hundred_a_minute_and_token() {
    let scene = Scene::on(Stage::with(ioenv::server::Server::rate_limited));
    let (client, other) = (scene.client("read"), scene.client("read write"));
    let at = scene.variables("dev");
    for left in (0..100).rev() {
        let answer = client.get(&at);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-ratelimit-limit"), Some("100"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(left.to_string().as_str()));
        assert_eq!(answer.header("retry-after"), None);
    }
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let before = now();
    let answer = client.get(&at);
    let after = now();
    refused(&answer, 429, "RATE_LIMITED");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    let reset: u64 = answer.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait) && (before..=after).contains(&(reset - wait)), "{wait} {reset} {before} {after}");
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
    // Another token has a bucket of its own, in which all of its requests count.
    other.put(&scene.variable("dev", "K"), &json!({ "value": "v" })).json(200);
    assert_eq!(other.get(&at).header("x-ratelimit-remaining"), Some("98"));
}

#[test]
fn thirty_a_minute_without_a_token() {
    let scene = Scene::on(Stage::with(ioenv::server::Server::rate_limited));
    let stranger = scene.stage.stranger();
    for _ in 0..30 {
        refused(&stranger.get(&scene.variables("dev")), 401, "UNAUTHORIZED");
    }
    let answer = stranger.get(&scene.variables("dev"));
    refused(&answer, 429, "RATE_LIMITED");
    assert!(answer.header("retry-after").is_some());
}

#[test]
fn nothing_is_counted_unless_that_is_asked_for() {
    let scene = Scene::new();
    let client = scene.client("read");
    for _ in 0..150 {
        let answer = client.get(&scene.variables("dev"));
        assert_eq!((answer.status, answer.header("x-ratelimit-limit")), (200, None));
    }
}
