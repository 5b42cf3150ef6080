//! The URL of a database. It may hold a password, so no error quotes it.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::{self, Authorities};
use crate::error::{Error, ErrorKind, Result};

/// What `tokio_postgres` reads itself.
const PARAMETERS: [&str; 17] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// How long an address may take to answer, and how long a server may take to acknowledge what was sent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// Where to connect to, and how.
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(unreadable());
        }
        // A question mark in front of the `@` belongs to the password.
        let behind_user = url.find('@').unwrap_or_default();
        let (rest, query) = match url[behind_user..].find('?') {
            Some(at) => (&url[..behind_user + at], &url[behind_user + at + 1..]),
            None => (url, ""),
        };
        let mut asked = None;
        let mut root = None;
        let mut known = Vec::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').ok_or_else(unreadable)?;
            match name {
                "sslmode" => asked = Some(ssl_mode(value)?),
                "sslrootcert" => root = Some(decoded(value)?),
                name if PARAMETERS.contains(&name) => known.push(parameter),
                // Behind an `@` that is not written as %40, this could be a part of the password.
                _ if query.contains('@') => return Err(unreadable()),
                name => return Err(unsupported(name)),
            }
        }
        let mut config: Config = format!("{rest}?{}", known.join("&")).parse().map_err(|_| unreadable())?;
        let sockets = config.get_hosts().iter().filter(|host| !matches!(host, Host::Tcp(_))).count();
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(config_error("the database's URL names no host"));
        }
        // An address counts before the name of a host, so behind the name of a socket it would lead elsewhere without TLS.
        if sockets > 0 && (sockets < config.get_hosts().len() || !config.get_hostaddrs().is_empty()) {
            return Err(config_error("the database's URL names both hosts and Unix sockets: use one or the other"));
        }
        let mode = match asked {
            _ if sockets > 0 => SslMode::Disable,
            None if is_loopback(&config) => SslMode::Prefer,
            // Somebody in between can make a server look as if it had no TLS, and would then be sent the password.
            Some(SslMode::Prefer) if !is_loopback(&config) => return Err(strippable()),
            None => SslMode::Require,
            Some(mode) => mode,
        };
        config.ssl_mode(mode);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SEND_TIMEOUT);
        }
        let tls = tls::connector(&match (mode, root.as_deref()) {
            (SslMode::Disable, _) => Authorities::None,
            (_, None | Some("system")) => Authorities::System,
            (_, Some(file)) => Authorities::File(Path::new(file)),
        })?;
        Ok(Self { config, tls })
    }
}

/// Returns whether all servers that the URL names are on this machine.
fn is_loopback(config: &Config) -> bool {
    let addresses = config.get_hostaddrs();
    if !addresses.is_empty() {
        // Where there is an address, the name is only what the certificate is for.
        return addresses.iter().all(|address| address.to_canonical().is_loopback());
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => match name.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            // RFC 6761, section 6.3.
            Err(_) => name.eq_ignore_ascii_case("localhost"),
        },
        #[cfg(unix)]
        Host::Unix(_) => true,
    })
}

#[cold]
fn strippable() -> Error {
    config_error(
        "sslmode=prefer in the database's URL can be turned off by somebody between here and the server, who would then \
         see the password: use verify-full, which is the default, or write disable if the network is trusted",
    )
}

fn ssl_mode(value: &str) -> Result<SslMode> {
    match value {
        "disable" => Ok(SslMode::Disable),
        "prefer" => Ok(SslMode::Prefer),
        "require" | "verify-full" => Ok(SslMode::Require),
        _ => Err(config_error("sslmode in the database's URL must be disable, prefer, require or verify-full")),
    }
}

fn decoded(value: &str) -> Result<Cow<'_, str>> {
    percent_decode_str(value).decode_utf8().map_err(|_| unreadable())
}

fn unreadable() -> Error {
    config_error(
        "the database's URL cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, and what is special in \
         user and password as %XX",
    )
}

/// Names the parameter if it looks like the name of one: behind an `@` in a password stands no name.
fn unsupported(name: &str) -> Error {
    if name.len() > 32 || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        return unreadable();
    }
    config_error(&format!("the database's URL has a parameter that is not supported here: remove `{name}`"))
}

