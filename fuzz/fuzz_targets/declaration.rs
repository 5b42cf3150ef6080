//! A declaration that can be read is written so that it reads back as the same, and an error repeats nothing of it.
#![no_main]

use ioenv::vault::Declaration;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Declaration::parse(text) {
        Ok(declaration) => {
            let written = declaration.to_text();
            let again = Declaration::parse(written.expose_secret()).expect("what was written can be read");
            assert_eq!(again.to_text().expose_secret(), written.expose_secret());
        }
        Err(error) => {
            let shown = format!("{error:?}");
            // Names of fields and of their words are ours, and short; what is longer is theirs.
            let is_theirs = |word: &&str| word.len() > 32 && shown.contains(*word);
            assert_eq!(text.split_whitespace().find(is_theirs), None);
        }
    }
});
