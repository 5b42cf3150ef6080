//! Serde's view of an environment: one map of texts. No error repeats a value, neither ours nor serde's own.

use std::fmt;

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::Env;
use crate::core::merge::Variable;
use crate::core::name::VarName;
use crate::error::{Error, ErrorKind, Result};

impl Env {
    /// Reads the variables into a struct of the program's own.
    ///
    /// A field takes the variable of its name, or else the one whose name differs only in case. Text becomes numbers,
    /// `bool` (`true`, `1`, `yes`, `on`; `false`, `0`, `no`, `off`; in any case), unit enum variants, `Option` (`None`
    /// when absent) and, split at commas, sequences. Declare secrets as [`SecretString`](crate::SecretString). A struct with a
    /// `#[serde(flatten)]` field takes names as they are, in their own case.
    ///
    /// # Errors
    /// `NotFound` or `InvalidValue`, naming the variable and never the value.
    ///
    /// ```
    /// # use ioenv::source::{Reading, Request, Source};
    /// # use ioenv::{Document, Layer, Result};
    /// # #[derive(Debug)]
    /// # struct Fixed;
    /// # impl Source for Fixed {
    /// #     fn read(&self, request: &Request<'_>) -> Result<Reading> {
    /// #         let document = Document::parse("PORT=8080\nAPI_KEY=x\n")?;
    /// #         Ok(Reading::new("fixed", vec![Layer::new(request.path().clone(), document)]))
    /// #     }
    /// # }
    /// # fn main() -> Result<()> {
    /// # let env = ioenv::Loader::new().source(Fixed).path("acme-store".parse()?).resolve()?;
    /// #[derive(serde::Deserialize)]
    /// struct Config {
    ///     port: u16,
    ///     api_key: ioenv::SecretString,
    ///     #[serde(default)]
    ///     verbose: bool,
    /// }
    ///
    /// let config: Config = env.deserialize()?;
    /// assert_eq!(config.port, 8080);
    /// # Ok(())
    /// # }
    /// ```
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(Variables { env: self, fields: &[] }).map_err(|failure| {
            let (name, message) = match failure {
                Failure::Missing(field) => match variable_of(field) {
                    // serde hands the fields of a flattened struct the names as they are.
                    Ok(name) if self.get(name.as_str()).is_some() => {
                        let message = format!(
                            "{name} is set, and the field {field:?} does not get it, as is so with `serde(flatten)`: add \
                             `#[serde(rename = \"{name}\")]` to the field, or take the struct out"
                        );
                        (Some(name), message)
                    }
                    Ok(name) => return self.not_found(name.as_str()),
                    // The program's own word, so it can be shown.
                    Err(_) => (None, format!("no variable can be named like the field {field:?}: rename the field")),
                },
                Failure::Invalid(None, _) => {
                    (None, "an environment can be read into a struct or a map only".to_owned())
                }
                Failure::Invalid(Some(name), what) => {
                    let message = format!("the value of {name} is not {}", what.unwrap_or("what the field takes"));
                    (Some(name), message)
                }
                Failure::NoField(name) => {
                    let message = match &name {
                        Some(name) => format!("the struct has no field for {name}, and denies what it does not know"),
                        None => "the struct denies what it does not know".to_owned(),
                    };
                    (name, message)
                }
            };
            Error::new(ErrorKind::InvalidValue, message).with_names(name).with_path(self.path())
        })
    }
}

/// The variable that a field would usually take. A field has a dot only where it was renamed, after the variable.
fn variable_of(field: &str) -> Result<VarName> {
    if field.contains('.') { VarName::new(field) } else { VarName::new(&field.to_ascii_uppercase()) }
}

/// Why a value could not be taken. Serde's texts may quote the value, so they end here.
#[derive(Debug, thiserror::Error)]
#[error("invalid environment")]
enum Failure {
    Missing(&'static str),
    Invalid(Option<VarName>, Option<&'static str>),
    NoField(Option<VarName>),
}

impl Failure {
    fn of(self, name: &VarName) -> Self {
        match self {
            Self::Invalid(None, expected) => Self::Invalid(Some(name.clone()), expected),
            Self::NoField(None) => Self::NoField(Some(name.clone())),
            named => named,
        }
    }
}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(_may_quote_the_value: T) -> Self {
        Self::Invalid(None, None)
    }

    fn unknown_field(_field: &str, _fields: &'static [&'static str]) -> Self {
        Self::NoField(None)
    }

