//! An id has one text in each spelling, and so has a time.
#![no_main]

use ioenv::vault::{Id, Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(id) = Id::parse(text) {
        assert_eq!(id.to_string(), text.to_ascii_uppercase());
        check(id);
    }
    for prefix in ["env", "proj", ""] {
        if let Ok(id) = Id::parse_prefixed(prefix, text) {
            assert_eq!(id.to_prefixed(prefix), text);
            check(id);
        }
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        let written = time.to_string();
        assert_eq!(written.parse::<Timestamp>().expect("what was written can be read"), time);
        assert_eq!(Timestamp::from_millis(time.as_millis()), Some(time));
        assert_eq!(Id::from_parts(time, [0; 10]).timestamp(), time);
    }
});

fn check(id: Id) {
    assert_eq!(Id::parse(&id.to_string()).expect("what was written can be read"), id);
    assert_eq!(Id::parse_prefixed("env", &id.to_prefixed("env")).expect("what was written can be read"), id);
    assert!(id.next().is_none_or(|next| next > id));
}
