//! The comment lines that tell the kind of an entry.

/// What the line above a variable says.
pub(super) const VARIABLE_MARK: &str = "ioenv: variable";
/// What the line above a secret may say.
pub(super) const SECRET_MARK: &str = "ioenv: secret";
/// What may stand between the parts of a line.
pub(super) const BLANKS: [char; 2] = [' ', '\t'];

/// Returns the mark that a comment line consists of, if it does.
pub(super) fn mark(line: &str) -> Option<&str> {
    let text = line.trim_matches(['\n', ' ', '\t']).strip_prefix('#')?.trim_matches(BLANKS);
    [VARIABLE_MARK, SECRET_MARK].contains(&text).then_some(text)
}

/// Returns whether a comment line would tell a kind if it stood right above an entry.
pub(in crate::core) fn is_mark(line: &str) -> bool {
    mark(line).is_some()
}
