//! Whatever is asked of a server is answered, never as a defect of its own, and no refusal tells a secret.
#![no_main]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use ioenv::server::Server;
use ioenv::store::Memory;
use ioenv::vault::{
    Actor, At, NewAccount, NewEntry, NewEnvironment, NewOrganization, NewProject, NewServiceAccount, NewServiceKey,
    NewTarget, NewToken, PermissionSet, RootKey, Vault,
};
use ioenv::{LevelPath, SystemRandom};
use libfuzzer_sys::fuzz_target;
use tokio::sync::oneshot;

/// After so many requests everything is made anew: by then much of it was deleted or revoked.
const FRESH: usize = 1000;

const PLANTED: &str = "planted-value-51f0";

/// A server, and what to fill into what is asked.
struct Served {
    port: u16,
    organization: String,
    project: String,
    environment: String,
    /// An API token, the key of an environment and that of a service account, all of which may do everything there.
    tokens: [String; 3],
    /// The server ends when this is dropped.
    _stop: oneshot::Sender<()>,
}

static SERVED: Mutex<Option<(usize, Served)>> = Mutex::new(None);

fn start() -> ioenv::Result<Served> {
    let vault = Arc::new(Vault::create(Memory::new(), &RootKey::generate(&SystemRandom)?)?);
    let session = vault.session(Actor::system("fuzz"));
    let acme = session.create_organization(&NewOrganization::new("Acme"))?.id;
    let project = session.create_project(acme, &NewProject::new("shop"))?.id;
    let shop: LevelPath = "shop".parse()?;
    session.create_target(At::Path(acme, &LevelPath::from(&"shop".parse()?)), &NewTarget::new("api"))?;
    session.create_environment(At::Path(acme, &"shop/api".parse()?), &NewEnvironment::new("prod"))?;
    let environment = session.create_environment(At::Path(acme, &shop), &NewEnvironment::new("dev"))?.id;
    let dev: LevelPath = "shop/dev".parse()?;
    session.set_entries(At::Path(acme, &dev), &[NewEntry::new("KEY".parse()?, PLANTED)])?;
    let token = session.issue_token(acme, &NewToken::new("all", PermissionSet::ALL))?.token;
    let key = session
        .create_account(At::Path(acme, &dev), &NewAccount::new("all", ioenv::vault::EnvironmentRole::ACCOUNT))?
        .key;
    let account = session.create_service_account(acme, &NewServiceAccount::new("all", PermissionSet::ALL))?.id;
    let service = session.create_service_key(acme, account, &NewServiceKey::new("all"))?.key;
    let tokens = [token, key, service].map(|token| token.expose_secret().to_owned());
    drop(session);

    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let (stop, stopped) = oneshot::channel::<()>();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        runtime.block_on(async {
            let stopped = async {
                let _ = stopped.await;
            };
            Server::new(vault).serve(listener, stopped).await.expect("it listens on this machine");
        });
    });
    let (project, environment) = (project.to_prefixed("proj"), environment.to_prefixed("env"));
    Ok(Served { port, organization: acme.to_string(), project, environment, tokens, _stop: stop })
}

// `PUT /api/v1/env/{environment}/variables/KEY`, a line end, and a body.
fuzz_target!(|input: &[u8]| {
    let mut there = SERVED.lock().unwrap_or_else(PoisonError::into_inner);
    if there.as_ref().is_none_or(|(count, _)| *count >= FRESH) {
        *there = Some((0, start().expect("a server can be started")));
    }
    let (count, served) = there.as_mut().expect("it was made above");
    *count += 1;
    let (line, body) = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    let line = String::from_utf8_lossy(line);
    let (method, path) = line.split_once(' ').unwrap_or(("GET", &line));
    let method =
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) { "GET" } else { method };
    let path = path
        .replace("{organization}", &served.organization)
        .replace("{project}", &served.project)
        .replace("{environment}", &served.environment);
    let encode = |byte: u8| match byte {
        b'!'..=b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let path: String = path.trim_start_matches('/').bytes().take(4000).map(encode).collect();
    for token in &served.tokens {
        let mut stream = TcpStream::connect(("127.0.0.1", served.port)).expect("it listens");
        let head = format!(
            "{method} /{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        let answer = String::from_utf8_lossy(&answer);
        let status: u16 = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("it has a status");
        assert!(status != 500, "{method} /{path}");
        assert!(status < 400 || !answer.contains(PLANTED), "{method} /{path}: {status}");
    }
});
