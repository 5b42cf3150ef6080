//! `ioenv vault serve`: real processes, asked over real sockets, ended by real signals.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use common::{Project, run, text};

const PLANTED: &str = "planted-9b21";

/// A directory with a vault, which has `acme/dev`, and the token it began with.
struct Directory {
    project: Project,
    token: String,
}

/// A server that runs, and what it writes.
struct Serving {
    process: Child,
    port: u16,
    lines: BufReader<ChildStderr>,
}

impl Directory {
    fn new() -> Self {
        let project = Project::new(&[("gone", "")]);
        for file in ["ioenv.toml", "ioenv.sealed", "ioenv.key", ".ioenv.sealed.lock"] {
            fs::remove_file(project.file(file)).unwrap();
        }
        let token = project.stdout(&["vault", "init", "--organization", "Acme"]).trim().to_owned();
        let directory = Self { project, token };
        directory.out(&["vault", "create", "acme/dev"]);
        let set = run(&mut directory.command(&["set", "KEY", "--path", "acme/dev"]), PLANTED);
        assert!(set.status.success(), "{set:?}");
        directory
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.project.ioenv(args);
        command.env("IOENV_SOURCE", "vault");
        command
    }

    fn out(&self, args: &[&str]) -> String {
        let output = run(&mut self.command(args), "");
        assert!(output.status.success(), "{args:?}: {output:?}");
        text(&output.stdout)
    }

    fn serve(&self, more: &[&str]) -> Serving {
        let args = [&["vault", "serve", "--listen", "127.0.0.1:0"], more].concat();
        Serving::of(self.command(&args))
    }
}

impl Serving {
    fn of(mut command: Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        let port = first.split("http://127.0.0.1:").nth(1).and_then(|rest| rest.split(',').next());
        let port = port.unwrap_or_else(|| panic!("{first}")).parse().unwrap();
        Self { process, port, lines }
    }

