//! dotenv.cloud, as its clients know it.

mod projects;
