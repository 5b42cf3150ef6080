//! A key has one text. A ring has a key for every line that is no comment, and names the line of the first typo, or of the
//! first key with something around it.
#![no_main]

use ioenv::{ErrorKind, KeyRing, LevelKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(key) = LevelKey::parse(text) {
        assert_eq!(key.to_text().expose_secret(), text.trim());
    }

    let is_key = |line: &str| !(line.is_empty() || line == "#" || line.starts_with("# "));
    let is_typo = |line: &str| line.starts_with(LevelKey::PREFIX) && LevelKey::parse(line).is_err();
    let is_quoted =
        |line: &str| line.len() > 1 && ['"', '\''].iter().any(|&mark| line.starts_with(mark) && line.ends_with(mark));
    let is_decorated = |line: &str| {
        is_quoted(line)
            || line.starts_with("IOENV_KEY=")
            || line.starts_with("export ")
            || line.find(LevelKey::PREFIX).is_some_and(|at| at > 0) && !line.starts_with(LevelKey::PREFIX)
    };
    let mut count = 0;
    let mut expected = Ok(());
    for (number, line) in (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| is_key(line)) {
        if count == KeyRing::MAX_KEYS {
            expected = Err((ErrorKind::Limit, None));
        } else if is_decorated(line) || is_typo(line) {
            expected = Err((ErrorKind::InvalidValue, Some((number, 1))));
        } else {
            count += 1;
            continue;
        }
        break;
    }
    match KeyRing::parse(text) {
        Ok(ring) => {
            assert_eq!(expected, Ok(()));
            assert_eq!(ring.len(), count);
        }
        Err(error) => assert_eq!(expected, Err((error.kind(), error.position()))),
    }
});
