use crate::{Error, ErrorKind, Result};

/// Longest email address, in bytes, as RFC 5321 has it.
const MAX_EMAIL: usize = 254;
/// Longest part before the `@`.
const MAX_LOCAL: usize = 64;

/// An email address as it looks; whether mail arrives there is another question.
pub(in super::super) fn check_email(email: &str) -> Result<String> {
    let email = email.trim();
    let is_email = email.len() <= MAX_EMAIL
        && email.rsplit_once('@').is_some_and(|(local, domain)| is_local(local) && is_domain(domain));
    if is_email {
        return Ok(email.to_owned());
    }
    let message = "this is not an email address: one is such as `ann@example.com`, of at most 254 bytes";
    Err(Error::new(ErrorKind::InvalidValue, message))
}

/// An address as it is compared with others: without regard to the case of ASCII letters.
pub(in super::super) fn email_key(email: &str) -> String {
    email.trim().to_ascii_lowercase()
}

fn is_local(local: &str) -> bool {
    let is_atom = |atom: &str| {
        let is_text = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
        !atom.is_empty() && atom.chars().all(is_text)
    };
    local.len() <= MAX_LOCAL && local.split('.').all(is_atom)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let is_ldh = |c: char| c.is_alphanumeric() || c == '-';
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(is_ldh)
    };
    domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        let longest = format!("{}@{}.com", "l".repeat(64), "d.".repeat(92) + "d");
        assert_eq!(longest.len(), 254);
        for good in ["a@b", " ann.o'hara+x@mail.example.com ", "Ann@Example.COM", "jürgen@bücher.example", &longest] {
            assert_eq!(check_email(good).unwrap(), good.trim(), "{good}");
        }
        let too_long = format!("{}@{}.com", "l".repeat(64), "d.".repeat(92) + "dd");
        let long_local = format!("{}@b", "l".repeat(65));
        let bad = [
            "",
            "a",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a@b c",
            "a@@b",
            "a@-b",
            "a@b-",
            "a@b..c",
            ".a@b",
            "a.@b",
            "a@b\n.c",
            "a@\0b",
            "<a@b>",
            "\"a\"@b",
            "a@[::1]",
            &too_long,
            &long_local,
        ];
        for bad in bad {
            assert_eq!(check_email(bad).unwrap_err().kind(), ErrorKind::InvalidValue, "{bad:?}");
        }
    }

    #[test]
    fn the_case_of_ascii_letters_does_not_count() {
        assert_eq!(email_key(" Ann@Example.COM"), "ann@example.com");
        assert_ne!(email_key("Ä@b"), email_key("ä@b"));
    }
}
