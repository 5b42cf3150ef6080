//! dotenv.cloud, as its clients know it.

mod api_keys;
mod environments;
mod examples;
mod extensions;
mod keys;
mod limits;
mod oauth;
mod order;
mod organizations;
mod projects;
mod replays;
mod scopes;
mod secrets;
mod shape;
mod targets;
mod versions;
pub(crate) mod world;
