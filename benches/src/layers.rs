//! Levels of any size, to be merged.

use ioenv::{Document, Layer};

use crate::application::PATHS;
use crate::random::Numbers;

/// How many names a level has.
pub const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

/// Three levels of `size` names each. A level shares half of its names with the level above it. The names stand in the
/// text in no particular order, as people write them, or ascending.
pub fn layers(size: usize, is_ascending: bool) -> Vec<Layer> {
    let mut numbers = Numbers::new(4);
    let level = |(number, path): (usize, &&str)| {
        let first = number * size / 2;
        let mut names: Vec<String> =
            (first..first + size).map(|number| format!("SERVICE_SETTING_{number:06}")).collect();
        if !is_ascending {
            names.sort_by_cached_key(|_| numbers.draw());
        }
        let lines: Vec<String> = names.iter().map(|name| format!("{name}=value-{number}-of-{name}")).collect();
        Layer::new(
            path.parse().expect("invariant: it is a path"),
            Document::parse(&lines.join("\n")).expect("invariant: ioenv reads it"),
        )
    };
    PATHS.iter().enumerate().map(level).collect()
}
