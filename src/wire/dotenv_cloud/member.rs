use serde::{Deserialize, Serialize};

use crate::core::clock::Timestamp;
use crate::core::role::CloudRole;
use crate::wire::plain::Plain;
use crate::wire::seconds;
use crate::wire::word::Word;

/// The attributes of a member.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) role: Word<Role>,
    pub(crate) status: Word<MemberStatus>,
    #[serde(default, with = "seconds")]
    pub(crate) created_at: Option<Timestamp>,
    #[serde(default, with = "seconds")]
    pub(crate) updated_at: Option<Timestamp>,
}

/// The attributes of an invited member.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Invitation {
    pub(crate) email: String,
    pub(crate) role: Word<Role>,
    pub(crate) status: Word<MemberStatus>,
    /// The code that accepts the invitation. Only our server sends it: the service mails it to the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Plain>,
    #[serde(default, with = "seconds")]
    pub(crate) created_at: Option<Timestamp>,
}

/// The role of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// A role that the organization made.
    Custom,
    #[serde(untagged)]
    System(CloudRole),
}

/// Whether somebody is a member yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MemberStatus {
    Active,
    Invited,
}
