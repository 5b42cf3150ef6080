//! The body of a request, field by field, and what is wrong with it in the words of the service's framework.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zeroize::Zeroize as _;

use super::problem::Problem;
use crate::core::blob::SealedBlob;
use crate::core::name::Slug;
use crate::core::secret::SecretString;
use crate::server::request_context::RequestContext;
use crate::vault::{Confirmation, MAX_BLOB_BYTES, Timestamp};
use crate::wire::word;

/// Longest name, in characters.
const MAX_NAME: usize = 255;
/// Longest slug.
const MAX_SLUG: usize = 100;
/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 1000;

/// Most that is told of what is wrong with a request.
const MAX_ERRORS: usize = 100;

/// The members of a request's JSON object. What is wrong with them is collected, so that it is told at once. They are wiped
/// when they are dropped, because some are secrets.
pub(super) struct Fields {
    members: Map<String, Value>,
    errors: Vec<(String, String)>,
}

impl Fields {
    /// Reads the body; none is as good as an empty object, because clients leave it out where they have nothing to say.
    pub(super) fn read(context: &RequestContext) -> Result<Self, Problem> {
        let body = context.body()?;
        let members = if body.trim_ascii().is_empty() {
            Map::new()
        } else {
            match serde_json::from_slice(body) {
                Ok(Value::Object(members)) => members,
                Ok(_) => return Err(Problem::malformed("The body of the request must be a JSON object.")),
                Err(_) => return Err(Problem::malformed("The body of the request is not JSON.")),
            }
        };
        Ok(Self { members, errors: Vec::new() })
    }

    /// Reads all of a body, and says all that is wrong with it.
    pub(super) fn read_all<T>(context: &RequestContext, read: impl FnOnce(&mut Self) -> T) -> Result<T, Problem> {
        let mut fields = Self::read(context)?;
        let value = read(&mut fields);
        fields.finish()?;
        Ok(value)
    }

    /// Whether a member is there, and not `null`.
    pub(super) fn has(&self, field: &str) -> bool {
        self.members.get(field).is_some_and(|value| !value.is_null())
    }

    /// Whether a member is there and `null`.
    pub(super) fn is_null(&self, field: &str) -> bool {
        self.members.get(field).is_some_and(Value::is_null)
    }

