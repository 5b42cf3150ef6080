use ioenv::vault::EnvironmentRole;
use serde_json::json;

use super::super::stage::Stage;
use super::{OWN, Scene};

#[test]
fn too_many_requests_are_told_when_to_come_again() {
    let scene = Scene::on(Stage::with(ioenv::server::Server::rate_limited));
    let [one, other] = [0, 1].map(|_| scene.stage.client(&scene.account_key(EnvironmentRole::ACCOUNT)));
    let secrets = format!("{OWN}/secrets");
    for _ in 0..50 {
        // The keys of an environment count together.
        one.get(&secrets).json(200);
        other.get(&format!("{secrets}/metadata")).json(200);
    }
    let refused = one.get(&secrets);
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    let details = refused.refused(429, "rate_limit.too_many_requests");
    assert_eq!(details["retry_after"]["seconds"], seconds);
    assert!((1..=60).contains(&seconds) && details["retry_after"]["unix_timestamp"].as_u64().unwrap() > 1_700_000_000);
    // Writing, and reading something else, counts for itself.
    one.delete(&format!("{secrets}/all")).json(200);
    one.get(OWN).json(200);
    let workspace = scene.workspace();
    let answer = workspace.get(super::AT).json(200);
    assert_eq!(answer["name"], json!("api-dev"));

    let stranger = scene.stage.stranger();
    for _ in 0..30 {
        stranger.get(&secrets).refused(401, "auth.unauthorized");
    }
    stranger.get(&secrets).refused(429, "rate_limit.too_many_requests");
}
