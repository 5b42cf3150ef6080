//! The receiver's side of webhooks, by the vectors.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use ioenv::SecretString;
use ioenv::vault::Timestamp;
use ioenv::webhook::{self, VerifyError};
use proptest::prelude::*;
use serde_json::Value;

fn vectors(group: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("vectors/stashbase-webhook.json")).unwrap();
    all[group].as_array().unwrap().clone()
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000).unwrap()
}

#[test]
fn every_signature_is_judged_as_the_vectors_say() {
    let cases = vectors("webhook_signature");
    assert_eq!(cases.len(), 19);
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let secret = SecretString::from(text("secret"));
        assert_eq!(case["tolerance"], 300);
        let now = seconds(case["now"].as_i64().unwrap());
        let result = webhook::verify(text("payload").as_bytes(), text("header"), &secret, now);
        let told = result.as_ref().map_or_else(|error| error.as_str(), |_| "ok");
        assert_eq!(told, text("expect"), "{}: {}", text("id"), text("about"));
        if result.is_ok() {
            let at: i64 = text("header").split('.').next().unwrap().parse().unwrap();
            assert_eq!(webhook::sign(text("payload").as_bytes(), &secret, seconds(at)), text("header"));
        }
    }
}

#[test]
fn an_event_has_what_was_sent() {
    let case = &vectors("webhook_signature")[0];
    let body = case["payload"].as_str().unwrap();
    let secret = SecretString::from("whsec_1");
    let now = seconds(1_760_000_000);
    let verify = |body: &str| {
        let header = webhook::sign(body.as_bytes(), &secret, now);
        webhook::verify(body.as_bytes(), &header, &secret, now)
    };
    let event = verify(body).unwrap();
    assert_eq!(event.id.as_deref(), Some("evt_A7"));
    assert_eq!(event.kind.as_deref(), Some("secrets.updated"));
    assert_eq!(event.created_at, Some(seconds(1_759_999_990)));
    assert_eq!(event.live_mode, Some(true));
    assert_eq!(event.workspace.as_deref(), Some("wks_A"));
    assert_eq!(event.project.as_deref(), Some("proj_Zz9Yy8Xx7Ww6Vv5Uu4Tt3S"));
    assert_eq!(event.project_name.as_deref(), Some("billing"));
    assert_eq!(event.environment.as_deref(), Some("env_Zz9Yy8Xx7Ww6Vv5Uu4Tt3S"));
    assert_eq!(event.environment_name.as_deref(), Some("api-dev"));
    assert_eq!(event.is_production, Some(false));
    // JSON is enough; what is missing, or is something else, is not there.
    for body in ["{}", "5", "null", "[]", r#"{"id":5,"created_at":"x","live_mode":null,"data":[]}"#] {
        assert_eq!(verify(body).unwrap(), webhook::Event::default(), "{body}");
    }
    assert_eq!(verify(r#"{"created_at":9223372036854775807}"#).unwrap().created_at, None);
    assert_eq!(verify("{"), Err(VerifyError::InvalidPayload));
}

#[test]
fn the_first_reason_is_the_one_that_is_told() {
    let secret = SecretString::from("whsec_1");
    let now = seconds(1_760_000_000);
    let good = webhook::sign(b"{}", &secret, now);
    for (body, header, expected) in [
        ("", "", VerifyError::InvalidPayload),
        ("{", "", VerifyError::InvalidSignature),
        ("{", "1.x", VerifyError::TimestampTooOld),
        ("{", &good, VerifyError::InvalidSignature),
        ("{}", &format!(" {good}"), VerifyError::InvalidSignature),
        ("{}", &format!("+{good}"), VerifyError::InvalidSignature),
        ("{}", &format!("{good}.1"), VerifyError::InvalidSignature),
        ("{}", &good.to_uppercase(), VerifyError::InvalidSignature),
    ] {
        assert_eq!(webhook::verify(body.as_bytes(), header, &secret, now), Err(expected), "{body} {header}");
    }
    let all = [VerifyError::InvalidPayload, VerifyError::InvalidSignature, VerifyError::TimestampTooOld];
    assert_eq!(all.map(|error| error.to_string()), ["invalid_payload", "invalid_signature", "timestamp_too_old"]);
    let now = ioenv::vault::Clock::now(&ioenv::vault::SystemClock);
    assert!(webhook::verify_now(b"{}", &webhook::sign(b"{}", &secret, now), &secret).is_ok());
}

proptest! {
    #[test]
    fn what_was_signed_is_genuine_and_nothing_near_it(
        body in proptest::collection::vec(any::<u8>(), 1..200), flip in any::<prop::sample::Index>(), bit in 0..8_u8,
    ) {
        let secret = SecretString::from("whsec_1");
        let now = seconds(1_760_000_000);
        let header = webhook::sign(&body, &secret, now);
        let result = webhook::verify(&body, &header, &secret, now);
        prop_assert!(matches!(result, Ok(_) | Err(VerifyError::InvalidPayload)));
        let mut other = body.clone();
        other[flip.index(body.len())] ^= 1 << bit;
        prop_assert_eq!(webhook::verify(&other, &header, &secret, now), Err(VerifyError::InvalidSignature));
        let other = SecretString::from("whsec_2");
        prop_assert_eq!(webhook::verify(&body, &header, &other, now), Err(VerifyError::InvalidSignature));
    }

    #[test]
    fn anything_may_be_offered(body in proptest::collection::vec(any::<u8>(), 0..50), header in ".*") {
        let _ = webhook::verify(&body, &header, &SecretString::from(""), seconds(5));
    }
}
