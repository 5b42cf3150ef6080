//! What the three services write and read, field by field: shared by whoever asks and whoever answers.

pub(crate) mod dotenv_cloud;
pub(crate) mod ioenv;
mod plain;
pub(crate) mod stashbase;
mod time;

pub(crate) use self::plain::Plain;
pub(crate) use self::time::Seconds;
