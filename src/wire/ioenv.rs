//! ioenv: `/api/v1/env/…` and `/api/v1/project/…`.
