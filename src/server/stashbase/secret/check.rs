//! What lists of secrets are refused for. The first rule that is broken answers, with each name that breaks it once, in
//! the order in which they came.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::core::name::VarName;
use crate::server::stashbase::name::secret_name;
use crate::server::stashbase::problem::Problem;

/// Longest value, in bytes.
const MAX_VALUE_BYTES: usize = 16 << 10;
/// Longest comment, in units of UTF-16.
const MAX_COMMENT: usize = 512;

/// Refuses a list of nothing.
pub(super) fn not_empty<T>(items: &[T]) -> Result<(), Problem> {
    if items.is_empty() {
        return Err(Problem::invalid("validation.no_data_provided", "The list is empty: give one secret at least."));
    }
    Ok(())
}

/// Refuses a list of which something is wrong with these names.
pub(super) fn none<N: Copy + Ord + Serialize>(
    code: &'static str,
    message: &'static str,
    offending: impl IntoIterator<Item = N>,
) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    let names: Vec<N> = offending.into_iter().filter(|name| seen.insert(*name)).collect();
    if names.is_empty() { Ok(()) } else { Err(Problem::invalid(code, message).with("secret_names", names)) }
}

/// Reads names, of which there must be one at least.
pub(super) fn names(texts: &[&str]) -> Result<Vec<VarName>, Problem> {
    let names: Vec<Option<VarName>> = texts.iter().map(|text| secret_name(text)).collect();
    not_empty(&names)?;
    none(
        "validation.invalid_secret_names",
        "The name of a secret is 2 to 255 of A-Z, 0-9 and _, and does not begin with a digit.",
        texts.iter().zip(&names).filter(|(_, name)| name.is_none()).map(|(text, _)| *text),
    )?;
    Ok(names.into_iter().flatten().collect())
}

/// Those that come more than once.
pub(super) fn duplicates<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<&str> = names.iter().copied().filter(|name| !seen.insert(*name)).collect();
    names.iter().copied().filter(|name| twice.contains(name)).collect()
}

pub(super) fn is_value_too_long(value: &str) -> bool {
    value.len() > MAX_VALUE_BYTES
}

/// Whether a comment, formatted, is too long.
pub(super) fn is_comment_too_long(comment: &str) -> bool {
    comment.encode_utf16().count() > MAX_COMMENT
}

/// A comment as it is kept: no line ends with white space, and no empty lines stand around it.
pub(super) fn formatted(comment: &str) -> String {
    let lines: Vec<&str> = comment.split('\n').map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn comments_and_sizes_are_those_of_the_service() {
        let vectors: Value = serde_json::from_str(include_str!("../../../../tests/vectors/stashbase.json")).unwrap();
        let comments = vectors["comment_format"].as_array().unwrap();
        assert!(!comments.is_empty());
        for case in comments {
            assert_eq!(formatted(case["input"].as_str().unwrap()), case["expect"].as_str().unwrap(), "{case}");
        }
        let values = vectors["secret_value_size"].as_array().unwrap();
        assert!(!values.is_empty());
        for case in values {
            let count = usize::try_from(case["count"].as_u64().unwrap()).unwrap();
            let value = case["char"].as_str().unwrap().repeat(count);
            assert_eq!(!is_value_too_long(&value), case["valid"] == true, "{case}");
        }
        assert!(is_value_too_long(&"a".repeat(16_385)) && is_value_too_long(&"é".repeat(8193)));
        assert!(!is_comment_too_long(&"𝒳".repeat(256)) && is_comment_too_long(&"𝒳".repeat(257)));
    }
}
