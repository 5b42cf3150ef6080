use zeroize::Zeroizing;

use super::reader::{Reader, with_lines};
use super::writer::push_value;
use crate::core::document::{Dollars, own_comment, prepend};
use crate::core::name::VarName;
use crate::core::secret::SecretString;
use crate::core::secret_text::SecretText;
use crate::error::Result;

/// The lines of a dotenv file that other programs read, perhaps a shell. Lines that are not set stay as they are, to the
/// byte but for line ends: written in another way, a shell could read another value, or run a command.
pub(crate) struct Lines {
    entries: Vec<Line>,
    /// What stands behind the last entry.
    tail: Zeroizing<String>,
}

struct Line {
    name: VarName,
    /// Comment and blank lines above.
    lead: Zeroizing<String>,
    /// The entry as it is written, with the line end.
    text: Zeroizing<String>,
    /// The comment behind the value, from its `#` on.
    aside: Zeroizing<String>,
}

impl Lines {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// As [`Document::parse`](crate::Document::parse).
    pub(crate) fn parse(text: &str) -> Result<Self> {
        with_lines(text, |text| {
            let mut reader = Reader::new(text);
            let mut entries = Vec::new();
            while let Some(found) = reader.next()? {
                entries.push(Line {
                    name: found.entry.name().clone(),
                    lead: ended(found.lead),
                    text: ended(found.lines),
                    aside: Zeroizing::new(found.entry.aside().to_owned()),
                });
            }
            Ok(Self { entries, tail: ended(reader.rest()) })
        })
    }

    pub(crate) fn has(&self, name: &VarName) -> bool {
        self.entries.iter().any(|line| line.name == *name)
    }

    /// Returns whether [`set`](Self::set) would change nothing.
    pub(crate) fn is_set(&self, name: &VarName, value: &SecretString) -> bool {
        let mut lines = self.entries.iter().filter(|line| line.name == *name);
        let only = lines.next().filter(|_| lines.next().is_none());
        only.is_some_and(|line| line.with(value).as_str() == line.text.as_str())
    }

    /// Sets a value so that every reader takes it as it is. The entry keeps its place, its comments and its `export`; a
    /// new one comes last. An earlier entry of the same name goes: a shell would run what is in it.
    pub(crate) fn set(&mut self, name: &VarName, value: &SecretString) {
        let Some(last) = self.entries.iter().rposition(|line| line.name == *name) else {
            let mut line = Line {
                name: name.clone(),
                lead: Zeroizing::default(),
                text: Zeroizing::default(),
                aside: Zeroizing::default(),
            };
            line.text = line.with(value);
            self.entries.push(line);
            return;
        };
        self.entries[last].text = self.entries[last].with(value);
        let mut number = 0;
        self.entries.retain(|line| {
            number += 1;
            line.name != *name || number > last
        });
    }

    /// Removes all entries of a name with the comments that belong to them.
    pub(crate) fn remove(&mut self, name: &VarName) {
        let mut above = Zeroizing::new(String::new());
        let mut kept = Vec::with_capacity(self.entries.len());
        for mut line in std::mem::take(&mut self.entries) {
            if line.name == *name {
                let shared = line.lead.len() - own_comment(&line.lead).len();
                above.push_str(&line.lead[..shared]);
            } else {
                prepend(&mut line.lead, &std::mem::take(&mut above));
                kept.push(line);
            }
        }
        prepend(&mut self.tail, &above);
        self.entries = kept;
    }

    pub(crate) fn to_text(&self) -> SecretString {
        let mut text = SecretText::default();
        for line in &self.entries {
            text.push(&line.lead);
            text.push(&line.text);
        }
        text.push(&self.tail);
        text.into()
    }
}

impl Line {
    /// The line with that value.
    fn with(&self, value: &SecretString) -> Zeroizing<String> {
        let mut text = SecretText::default();
        if self.is_exported() {
            text.push("export ");
        }
        text.push(self.name.as_str());
        text.push("=");
        push_value(&mut text, value.expose_secret(), &Dollars::Literal);
        if !self.aside.is_empty() {
            text.push(" ");
            text.push(&self.aside);
        }
        text.push("\n");
        Zeroizing::new(text.as_str().to_owned())
    }

    /// Whether `export` stands before the name.
    fn is_exported(&self) -> bool {
        let blanks = [' ', '\t'];
        let behind = self.text.trim_start_matches(blanks).strip_prefix("export");
        behind.is_some_and(|behind| {
            let name = behind.trim_start_matches(blanks);
            name.len() < behind.len() && name.starts_with(self.name.as_str())
        })
    }
}

/// A copy whose last line has its line end.
fn ended(lines: &str) -> Zeroizing<String> {
    let mut text = String::with_capacity(lines.len() + 1);
    text.push_str(lines);
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    Zeroizing::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> VarName {
        text.parse().unwrap()
    }

    fn text(lines: &Lines) -> String {
        lines.to_text().expose_secret().to_owned()
    }

    #[test]
    fn other_lines_stay_to_the_byte() {
        let theirs = "# top\n\n  A = \\$(x) # why\nexport B=`x`\nC=\"\\$x\\n\"\n# end";
        let mut lines = Lines::parse(theirs).unwrap();
        lines.set(&name("D"), &"$(x)".into());
        let with_d = theirs.replace("# end", "D='$(x)'\n# end\n");
        assert_eq!(text(&lines), with_d);
        assert!(lines.is_set(&name("D"), &"$(x)".into()));
        lines.remove(&name("D"));
        assert_eq!(text(&lines), format!("{theirs}\n"));
    }

    #[test]
    fn a_value_counts_as_set_only_as_it_would_be_written() {
        for (line, is_set) in [
            ("A='$x'", true),
            ("export A='$x'", true),
            ("A='$x' # why", true),
            ("A=$x", false),
            ("A=\"\\$x\"", false),
            ("A = '$x'", false),
            ("A='$x'   # why", false),
            ("A=1\nA='$x'", false),
        ] {
            let mut lines = Lines::parse(line).unwrap();
            assert_eq!(lines.is_set(&name("A"), &"$x".into()), is_set, "{line}");
            lines.set(&name("A"), &"$x".into());
            assert!(lines.is_set(&name("A"), &"$x".into()), "{line}");
            assert_eq!(text(&lines).starts_with("export "), line.starts_with("export "), "{line}");
            assert_eq!(text(&lines).contains(" # why\n"), line.contains("# why"), "{line}");
        }
        let lines = Lines::parse("A=`x`\n").unwrap();
        assert!(!lines.is_set(&name("A"), &"`x`".into()), "a shell would run it");
        let mut lines = Lines::parse("export=1\n").unwrap();
        lines.set(&name("export"), &"2".into());
        assert_eq!(text(&lines), "export=2\n");
    }

    #[test]
    fn what_speaks_of_others_stays_when_an_entry_goes() {
        let mut lines = Lines::parse("# the file\n\n# of A\nA=1\nB=2\nA=3\n# end\n").unwrap();
        assert!(lines.has(&name("A")));
        lines.remove(&name("A"));
        assert_eq!(text(&lines), "# the file\n\nB=2\n# end\n");
        assert!(!lines.has(&name("A")));
    }
}
