//! Data transfer objects of the three services, in both directions: the server writes what clients read.
//!
//! They know the core only. Members stand in the order in which the services send them. Unknown members are ignored,
//! and a word of a fixed list is a [`Word`](word::Word), which keeps words that this version does not know.
//!
//! What serde says of JSON that does not fit may quote the JSON, so it must not reach an error or a log.

pub(crate) mod dotenv_cloud;
pub(crate) mod ioenv;
mod lenient;
pub(crate) mod plain;
mod seconds;
pub(crate) mod stashbase;
pub(crate) mod word;

#[cfg(test)]
mod tests;
