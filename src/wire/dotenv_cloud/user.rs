use serde::Serialize;

use super::super::Seconds;
use super::Resource;

/// Who asks, with the organizations they are in: once as references, and once as they are.
#[derive(Debug, Serialize)]
pub(crate) struct Me {
    data: Myself,
    included: Vec<Resource<OwnOrganization>>,
}

#[derive(Debug, Serialize)]
struct Myself {
    r#type: &'static str,
    id: String,
    attributes: Principal,
    relationships: Relationships,
}

/// Attributes of a user, whose type is `users`, or of a program, whose type is `api_tokens`.
#[derive(Debug, Serialize)]
pub(crate) struct Principal {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_verified: Option<bool>,
    pub(crate) created_at: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) updated_at: Option<Seconds>,
}

#[derive(Debug, Serialize)]
struct Relationships {
    organizations: References,
}

#[derive(Debug, Serialize)]
struct References {
    data: Vec<Reference>,
}

#[derive(Debug, Serialize)]
struct Reference {
    r#type: &'static str,
    id: String,
}

/// Attributes of an organization that somebody is in; its type is `organizations`.
#[derive(Debug, Serialize)]
pub(crate) struct OwnOrganization {
    pub(crate) ulid: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    /// Of a user, what they are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<&'static str>,
}

impl Me {
    pub(crate) fn new(
        r#type: &'static str,
        id: String,
        attributes: Principal,
        included: Vec<Resource<OwnOrganization>>,
    ) -> Self {
        let references = included.iter().map(|one| Reference { r#type: one.r#type, id: one.id.clone() });
        let organizations = References { data: references.collect() };
        let relationships = Relationships { organizations };
        Self { data: Myself { r#type, id, attributes, relationships }, included }
    }
}
