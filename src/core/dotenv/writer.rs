use super::mark::VARIABLE_MARK;
use crate::core::document::{Document, Dollars, Entry, Kind};
use crate::core::name::VarName;
use crate::core::secret::SecretString;
use crate::core::secret_text::SecretText;
use crate::error::{Error, ErrorKind, Result};

impl Document {
    /// Dotenv text that reads back as this document, comments, kinds and order included.
    pub fn to_text(&self) -> SecretString {
        write_document(self)
    }

    /// Dotenv text for other programs: names ascending by byte, no comments, quoted so that a shell and the common
    /// readers get the same values.
    pub fn to_export(&self) -> SecretString {
        write_export(self.by_name().map(|entry| (&entry.name, &entry.value)))
    }

    /// Returns commands for a POSIX shell, names ascending by byte: `export NAME='value'`. Each value arrives as it is,
    /// carriage returns included.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// let document = ioenv::Document::parse("B=\"it's\"\nA=$5\n")?;
    /// assert_eq!(document.to_shell()?.expose_secret(), "export A='$5'\nexport B='it'\\''s'\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidName`, with the names that no shell can hold: those with a dot.
    pub fn to_shell(&self) -> Result<SecretString> {
        let refused: Vec<VarName> =
            self.by_name().map(Entry::name).filter(|name| !name.is_shell_name()).cloned().collect();
        if !refused.is_empty() {
            let names: Vec<&str> = refused.iter().map(VarName::as_str).collect();
            let message =
                format!("no shell can hold a name with a dot: choose another format, or rename {}", names.join(", "));
            return Err(Error::new(ErrorKind::InvalidName, message).with_names(refused));
        }
        let mut text = SecretText::default();
        for entry in self.by_name() {
            text.push("export ");
            text.push(entry.name.as_str());
            text.push("='");
            for (number, piece) in entry.value.expose_secret().split('\'').enumerate() {
                if number > 0 {
                    text.push("'\\''");
                }
                text.push(piece);
            }
            text.push("'\n");
        }
        Ok(text.into())
    }
}

/// Writes a document so that it reads back as the same one.
fn write_document(document: &Document) -> SecretString {
    let mut text = SecretText::default();
    for entry in document.entries() {
        text.push(entry.lead());
        if entry.kind() == Kind::Variable {
            text.push("# ");
            text.push(VARIABLE_MARK);
            text.push("\n");
        }
        text.push(entry.name().as_str());
        text.push("=");
        push_value(&mut text, entry.value().expose_secret(), entry.dollars());
        if !entry.aside().is_empty() {
            text.push(" ");
            text.push(entry.aside());
        }
        text.push("\n");
    }
    text.push(document.tail());
    text.into()
}

/// Writes entries for other programs, in the order given.
fn write_export<'a>(entries: impl Iterator<Item = (&'a VarName, &'a SecretString)>) -> SecretString {
    let mut text = SecretText::default();
    for (name, value) in entries {
        text.push(name.as_str());
        text.push("=");
        push_value(&mut text, value.expose_secret(), &Dollars::Literal);
        text.push("\n");
    }
    text.into()
}

/// Bare where that is safe everywhere; else in single quotes, which bash, Node, Python and Rust readers take
/// verbatim; else, and for a `$` that is to stay expandable, in double quotes.
pub(super) fn push_value(text: &mut SecretText, value: &str, dollars: &Dollars) {
    let stays_expandable = *dollars != Dollars::Literal && value.contains('$');
    if value.bytes().all(is_bare) {
        text.push(value);
    } else if !stays_expandable && !value.contains(['\'', '\r']) {
        text.push("'");
        text.push(value);
        text.push("'");
    } else {
        text.push("\"");
        let mut done = 0;
        for (at, special) in value.match_indices(['\\', '"', '`', '$', '\r']) {
            let escaped = match special {
                "$" if !dollars.is_literal(at) => continue,
                "$" => "\\$",
                "\\" => "\\\\",
                "\"" => "\\\"",
                "`" => "\\`",
                _ => "\\r",
            };
            text.push(&value[done..at]);
            text.push(escaped);
            done = at + special.len();
        }
        text.push(&value[done..]);
        text.push("\"");
    }
}

fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_./:@%+,=-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(value: &str) -> String {
        let mut document = Document::new();
        document.set("K".parse().unwrap(), value).unwrap();
        document.to_export().expose_secret().to_owned()
    }

    #[test]
    fn exports_as_the_common_readers_read() {
        for (value, expected) in [
            ("https://api.internal", "K=https://api.internal\n"),
            ("", "K=\n"),
            ("QUJD==", "K=QUJD==\n"),
            ("hello world", "K='hello world'\n"),
            (" edges ", "K=' edges '\n"),
            ("a #b", "K='a #b'\n"),
            ("pa$WORD", "K='pa$WORD'\n"),
            ("C:\\dir\\n", "K='C:\\dir\\n'\n"),
            ("line1\nline2", "K='line1\nline2'\n"),
            ("a`b", "K='a`b'\n"),
            ("raw\n", "K='raw\n'\n"),
            ("it's", "K=\"it's\"\n"),
            ("it's\nx", "K=\"it's\nx\"\n"),
            ("a'\"b", "K=\"a'\\\"b\"\n"),
            ("it's $5", "K=\"it's \\$5\"\n"),
            ("it's C:\\new", "K=\"it's C:\\\\new\"\n"),
            ("a'`b", "K=\"a'\\`b\"\n"),
            ("a\r\nb", "K=\"a\\r\nb\"\n"),
        ] {
            assert_eq!(export(value), expected);
            assert_eq!(Document::parse(expected).unwrap().get("K").unwrap().value().expose_secret(), value);
        }
    }

    #[test]
    fn exports_in_order_of_names_without_comments() {
        let document = Document::parse("# c\nb=1\nB=2 # d\na=3\n").unwrap();
        assert_eq!(document.to_export().expose_secret(), "B=2\na=3\nb=1\n");
    }

    #[test]
    fn a_document_reads_back_with_comments_order_and_dollars() {
        let text = "# top\n\nB=1 # aside\n  # odd\nA='${X} $$'\nC=\"${X}\"\nD=\"\\$5 ${X} 'x'\"\n# ioenv: variable\nE=\n\n# end\n";
        let document = Document::parse(text).unwrap();
        assert_eq!(document.to_text().expose_secret(), text);
    }

    #[test]
    fn the_end_of_the_last_line_is_written() {
        assert_eq!(Document::parse("A=1\n#x").unwrap().to_text().expose_secret(), "A=1\n#x\n");
        assert_eq!(Document::parse("A=1").unwrap().to_text().expose_secret(), "A=1\n");
        assert_eq!(Document::parse("").unwrap().to_text().expose_secret(), "");
    }
}
