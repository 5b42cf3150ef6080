//! Which records transactions of the same name read, so that the next one can read them all at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most names that are remembered. Beyond it, all are forgotten, and learned again.
const MAX_NAMES: usize = 4096;
/// Most keys of one name.
const MAX_KEYS: usize = 128;
/// Most bytes of values that are read ahead for a name, besides those of its last transaction.
const MAX_BYTES: usize = 32 * 1024;

/// What transactions have read, by the name that they were given.
#[derive(Default)]
pub(super) struct ReadAhead(Mutex<HashMap<String, Habit>>);

/// What transactions of one name read.
#[derive(Clone, Default)]
struct Habit {
    keys: Arc<Vec<String>>,
    /// The sizes of the values, in the order of the keys.
    sizes: Vec<usize>,
    /// Whether the last transaction read nothing but these keys.
    is_foreseen: bool,
}

/// What a transaction is expected to read.
pub(super) struct Expected {
    pub(super) keys: Arc<Vec<String>>,
    /// Whether it probably reads nothing else.
    pub(super) is_all: bool,
}

/// A record that a transaction asked for, and the size of its value.
pub(super) type Asked = (String, usize);

impl ReadAhead {
    /// Returns what a transaction of that name is expected to read, if there was one before.
    pub(super) fn expected(&self, name: &str) -> Option<Expected> {
        let habits = self.habits();
        let habit = habits.get(name)?;
        Some(Expected { keys: Arc::clone(&habit.keys), is_all: habit.is_foreseen })
    }

    /// Notes what a transaction of that name has read. `is_complete` is `false` if it also read ranges, which are not read
    /// ahead.
    pub(super) fn learn(&self, name: &str, asked: Vec<Asked>, is_complete: bool) {
        let mut habits = self.habits();
        let before = habits.get(name);
        let known = before.is_none_or(|habit| asked.iter().all(|(key, _)| habit.keys.contains(key)));
        let is_foreseen = is_complete && known;
        if before.is_some_and(|habit| known && habit.is_foreseen == is_foreseen) {
            return;
        }
        let (mut keys, mut sizes): (Vec<String>, Vec<usize>) = asked.into_iter().take(MAX_KEYS).unzip();
        let mut bytes: usize = sizes.iter().sum();
        for (key, size) in before.into_iter().flat_map(|habit| habit.keys.iter().zip(&habit.sizes)) {
            bytes += size;
            if keys.len() >= MAX_KEYS || bytes > MAX_BYTES {
                break;
            }
            if !keys.contains(key) {
                keys.push(key.clone());
                sizes.push(*size);
            }
        }
        if habits.len() >= MAX_NAMES && !habits.contains_key(name) {
            habits.clear();
        }
        habits.insert(name.to_owned(), Habit { keys: Arc::new(keys), sizes, is_foreseen });
    }

    fn habits(&self) -> MutexGuard<'_, HashMap<String, Habit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked<const N: usize>(keys: [&str; N]) -> Vec<Asked> {
        keys.map(|key| (key.to_owned(), 100)).into()
    }

    fn expected(habits: &ReadAhead) -> (Vec<String>, bool) {
        let expected = habits.expected("n").unwrap();
        (expected.keys.to_vec(), expected.is_all)
    }

    #[test]
    fn what_was_read_is_expected_next() {
        let habits = ReadAhead::default();
        assert!(habits.expected("n").is_none());
        habits.learn("n", asked(["a", "b"]), true);
        assert_eq!(expected(&habits), (vec!["a".to_owned(), "b".to_owned()], true));
        assert!(habits.expected("m").is_none());
        // Something else: both are expected, and neither counts as certain.
        habits.learn("n", asked(["a", "c"]), true);
        assert_eq!(expected(&habits), (["a", "c", "b"].map(String::from).into(), false));
        habits.learn("n", asked(["a", "b"]), true);
        assert!(expected(&habits).1, "until nothing was missing");
        habits.learn("n", asked(["a", "b"]), false);
        assert!(!expected(&habits).1, "ranges are not read ahead");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let habits = ReadAhead::default();
        habits.learn("n", vec![("large".to_owned(), 4 * MAX_BYTES)], true);
        habits.learn("n", asked(["a"]), true);
        assert_eq!(expected(&habits).0, ["a"], "of what was read before, no more than a little");
        for number in 0..10 * MAX_KEYS {
            habits.learn("n", vec![(number.to_string(), 1)], true);
        }
        assert_eq!(expected(&habits).0.len(), MAX_KEYS);
        for number in 0..=MAX_NAMES {
            habits.learn(&number.to_string(), asked(["a"]), true);
        }
        assert!(habits.habits().len() <= MAX_NAMES);
    }
}
