//! One connection, driven inside the calls that use it: no thread and no task lives beside it.

use std::collections::HashMap;
use std::fmt;
use std::net::ToSocketAddrs;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, Statement};

use super::failure::{Failure, does_not_answer};
use super::transaction::{GET, GET_ALL, UPSERT};
use super::url::Target;
use crate::error::{Error, ErrorKind, Result};

/// How long a caller waits for a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What is said to each new session. A plan that reads a whole table would stand in the way of all who write.
const SETTINGS: &str = "SET enable_seqscan = off";

type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) struct Connection {
    client: Client,
    /// Moves bytes while it is polled; `None`, when the connection is closed.
    driver: Option<Driver>,
    statements: HashMap<&'static str, Statement>,
    /// A transaction has begun, and its end is not known to have been reached.
    pub(super) in_transaction: bool,
    runtime: Runtime,
}

impl Connection {
    fn open(target: &Target) -> Result<Self, Failure> {
        let config = resolved(&target.config)?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::io("cannot wait for the network", error))?;
        let connecting = async { tokio::time::timeout(PATIENCE, config.connect(target.tls.clone())).await };
        let (client, connection) = runtime.block_on(connecting).map_err(|_| Failure::Lost(does_not_answer()))??;
        let driver: Driver = Box::pin(async {
            // Whoever waits for an answer hears that there is none; nobody else needs to know.
            let _ = connection.await;
        });
        let mut this =
            Self { client, driver: Some(driver), statements: HashMap::new(), in_transaction: false, runtime };
        this.run(async |client| client.batch_execute(SETTINGS).await)?;
        Ok(this)
    }

    /// Drives the connection until `work` is done. What `work` starts at the same time is sent at the same time.
    pub(super) fn run<T>(&mut self, work: impl AsyncFnOnce(&Client) -> T) -> T {
        let Self { client, driver, runtime, .. } = self;
        runtime.block_on(async {
            let mut work = pin!(work(client));
            std::future::poll_fn(|context| {
                let polled = driver.as_mut().map_or(Poll::Pending, |driver| driver.as_mut().poll(context));
                if polled.is_ready() {
                    // With the driver go the senders of answers, so that `work` does not wait for any.
                    *driver = None;
                }
                work.as_mut().poll(context)
            })
            .await
        })
    }

    /// The statement, parsed once for each connection.
    pub(super) fn prepared(&mut self, sql: &'static str) -> Result<Statement, Failure> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.run(async |client| client.prepare(sql).await)?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    /// Parses statements in one round trip, so that the first transactions need no further ones.
    fn prepare_all(&mut self, statements: [&'static str; 3]) -> Result<(), Failure> {
        let prepared = self.run(async |client| try_join_all(statements.map(|sql| client.prepare(sql))).await)?;
        self.statements.extend(statements.into_iter().zip(prepared));
        Ok(())
    }

    /// Whether it can be used, as far as can be told without asking the server: a server that went away has said so.
    pub(super) fn is_usable(&mut self) -> bool {
        if !self.is_broken() {
            // To yield once is to look at the socket once.
            self.run(async |_| tokio::task::yield_now().await);
        }
        !self.is_broken()
    }

    fn is_broken(&self) -> bool {
        self.in_transaction || self.driver.is_none()
    }
}

/// What opens connections.
pub(super) struct Opener {
    target: Target,
    /// A connection that is open already, for the next who asks for one.
    kept: Mutex<Option<Connection>>,
}

impl Opener {
    pub(super) fn new(target: Target) -> Self {
        Self { target, kept: Mutex::new(None) }
    }

    pub(super) fn open(&self) -> Result<Connection, Failure> {
        Connection::open(&self.target)
    }

    pub(super) fn keep(&self, connection: Connection) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").finish_non_exhaustive()
    }
}

impl r2d2::ManageConnection for Opener {
    type Connection = Connection;
    type Error = Error;

    fn connect(&self) -> Result<Connection> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut connection = kept.map_or_else(|| self.open().map_err(Failure::into_error), Ok)?;
        connection.prepare_all([GET, GET_ALL, UPSERT]).map_err(Failure::into_error)?;
        Ok(connection)
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<()> {
        if connection.is_usable() { Ok(()) } else { Err(does_not_answer()) }
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.is_broken()
    }
}

/// With the addresses of the hosts, which `tokio` would look up on a thread of its own.
fn resolved(config: &Config) -> Result<Config> {
    let mut resolved = config.clone();
    if !config.get_hostaddrs().is_empty() {
        return Ok(resolved);
    }
    // Hosts and addresses stand side by side: what a name has beyond its first address goes behind the others.
    let mut further = Vec::new();
    for (index, host) in config.get_hosts().iter().enumerate() {
        // `Target` lets sockets and names not mix.
        let Host::Tcp(name) = host else { return Ok(resolved) };
        let port = config.get_ports().get(index).or(config.get_ports().first()).copied();
        let mut addresses = (name.as_str(), port.unwrap_or_default()).to_socket_addrs().map_err(|error| {
            let message = "the database's host name has no address: correct it, or try again later";
            Error::new(ErrorKind::Unavailable, message).with_source(error)
        })?;
        let Some(first) = addresses.next() else { return Err(does_not_answer()) };
        resolved.hostaddr(first.ip());
        further.extend(addresses.map(|address| (name, port, address.ip())));
    }
    for (name, port, address) in further {
        resolved.host(name).hostaddr(address);
        if let Some(port) = port.filter(|_| config.get_ports().len() > 1) {
            resolved.port(port);
        }
    }
    Ok(resolved)
}
