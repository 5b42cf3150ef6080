//! How many connections a pool may have.

use std::num::NonZero;
use std::thread;

use super::connection::Connection;
use super::failure::Failure;

/// Connections for each core of this machine: most of the time they wait for the database.
const PER_CORE: u32 = 4;
const LEAST: u32 = 8;
const MOST: u32 = 64;

/// The limits of the server, of the database and of the role. A role that is no superuser cannot have the reserved
/// connections; those that a later version of PostgreSQL reserves are a setting of their own. -1 is no limit.
const LIMITS: &str = "SELECT current_setting('max_connections', true)::int \
     - CASE WHEN role.rolsuper THEN 0 ELSE coalesce(current_setting('superuser_reserved_connections', true)::int, 0) \
     + coalesce(current_setting('reserved_connections', true)::int, 0) END, \
     role.rolconnlimit, base.datconnlimit \
     FROM pg_roles AS role, pg_database AS base \
     WHERE role.rolname = current_user AND base.datname = current_database()";

/// How many connections a [`Postgres`](super::Postgres) may have at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolSize {
    /// How many were asked for.
    pub wanted: u32,
    /// How many the database allows this user, other programs included, if it says so.
    pub allowed: Option<u32>,
}

impl PoolSize {
    pub(super) const SINGLE: Self = Self { wanted: 1, allowed: None };

    /// Finds how many connections of those that are wanted are allowed.
    pub(super) fn find(wanted: u32, connection: &mut Connection) -> Result<Self, Failure> {
        let row = connection.run(async |client| client.query_opt(LIMITS, &[]).await)?;
        let mut allowed: Option<u32> = None;
        for index in 0..3 {
            let limit = row.as_ref().map(|row| row.try_get::<_, Option<i32>>(index)).transpose()?;
            let limit = limit.flatten().and_then(|limit| u32::try_from(limit).ok());
            allowed = allowed.into_iter().chain(limit).min();
        }
        Ok(Self { wanted: wanted.max(1), allowed })
    }

    /// Returns how many connections are opened at most: those that were asked for, as far as they are allowed.
    pub fn connections(self) -> u32 {
        self.allowed.map_or(self.wanted, |allowed| self.wanted.min(allowed)).max(1)
    }
}

/// Returns how many connections serve well on this machine.
pub(super) fn by_cores() -> u32 {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    u32::try_from(cores).unwrap_or(MOST).saturating_mul(PER_CORE).clamp(LEAST, MOST)
}
