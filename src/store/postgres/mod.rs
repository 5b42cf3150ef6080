//! Records in PostgreSQL.

mod connection;
mod failure;
mod pool_size;
mod read_ahead;
mod schema;
mod tls;
mod transaction;
mod url;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use self::connection::{Connection, Opener, PATIENCE};
use self::failure::Failure;
pub use self::pool_size::PoolSize;
use self::read_ahead::ReadAhead;
use self::transaction::{Running, UPSERT};
use self::url::Target;
use crate::error::{Error, ErrorKind, Result};
use crate::store::record::{Record, check_record};
use crate::store::transaction::{Access, Store, Work};

/// How often a transaction is begun while others are in the way.
const TRIES: u32 = 30;
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// How often a transaction is begun anew on another connection.
const LOST_TRIES: u32 = 3;

/// A store in PostgreSQL. It is tested with version 15, and uses nothing that is newer than version 10.
///
/// The URL is that of libpq: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETER=VALUE`, with these parameters:
/// `application_name`, `channel_binding`, `connect_timeout`, `dbname`, `host`, `hostaddr`, `keepalives`,
/// `keepalives_idle`, `keepalives_interval`, `keepalives_retries`, `load_balance_hosts`, `options`, `password`, `port`,
/// `sslmode`, `sslrootcert`, `target_session_attrs`, `tcp_user_timeout`, `user`. Environment variables such as
/// `PGHOST` and files such as `~/.pgpass` are not read.
///
/// # TLS
///
/// Where TLS is used, the server's certificate and its host name are verified, whatever `sslmode` says; that is stricter
/// than libpq. The authorities are those that the machine trusts, or those in the PEM file `sslrootcert`.
///
/// | `sslmode` | |
/// |---|---|
/// | `disable` | no TLS: for the same machine and for networks that are trusted |
/// | `prefer` | TLS if the server offers it; the default on loopback, and an error elsewhere |
/// | `require`, `verify-full` | TLS, or no connection; the default elsewhere |
///
/// Elsewhere `prefer` is refused, because somebody between this machine and the server can make it look as if the server had
/// no TLS, and would see the password. A Unix socket has no TLS.
///
/// # Blocking
///
/// Every call blocks until the database has answered. Inside an `async fn`, call through `spawn_blocking` or its like.
///
/// # Panics
///
/// Every call panics on a thread that drives asynchronous tasks of `tokio`.
pub struct Postgres {
    connections: Connections,
    habits: ReadAhead,
    pool_size: PoolSize,
}

#[expect(clippy::large_enum_variant, reason = "a program has one store or two")]
enum Connections {
    Pool(r2d2::Pool<Opener>),
    Single { opener: Opener, connection: Mutex<Connection> },
}

impl Postgres {
    /// Connects, and makes the tables if there are none. Connections are opened as they are needed, by threads of the pool:
    /// four for each core, but at least 8 and at most 64.
    ///
    /// # Errors
    /// `Config`, for a URL that cannot be used, a user or a certificate that is refused, and missing rights; `Io`, for
    /// an `sslrootcert` that cannot be read; `Unavailable`, when the database does not answer; `UnsupportedVersion`,
    /// when the tables were made by a newer version of this crate.
    ///
    /// ```no_run
    /// # fn main() -> ioenv::Result<()> {
    /// use ioenv::store::{Postgres, StoreExt, Precondition};
    ///
    /// let store = Postgres::connect("postgres://ioenv@db.example.com/ioenv")?;
    /// store.write(|tx| tx.put("greeting", "\"hello\"", Precondition::Always))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect(url: &str) -> Result<Self> {
        Self::connect_pool(url, pool_size::by_cores())
    }

    /// As [`connect`](Self::connect), with at most so many connections: at least one. If the database allows fewer,
    /// [`pool_size`](Self::pool_size) says so, and no more are opened.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_pool(url: &str, connections: u32) -> Result<Self> {
        // The first connection is opened here, because a pool says nothing but "timed out".
        let opener = Opener::new(Target::parse(url)?);
        let mut first = opener.open().map_err(Failure::into_error)?;
        schema::prepare(&mut first).map_err(Failure::into_error)?;
        let pool_size = PoolSize::find(connections, &mut first).map_err(Failure::into_error)?;
        opener.keep(first);
        let pool = r2d2::Pool::builder()
            .max_size(pool_size.connections())
            .min_idle(Some(0))
            .connection_timeout(PATIENCE)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(opener);
        Ok(Self { connections: Connections::Pool(pool), habits: ReadAhead::default(), pool_size })
    }

    /// As [`connect`](Self::connect), over one connection and without a thread: for a program that reads and goes on,
    /// such as one that loads its environment before it starts threads. Callers wait for each other.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_single(url: &str) -> Result<Self> {
        let opener = Opener::new(Target::parse(url)?);
        let mut connection = opener.open().map_err(Failure::into_error)?;
        schema::prepare(&mut connection).map_err(Failure::into_error)?;
        let connections = Connections::Single { opener, connection: Mutex::new(connection) };
        Ok(Self { connections, habits: ReadAhead::default(), pool_size: PoolSize::SINGLE })
    }

    /// Returns how many connections there may be at once.
    pub fn pool_size(&self) -> PoolSize {
        self.pool_size
    }

    /// Calls `attempt` until it succeeds, fails for good, or has been in others' way too often.
    fn retry<T>(&self, mut attempt: impl FnMut(&mut Connection) -> Result<T, Failure>) -> Result<T> {
        let mut lost = 0;
        for tries in 0..TRIES {
            let mut connection = self.connections.get()?;
            match attempt(&mut connection) {
                Ok(value) => return Ok(value),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Lost(error)) => {
                    lost += 1;
                    if lost == LOST_TRIES {
                        return Err(error);
                    }
                }
                Err(Failure::InTheWay | Failure::Unforeseen) => {
                    // Others may need the connection in order to get out of the way.
                    drop(connection);
                    thread::sleep(pause(tries));
                }
            }
        }
        let message = "other transactions were in the way too often: try again when there are fewer of them";
        Err(Error::new(ErrorKind::Unavailable, message))
    }
}

