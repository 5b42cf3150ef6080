//! What has the shape of a token is taken as it is and shown in part; of what has not, no error says a word.
#![no_main]

use ioenv::ErrorKind;
use ioenv::vault::{Sha256Hasher, Token, TokenHash, TokenHasher as _};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Token::parse(text) {
        Ok(token) => {
            assert_eq!(token.expose_secret(), text);
            let hint = token.hint();
            let shown = hint.trim_end_matches('…');
            assert!(text.starts_with(shown) && shown.len() < text.len());
            let hash = Sha256Hasher.hash(&token);
            assert!(TokenHash::parse(&hash.to_string()).expect("what was written can be read").matches(&hash));
            assert!(format!("{token:?} {hash:?}") == "Token([REDACTED]) TokenHash([REDACTED])");
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            // What is longer than a word of ours is not in there by chance.
            assert!(text.len() < 100 || !error.to_string().contains(text));
        }
    }
    match TokenHash::parse(text) {
        Ok(hash) => assert_eq!(hash.to_string(), text),
        Err(error) => assert!(text.len() < 100 || !error.to_string().contains(text)),
    }
});
