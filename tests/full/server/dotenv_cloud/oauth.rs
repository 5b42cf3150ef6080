//! The OAuth endpoints, at which nobody gets a token.

use ioenv::server::Server;
use serde_json::{Value, json};

use super::super::stage::{Answer, Client, Stage};
use super::shape::{Cloud, code};

const TOKEN: &str = "/api/oauth/token";
const REVOKE: &str = "/api/oauth/revoke";

/// A form, with the media type that it has.
fn form(stage: &Stage) -> Client {
    stage.stranger().with("content-type", "application/x-www-form-urlencoded")
}

/// The code of a refusal, which must be as RFC 6749 has it.
#[track_caller]
fn refused(answer: &Answer, status: u16) -> String {
    let body = answer.json(status);
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["error", "error_description"]);
    let description = body["error_description"].as_str().unwrap();
    // The characters that RFC 6749 allows there.
    assert!(description.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\'));
    assert!(!answer.text.contains("planted"), "{}", answer.text);
    for (name, value) in [
        ("cache-control", "no-store"),
        ("pragma", "no-cache"),
        ("x-api-version", "1"),
        ("x-content-type-options", "nosniff"),
        ("x-ratelimit-limit", "10"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    body["error"].as_str().unwrap().to_owned()
}

#[test]
fn no_grant_is_valid() {
    let verifier = "v".repeat(43);
    let stage = Stage::memory();
    let code = json!({
        "grant_type": "authorization_code", "code": "planted", "code_verifier": verifier, "client_id": "dotenv-cli",
        "redirect_uri": "http://localhost:43893/callback",
    });
    let refresh = json!({ "grant_type": "refresh_token", "refresh_token": "planted", "client_id": "dotenv-cli" });
    for body in [code, refresh.clone(), json!({ "grant_type": "refresh_token", "refresh_token": "planted" })] {
        assert_eq!(refused(&stage.stranger().post(TOKEN, &body), 400), "invalid_grant", "{body}");
    }
    // A token of an organization is none of these, wherever it is sent.
    let token = stage.token(ioenv::vault::PermissionSet::ALL, None);
    let body = json!({ "grant_type": "refresh_token", "refresh_token": token.expose_secret() });
    assert_eq!(refused(&stage.client(&token).post(TOKEN, &body), 400), "invalid_grant");
    for body in [
        "grant_type=authorization_code&code=planted&client_id=dotenv-cli",
        "grant_type=refresh_token&refresh_token=planted%20x+y&client_id=dotenv-cli",
        "client_id=dotenv-cli&refresh_token=planted&grant_type=refresh%5Ftoken",
    ] {
        assert_eq!(refused(&form(&stage).send("POST", TOKEN, Some(body)), 400), "invalid_grant", "{body}");
    }
}

#[test]
fn other_grants_are_not_supported() {
    let stage = Stage::memory();
    for grant in ["password", "client_credentials", "planted", "AUTHORIZATION_CODE", " refresh_token", "\0"] {
        let body = json!({ "grant_type": grant, "code": "x", "refresh_token": "x" });
        assert_eq!(refused(&stage.stranger().post(TOKEN, &body), 400), "unsupported_grant_type", "{grant}");
    }
    let body = "grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=planted";
    assert_eq!(refused(&form(&stage).send("POST", TOKEN, Some(body)), 400), "unsupported_grant_type");
}

#[test]
fn what_is_no_request_for_a_token_is_invalid() {
    for body in [
        "",
        "null",
        "[]",
        "\"planted\"",
        "{planted",
        "{}",
        r#"{"grant_type":null}"#,
        r#"{"grant_type":""}"#,
        r#"{"grant_type":["refresh_token"]}"#,
        r#"{"grant_type":"refresh_token"}"#,
        r#"{"grant_type":"refresh_token","refresh_token":""}"#,
        r#"{"grant_type":"refresh_token","refresh_token":7}"#,
        r#"{"grant_type":"refresh_token","code":"planted"}"#,
        r#"{"grant_type":"authorization_code"}"#,
        r#"{"grant_type":"authorization_code","refresh_token":"planted"}"#,
        "grant_type=refresh_token&refresh_token=planted",
    ] {
        let stage = Stage::memory();
        assert_eq!(refused(&stage.stranger().send("POST", TOKEN, Some(body)), 400), "invalid_request", "{body}");
    }
    for body in [
        "",
        "planted",
        "grant_type=",
        "grant_type=refresh_token",
        "grant_type=refresh_token&refresh_token=",
        "grant_type=refresh_token&grant_type=refresh_token&refresh_token=planted",
        "grant_type=refresh_token&refresh_token=planted&refresh_token=planted",
        r#"{"grant_type":"refresh_token","refresh_token":"planted"}"#,
    ] {
        let stage = Stage::memory();
        assert_eq!(refused(&form(&stage).send("POST", TOKEN, Some(body)), 400), "invalid_request", "{body}");
    }
    assert_eq!(refused(&Stage::memory().stranger().send("POST", TOKEN, None), 400), "invalid_request");
}

#[test]
fn no_client_has_a_secret() {
    let stage = Stage::memory();
    let body =
        json!({ "grant_type": "refresh_token", "refresh_token": "x", "client_id": "c", "client_secret": "planted" });
    assert_eq!(refused(&stage.stranger().post(TOKEN, &body), 400), "invalid_client");
    for scheme in ["Basic", "basic"] {
        let client = stage.stranger().with("authorization", &format!("{scheme} Yzpw"));
        let answer = client.post(TOKEN, &json!({ "grant_type": "refresh_token", "refresh_token": "x" }));
        assert_eq!(refused(&answer, 401), "invalid_client");
        assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"dotenv.cloud\""));
    }
}

