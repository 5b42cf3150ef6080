//! dotenv_cloud, as its clients know it.
