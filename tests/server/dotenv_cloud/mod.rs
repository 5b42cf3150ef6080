//! dotenv.cloud, as its clients know it.

mod keys;
mod projects;
mod secrets;
mod versions;
mod world;