    fn unknown_variant(_may_be_the_value: &str, _variants: &'static [&'static str]) -> Self {
        Self::Invalid(None, Some("one of the variants that are known"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

#[derive(Clone, Copy)]
struct Variables<'a> {
    env: &'a Env,
    /// The names of the struct's fields; of a map there are none.
    fields: &'static [&'static str],
}

impl<'de> Deserializer<'de> for Variables<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_map(Entries { variables: self.env.iter(), fields: self.fields, env: self.env, value: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        Self { fields, ..self }.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Entries<'a, I> {
    variables: I,
    fields: &'static [&'static str],
    env: &'a Env,
    value: Option<Variable<'a>>,
}

impl<'a, I> Entries<'a, I> {
    /// The field a variable is for: of its own name, or of one that differs in case only and has no variable itself.
    fn key(&self, variable: Variable<'a>) -> &'a str {
        let name = variable.name().as_str();
        if self.fields.contains(&name) {
            return name;
        }
        let alike = self.fields.iter().find(|field| field.eq_ignore_ascii_case(name));
        alike.copied().filter(|field| self.env.origin(field).is_none()).unwrap_or(name)
    }
}

impl<'de, 'a, I: Iterator<Item = Variable<'a>>> MapAccess<'de> for Entries<'a, I> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        self.value = self.variables.next();
        let Some(variable) = self.value else {
            return Ok(None);
        };
        let key: StrDeserializer<'_, Failure> = self.key(variable).into_deserializer();
        seed.deserialize(key).map(Some).map_err(|failure| failure.of(variable.name()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let Some(variable) = self.value.take() else {
            return Err(Failure::Invalid(None, None));
        };
        seed.deserialize(Text(variable.value().expose_secret())).map_err(|failure| failure.of(variable.name()))
    }
}

/// The value of one variable.
#[derive(Clone, Copy)]
struct Text<'a>(&'a str);

macro_rules! parsed {
    ($($method:ident => $visit:ident: $type:ty, $expected:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            match self.0.trim().parse::<$type>() {
                Ok(value) => visitor.$visit(value),
                Err(_) => Err(Failure::Invalid(None, Some($expected))),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_str(self.0)
    }

    parsed! {
        deserialize_i8 => visit_i8: i8, "a whole number from -128 to 127";
        deserialize_i16 => visit_i16: i16, "a whole number of 16 bits";
        deserialize_i32 => visit_i32: i32, "a whole number of 32 bits";
        deserialize_i64 => visit_i64: i64, "a whole number of 64 bits";
        deserialize_i128 => visit_i128: i128, "a whole number of 128 bits";
        deserialize_u8 => visit_u8: u8, "a whole number from 0 to 255";
        deserialize_u16 => visit_u16: u16, "a whole number from 0 to 65535";
        deserialize_u32 => visit_u32: u32, "a whole number from 0 to 4294967295";
        deserialize_u64 => visit_u64: u64, "a whole number of 64 bits, 0 or more";
        deserialize_u128 => visit_u128: u128, "a whole number of 128 bits, 0 or more";
        deserialize_f32 => visit_f32: f32, "a number";
        deserialize_f64 => visit_f64: f64, "a number";
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match parse_bool(self.0) {
            Some(value) => visitor.visit_bool(value),
            None => Err(Failure::Invalid(None, Some("one of true, false, 1, 0, yes, no, on and off"))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let variant: StrDeserializer<'_, Failure> = self.0.into_deserializer();
        visitor.visit_enum(variant)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let items: Vec<Text<'_>> = match self.0.trim() {
            "" => Vec::new(),
            text => text.split(',').map(|item| Text(item.trim())).collect(),
        };
        visitor.visit_seq(SeqDeserializer::new(items.into_iter()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple_struct map struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, Failure> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// `true`, `1`, `yes`, `on`, or `false`, `0`, `no`, `off`, in any case.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    let is = |words: [&str; 4]| words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
    if is(["true", "1", "yes", "on"]) {
        Some(true)
    } else if is(["false", "0", "no", "off"]) {
        Some(false)
    } else {
        None
    }
}