    /// Text, if it is there and not blank.
    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        self.verbatim_text(field).filter(|text| !text.trim().is_empty())
    }

    /// Text, if it is there and not empty.
    fn verbatim_text(&mut self, field: &str) -> Option<String> {
        match self.take(field)? {
            Value::String(text) => Some(text).filter(|text| !text.is_empty()),
            _ => {
                self.refuse(field, format!("The {} field must be a string.", shown(field)));
                None
            }
        }
    }

    /// Text that must be there; empty where it is not, which is told by [`finish`](Self::finish).
    pub(super) fn required_text(&mut self, field: &str) -> String {
        let before = self.errors.len();
        let text = self.text(field);
        if text.is_none() && self.errors.len() == before {
            self.refuse_missing(field);
        }
        text.unwrap_or_default()
    }

    /// A name that must be there, of at most 255 characters.
    pub(super) fn required_name(&mut self, field: &str) -> String {
        let name = self.required_text(field).trim().to_owned();
        self.check_length(field, &name, MAX_NAME);
        if name.contains(char::is_control) {
            self.refuse(field, format!("The {} field format is invalid.", shown(field)));
        }
        name
    }

    /// The same, which may be left out.
    pub(super) fn name(&mut self, field: &str) -> Option<String> {
        self.has(field).then(|| self.required_name(field))
    }

    /// A description, of at most 1,000 characters; empty, where it is to be removed.
    pub(super) fn description(&mut self, field: &str) -> Option<String> {
        if self.is_null(field) {
            return Some(String::new());
        }
        if !self.has(field) {
            return None;
        }
        let text = self.text(field).unwrap_or_default();
        self.check_length(field, &text, MAX_DESCRIPTION);
        if text.contains('\0') {
            self.refuse(field, format!("The {} field format is invalid.", shown(field)));
        }
        Some(text)
    }

    /// Refuses text of more than so many characters.
    pub(super) fn check_length(&mut self, field: &str, text: &str, most: usize) {
        if text.chars().count() > most {
            let message = format!("The {} field must not be greater than {most} characters.", shown(field));
            self.refuse(field, message);
        }
    }

    /// A slug for something new: `a-z`, `0-9` and single `-` between them, up to 100.
    pub(super) fn slug(&mut self, field: &str) -> Option<Slug> {
        let value = self.take(field)?;
        let text = value.as_str().unwrap_or_default();
        let is_slug = text.len() <= MAX_SLUG
            && text.split('-').all(|part| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            });
        match text.parse() {
            Ok(slug) if is_slug => Some(slug),
            _ => {
                self.refuse(field, format!("The {} field format is invalid.", shown(field)));
                None
            }
        }
    }

    /// A secret, if it is there and not blank.
    pub(super) fn secret(&mut self, field: &str) -> Option<SecretString> {
        self.text(field).map(SecretString::from)
    }

    /// A secret of which blanks are a part, if it is there and not empty.
    pub(super) fn verbatim_secret(&mut self, field: &str) -> Option<SecretString> {
        self.verbatim_text(field).map(SecretString::from)
    }

    /// A secret that must be there, likewise.
    pub(super) fn required_secret(&mut self, field: &str) -> SecretString {
        self.required_text(field).into()
    }

    /// The blob in a text that was read; nothing, where the text is empty or no blob.
    pub(super) fn blob(&mut self, field: &str, text: &SecretString) -> Option<SealedBlob> {
        let text = text.expose_secret();
        if text.is_empty() {
            return None;
        }
        if text.len() > MAX_BLOB_BYTES {
            self.refuse(field, format!("The {field} field must not be greater than {MAX_BLOB_BYTES} bytes."));
            return None;
        }
        let blob = text.parse().ok();
        if blob.is_none() {
            self.refuse(field, format!("The {field} field must be encrypted text: base64 of at least 28 bytes."));
        }
        blob
    }

    /// `true` or `false`, also as the service's framework reads them: 1, 0, "1" and "0".
    pub(super) fn flag(&mut self, field: &str) -> Option<bool> {
        let value = self.take(field)?;
        let flag = match &value {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) if number.as_u64() == Some(1) => Some(true),
            Value::Number(number) if number.as_u64() == Some(0) => Some(false),
            Value::String(text) if text == "1" => Some(true),
            Value::String(text) if text == "0" => Some(false),
            _ => None,
        };
        if flag.is_none() {
            self.refuse(field, not_a_flag(field));
        }
        flag
    }

    /// The confirmation of a request that destroys something; missing, unless the flag is there and set.
    pub(super) fn confirmation(&mut self, field: &str) -> Confirmation {
        Confirmation::from_flag(self.flag(field).unwrap_or_default())
    }

    /// A whole number that is not negative; digits in a string are one, too.
    pub(super) fn number(&mut self, field: &str) -> Option<u64> {
        let value = self.take(field)?;
        let number = match &value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.refuse(field, format!("The {} field must be an integer.", shown(field)));
        }
        number
    }

    /// A time.
    pub(super) fn time(&mut self, field: &str) -> Option<Timestamp> {
        let time = self.text(field)?.parse().ok();
        if time.is_none() {
            self.refuse(field, format!("The {} field must be a valid date.", shown(field)));
        }
        time
    }

    /// A word of the list `T`.
    pub(super) fn choice<T: DeserializeOwned>(&mut self, field: &str) -> Option<T> {
        let found = word::parse(&self.text(field)?);
        if found.is_none() {
            self.refuse(field, format!("The selected {} is invalid.", shown(field)));
        }
        found
    }

    /// A word of the list `T`, which must be there.
    pub(super) fn required_choice<T: DeserializeOwned>(&mut self, field: &str) -> Option<T> {
        let before = self.errors.len();
        let choice = self.choice(field);
        if choice.is_none() && self.errors.len() == before {
            self.refuse_missing(field);
        }
        choice
    }

    /// An object.
    pub(super) fn object(&mut self, field: &str) -> Option<Map<String, Value>> {
        match self.take(field)? {
            Value::Object(members) => Some(members),
            // What PHP makes of an empty object.
            Value::Array(items) if items.is_empty() => Some(Map::new()),
            _ => {
                self.refuse(field, format!("The {} field must be an object.", shown(field)));
                None
            }
        }
    }

    /// A list.
    pub(super) fn list(&mut self, field: &str) -> Option<Vec<Value>> {
        match self.take(field)? {
            Value::Array(items) => Some(items),
            _ => {
                self.refuse(field, format!("The {} field must be an array.", shown(field)));
                None
            }
        }
    }

    /// A list that must be there; it may be empty.
    pub(super) fn required_list(&mut self, field: &str) -> Option<Vec<Value>> {
        let before = self.errors.len();
        let list = self.list(field);
        if list.is_none() && self.errors.len() == before {
            self.refuse_missing(field);
        }
        list
    }

    /// Says that a field is not there.
    fn refuse_missing(&mut self, field: &str) {
        self.refuse(field, format!("The {} field is required.", shown(field)));
    }

    /// Says what is wrong with a field.
    pub(super) fn refuse(&mut self, field: &str, message: impl Into<String>) {
        if !self.is_full() {
            self.errors.push((field.to_owned(), message.into()));
        }
    }

    /// Whether no more is told of what is wrong, so that there is no use in looking further.
    pub(super) fn is_full(&self) -> bool {
        self.errors.len() >= MAX_ERRORS
    }

    /// All that is wrong, if anything is.
    pub(super) fn finish(mut self) -> Result<(), Problem> {
        let errors = std::mem::take(&mut self.errors);
        if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
    }

    /// A member; `null` is as good as none.
    fn take(&mut self, field: &str) -> Option<Value> {
        self.members.remove(field).filter(|value| !value.is_null())
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        self.members.values_mut().for_each(wipe);
    }
}

pub(super) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}

/// A flag of a query.
pub(super) fn query_flag(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// What is wrong with a field that is no flag.
pub(super) fn not_a_flag(field: &str) -> String {
    format!("The {} field must be true or false.", shown(field))
}

/// A field as it is named in a sentence.
fn shown(field: &str) -> String {
    field.replace('_', " ")
}
