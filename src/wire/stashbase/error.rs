use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::wire::lenient;

/// The body of every response with an error status.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ErrorResponse {
    pub(crate) error: ErrorBody,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ErrorBody {
    /// A class and a reason, such as `resource.secret_not_found`. The list is open: clients go by the class of a code
    /// that they do not know.
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default, deserialize_with = "lenient::object")]
    pub(crate) details: Map<String, Value>,
}
