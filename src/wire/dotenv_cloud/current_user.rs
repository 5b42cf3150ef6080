use serde::{Deserialize, Serialize};

use super::envelope::{Resource, ResourceKind};
use super::member::Role;
use crate::core::clock::Timestamp;
use crate::wire::word::Word;
use crate::wire::{lenient, seconds};

/// The caller and its organizations.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct CurrentUser {
    data: UserData,
    #[serde(default, deserialize_with = "lenient::nullable")]
    included: Vec<Resource<OwnOrganization>>,
}

#[derive(Debug, Deserialize, Serialize)]
struct UserData {
    #[serde(rename = "type")]
    kind: Word<ResourceKind>,
    #[serde(deserialize_with = "lenient::text")]
    id: String,
    attributes: Principal,
    #[serde(default, deserialize_with = "lenient::object")]
    relationships: Relationships,
}

/// The attributes of a user or an API token.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Principal {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_verified: Option<bool>,
    #[serde(default, with = "seconds")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(default, with = "seconds", skip_serializing_if = "Option::is_none")]
    pub(crate) updated_at: Option<Timestamp>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct Relationships {
    #[serde(default, deserialize_with = "lenient::object")]
    organizations: References,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct References {
    data: Vec<Reference>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Reference {
    #[serde(rename = "type")]
    kind: Word<ResourceKind>,
    #[serde(deserialize_with = "lenient::text")]
    id: String,
}

/// The attributes of an organization that the caller belongs to.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct OwnOrganization {
    pub(crate) ulid: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    /// The role of a user in it; API tokens have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<Word<Role>>,
}

impl CurrentUser {
    /// Creates the document of a caller, which refers to each organization that it includes.
    pub(crate) fn new(
        kind: ResourceKind,
        id: String,
        attributes: Principal,
        included: Vec<Resource<OwnOrganization>>,
    ) -> Self {
        let references = included.iter().map(|one| Reference { kind: one.kind.clone(), id: one.id.clone() });
        let organizations = References { data: references.collect() };
        let relationships = Relationships { organizations };
        Self { data: UserData { kind: kind.into(), id, attributes, relationships }, included }
    }
}
