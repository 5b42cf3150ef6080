use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::problem::Problem;
use crate::core::secret::SecretString;

/// The members of the JSON object that is the body of a request. Unknown ones are passed over, but none may stand twice,
/// at any depth: who reads such a body otherwise might see another value.
pub(super) struct Body(BTreeMap<String, Json>);

/// JSON, as far as it matters here. Numbers do not.
enum Json {
    Null,
    Bool(bool),
    Number,
    Text(SecretString),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

impl Body {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        // The parser's own words would repeat what it found.
        match serde_json::from_slice(bytes) {
            Ok(Json::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(Problem::invalid("The body must be a JSON object.")),
            Err(_) => Err(Problem::invalid("The body must be JSON in UTF-8, in which no member stands twice.")),
        }
    }

    /// A member that must be text; none, if it is not there.
    pub(super) fn text(&self, name: &str, problem: &'static str) -> Result<Option<&SecretString>, Problem> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(Problem::invalid(problem)),
        }
    }

    /// The same, where `null` says as much as nothing.
    pub(super) fn nullable_text(&self, name: &str, problem: &'static str) -> Result<Option<&SecretString>, Problem> {
        if let Some(Json::Null) = self.0.get(name) { Ok(None) } else { self.text(name, problem) }
    }

    /// A member that must be there, and text.
    pub(super) fn required_text(&self, name: &str, problem: &'static str) -> Result<&SecretString, Problem> {
        self.text(name, problem)?.ok_or_else(|| Problem::invalid(problem))
    }

    /// A member that must be `true` or `false`; none, if it is not there.
    pub(super) fn flag(&self, name: &str, problem: &'static str) -> Result<Option<bool>, Problem> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Json::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(Problem::invalid(problem)),
        }
    }

    /// A member that must be there, and a list of texts.
    pub(super) fn texts(&self, name: &str, problem: &'static str) -> Result<Vec<&str>, Problem> {
        let Some(Json::List(items)) = self.0.get(name) else {
            return Err(Problem::invalid(problem));
        };
        let texts = items.iter().map(|item| match item {
            Json::Text(text) => Ok(text.expose_secret()),
            _ => Err(Problem::invalid(problem)),
        });
        texts.collect()
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
                Ok(Json::Bool(flag))
            }

            fn visit_i64<E>(self, _number: i64) -> Result<Json, E> {
                Ok(Json::Number)
            }

            fn visit_u64<E>(self, _number: u64) -> Result<Json, E> {
                Ok(Json::Number)
            }

            fn visit_f64<E>(self, _number: f64) -> Result<Json, E> {
                Ok(Json::Number)
            }

            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Json::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
                let mut object = BTreeMap::new();
                while let Some((name, member)) = members.next_entry()? {
                    if object.insert(name, member).is_some() {
                        return Err(A::Error::custom("a member stands twice"));
                    }
                }
                Ok(Json::Object(object))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_in_which_nothing_stands_twice_is_read() {
        for good in ["{}", r#" {"a":{"b":1},"c":[{"b":-1.5e3,"d":null}]} "#, r#"{"a":"\ud83d\ude00"}"#] {
            assert!(Body::read(good.as_bytes()).is_ok(), "{good}");
        }
        let deep = "[".repeat(100_000);
        for bad in [
            &b""[..],
            b"[]",
            b"null",
            b"\"x\"",
            b"{",
            b"{} {}",
            b"{'a':1}",
            b"{\"a\":1,}",
            b"{\"a\":1,\"a\":1}",
            b"{\"a\":1,\"\\u0061\":1}",
            b"{\"x\":[{\"a\":1,\"a\":1}]}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":\"\xff\"}",
            b"\xef\xbb\xbf{}",
            deep.as_bytes(),
        ] {
            assert!(Body::read(bad).is_err(), "{}", String::from_utf8_lossy(&bad[..bad.len().min(40)]));
        }
    }
}
