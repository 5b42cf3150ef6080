//! A path is one to three slugs, and reads back as it is written.
#![no_main]

use ioenv::{LevelPath, Slug};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let segments: Vec<&str> = text.split('/').collect();
    let is_path = segments.len() <= LevelPath::MAX_SEGMENTS && segments.iter().all(|text| Slug::new(text).is_ok());
    let path = match LevelPath::new(text) {
        Ok(path) => path,
        Err(error) => {
            assert!(!is_path);
            // Nothing of what may be a misplaced secret is repeated.
            assert!(text.len() < 100 || !error.to_string().contains(text));
            return;
        }
    };
    assert!(is_path);
    assert_eq!(path.to_string(), text);
    assert_eq!(path.to_string().parse::<LevelPath>().expect("what was written can be read"), path);
    assert!(path.segments().eq(segments.iter().copied()));

    let chain: Vec<LevelPath> = path.chain().collect();
    assert_eq!(chain.len(), segments.len());
    assert_eq!(chain[0].as_str(), path.project());
    assert_eq!(chain.last(), Some(&path));
    assert!(chain.windows(2).all(|pair| pair[1].parent().as_ref() == Some(&pair[0])));
    assert_eq!(chain[0].parent(), None);
});
