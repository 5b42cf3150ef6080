//! dotenv.cloud, as its clients know it.

mod api_keys;
mod environments;
mod examples;
mod extensions;
mod limits;
mod order;
mod organizations;
mod projects;
mod scopes;
mod shape;
mod targets;
