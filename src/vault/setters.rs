//! The one form of all inputs: `new` takes what is required, and a setter takes each thing that is optional.
//!
//! In an update, a setter that is not called leaves its field as it is; where a field can be empty, the setter with
//! `clear_` empties it.

use crate::error::Result;

/// What an update does to a field that can be empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Patch<T> {
    /// Leaves it as it is.
    #[default]
    Keep,
    /// Gives it a value.
    Set(T),
    /// Empties it.
    Clear,
}

impl Patch<String> {
    /// Gives the text to set, which is empty to clear it; `None` keeps what is there.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Keep => None,
            Self::Set(text) => Some(text),
            Self::Clear => Some(""),
        }
    }
}

impl<T> Patch<T> {
    /// Reads the three states as a JSON API has them: no member, a value, and null.
    #[cfg(any(feature = "sealed", feature = "server"))]
    #[expect(clippy::option_option, reason = "this is what serde makes of a member that can be null")]
    pub(crate) fn from_member(member: Option<Option<T>>) -> Self {
        match member {
            None => Self::Keep,
            Some(Some(value)) => Self::Set(value),
            Some(None) => Self::Clear,
        }
    }

    /// Whether the field stays as it is.
    pub(crate) const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Changes the field; a value is what `check` makes of it. Returns whether there was anything to change.
    pub(crate) fn apply<U>(&self, field: &mut Option<U>, check: impl FnOnce(&T) -> Result<Option<U>>) -> Result<bool> {
        *field = match self {
            Self::Keep => return Ok(false),
            Self::Set(value) => check(value)?,
            Self::Clear => None,
        };
        Ok(true)
    }
}

/// Sets the field if there is a value, and keeps it otherwise.
impl<T> From<Option<T>> for Patch<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Keep, Self::Set)
    }
}

/// Makes the setters of an input, in an `impl` block. Each line has the name and the type of a field:
///
/// * `field: Option<Type>;` and `field: Type;` take the type,
/// * `impl Into<Type>` in the place of the type takes what can become one,
/// * `field: Patch<Type>;` takes the type too, and `clear_field clears field;` empties the field.
macro_rules! setters {
    () => {};
    ($(#[$doc:meta])* $clear:ident clears $field:ident; $($rest:tt)*) => {
        $(#[$doc])*
        #[must_use]
        pub fn $clear(mut self) -> Self {
            self.$field = $crate::vault::setters::Patch::Clear;
            self
        }
        $crate::vault::setters::setters! { $($rest)* }
    };
    ($(#[$doc:meta])* $field:ident: Patch<impl Into<$type:ty>>; $($rest:tt)*) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, $field: impl Into<$type>) -> Self {
            self.$field = $crate::vault::setters::Patch::Set($field.into());
            self
        }
        $crate::vault::setters::setters! { $($rest)* }
    };
    ($(#[$doc:meta])* $field:ident: Patch<$type:ty>; $($rest:tt)*) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, $field: $type) -> Self {
            self.$field = $crate::vault::setters::Patch::Set($field);
            self
        }
        $crate::vault::setters::setters! { $($rest)* }
    };
    ($(#[$doc:meta])* $field:ident: Option<impl Into<$type:ty>>; $($rest:tt)*) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, $field: impl Into<$type>) -> Self {
            self.$field = Some($field.into());
            self
        }
        $crate::vault::setters::setters! { $($rest)* }
    };
    ($(#[$doc:meta])* $field:ident: Option<$type:ty>; $($rest:tt)*) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, $field: $type) -> Self {
            self.$field = Some($field);
            self
        }
        $crate::vault::setters::setters! { $($rest)* }
    };
    ($(#[$doc:meta])* $field:ident: $type:ty; $($rest:tt)*) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        }
        $crate::vault::setters::setters! { $($rest)* }
    };
}

pub(crate) use setters;
