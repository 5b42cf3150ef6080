//! What was signed is genuine, whatever it is; nothing else is, and nothing that is offered breaks the receiver.
#![no_main]

use ioenv::SecretString;
use ioenv::vault::Timestamp;
use ioenv::webhook::{VerifyError, sign, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &str, &str, u32)| {
    let (body, header, secret, seconds) = input;
    let secret = SecretString::from(secret);
    let now = Timestamp::from_millis(i64::from(seconds) * 1000).expect("32 bits of seconds are a time");
    if verify(body, header, &secret, now).is_ok() {
        let at = header.split('.').next().and_then(|at| at.parse::<i64>().ok()).expect("a genuine header has a time");
        // A little before 1970 is near its beginning, and no time here.
        if let Some(at) = Timestamp::from_millis(at * 1000) {
            assert_eq!(sign(body, &secret, at), header);
        }
    }
    let genuine = sign(body, &secret, now);
    match verify(body, &genuine, &secret, now) {
        Ok(_) => assert!(serde_json::from_slice::<serde_json::Value>(body).is_ok()),
        Err(error) => assert_eq!(error, VerifyError::InvalidPayload),
    }
});
