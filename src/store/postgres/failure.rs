//! What the database's errors mean. Their texts quote records, so nothing but their codes goes into ours.

use std::error::Error as StdError;
use std::io;

use tokio_postgres::error::SqlState;

use crate::error::{Error, ErrorKind};

/// Why an attempt has failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another transaction was in the way; nothing was written.
    InTheWay,
    /// A transaction that was read ahead as a whole reads something else. It has ended, and wrote nothing.
    Unforeseen,
    /// The connection is gone. Nothing was written, or writing it again changes nothing.
    Lost(Error),
    /// Another attempt would not help, or must not be made.
    Final(Error),
}

impl Failure {
    /// Where there is no further attempt.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Lost(error) | Self::Final(error) => error,
            Self::InTheWay | Self::Unforeseen => unavailable("another transaction was in the way: try again"),
        }
    }

    /// The failure of a commit. Only an answer tells that nothing was written.
    pub(super) fn of_commit(self) -> Self {
        match self {
            Self::Lost(error) => Self::Final(
                unavailable(
                    "the database stopped answering during a commit, so it is unknown whether the change was made: \
                     look before trying again",
                )
                .with_source(error),
            ),
            other => other,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            Some(code) => of_code(code),
            None => of_connection(error),
        }
    }
}

fn of_code(state: &SqlState) -> Failure {
    let code = state.code();
    let error = |kind, message: &str| Failure::Final(Error::new(kind, format!("{message} (SQLSTATE {code})")));
    match code {
        "40001" | "40P01" => return Failure::InTheWay,
        // CockroachDB: the statement may or may not have been done.
        "40003" => return Failure::Lost(unavailable("the database does not know whether a statement was done")),
        "25006" => return error(ErrorKind::Unavailable, "the database takes no changes now: try again later"),
        "42501" => {
            return error(ErrorKind::Config, "the database user lacks a right: grant it what ioenv's tables need");
        }
        "53100" => return error(ErrorKind::Io, "the database's disk is full: make room"),
        _ => {}
    }
    match code.get(..2).unwrap_or(code) {
        "08" => Failure::Lost(does_not_answer()),
        // The server is shutting down or starting, or somebody has ended the session; but a statement that was cancelled
        // leaves the connection as it is.
        "57" if code != "57014" => Failure::Lost(does_not_answer()),
        "25" if code == "25P03" => Failure::Lost(does_not_answer()),
        "53" | "55" | "57" => error(ErrorKind::Unavailable, "the database is too busy: try again later"),
        "0A" => {
            error(ErrorKind::Config, "the database lacks what ioenv needs, as a standby does: connect to the primary")
        }
        "22" => error(ErrorKind::InvalidValue, "the database does not take a value as JSON"),
        "28" => error(ErrorKind::Config, "the database refuses the user or the password: correct its URL"),
        "3D" => error(ErrorKind::Config, "there is no such database: create it, or correct the URL"),
        "3F" => error(ErrorKind::Config, "there is no such schema: create it, or correct the URL's search_path"),
        "42" => error(ErrorKind::Config, "the database does not have ioenv's tables as they should be"),
        "54" => error(ErrorKind::Limit, "a change is too large for the database: make it in several parts"),
        "XX" if code != "XX000" => error(ErrorKind::Corrupt, "the database reports damage: restore it from a backup"),
        _ => error(ErrorKind::Io, "the database reports an error: look into its log"),
    }
}

fn of_connection(error: tokio_postgres::Error) -> Failure {
    // The kinds are private, and their texts are the one thing to tell them by.
    let kind = error.to_string();
    let Some(cause) = error.into_source() else { return Failure::Lost(does_not_answer()) };
    match kind.as_str() {
        "error performing TLS handshake" => of_tls(cause),
        "authentication error" | "invalid configuration" => {
            let message = "the database cannot be logged in to with what its URL says";
            Failure::Final(Error::new(ErrorKind::Config, message).with_source(cause))
        }
        "error encoding message to server" => {
            let message = "a change is too large for the database: make it in several parts";
            Failure::Final(Error::new(ErrorKind::Limit, message))
        }
        _ if cause.is::<io::Error>() => Failure::Lost(does_not_answer().with_source(cause)),
        _ => {
            let message = "what answers is no database that this version of ioenv understands";
            Failure::Final(Error::new(ErrorKind::UnsupportedVersion, message))
        }
    }
}

fn of_tls(cause: Box<dyn StdError + Send + Sync>) -> Failure {
    let error = match cause.downcast_ref::<io::Error>() {
        None => Error::new(
            ErrorKind::Config,
            "the database offers no TLS: set it up there, or use sslmode=disable in a network that is trusted",
        ),
        Some(io) if io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some() => Error::new(
            ErrorKind::Config,
            "the database's certificate is not accepted: name its authority with sslrootcert, and its host as the \
             certificate does",
        ),
        Some(_) => return Failure::Lost(does_not_answer().with_source(cause)),
    };
    Failure::Final(error.with_source(cause))
}

pub(super) fn does_not_answer() -> Error {
    unavailable("the database does not answer: look whether it runs and can be reached, and try again")
}

fn unavailable(message: &str) -> Error {
    Error::new(ErrorKind::Unavailable, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_whether_to_try_again() {
        assert!(matches!(of_code(&SqlState::T_R_SERIALIZATION_FAILURE), Failure::InTheWay));
        assert!(matches!(of_code(&SqlState::T_R_DEADLOCK_DETECTED), Failure::InTheWay));
        for lost in [SqlState::ADMIN_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW, SqlState::CONNECTION_FAILURE] {
            assert!(matches!(of_code(&lost), Failure::Lost(error) if error.is_retryable()), "{lost:?}");
        }
        for (state, kind) in [
            (SqlState::QUERY_CANCELED, ErrorKind::Unavailable),
            (SqlState::TOO_MANY_CONNECTIONS, ErrorKind::Unavailable),
            (SqlState::INVALID_PASSWORD, ErrorKind::Config),
            (SqlState::DATA_CORRUPTED, ErrorKind::Corrupt),
            (SqlState::INTERNAL_ERROR, ErrorKind::Io),
            (SqlState::DISK_FULL, ErrorKind::Io),
            (SqlState::INVALID_TEXT_REPRESENTATION, ErrorKind::InvalidValue),
        ] {
            assert!(matches!(of_code(&state), Failure::Final(error) if error.kind() == kind), "{state:?}");
        }
    }

    #[test]
    fn a_commit_without_an_answer_is_not_made_again() {
        let Failure::Final(error) = Failure::Lost(does_not_answer()).of_commit() else { panic!("it would be") };
        assert!(error.is_retryable() && error.to_string().contains("unknown"));
    }
}
