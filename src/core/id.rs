use std::fmt::{self, Debug};
use std::str::FromStr;

use ulid::{ULID_LEN, Ulid};

use super::clock::Timestamp;
use super::serde_text::serde_text;
use crate::error::{Error, ErrorKind, Result};

/// Characters of an id behind its prefix.
const PREFIXED_CHARS: usize = 22;
/// In the order of ASCII, so that ids sort like their texts.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a record is known by: a ULID, so 48 bits of time in milliseconds and 80 random bits.
///
/// Ids sort by the time they were made. There are two spellings of the same 128 bits, and both sort like the ids: the
/// ULID itself, which dotenv.cloud shows and which is stored, and a prefix with 22 characters of `[0-9A-Za-z]`, which
/// ioenv and Stashbase show.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// let id: ioenv::vault::Id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse()?;
/// let text = id.to_prefixed("env");
/// assert_eq!(text, "env_02WP8qFtGJTkHk10j5u4aZ");
/// assert_eq!(ioenv::vault::Id::parse_prefixed("env", &text)?, id);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Ulid);

impl Id {
    /// The id of a moment and ten random bytes. Who makes several in one millisecond sees to it that they are in order.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::vault::{Id, Timestamp};
    ///
    /// let now: Timestamp = "2016-07-30T23:54:10.259Z".parse()?;
    /// let id = Id::from_parts(now, [0; 10]);
    /// assert_eq!(id.to_string(), "01ARZ3NDEK0000000000000000");
    /// assert_eq!(id.timestamp(), now);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_parts(time: Timestamp, random: [u8; 10]) -> Self {
        let mut wide = [0; 16];
        wide[6..].copy_from_slice(&random);
        // A timestamp is never negative.
        Self(Ulid::from_parts(time.as_millis().unsigned_abs(), u128::from_be_bytes(wide)))
    }

    /// When it was made. An id of somebody else's that claims to be from behind the year 9999 is held at its end.
    pub fn timestamp(self) -> Timestamp {
        let millis = i64::try_from(self.0.timestamp_ms()).ok();
        millis.and_then(Timestamp::from_millis).unwrap_or(Timestamp::MAX)
    }

    /// The ten random bytes.
    pub fn random(self) -> [u8; 10] {
        let mut random = [0; 10];
        random.copy_from_slice(&self.0.to_bytes()[6..]);
        random
    }

    /// The id behind this one in order, if there is one of the same millisecond.
    pub fn next(self) -> Option<Self> {
        self.0.increment().ok().map(Self)
    }

    /// Reads a ULID, in upper or lower case.
    ///
    /// # Errors
    /// `InvalidValue`. The letters `I`, `L`, `O` and `U` are refused, so that an id has one spelling.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = || Error::new(ErrorKind::InvalidValue, "this is not an id: a ULID has 26 characters");
        if text.len() != ULID_LEN || !text.is_ascii() {
            return Err(invalid());
        }
        let id = Self(Ulid::from_string(text).map_err(|_| invalid())?);
        // What begins with more than 7 does not fit.
        if id.to_string().eq_ignore_ascii_case(text) { Ok(id) } else { Err(invalid()) }
    }

    /// `prefix`, `_`, and the 128 bits as 22 digits of base 62, `0` to `9`, `A` to `Z`, `a` to `z`.
    pub fn to_prefixed(self, prefix: &str) -> String {
        let mut text = String::with_capacity(prefix.len() + 1 + PREFIXED_CHARS);
        text.push_str(prefix);
        text.push('_');
        text.extend(to_base62(self.0.0).map(char::from));
        text
    }

    /// Reads what [`to_prefixed`](Self::to_prefixed) writes.
    ///
    /// # Errors
    /// `InvalidValue`, for another prefix, for anything but 22 characters of `[0-9A-Za-z]`, and beyond 128 bits.
    pub fn parse_prefixed(prefix: &str, text: &str) -> Result<Self> {
        let digits = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
        digits.and_then(from_base62).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidValue,
                format!("this is not an id: one such as `{prefix}_…` has 22 letters and digits behind the `_`"),
            )
        })
    }
}

fn to_base62(mut number: u128) -> [u8; PREFIXED_CHARS] {
    let mut digits = [b'0'; PREFIXED_CHARS];
    for digit in digits.iter_mut().rev() {
        let at = usize::try_from(number % 62).expect("invariant: a remainder of 62 fits");
        *digit = BASE62[at];
        number /= 62;
    }
    digits
}

fn from_base62(digits: &str) -> Option<Id> {
    if digits.len() != PREFIXED_CHARS {
        return None;
    }
    let number = digits.bytes().try_fold(0_u128, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            b'a'..=b'z' => digit - b'a' + 36,
            _ => return None,
        };
        number.checked_mul(62)?.checked_add(value.into())
    })?;
    Some(Id(Ulid(number)))
}

impl FromStr for Id {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.array_to_str(&mut [0; ULID_LEN]))
    }
}

impl Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}

serde_text!(Id, "an id of 26 characters");

