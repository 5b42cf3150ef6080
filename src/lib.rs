//! Loads a program's environment from an encrypted, hierarchical file.
//!
//! ```no_run
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     ioenv::load()?; // line one: the first statement of `main`
//!     let url = std::env::var("DATABASE_URL")?; // line two: any code, any crate, sees it
//! #   drop(url);
//!     Ok(())
//! }
//! ```
//!
//! One file, `ioenv.sealed`, is committed with the code. It holds the *levels* of a project, such as `acme-store`,
//! `acme-store/backend` and `acme-store/backend/production`, each sealed with AES-256-GCM. A level inherits from the
//! levels above it, and the most specific value wins. The command `ioenv` makes and changes the file.
//!
//! # For applications
//!
//! * [`load()`] finds the configuration, opens the levels, merges them and writes the result into the process
//!   environment. It is a safe function: it counts the threads and refuses unless there is exactly one. What can go
//!   wrong is an [`Error`] whose text is the fix, and nothing has changed then.
//! * [`resolve`] does the same and changes nothing; [`Env::var`], [`Env::deserialize`] and [`Env::apply_to`] take it
//!   from there. Values stay in [`SecretString`]s, which are wiped; copies in the process environment cannot be. For
//!   new code it is the better choice.
//! * In a program that runs threads already, such as an `async fn main` or a test, load with [`Inject::Overlay`] and
//!   read with [`var`].
//! * [`Loader`] says what differs from the configuration: [`only`](Loader::only) some names,
//!   [`require`](Loader::require) others.
//!
//! A variable that the process has already is left alone, so that `PORT=9000 ./server` does what it says; see
//! [`Precedence`]. Names that change how programs are loaded, such as `PATH` and `LD_PRELOAD`, are withheld unless a
//! program asks for them by name.
//!
//! # In asynchronous programs
//!
//! Nothing here is `async`, and nothing needs a runtime but `server`. Two rules cover the rest:
//!
//! * Load in a plain `main` and build the runtime afterwards, or load with [`Inject::Overlay`].
//! * A call of a vault, a store or a source waits for a disk or a network: make it in `tokio::task::spawn_blocking`. A
//!   vault is `Send` and `Sync`, so that all tasks share one in an `Arc`.
//!
//! `cargo run -p ioenv-tests --features full --example async_program` does both.
//!
//! # For tools
//!
//! [`SealedFile`] reads and changes the file, [`Document`] a level, [`Configuration`] finds both. [`merge()`] and
//! [`expand`] are what a loader does with [`Layer`]s; [`Expansion`] knows the notations of other services too. Your own
//! [`Source`](source::Source) can stand in for the file. With the feature `vault`, `webhook` tells receivers whether a
//! request is genuine.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `inject` | yes | writing into the process environment; without it the crate forbids unsafe code |
//! | `sealed` | yes | the sealed file and the search for `ioenv.toml` |
//! | `vault` | no | the vault, a secrets service inside of a program, in memory; and it as a source |
//! | `sqlite` | no | a vault in a SQLite file |
//! | `postgres` | no | a vault in a PostgreSQL database |
//! | `http` | no | the HTTP client that `worker` stands on; nothing sends by itself |
//! | `worker` | no | the worker that delivers webhooks out of a vault, and copies secrets to other services |
//! | `server` | no | a vault over HTTP, for the clients of ioenv, dotenv.cloud and Stashbase |
//! | `cli` | no | the `ioenv` command |
//! | `full` | no | all of them but `postgres` |
//!
//! Features only add. What is asked for and not compiled in is an error of the kind [`ErrorKind::CrateFeature`].
//!
//! # Platforms
//!
//! Writing into the process environment is proved on Linux, where the kernel lists the threads of a process. macOS and
//! FreeBSD count them through the `num_threads` crate, and on Windows the write is always safe; those three follow the
//! documented guarantees and are not tested. Elsewhere [`load()`] answers [`ErrorKind::UnknownThreadCount`]; everything
//! but the write works.
//!
//! The minimum supported Rust version is 1.89. Raising it is a minor release.
#![cfg_attr(not(feature = "inject"), forbid(unsafe_code))]

mod core;
pub mod dotenv_cloud;
mod env;
mod error;
mod files;
#[cfg(any(feature = "http", feature = "vault"))]
pub mod http;
mod inject;
mod load;
#[cfg(feature = "sealed")]
mod sealed;
#[cfg(feature = "server")]
pub mod server;
pub mod source;
#[cfg(feature = "vault")]
pub mod store;
mod system;
#[cfg(feature = "vault")]
pub mod vault;
#[cfg(feature = "vault")]
pub mod webhook;
#[cfg(feature = "server")]
mod wire;
#[cfg(feature = "vault")]
pub mod worker;

pub use crate::core::blob::SealedBlob;
pub use crate::core::cipher::{Aes256Gcm, Cipher};
pub use crate::core::document::{Changes, Document, Entry, Kind};
pub use crate::core::dotenv::expand::{Dialect, Expansion, Unresolved, expand};
pub use crate::core::key::{KeyDerivation, KeyString, LevelKey, Pbkdf2};
pub use crate::core::key_ring::KeyRing;
pub use crate::core::limits::{MAX_FILE_BYTES, MAX_VALUE_BYTES};
pub use crate::core::merge::{Layer, Origin, Resolved, Variable, merge};
pub use crate::core::name::{Slug, VarName};
pub use crate::core::path::LevelPath;
pub use crate::core::random::Random;
pub use crate::core::secret::{SecretBytes, SecretString};
pub use env::Env;
pub use error::{Error, ErrorKind, Result};
pub use files::replace::write_private;
pub use inject::{Inject, is_withheld};
#[cfg(feature = "vault")]
pub use load::SharedVault;
pub use load::{Configuration, Loader, Precedence, SourceKind, VaultLocation, load, resolve, var};
#[cfg(feature = "sealed")]
pub use sealed::{KeyDescriptor, SealedFile};
pub use system::SystemRandom;

/// The README's programs compile.
#[cfg(all(doctest, feature = "sealed"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// So do those of the page about the configuration.
#[cfg(all(doctest, feature = "sealed"))]
#[doc = include_str!("../docs/configuration.md")]
struct ConfigurationPage;

/// So do those of the page about integrations.
#[cfg(all(doctest, feature = "vault"))]
#[doc = include_str!("../docs/integrations.md")]
struct Integrations;

/// So do those of the page about webhooks.
#[cfg(all(doctest, feature = "worker"))]
#[doc = include_str!("../docs/webhooks.md")]
struct Webhooks;
