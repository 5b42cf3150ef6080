use serde::{Deserialize, Serialize};

use crate::core::clock::Timestamp;
use crate::wire::plain::Plain;

/// A change of the secrets of an environment.
#[derive(Debug, Deserialize, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those of the service")]
pub(crate) struct Change {
    pub(crate) id: String,
    pub(crate) created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<User>,
    pub(crate) change: Changes,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct User {
    pub(crate) name: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Changes {
    pub(crate) new: Vec<New>,
    pub(crate) renamed: Vec<Renamed>,
    pub(crate) updated: Vec<Updated>,
    pub(crate) deleted: Vec<Deleted>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct New {
    pub(crate) new_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) new_value: Option<Plain>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Renamed {
    pub(crate) old_name: String,
    pub(crate) new_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Plain>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Updated {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) old_value: Option<Plain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) new_value: Option<Plain>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Deleted {
    pub(crate) old_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) old_value: Option<Plain>,
}

/// The change that reverted others.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Reverted {
    pub(crate) id: String,
}