impl fmt::Debug for Postgres {
    /// Nothing of the URL, which holds the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

impl Store for Postgres {
    fn transaction(&self, access: Access, work: &mut Work<'_>) -> Result<()> {
        let mut may_end_early = true;
        self.retry(|connection| {
            loop {
                let mut running = Running::new(connection, access, &self.habits, may_end_early);
                let outcome = work(&mut running);
                match running.finish(outcome) {
                    Err(Failure::Unforeseen) if may_end_early => may_end_early = false,
                    ended => return ended,
                }
            }
        })?
    }

    fn append(&self, records: Vec<Record>) -> Result<()> {
        records.iter().try_for_each(|record| check_record(&record.key, &record.value))?;
        // In the order of the keys, so that two statements cannot wait for each other; and each key once.
        let records: BTreeMap<String, String> = records.into_iter().map(|record| (record.key, record.value)).collect();
        if records.is_empty() {
            return Ok(());
        }
        let (keys, values): (Vec<_>, Vec<_>) = records.iter().unzip();
        // One statement is a transaction. Written twice, after its answer was lost, it changes nothing.
        self.retry(|connection| {
            let upsert = connection.prepared(UPSERT)?;
            connection.run(async |client| client.execute(&upsert, &[&keys, &values]).await)?;
            Ok(())
        })
    }

    fn check(&self) -> Result<()> {
        self.retry(|connection| {
            schema::check_version(connection)?;
            schema::read_everything(connection)
        })
    }
}

/// A connection, for as long as somebody works with it.
#[expect(clippy::large_enum_variant, reason = "it stays where it is made")]
enum Lease<'a> {
    Pooled(r2d2::PooledConnection<Opener>),
    Single(MutexGuard<'a, Connection>),
}

impl Connections {
    fn get(&self) -> Result<Lease<'_>> {
        match self {
            Self::Pool(pool) => pool.get().map(Lease::Pooled).map_err(|error| {
                let message =
                    "the database does not answer, or every connection has been in use for 10 seconds: try again later";
                Error::new(ErrorKind::Unavailable, message).with_source(error)
            }),
            Self::Single { opener, connection } => {
                // Who panicked has left the connection in its transaction, and such a connection is not used again.
                let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                if !connection.is_usable() {
                    *connection = opener.open().map_err(Failure::into_error)?;
                }
                Ok(Lease::Single(connection))
            }
        }
    }
}

impl Deref for Lease<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Single(connection) => connection,
        }
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Single(connection) => connection,
        }
    }
}

/// Somewhere between nothing and a bound that doubles: those who were in each other's way should part.
fn pause(tries: u32) -> Duration {
    let bound = Duration::from_millis(1 << tries.min(10)).min(LONGEST_PAUSE);
    let mut random = [0; 1];
    // Without randomness, the pause is as long as it gets.
    let part = getrandom::fill(&mut random).map_or(u8::MAX, |()| random[0]);
    bound.mul_f64(f64::from(part) / f64::from(u8::MAX))
}
