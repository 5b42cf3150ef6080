//! Reads members that the services write in more than one way, for `#[serde(deserialize_with)]`.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads text that may come as a number.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Text {
        Text(String),
        Number(i64),
    }

    Ok(match Text::deserialize(deserializer)? {
        Text::Text(text) => text,
        Text::Number(number) => number.to_string(),
    })
}

/// Reads a number that may come as text.
pub(super) fn number<'de, N, D>(deserializer: D) -> Result<N, D::Error>
where
    N: Deserialize<'de> + FromStr,
    D: Deserializer<'de>,
{
    optional_number(deserializer)?.ok_or_else(|| D::Error::invalid_type(Unexpected::Unit, &"a number"))
}

/// Reads a number that may come as text, or be `null`.
pub(super) fn optional_number<'de, N, D>(deserializer: D) -> Result<Option<N>, D::Error>
where
    N: Deserialize<'de> + FromStr,
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number<N> {
        Number(N),
        Text(String),
    }

    match Option::deserialize(deserializer)? {
        None => Ok(None),
        Some(Number::Number(number)) => Ok(Some(number)),
        // The text is not repeated: it could be anything.
        Some(Number::Text(text)) => text.parse().map(Some).map_err(|_| D::Error::custom("expected a number")),
    }
}

/// Reads `null` as the default.
pub(super) fn nullable<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads an object. `null` and `[]`, which is how PHP writes an empty one, are the default.
pub(super) fn object<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    optional_object(deserializer).map(Option::unwrap_or_default)
}

/// Reads an object that may be `null` or `[]`.
///
/// Unlike serde's untagged enums this keeps no copy of what it reads, which may be secret.
pub(super) fn optional_object<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_unit<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<T>, A::Error> {
            match items.next_element::<IgnoredAny>()? {
                None => Ok(None),
                Some(_) => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
            }
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(members)).map(Some)
        }
    }

    deserializer.deserialize_any(Object(PhantomData))
}

/// Tells a member that is `null`, `Some(None)`, from one that is absent; used with `#[serde(default)]`.
#[expect(clippy::option_option, reason = "the outer one says whether the member is there")]
pub(super) fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
