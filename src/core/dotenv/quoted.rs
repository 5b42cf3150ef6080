use super::writer::push_value;
use crate::core::document::{Document, Dollars};
use crate::core::secret::SecretString;
use crate::core::secret_text::SecretText;
use crate::error::{Error, ErrorKind, Result};

/// A value as dotenv text has it, quotes included, which say which of its `$` are literal.
pub(crate) struct Quoted {
    pub(crate) value: SecretString,
    pub(crate) dollars: Dollars,
}

impl Quoted {
    /// Reads what may stand behind the `=` of one line, without a comment.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut line = SecretText::with_capacity(text.len() + 2);
        line.push("V=");
        line.push(text);
        let line = SecretString::from(line);
        // What the reader says of a line and of `V` helps nobody who reads a declaration.
        let document = Document::parse(line.expose_secret()).map_err(|error| Error::new(error.kind(), RULE))?;
        match document.entries() {
            [entry] if entry.comment().is_none() && document.tail().is_empty() => {
                Ok(Self { value: entry.value().clone(), dollars: entry.dollars().clone() })
            }
            _ => Err(Error::new(ErrorKind::Syntax, RULE)),
        }
    }

    /// Returns the text that [`parse`](Self::parse) reads as this value.
    pub(crate) fn to_text(&self) -> SecretString {
        let mut text = SecretText::default();
        push_value(&mut text, self.value.expose_secret(), &self.dollars);
        text.into()
    }
}

const RULE: &str = "this must be one value as a dotenv file has it, such as \"'p$w'\"";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_value_and_nothing_else_is_read() {
        let quoted = Quoted::parse("\"\\$5 ${A}\"").unwrap();
        assert_eq!(quoted.value.expose_secret(), "$5 ${A}");
        assert_eq!(quoted.dollars, Dollars::Mixed([0].into()));
        for bad in ["'a' # b", "'a", "'a'b", "a\nB=planted", "'a'\n# planted", "\0"] {
            let error = Quoted::parse(bad).err().unwrap();
            assert!(!error.to_string().contains("planted"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_value_is_read_as_it_is_written(text in r#"[$`'"\\{}#= \n\r\ta-c]{0,16}"#, literal in 0_u32..32) {
            let offsets = text.match_indices('$').map(|(at, _)| u32::try_from(at).unwrap());
            let offsets: Vec<u32> = offsets.enumerate().filter(|(n, _)| literal >> (n % 5) & 1 == 1).map(|(_, at)| at).collect();
            let dollars = match offsets.len() {
                0 => Dollars::Expandable,
                count if count == text.matches('$').count() => Dollars::Literal,
                _ => Dollars::Mixed(offsets.into()),
            };
            let quoted = Quoted { value: text.as_str().into(), dollars };
            let again = Quoted::parse(quoted.to_text().expose_secret()).unwrap();
            prop_assert_eq!(again.value.expose_secret(), text);
            prop_assert_eq!(again.dollars, quoted.dollars);
        }
    }
}