#[test]
fn whatever_is_revoked_is_revoked() {
    let token = |value: Value| json!({ "token": value, "client_id": "dotenv-cli" }).to_string();
    for body in [token(json!("planted")), token(json!(null)), "{}".to_owned(), String::new(), "planted".to_owned()] {
        let stage = Stage::memory();
        for client in [stage.stranger(), form(&stage), stage.stranger().with("authorization", "Bearer planted")] {
            let answer = client.send("POST", REVOKE, Some(&body));
            answer.empty(200);
            assert_eq!(
                (answer.header("cache-control"), answer.header("x-ratelimit-limit")),
                (Some("no-store"), Some("10"))
            );
        }
    }
    // It is about tokens of OAuth alone.
    let stage = Stage::memory();
    let token = stage.token(ioenv::vault::PermissionSet::ALL, None);
    stage.stranger().post(REVOKE, &json!({ "token": token.expose_secret() })).empty(200);
    stage.client(&token).get("/api/v1/organization").json(200);
}

#[test]
fn each_endpoint_takes_ten_requests_a_minute_and_address() {
    let stage = Stage::with(Server::rate_limited);
    let body = json!({ "grant_type": "refresh_token", "refresh_token": "planted", "token": "planted" });
    for left in (0..10).rev() {
        for (path, status) in [(TOKEN, 400), (REVOKE, 200)] {
            let answer = stage.stranger().post(path, &body);
            let left = left.to_string();
            assert_eq!((answer.status, answer.header("x-ratelimit-remaining")), (status, Some(left.as_str())));
        }
    }
    for path in [TOKEN, REVOKE] {
        let answer = Cloud::new(stage.admin()).post(path, &body);
        assert_eq!(code(&answer, 429), "rate_limited");
        assert!(answer.header("retry-after").is_some());
    }
    Cloud::admin(&stage).get("/api/v1/organization").json(200);
}

#[test]
fn they_take_no_other_method() {
    let stage = Stage::memory();
    for path in [TOKEN, REVOKE] {
        for method in ["GET", "PUT", "DELETE"] {
            let answer = Cloud::new(stage.stranger()).send(method, path, None);
            assert_eq!(code(&answer, 405), "method_not_allowed");
        }
    }
}
