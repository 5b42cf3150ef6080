//! Enumerations with one word for each of their members.

use crate::error::{Error, ErrorKind};

/// Largest number of words that an error lists.
const MAX_LISTED: usize = 20;

/// Declares an enumeration and the words of its members in one list, from which its text is written and read.
///
/// The text behind the name says what a word is, for errors: "the status of a project". A member may have more words
/// that are read, behind a `|`.
macro_rules! words {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $name:ident: $subject:literal {
            $($(#[$member_meta:meta])* $member:ident = $word:literal $(| $alias:literal)*,)*
        }
    ) => {
        $(#[$meta])*
        $visibility enum $name {
            $($(#[$member_meta])* $member,)*
        }

        impl $name {
            /// All of them.
            $visibility const ALL: &[Self] = &[$(Self::$member,)*];

            /// Returns the word.
            $visibility const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$member => $word,)*
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::error::Error;

            /// Reads the word.
            ///
            /// # Errors
            /// `InvalidValue`, without the text.
            fn from_str(text: &str) -> $crate::error::Result<Self> {
                match text {
                    $($word $(| $alias)* => Ok(Self::$member),)*
                    _ => Err($crate::core::words::no_such_word($subject, Self::ALL.iter().map(|one| one.as_str()))),
                }
            }
        }
    };
}
pub(crate) use words;

/// The error of a text that is none of the words.
#[cold]
pub(crate) fn no_such_word(subject: &str, words: impl ExactSizeIterator<Item = &'static str>) -> Error {
    let message = if words.len() > MAX_LISTED {
        format!("this is not {subject}")
    } else {
        let list: Vec<String> = words.map(|word| format!("`{word}`")).collect();
        format!("{subject} is one of {}", list.join(" "))
    };
    Error::new(ErrorKind::InvalidValue, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    words! {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Size: "a size" {
            Small = "small" | "s",
            Large = "large",
        }
    }

    #[test]
    fn every_word_is_written_and_read() {
        for size in Size::ALL {
            assert_eq!(size.to_string().parse::<Size>().unwrap(), *size);
        }
        assert_eq!(format!("{:>6}", "s".parse::<Size>().unwrap()), " small");
    }

    #[test]
    fn an_error_lists_the_words_if_they_are_few_and_never_the_text() {
        assert_eq!("planted".parse::<Size>().unwrap_err().to_string(), "a size is one of `small` `large`");
        assert_eq!(no_such_word("a size", ["word"; 21].into_iter()).to_string(), "this is not a size");
    }
}
