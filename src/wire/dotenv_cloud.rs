//! dotenv.cloud: `/api/v1/…`.