/// Types for the ids of different things, so that one cannot be given in the place of another.
macro_rules! typed_ids {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => { $(
        $(#[doc = $doc])+
        ///
        /// An [`Id`] inside, with the same spellings.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Id);

        impl $name {
            /// When the thing was made, as [`Id::timestamp`].
            pub fn timestamp(self) -> Timestamp {
                self.0.timestamp()
            }

            /// Reads a ULID, as [`Id::parse`].
            ///
            /// # Errors
            /// `InvalidValue`.
            pub fn parse(text: &str) -> Result<Self> {
                Id::parse(text).map(Self)
            }

            /// The spelling of ioenv and Stashbase, as [`Id::to_prefixed`].
            pub fn to_prefixed(self, prefix: &str) -> String {
                self.0.to_prefixed(prefix)
            }

            /// Reads that spelling, as [`Id::parse_prefixed`].
            ///
            /// # Errors
            /// `InvalidValue`.
            pub fn parse_prefixed(prefix: &str, text: &str) -> Result<Self> {
                Id::parse_prefixed(prefix, text).map(Self)
            }
        }

        impl From<Id> for $name {
            fn from(id: Id) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Id {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        serde_text!($name, "an id of 26 characters");
    )+ };
}

typed_ids! {
    /// The id of an organization.
    OrganizationId;
    /// The id of a project, which is that of the project's own level, too.
    ProjectId;
    /// The id of a target, which is that of its level, too.
    TargetId;
    /// The id of an environment, which is that of its level, too. `_base` has the id of its project.
    EnvironmentId;
    /// The id of a level: of a project, a target or an environment.
    LevelId;
    /// The id of a user.
    UserId;
    /// The id of a team.
    TeamId;
    /// The id of a role that an organization made.
    RoleId;
    /// The id of an invitation.
    InvitationId;
    /// The id of an API token.
    TokenId;
    /// The id of a personal key of a user.
    PersonalKeyId;
    /// The id of an account of an environment.
    AccountId;
    /// The id of a service account.
    ServiceAccountId;
    /// The id of a key of a service account.
    ServiceKeyId;
    /// The id of a webhook.
    WebhookId;
    /// The id of an event, which all attempts to deliver it share.
    EventId;
    /// The id of a record of a webhook's log.
    WebhookLogId;
    /// The id of an integration.
    IntegrationId;
    /// The id of a run of an integration.
    IntegrationRunId;
    /// The id of a record of the audit log.
    AuditRecordId;
}

impl From<ProjectId> for LevelId {
    fn from(id: ProjectId) -> Self {
        Self(id.0)
    }
}

impl From<TargetId> for LevelId {
    fn from(id: TargetId) -> Self {
        Self(id.0)
    }
}

impl From<EnvironmentId> for LevelId {
    fn from(id: EnvironmentId) -> Self {
        Self(id.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ulids_are_read_in_either_case_and_one_spelling() {
        let text = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        assert_eq!(Id::parse(&text.to_lowercase()).unwrap().to_string(), text);
        assert_eq!(Id::parse("7ZZZZZZZZZZZZZZZZZZZZZZZZZ").unwrap(), Id(Ulid(u128::MAX)));
        for bad in [
            "",
            "01ARZ3NDEKTSV4RRFFQ69G5FA",
            "01ARZ3NDEKTSV4RRFFQ69G5FAVV",
            "O1ARZ3NDEKTSV4RRFFQ69G5FAV",
            "0IARZ3NDEKTSV4RRFFQ69G5FAV",
            "01ARZ3NDEKTSV4RRFFQ69G5FAU",
            "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "01ARZ3NDEKTSV4RRFFQ69G5FÄ",
            "01ARZ3NDEKTSV4RRFFQ69G5FA ",
        ] {
            assert_eq!(Id::parse(bad).unwrap_err().kind(), ErrorKind::InvalidValue, "{bad}");
        }
    }

    #[test]
    fn prefixed_ids_are_exact() {
        assert_eq!(Id(Ulid(0)).to_prefixed("env"), "env_0000000000000000000000");
        assert_eq!(Id(Ulid(61)).to_prefixed("env"), "env_000000000000000000000z");
        let largest = Id(Ulid(u128::MAX)).to_prefixed("env");
        assert_eq!(largest, "env_7n42DGM5Tflk9n8mt7Fhc7");
        for bad in [
            "",
            "env_",
            "env_000000000000000000000",
            "env_00000000000000000000000",
            "env_7n42DGM5Tflk9n8mt7Fhc8",
            "env_zzzzzzzzzzzzzzzzzzzzzz",
            "env_00000000000000000000-0",
            "env_00000000000000000000ä",
            "proj_0000000000000000000000",
            "env0000000000000000000000",
        ] {
            assert_eq!(Id::parse_prefixed("env", bad).unwrap_err().kind(), ErrorKind::InvalidValue, "{bad}");
        }
    }

    #[test]
    fn time_stands_first() {
        let time = Timestamp::MAX;
        let id = Id::from_parts(time, [0xff; 10]);
        assert_eq!((id.timestamp(), id.random(), id.next()), (time, [0xff; 10], None));
        assert_eq!(Id(Ulid(u128::MAX)).timestamp(), Timestamp::MAX);
        let next = Id::from_parts(time, [0; 10]).next().unwrap();
        assert_eq!(next.random(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    }

    proptest! {
        #[test]
        fn every_spelling_goes_there_and_back(bits: u128) {
            let id = Id(Ulid(bits));
            prop_assert_eq!(Id::parse(&id.to_string()).unwrap(), id);
            prop_assert_eq!(Id::parse_prefixed("env", &id.to_prefixed("env")).unwrap(), id);
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<Id>(&json).unwrap(), id);
        }

        #[test]
        fn texts_sort_like_ids(a: u128, b: u128) {
            let (a, b) = (Id(Ulid(a)), Id(Ulid(b)));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(a.cmp(&b), a.to_prefixed("env").cmp(&b.to_prefixed("env")));
        }

        #[test]
        fn anything_may_be_offered(text in ".*") {
            let _ = (Id::parse(&text), Id::parse_prefixed("env", &text));
        }
    }
}
