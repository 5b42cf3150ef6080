//! Permissions are read from words and written in words, as JSON and as each service writes them; a word says no more
//! when it was written than when it was read.
#![no_main]

use ioenv::vault::{PermissionSet, Vocabulary};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(set) = serde_json::from_str::<PermissionSet>(text) {
        let written = serde_json::to_string(&set).expect("a set can be written");
        assert_eq!(serde_json::from_str::<PermissionSet>(&written).expect("what was written can be read"), set);
        assert_eq!(set.iter().collect::<PermissionSet>(), set);
    }
    for vocabulary in [Vocabulary::Ioenv, Vocabulary::DotenvCloud, Vocabulary::Stashbase] {
        let Ok(set) = vocabulary.parse(text.split([',', ' ', '\n']).filter(|word| !word.is_empty())) else {
            continue;
        };
        let written = vocabulary.words(set);
        let again = vocabulary.parse(&written).expect("what was written can be read");
        assert!(set.contains_all(again));
        assert_eq!(vocabulary.words(again), written);
        let _ = vocabulary.actions(set);
    }
});