fn config_error(message: &str) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn errors_name_parameters_and_quote_nothing() {
        for (url, says) in [
            ("hunter2", "cannot be read"),
            ("postgres://u:hunter2@h/d?sslmode=hunter2", "sslmode"),
            ("postgres://u:hunter2@h/d?sslcert=hunter2", "`sslcert`"),
            ("postgres://u:hunter2@h/d?port=hunter2", "cannot be read"),
            ("postgres://u:pa@ss?HUNTER2@h/d", "cannot be read"),
            ("postgres://u:p@ss?hunter=hunter2@h/d", "cannot be read"),
            ("postgres://u:hunter2@h/d?sslmode=prefer", "verify-full"),
            ("postgres://u:hunter2@127.0.0.1,h/d?sslmode=prefer", "verify-full"),
            ("postgres://u:hunter2@/d", "no host"),
            ("postgres://u:hunter2@h,%2Frun/d", "both"),
            ("postgres://u:hunter2@h/d?sslrootcert=/no/such", "cannot read sslrootcert, /no/such: entity not found"),
        ] {
            let Err(error) = Target::parse(url) else { panic!("{url}") };
            assert!(error.to_string().contains(says), "{error:?}");
            assert!(!format!("{error:?}").to_lowercase().contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn modes_are_as_documented() {
        for (url, mode) in [
            ("postgres://u:p?w@h/d", SslMode::Require),
            ("postgres://u@127.0.0.1.example/d", SslMode::Require),
            ("postgres://u@localhost.example/d", SslMode::Require),
            ("postgres://u@0.0.0.0/d", SslMode::Require),
            ("postgres://u@127.0.0.1,db.example/d", SslMode::Require),
            ("postgres://u@localhost/d?host=db.example", SslMode::Require),
            ("postgres://u@localhost/d?hostaddr=192.0.2.1", SslMode::Require),
            ("postgres://u@127.0.0.1/d", SslMode::Prefer),
            ("postgres://u@127.9.9.9:5433/d?sslmode=prefer", SslMode::Prefer),
            ("postgres://u@[::1]/d", SslMode::Prefer),
            ("postgres://u@LocalHost/d", SslMode::Prefer),
            ("postgres://u@localhost,127.0.0.1/d", SslMode::Prefer),
            ("postgres://u@h/d?sslmode=disable", SslMode::Disable),
            ("postgresql://u@h/d?sslmode=disable&options=-csearch_path%3Dx", SslMode::Disable),
            ("postgres://u@h/d?sslmode=require&sslrootcert=system", SslMode::Require),
            ("postgres://u@h/d?sslmode=verify-full", SslMode::Require),
            ("postgres://u@%2Frun/d?sslmode=require", SslMode::Disable),
        ] {
            let Ok(target) = Target::parse(url) else { panic!("{url}") };
            assert_eq!(target.config.get_ssl_mode(), mode, "{url}");
        }
        // The address counts, and leads to another machine.
        for url in [
            "postgres://u@%2Ftmp/d?hostaddr=192.0.2.1",
            "postgres://u@/d?host=/tmp&hostaddr=192.0.2.1",
            "postgres://u@%2Ftmp/d?hostaddr=192.0.2.1&sslmode=prefer",
            "postgres://u@%2Ftmp,%2Ftmp/d?hostaddr=192.0.2.1,127.0.0.1",
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
        assert_eq!(decoded("/a%20b%").unwrap(), "/a b%");
    }

    proptest! {
        #[test]
        fn anything_may_be_offered(url in "(postgres://)?([a-z]{0,3}:[?@:/&=%a-z]{0,6}planted[?@:/&=%a-z]{0,6}@)?[h,/?&=%@:0-9]{0,9}(sslmode=[a-z]{0,7})?.{0,9}") {
            if let Err(error) = Target::parse(&format!("{url}&sslmode=disable")) {
                prop_assert!(!format!("{error:?}").contains("planted"), "{error:?}");
            }
        }
    }
}
