//! Permissions in the words of the services.

use crate::core::permission::{Permission, PermissionSet, Vocabulary};
use crate::error::Result;

/// What a word stands for: one of ioenv's, of dotenv.cloud's or of Stashbase's, or else the permission it names.
pub(super) fn permission(word: &str) -> Result<PermissionSet> {
    let vocabulary = if word.contains('.') {
        Vocabulary::Stashbase
    } else if word.contains(':') || word == "*" {
        Vocabulary::DotenvCloud
    } else {
        Vocabulary::Ioenv
    };
    // What is told of a wrong word is what its service has.
    vocabulary.parse([word]).or_else(|error| word.parse::<Permission>().map(PermissionSet::from).map_err(|_| error))
}

/// Words that stand for exactly these permissions, a few if there is a few that do.
pub(super) fn words(permissions: PermissionSet) -> Vec<&'static str> {
    for vocabulary in [Vocabulary::DotenvCloud, Vocabulary::Ioenv, Vocabulary::Stashbase] {
        let words = vocabulary.words(permissions);
        let is_short = vocabulary != Vocabulary::DotenvCloud || permissions == PermissionSet::ALL;
        if is_short && vocabulary.parse(&words).is_ok_and(|said| said == permissions) {
            return words;
        }
    }
    let both = PermissionSet::of(&[Permission::SecretWrite, Permission::SecretDelete]);
    let has_both = permissions.contains_all(both);
    let word = |permission: Permission| match permission {
        // dotenv.cloud's word for writing is one for deleting, too.
        Permission::SecretWrite if !has_both => Some("secrets.write"),
        Permission::SecretDelete if has_both => None,
        permission => Some(permission.as_str()),
    };
    permissions.iter().filter_map(word).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_say_what_was_meant(bits: u64) {
            let some = Permission::ALL.iter().enumerate().filter(|(at, _)| bits >> (at % 64) & 1 == 1);
            let set: PermissionSet = some.map(|(_, permission)| *permission).collect();
            let said = words(set).into_iter().map(|word| permission(word).unwrap());
            prop_assert_eq!(said.fold(PermissionSet::EMPTY, PermissionSet::union), set);
        }
    }

    #[test]
    fn few_words_are_taken_where_they_do() {
        for words in [&["*"][..], &["read"], &["read", "write"], &["secrets.read", "secrets.write"]] {
            let set =
                words.iter().map(|word| permission(word).unwrap()).fold(PermissionSet::EMPTY, PermissionSet::union);
            assert_eq!(crate::vault::declare::words::words(set), words);
        }
        let error = permission("planted:read").unwrap_err();
        assert!(!error.to_string().contains("planted"));
    }
}
