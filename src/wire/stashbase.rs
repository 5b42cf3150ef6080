//! Stashbase: `/v1/…`.
