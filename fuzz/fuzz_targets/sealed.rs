//! A sealed file that can be read says the same after being written, and opens for nobody without its key.
#![no_main]

use std::sync::LazyLock;

use ioenv::{Document, ErrorKind, KeyRing, LevelKey, SealedFile};
use libfuzzer_sys::fuzz_target;

/// The key `main` of the seeds. Nobody guesses it in binary, so that what opens was sealed with it.
static KEYS: LazyLock<KeyRing> = LazyLock::new(|| KeyRing::from(LevelKey::from_bytes(&[7; 32])));

/// What the levels of the seeds say.
const SAID: [&str; 2] = ["A=1\n", "# ioenv: variable\nPORT=8080\n"];

fuzz_target!(|text: &str| {
    let Ok(file) = SealedFile::parse(text) else {
        return;
    };
    let written = file.to_text();
    let again = SealedFile::parse(&written).expect("what was written can be read");
    assert_eq!(again.to_text(), written);
    assert_eq!(again.project(), file.project());
    assert!(again.paths().eq(file.paths()));
    assert_eq!(format!("{:?}", again.keys()), format!("{:?}", file.keys()));

    for path in file.paths() {
        assert_eq!(path.project(), file.project().as_str());
        let has_key = file.keys().iter().any(|key| Some(key.id()) == file.key_of(path));
        match file.level(path, &KEYS) {
            Ok(document) => {
                let said = document.as_ref().map(Document::to_text).expect("the level is there");
                assert!(has_key && SAID.contains(&said.expose_secret()));
            }
            Err(error) => {
                assert!(has_key || error.kind() == ErrorKind::Corrupt);
                assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::DecryptionFailed | ErrorKind::Config));
            }
        }
    }
});
