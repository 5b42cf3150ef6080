//! The hidden prompt, typed into through a real terminal.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use common::Project;
use nix::pty::{OpenptyResult, openpty};

const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHxP\n-----END PRIVATE KEY-----\n";

/// A command whose stdin and stderr are a terminal.
struct Session {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// What the terminal has shown so far.
    shown: String,
    /// The terminal from the other side, as the shell that started the command has it.
    shell: File,
}

impl Session {
    fn start(project: &Project, args: &[&str]) -> Self {
        let OpenptyResult { master, slave } = openpty(None, None).unwrap();
        let shell = File::from(slave);
        let terminal = || Stdio::from(shell.try_clone().unwrap());
        let mut command = project.ioenv(args);
        command.stdin(terminal()).stderr(terminal()).stdout(Stdio::piped()).env("TERM", "xterm");
        let child = command.spawn().unwrap();
        let keyboard = File::from(master);
        let mut reader = keyboard.try_clone().unwrap();
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                if sender.send(chunk[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, screen, shown: String::new(), shell }
    }

    /// Waits until the terminal shows a text.
    fn wait_for(&mut self, text: &str) -> &mut Self {
        while !self.shown.contains(text) {
            let more = self.screen.recv_timeout(Duration::from_secs(60));
            let more = more.unwrap_or_else(|_| panic!("{text:?} does not come: {:?}", self.shown));
            self.shown += &String::from_utf8_lossy(&more);
        }
        self
    }

    fn type_in(&mut self, text: &str) -> &mut Self {
        self.keyboard.write_all(text.as_bytes()).unwrap();
        self
    }

    /// Waits for the end; returns the exit code, and what the terminal showed.
    fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        // What the shell would read now: a mark, and before it what the command has left.
        self.type_in("mark\n");
        let mut left = vec![0; 4096];
        let count = self.shell.read(&mut left).unwrap();
        assert_eq!(String::from_utf8_lossy(&left[..count]), "mark\n", "the rest goes to the shell");
        self.wait_for("mark");
        (code, self.shown)
    }
}

fn project() -> Project {
    Project::new(&[("acme", "KEY=old\n")])
}

fn pasted(text: &str) -> String {
    format!("\x1b[200~{}\x1b[201~", text.replace('\n', "\r"))
}

#[test]
fn a_marked_paste_is_read_as_a_whole() {
    let project = project();
    let mut session = Session::start(&project, &["set", "KEY"]);
    session.wait_for("\x1b[?2004h").wait_for("Value of KEY (hidden): ").type_in(&pasted(PEM)).type_in("\r");
    let (code, shown) = session.end();
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(project.value("acme", "KEY").as_deref(), Some(PEM.trim_end()));
    assert!(shown.contains("\x1b[?2004l") && !shown.contains("PRIVATE") && !shown.contains("warning"), "{shown}");
}

#[test]
fn the_rest_of_an_unmarked_paste_is_drained_with_a_warning() {
    let project = project();
    let mut session = Session::start(&project, &["set", "KEY"]);
    session.wait_for("(hidden): ").type_in(&PEM.replace('\n', "\r"));
    session.wait_for("warning:").wait_for("only the first one was taken");
    let (code, shown) = session.end();
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(project.value("acme", "KEY").as_deref(), Some("-----BEGIN PRIVATE KEY-----"));
    assert!(!shown.contains("MC4CAQ"), "{shown}");
}

#[test]
fn what_is_refused_or_interrupted_leaves_nothing_to_the_shell() {
    let project = project();
    let marked = b"\x1b[200~l1\rx\x03\rtouch planted\r\x1b[201~\r";
    for (bytes, code) in [(&b"a\xffb\rtouch planted\r"[..], 1), (b"l1\x03\rtouch planted\r", 130), (marked, 130)] {
        let mut session = Session::start(&project, &["set", "KEY"]);
        session.wait_for("(hidden): ");
        session.keyboard.write_all(bytes).unwrap();
        assert_eq!(session.end().0, Some(code));
    }
    assert_eq!(project.value("acme", "KEY").as_deref(), Some("old"));
}

#[test]
fn a_value_longer_than_a_line_of_a_terminal_is_whole() {
    let project = project();
    let long = "0123456789".repeat(1_000);
    for text in [long.clone(), pasted(&long)] {
        let mut session = Session::start(&project, &["set", "KEY"]);
        session.wait_for("(hidden): ").type_in(&text).type_in("\r");
        assert_eq!(session.end().0, Some(0));
        assert_eq!(project.value("acme", "KEY").as_deref(), Some(long.as_str()));
    }
}

#[test]
fn a_typed_line_is_hidden_and_can_be_corrected_or_interrupted() {
    let project = project();
    let mut session = Session::start(&project, &["set", "KEY"]);
    session.wait_for("(hidden): ").type_in("planted\u{e9}x\x7f\x7f\r");
    let (code, shown) = session.end();
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(project.value("acme", "KEY").as_deref(), Some("planted"));
    assert!(!shown.contains("planted") && !shown.contains("warning"), "{shown}");

    let mut session = Session::start(&project, &["set", "KEY"]);
    session.wait_for("(hidden): ").type_in("other\x03");
    let (code, shown) = session.end();
    assert_eq!(code, Some(130), "{shown}");
    assert!(shown.contains("\x1b[?2004l"), "{shown}");
    assert_eq!(project.value("acme", "KEY").as_deref(), Some("planted"));

    let mut session = Session::start(&project, &["set", "KEY"]);
    session.wait_for("(hidden): ").type_in("\r");
    let (code, shown) = session.end();
    assert!(code == Some(1) && shown.contains("the value is empty"), "{shown}");
}

#[test]
fn a_passphrase_is_typed_twice() {
    let project = project();
    for (second, code, text) in
        [("tide-pool ledger 42", 0, "the passphrase is kept nowhere"), ("another one", 1, "the two passphrases differ")]
    {
        let mut session = Session::start(&project, &["key", "new", "pass", "--passphrase"]);
        session.wait_for("Passphrase (hidden): ").type_in("tide-pool ledger 42\r");
        session.wait_for("The same again: ").type_in(&format!("{second}\r")).wait_for(text);
        assert_eq!(session.end().0, Some(code));
        if code == 0 {
            project.stdout(&["key", "remove", "pass"]);
        }
    }
    // Both lines at once, as a program types them.
    let mut session = Session::start(&project, &["key", "new", "pass", "--passphrase"]);
    session.wait_for("Passphrase (hidden): ").type_in("tide-pool ledger 42\rtide-pool ledger 42\r");
    assert_eq!(session.end().0, Some(0));
}