    /// The status and the body of what is answered.
    fn ask(&self, head: &str, token: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        let request = format!(
            "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn signal(&self, signal: &str) {
        let killed = Command::new("kill").args([&format!("-{signal}"), &self.process.id().to_string()]).status();
        assert!(killed.unwrap().success());
    }

    /// Waits for the end; the exit code, and what was written until then.
    fn end(mut self) -> (i32, String) {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        (self.process.wait().unwrap().code().unwrap_or(-1), rest)
    }
}

/// A test that fails leaves no server behind.
impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn serves_until_it_is_asked_to_end_and_tells_no_secret() {
    let directory = Directory::new();
    for signal in ["TERM", "INT"] {
        let serving = directory.serve(&[]);
        assert_eq!(serving.ask("GET /health", "", ""), (200, "ok".to_owned()));
        let (status, body) = serving.ask("GET /v1/projects", &directory.token, "");
        assert!(status < 500 && !body.contains(PLANTED), "{status} {body}");
        assert_eq!(serving.ask(&format!("GET /v1/{}?token={0}", directory.token), &directory.token, "").0, 404);
        serving.signal(signal);
        let (code, log) = serving.end();
        assert_eq!(code, 0, "{log}");
        let routes: Vec<&str> = log.lines().filter_map(|line| line.split(' ').nth(2)).collect();
        assert_eq!(routes, ["-", "/v1/projects", "-"], "{log}");
        assert!(!log.contains(&directory.token) && !log.contains(PLANTED), "{log}");
    }
}

#[test]
fn delivers_webhooks_beside_it() {
    let directory = Directory::new();
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/hook", receiver.local_addr().unwrap().port());
    let inside = ["--allow-private", "127.0.0.1", "--allow-http"];
    let create = ["vault", "webhook", "create", &url, "--enable", "--path", "acme/dev"];
    directory.out(&[&create[..], &inside].concat());
    let serving = directory.serve(&inside);
    let environment = environment_of(&serving, &directory.token);
    let body = r#"{"value":"new-1","isSecret":true}"#;
    let path = format!("PUT /api/v1/env/{environment}/variables/KEY");
    assert_eq!(serving.ask(&path, &directory.token, body).0, 200);
    let (mut stream, _) = receiver.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    assert_eq!(line, "POST /hook HTTP/1.1\r\n");
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    drop(stream);
    serving.signal("TERM");
    assert_eq!(serving.end().0, 0);
}

/// The id of `acme/dev`, as ioenv spells it.
fn environment_of(serving: &Serving, token: &str) -> String {
    let (status, body) = serving.ask("GET /v1/projects/acme/environments", token, "");
    let id = body.split("\"env_").nth(1).and_then(|rest| rest.split('"').next());
    format!("env_{}", id.unwrap_or_else(|| panic!("{status} {body}")))
}

#[test]
fn two_processes_serve_one_file() {
    let directory = Directory::new();
    let (first, second) = (directory.serve(&[]), directory.serve(&[]));
    assert_ne!(first.port, second.port);
    for serving in [&first, &second] {
        assert_eq!(serving.ask("GET /v1/projects", &directory.token, "").0, 200);
    }
    for serving in [first, second] {
        serving.signal("TERM");
        assert_eq!(serving.end().0, 0);
    }
}

#[test]
fn what_others_can_reach_takes_a_word_more() {
    let directory = Directory::new();
    let complaint = directory.project.complaint(&["vault", "serve", "--listen", "0.0.0.0:0"]);
    assert!(complaint.contains("--allow-plain-http") && !complaint.contains("serving"), "{complaint}");
    let output = run(&mut directory.command(&["vault", "serve", "--listen", "nonsense"]), "");
    assert_eq!(output.status.code(), Some(2));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let complaint =
        directory.project.complaint(&["vault", "serve", "--listen", &taken.local_addr().unwrap().to_string()]);
    assert!(complaint.contains("cannot listen on 127.0.0.1:") && complaint.contains("--listen"), "{complaint}");
    let output = run(directory.command(&["vault", "serve"]).env("IOENV_TOKEN", &directory.token), "");
    assert!(text(&output.stderr).contains("unset IOENV_TOKEN"), "{output:?}");
}

#[test]
fn connections_give_way_when_there_are_no_file_descriptors() {
    let directory = Directory::new();
    let serve = directory.command(&["vault", "serve", "--listen", "127.0.0.1:0"]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 100 && exec \"$@\"", "sh"]).arg(serve.get_program()).args(serve.get_args());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(serve.get_current_dir().unwrap());
    let serving = Serving::of(command);
    let halves: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", serving.port)).unwrap();
            // It may have been closed already.
            let _ = stream.write_all(b"GET /v1/projects HTTP/1.1\r\n");
            stream
        })
        .collect();
    let mut stream = TcpStream::connect(("127.0.0.1", serving.port)).unwrap();
    // Sooner than the server ends connections for their own sake.
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut head = [0; 15];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    drop((halves, stream));
    serving.signal("TERM");
    assert_eq!(serving.end().0, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn what_goes_on_until_it_is_ended_leaves_no_core_dumps() {
    let directory = Directory::new();
    let limit = |process: u32| {
        let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        line.split_whitespace().skip(4).map(str::to_owned).collect::<Vec<_>>()
    };
    let serving = directory.serve(&[]);
    assert_eq!(limit(serving.process.id()), ["0", "0", "bytes"]);
    drop(serving);
    if cfg!(feature = "worker") {
        let mut command = directory.command(&["vault", "webhook", "run"]);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(process.stderr.take().unwrap()).read_line(&mut first).unwrap();
        let limit = limit(process.id());
        process.kill().unwrap();
        process.wait().unwrap();
        assert_eq!(limit, ["0", "0", "bytes"], "{first}");
    }
}

#[test]
fn a_vault_that_is_replaced_under_it_is_refused_and_served_after_a_restart() {
    let directory = Directory::new();
    let vault = directory.project.file("ioenv.vault");
    let backup = directory.project.file("backup.vault");
    directory.out(&["vault", "backup", backup.to_str().unwrap()]);
    let serving = directory.serve(&[]);
    let environment = environment_of(&serving, &directory.token);
    let (put, list) =
        (format!("PUT /api/v1/env/{environment}/variables/KEY"), format!("GET /api/v1/env/{environment}/variables"));
    let body = r#"{"value":"new-1","isSecret":true}"#;
    assert_eq!(serving.ask(&put, &directory.token, body).0, 200);
    fs::rename(&backup, &vault).unwrap();
    for _ in 0..2 {
        for (head, body) in
            [(put.as_str(), body), (&list, ""), ("GET /v1/projects", ""), ("GET /api/v1/organizations", "")]
        {
            let (status, answer) = serving.ask(head, &directory.token, body);
            assert_eq!(status, 503, "{head}: {answer}");
        }
    }
    assert_eq!(serving.ask("GET /health", "", "").0, 200);
    serving.signal("TERM");
    let (_, log) = serving.end();
    assert!(log.contains("another file is in the place of the store"), "{log}");
    // As documented: it is replaced while nothing uses it.
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(directory.project.file(&format!("ioenv.vault{ending}")));
    }
    let serving = directory.serve(&[]);
    let (status, answer) = serving.ask(&list, &directory.token, "");
    assert!(status == 200 && answer.contains(PLANTED) && !answer.contains("new-1"), "{status} {answer}");
    assert_eq!(serving.ask(&put, &directory.token, body).0, 200);
    assert!(serving.ask(&list, &directory.token, "").1.contains("new-1"));
}
