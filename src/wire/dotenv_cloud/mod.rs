//! dotenv.cloud: `/api/v1/…`.

pub(crate) mod api_key;
pub(crate) mod audit;
pub(crate) mod current_user;
pub(crate) mod envelope;
pub(crate) mod environment;
pub(crate) mod error;
pub(crate) mod key;
pub(crate) mod level;
pub(crate) mod member;
pub(crate) mod oauth;
pub(crate) mod organization;
pub(crate) mod project;
pub(crate) mod secret;
pub(crate) mod target;
pub(crate) mod version;
