//! `ioenv vault`, and the other commands on a vault: real processes, a real SQLite file.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
#[cfg(feature = "postgres")]
mod postgres;

use ioenv::LevelPath;
use std::fs;
use std::process::{Command, Output};

use common::{Project, run, text};
use ioenv::vault::{At, RootKey};
use serde_json::Value;

const PLANTED: &str = "planted-3e7a";

/// A directory with a vault in it, and its first token.
struct Vault {
    project: Project,
    token: String,
}

fn empty() -> Project {
    let project = Project::new(&[("gone", "")]);
    for file in ["ioenv.toml", "ioenv.sealed", "ioenv.key", ".ioenv.sealed.lock"] {
        fs::remove_file(project.file(file)).unwrap();
    }
    project
}

impl Vault {
    /// With `acme`, `acme/dev` and `acme/api/prod`.
    fn new() -> Self {
        Self::in_project(empty())
    }

    fn in_project(project: Project) -> Self {
        let token = project.stdout(&["vault", "init", "--organization", "Acme"]).trim().to_owned();
        let vault = Self { project, token };
        for level in ["acme/dev", "acme/api/prod"] {
            vault.ok(&["vault", "create", level]);
        }
        vault.pipe(&["import", "-", "--path", "acme"], "# ioenv: variable\nPORT=80\nSHARED=planted-3e7a\n");
        vault.pipe(&["set", "KEY", "--path", "acme/dev"], PLANTED);
        vault
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.project.ioenv(args);
        command.env("IOENV_SOURCE", "vault");
        command
    }

    fn pipe(&self, args: &[&str], stdin: &str) -> Output {
        let output = run(&mut self.command(args), stdin);
        assert!(output.status.success(), "{args:?}: {output:?}");
        output
    }

    /// What is printed, which holds no secret.
    fn ok(&self, args: &[&str]) -> [String; 2] {
        let output = self.pipe(args, "");
        let shown = [text(&output.stdout), text(&output.stderr)];
        assert!(!shown.concat().contains(PLANTED), "{args:?}: {shown:?}");
        shown
    }

    fn out(&self, args: &[&str]) -> String {
        let [stdout, _] = self.ok(args);
        stdout
    }

    fn complaint(&self, args: &[&str]) -> String {
        complaint(&mut self.command(args))
    }

    /// In the name of a token.
    fn with(&self, token: &str, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.env("IOENV_TOKEN", token);
        command
    }
}

fn complaint(command: &mut Command) -> String {
    let output = run(command, "");
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""), "{output:?}");
    let complaint = text(&output.stderr);
    assert!(complaint.starts_with("error: ") && !complaint.contains(PLANTED), "{complaint}");
    complaint
}

fn stdout(command: &mut Command) -> String {
    let output = run(command, "");
    assert!(output.status.success(), "{output:?}");
    text(&output.stdout)
}

#[cfg(unix)]
fn mode(project: &Project, file: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;

    fs::metadata(project.file(file)).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_vault_is_made_once_with_one_token() {
    let project = empty();
    let init = run(&mut project.ioenv(&["vault", "init", "--organization", "Acme"]), "");
    assert!(init.status.success(), "{init:?}");
    let (token, notes) = (text(&init.stdout), text(&init.stderr));
    assert!(token.starts_with("ioenv_") && token.lines().count() == 1, "{token}");
    assert!(notes.contains("organization acme") && !notes.contains(token.trim()), "{notes}");
    let root = fs::read_to_string(project.file("ioenv.root")).unwrap();
    assert!(root.starts_with("ioenv_root_") && !notes.contains(root.trim()));
    for file in ["ioenv.root", "ioenv.vault"] {
        #[cfg(unix)]
        assert_eq!(mode(&project, file), 0o600, "{file}");
    }
    assert_eq!(fs::read_to_string(project.file(".gitignore")).unwrap(), "/ioenv.root\n/ioenv.vault\n/ioenv.vault-*\n");
    assert!(fs::read_to_string(project.file("ioenv.toml")).unwrap().contains("\nsource = \"vault\"\n"));

    let before = fs::read(project.file("ioenv.vault")).unwrap();
    assert!(project.complaint(&["vault", "init"]).contains("ioenv.vault is there already; nothing was changed"));
    assert_eq!(fs::read(project.file("ioenv.vault")).unwrap(), before);
    assert_eq!(fs::read_to_string(project.file("ioenv.root")).unwrap(), root);

    // A second one beside it, with the same root key; and no password among the arguments.
    project.stdout(&["vault", "init", "other.vault"]);
    let status = stdout(project.ioenv(&["vault", "status"]).env("IOENV_VAULT", "other.vault"));
    assert!(status.contains("other.vault"), "{status}");
    let complaint = project.complaint(&["vault", "init", "postgres://u:planted-3e7a@localhost/d"]);
    assert!(complaint.contains("IOENV_VAULT") && !complaint.contains(PLANTED), "{complaint}");
}

#[test]
fn a_root_key_that_is_given_is_not_written() {
    let project = empty();
    let mut init = project.ioenv(&["vault", "init"]);
    init.env("IOENV_ROOT_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    assert!(stdout(&mut init).starts_with("ioenv_"));
    assert!(!project.file("ioenv.root").exists());
    assert!(project.complaint(&["vault", "status"]).contains("the root key of the vault is not given"));
    fs::write(project.file("raw"), [0; 32]).unwrap();
    #[cfg(unix)]
    project.set_mode("raw", 0o600);
    stdout(project.ioenv(&["vault", "status"]).env("IOENV_ROOT_KEY_FILE", "raw"));
    fs::write(project.file("raw"), [1; 32]).unwrap();
    let complaint = complaint(project.ioenv(&["vault", "status"]).env("IOENV_ROOT_KEY_FILE", "raw"));
    assert!(complaint.contains("not the one this vault was made with"), "{complaint}");
}

#[test]
fn levels_of_a_vault_are_used_as_those_of_the_file() {
    let vault = Vault::new();
    assert_eq!(
        vault.out(&["list", "--path", "acme/dev"]),
        "NAME    VALUE   LEVEL\n\
         KEY     ••••••  acme/dev\n\
         PORT    80      acme\n\
         SHARED  ••••••  acme\n"
    );
    assert_eq!(
        vault.out(&["tree"]),
        "acme  (project)\n\
         ├── api  (target)\n\
         │   └── prod  (production)\n\
         └── dev  (development)\n"
    );
    assert_eq!(
        vault.out(&["explain", "KEY", "--path", "acme/dev"]),
        "KEY is a secret: ••••••\n  acme/dev decides\n  acme does not set it\n"
    );
    assert_eq!(text(&vault.pipe(&["get", "KEY", "--path", "acme/dev"], "").stdout), PLANTED);
    let export = vault.pipe(&["export", "--own", "--path", "acme/dev"], "");
    assert_eq!(text(&export.stdout), format!("KEY={PLANTED}\n"));
    assert_eq!(
        vault.out(&["diff", "acme/api/prod", "acme/dev"]),
        "CHANGE  NAME  acme/api/prod  acme/dev\nadded   KEY   -              ••••••\n"
    );
    assert!(vault.ok(&["diff", "acme", "acme/api/prod"])[1].contains("say the same"));

    let [_, import] = vault.ok(&["vault", "create", "acme/dev"]);
    assert_eq!(import, "acme/dev is there already\n");
    let import = vault.pipe(&["import", "-", "--path", "acme/dev"], "KEY=2\nNEW=1\n");
    assert_eq!(text(&import.stderr), "acme/dev: 1 added, 1 set\n");
    assert!(vault.complaint(&["unset", "NEW", "PORT", "--path", "acme/dev"]).contains("does not set PORT itself"));
    vault.ok(&["unset", "NEW", "--path", "acme/dev"]);
    vault.pipe(&["import", "-", "--replace", "--path", "acme/dev"], "ONLY=1\n");
    assert_eq!(vault.out(&["export", "--own", "--path", "acme/dev"]), "ONLY=1\n");
    vault.ok(&["unset", "--all", "--path", "acme/dev"]);
    assert_eq!(vault.out(&["export", "--own", "--path", "acme/dev"]), "");

    for args in [
        &["set", "A", "1", "--path", "acme/nope"][..],
        &["list", "--path", "nope"],
        &["get", "A", "--path", "acme/nope"],
    ] {
        let output = run(&mut vault.command(args), "");
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("make it with `ioenv vault create "), "{output:?}");
    }
    let mut import = vault.command(&["import", "-", "--path", "acme/nope"]);
    assert!(text(&run(&mut import, "A=1\n").stderr).contains("make it with `ioenv vault create acme/nope`"));
}

#[test]
fn run_gives_the_child_no_credentials() {
    let vault = Vault::new();
    let script =
        "echo \"$KEY $PORT [$IOENV_TOKEN$IOENV_API_TOKEN$IOENV_TOKEN_FILE$IOENV_ROOT_KEY$IOENV_ROOT_KEY_FILE]\"";
    let root = fs::read_to_string(vault.project.file("ioenv.root")).unwrap();
    let mut command = vault.with(&vault.token, &["run", "--path", "acme/dev", "--", "/bin/sh", "-c", script]);
    command.env("IOENV_ROOT_KEY", root.trim()).env("IOENV_TOKEN_FILE", "x").env("IOENV_ROOT_KEY_FILE", "x");
    assert_eq!(stdout(&mut command), format!("{PLANTED} 80 []\n"));

    // The sealed file can be run while a database's URL is set.
    let sealed = Project::new(&[("acme", "A=1\n")]);
    for (url, shown) in [("postgres://u:p@h/d", "1 []\n"), ("postgres://u@h/d", "1 [postgres://u@h/d]\n")] {
        let mut command = sealed.ioenv(&["run", "--", "/bin/sh", "-c", "echo \"$A [$IOENV_VAULT]\""]);
        assert_eq!(stdout(command.env("IOENV_VAULT", url)), shown);
    }
}

#[test]
fn history_is_shown_and_brought_back() {
    let vault = Vault::new();
    vault.pipe(&["set", "KEY", "--path", "acme/dev"], "second");
    let history = vault.out(&["vault", "history", "acme/dev"]);
    let lines: Vec<Vec<&str>> = history.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((lines[0][0], lines[1][0], lines[2][0]), ("VERSION", "now", "4294967298"), "{history}");
    assert_eq!(lines[1][lines[1].len() - 4..], ["changed", "KEY", "••••••", "••••••"]);
    assert!(text(&vault.pipe(&["vault", "history", "acme/dev", "--show"], "").stdout).contains("second"));

    vault.ok(&["vault", "restore", "acme/dev"]);
    assert_eq!(text(&vault.pipe(&["get", "KEY", "--path", "acme/dev"], "").stdout), PLANTED);
    vault.pipe(&["set", "KEY", "--path", "acme/dev"], "third");
    vault.ok(&["vault", "restore", "4294967298"]);
    assert_eq!(text(&vault.pipe(&["get", "KEY", "--path", "acme/dev"], "").stdout), PLANTED);
    assert!(vault.complaint(&["vault", "restore", "12345678901234"]).contains("no such version"));
    assert!(vault.complaint(&["vault", "restore", "acme/api"]).contains("has no former content"));
}

#[test]
fn tokens_do_what_they_may() {
    let vault = Vault::new();
    let create = ["vault", "token", "create", "ci", "--permission", "read", "--path", "acme/dev", "--expires", "30d"];
    let token = vault.out(&create).trim().to_owned();
    assert_eq!(stdout(&mut vault.with(&token, &["get", "KEY", "--path", "acme/dev"])), PLANTED);
    assert!(complaint(&mut vault.with(&token, &["get", "PORT", "--path", "acme"])).contains("no level acme"));
    assert!(complaint(&mut vault.with(&token, &["set", "A", "--path", "acme/dev"])).contains("empty"));
    let denied = run(&mut vault.with(&token, &["set", "A", "--path", "acme/dev"]), "1");
    assert!(text(&denied.stderr).contains("a permission that is missing: secret:write;"), "{denied:?}");
    for operator in [&["vault", "sweep"][..], &["vault", "check"], &["vault", "backup", "b"]] {
        assert!(complaint(&mut vault.with(&token, operator)).contains("unset IOENV_TOKEN"));
    }
    assert!(stdout(&mut vault.with(&token, &["vault", "status"])).contains("bound to       acme/dev"));

    // Who may make environments need not be allowed to make projects.
    let admin = vault.out(&["vault", "token", "create", "a", "--permission", "admin"]).trim().to_owned();
    stdout(&mut vault.with(&admin, &["vault", "create", "acme/staging"]));
    assert!(complaint(&mut vault.with(&admin, &["vault", "create", "new"])).contains("project:create"));
    // Nor to look at them.
    let words = "environment:create,environment:read,target:read";
    let blind = vault.out(&["vault", "token", "create", "b", "--permission", words]).trim().to_owned();
    stdout(&mut vault.with(&blind, &["vault", "create", "acme/blind"]));
    assert!(complaint(&mut vault.with(&blind, &["vault", "create", "acme"])).contains("project:create"));

    let list = vault.out(&["vault", "token", "list"]);
    assert!(!list.contains(&token) && !list.contains(&vault.token), "{list}");
    let line = list.lines().find(|line| line.contains(" ci ")).unwrap();
    assert!(line.contains("read") && line.contains("acme/dev") && line.contains("until "), "{line}");
    let id = line.split(' ').next().unwrap();

    let rotated = vault.out(&["vault", "token", "rotate", id]).trim().to_owned();
    assert!(complaint(&mut vault.with(&token, &["list", "--path", "acme/dev"])).contains("unknown or revoked"));
    stdout(&mut vault.with(&rotated, &["list", "--path", "acme/dev"]));
    vault.ok(&["vault", "token", "revoke", id]);
    assert!(complaint(&mut vault.with(&rotated, &["list", "--path", "acme/dev"])).contains("unknown or revoked"));

    let dotenv = ["vault", "token", "create", "d", "--permission", "secret:read,secret:decrypt", "--format", "dotenv"];
    assert!(vault.out(&dotenv).starts_with("dotenv_"));
    let stashbase = ["vault", "token", "create", "s", "--permission", "secrets.read", "--format", "stashbase"];
    assert!(vault.out(&stashbase).starts_with("sb_service_"));
    let unknown = ["vault", "token", "create", "x", "--permission", PLANTED];
    assert!(vault.complaint(&unknown).contains("one of `read`, `write` and `admin`"));
    let usage = run(&mut vault.command(&["vault", "token", "rotate", &rotated]), "");
    assert_eq!(usage.status.code(), Some(2));
    assert!(!text(&usage.stderr).contains(&rotated), "{usage:?}");
}

#[test]
fn the_audit_log_tells_who_did_what() {
    let vault = Vault::new();
    stdout(&mut vault.with(&vault.token, &["get", "KEY", "--path", "acme/dev"]));
    let audit = vault.out(&["vault", "audit", "--path", "acme/dev", "--since", "1h"]);
    let first = audit.lines().nth(1).unwrap();
    assert!(first.contains("token admin 0") && first.contains("read (export)"), "{audit}");
    let created = vault.out(&["vault", "audit", "--action", "create", "--name", "KEY"]);
    assert_eq!(created.lines().count(), 2, "{created}");
    assert!(created.contains("system ioenv command") && created.contains("secret KEY"), "{created}");
    let json: Value =
        serde_json::from_str(&vault.out(&["vault", "audit", "--limit", "3", "--format", "json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 3);
    assert!(json[0]["action"].is_string() && json[0]["resource"]["orgId"].is_string(), "{json}");
    let by_token = vault.out(&["vault", "audit", "--actor", "system", "--action", "read"]);
    assert!(!by_token.contains("token admin"), "{by_token}");
    assert_eq!(vault.out(&["vault", "audit", "--until", "2001-01-01T00:00:00Z"]).lines().count(), 1);
}

#[test]
fn the_operator_looks_after_it() {
    let vault = Vault::new();
    let status = vault.out(&["vault", "status"]);
    for line in [
        "schema         2",
        "organizations  1 (acme)",
        "projects       1",
        "levels         4",
        "sweep          not due",
    ] {
        assert!(status.contains(line), "{status}");
    }
    assert_eq!(
        vault.out(&["vault", "check"]),
        "LEVEL          RESULT\n\
         acme           opens, 2 entries\n\
         acme/api       says nothing\n\
         acme/dev       opens, 1 entry\n\
         acme/api/prod  says nothing\n"
    );
    assert_eq!(vault.ok(&["vault", "sweep"])[1], "removed 0 audit records\n");
    vault.ok(&["vault", "backup", "copy.vault"]);
    #[cfg(unix)]
    assert_eq!(mode(&vault.project, "copy.vault"), 0o600);
    let mut get = vault.command(&["get", "KEY", "--path", "acme/dev"]);
    assert_eq!(stdout(get.env("IOENV_VAULT", "copy.vault")), PLANTED);
    let before = fs::read(vault.project.file("copy.vault")).unwrap();
    assert!(vault.complaint(&["vault", "backup", "copy.vault"]).contains("copy.vault"));
    assert_eq!(fs::read(vault.project.file("copy.vault")).unwrap(), before);
    for file in ["ioenv.vault", "copy.vault"] {
        let bytes = fs::read(vault.project.file(file)).unwrap();
        assert!(!bytes.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes()), "{file}");
    }
}

#[test]
fn levels_move_between_file_and_vault() {
    let project = Project::new(&[("acme", "SHARED=1\n"), ("acme/dev", "A=planted-3e7a\n"), ("acme/api/prod", "B=2\n")]);
    let token = project.stdout(&["vault", "init"]);
    assert!(token.starts_with("ioenv_"));
    let push = |args: &[&str]| {
        let output = run(&mut project.ioenv(args), "");
        (output.status.code(), text(&output.stderr))
    };
    let anew = "opened and sealed anew: the keys differ";
    let all = format!("acme: {anew}\nacme/api/prod: {anew}\nacme/dev: {anew}\n");
    assert_eq!(push(&["push", "--all"]), (Some(0), all));
    assert_eq!(push(&["push", "acme/dev"]), (Some(0), "acme/dev: as before\n".to_owned()));
    assert_eq!(project.stdout(&["get", "A", "--source", "vault", "--path", "acme/dev"]), PLANTED);
    assert!(project.stdout(&["tree", "--source", "vault"]).contains("api  (target)"));

    // What differs is left alone, on both sides.
    project.stdout(&["set", "A", "--path", "acme/dev", "changed"]);
    let (code, complaint) = push(&["push", "acme/dev"]);
    assert!(code == Some(1) && complaint.contains("use --force"), "{complaint}");
    assert_eq!(project.stdout(&["get", "A", "--source", "vault", "--path", "acme/dev"]), PLANTED);
    assert_eq!(push(&["pull", "acme/dev"]).0, Some(1));
    assert_eq!(project.value("acme/dev", "A").as_deref(), Some("changed"));
    assert_eq!(push(&["pull", "acme/dev", "--force"]), (Some(0), format!("acme/dev: {anew}\n")));
    assert_eq!(project.value("acme/dev", "A").as_deref(), Some(PLANTED));
    assert_eq!(push(&["pull", "--all", "--path", "acme"]).0, Some(0));
}

#[test]
fn with_the_same_key_blobs_move_unopened() {
    let project = Project::new(&[("acme", ""), ("acme/dev", "A=planted-3e7a\n")]);
    project.stdout(&["vault", "init"]);
    project.stdout(&["vault", "create", "acme/dev", "--client-key"]);
    let copied = |args: &[&str]| {
        let output = run(&mut project.ioenv(args), "");
        assert_eq!(text(&output.stderr), "acme/dev: copied as it is: the key is the same\n");
    };
    copied(&["push", "acme/dev"]);
    project.stdout(&["unset", "--all", "--path", "acme/dev"]);
    copied(&["pull", "acme/dev"]);
    assert_eq!(project.value("acme/dev", "A").as_deref(), Some(PLANTED));

    // The vault cannot open it; who has the key works on it all the same.
    let vault = |args: &[&str], stdin: &str| {
        let mut command = project.ioenv(args);
        run(command.args(["--source", "vault", "--path", "acme/dev"]), stdin)
    };
    assert!(vault(&["set", "B"], "2").status.success());
    assert!(vault(&["import", "-"], "C=3\n").status.success());
    assert!(vault(&["unset", "C"], "").status.success());
    assert_eq!(text(&vault(&["export"], "").stdout), "A=planted-3e7a\nB=2\n");
    let checked = run(&mut project.ioenv(&["vault", "check"]), "");
    assert!(text(&checked.stdout).contains("acme/dev  is whole; its key is not in the vault"), "{checked:?}");
    assert!(text(&checked.stderr).contains("present and former, and 0 of them damaged"), "{checked:?}");
    assert!(project.stdout(&["vault", "history", "acme/dev"]).starts_with("VERSION "));
    project.write("ioenv.key", "");
    for args in [&["export"][..], &["set", "D", "4"]] {
        let output = vault(args, "");
        assert!(!output.status.success() && text(&output.stderr).contains("IOENV_KEY"), "{output:?}");
    }
}

#[test]
fn a_check_shows_what_somebody_wrote_into_the_database() {
    let vault = Vault::new();
    let weak = vault.out(&["vault", "token", "create", "weak", "--permission", "secret:read"]).trim().to_owned();
    let database = rusqlite::Connection::open(vault.project.file("ioenv.vault")).unwrap();
    let row = |id: &str| -> (String, String) {
        let query = "SELECT key, value FROM record WHERE key LIKE 'token/%' AND value LIKE ?1";
        database.query_row(query, [format!("%{id}%")], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let write = |key: &str, value: &str| {
        database.execute("INSERT OR REPLACE INTO record (key, value) VALUES (?1, ?2)", [key, value]).unwrap();
    };
    let (key, before) = row(r#""name":"weak""#);
    let id = serde_json::from_str::<Value>(&before).unwrap()["id"].as_str().unwrap().to_owned();
    let (_, admin) = row(r#""name":"admin""#);
    for forged in [admin, before.replace("secret:read", "secret:write")] {
        write(&key, &forged);
        let refused = complaint(&mut vault.with(&weak, &["get", "KEY", "--path", "acme/dev"]));
        assert!(refused.contains("ioenv vault check") && !refused.contains(&weak), "{refused}");
        let checked = run(&mut vault.command(&["vault", "check"]), "");
        assert_eq!(checked.status.code(), Some(1));
        let shown = text(&checked.stderr);
        assert!(shown.contains(&format!("the token {id} at {key} is refused: ")), "{shown}");
        assert!(shown.contains("and 1 of them damaged"), "{shown}");
        assert!(text(&checked.stdout).contains("acme/dev       opens, 1 entry"), "{checked:?}");
    }
    // As it says.
    vault.out(&["vault", "token", "revoke", &id]);
    vault.out(&["vault", "check"]);

    // What stands above other things does not hide from the check.
    for kind in ["organization", "project", "node"] {
        let query = "SELECT key, value FROM record WHERE key LIKE ?1 LIMIT 1";
        let (key, before): (String, String) =
            database.query_row(query, [format!("{kind}/%")], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        write(&key, &before.replacen(r#""mac":""#, r#""mac":"00"#, 1));
        let checked = run(&mut vault.command(&["vault", "check"]), "");
        assert_eq!(checked.status.code(), Some(1), "{kind}");
        assert!(text(&checked.stderr).contains(&format!("at {key} is refused: ")), "{checked:?}");
        write(&key, &before);
    }
    vault.out(&["vault", "check"]);
}

#[test]
fn a_blob_that_the_vault_had_at_another_level_is_sealed_anew() {
    let project = Project::new(&[("acme", ""), ("acme/dev", "A=planted-3e7a\n"), ("acme/live", "B=2\n")]);
    project.stdout(&["vault", "init"]);
    project.stdout(&["vault", "create", "acme/dev", "--client-key"]);
    let push = |args: &[&str]| {
        let output = run(&mut project.ioenv(&[&["push"], args].concat()), "");
        assert!(output.status.success(), "{output:?}");
        text(&output.stderr)
    };
    let copied = "acme/dev: copied as it is: the key is the same\n";
    assert_eq!(push(&["acme/dev"]), copied);
    // It was renamed in the vault, so that the name means another level now.
    let system = |work: &dyn Fn(&ioenv::vault::Session<'_>, ioenv::vault::OrganizationId)| {
        let root = RootKey::parse(fs::read_to_string(project.file("ioenv.root")).unwrap().trim()).unwrap();
        let store = ioenv::store::Sqlite::open(project.file("ioenv.vault")).unwrap();
        let vault = ioenv::vault::Vault::open(store, &root).unwrap();
        let session = vault.session(ioenv::vault::Actor::system("test"));
        work(&session, session.organizations().unwrap()[0].id);
    };
    let dev: LevelPath = "acme/dev".parse().unwrap();
    system(&|session, organization| {
        let update = ioenv::vault::EnvironmentUpdate::new().slug("former".parse().unwrap());
        session.update_environment(At::Path(organization, &dev), &update).unwrap();
    });
    let anew = "acme/dev: opened and sealed anew: the vault had that blob at another level\n";
    assert_eq!(push(&["acme/dev"]), anew);
    for level in ["acme/dev", "acme/former"] {
        assert_eq!(project.stdout(&["get", "A", "--source", "vault", "--path", level]), PLANTED);
    }
    // It was deleted for good, and made again.
    system(&|session, organization| {
        session.delete_environment(At::Path(organization, &dev), ioenv::vault::Confirmation::Given).unwrap();
        let id = session.deleted(organization).unwrap()[0].id;
        session.purge_environment(organization, ioenv::vault::Id::from(id).into()).unwrap();
    });
    assert_eq!(push(&["acme/dev"]), anew);
    assert_eq!(push(&["acme/dev"]), "acme/dev: as before\n");
    let all = push(&["--all", "--path", "acme"]);
    assert!(all.contains("acme/live: copied as it is"), "{all}");
    assert_eq!(project.stdout(&["export", "--source", "vault", "--path", "acme/dev"]), "A=planted-3e7a\n");
}

#[test]
fn the_status_advises_a_rotation() {
    use ioenv::store::{KeyRange, Order, Precondition, Sqlite, StoreExt as _};

    let vault = Vault::new();
    assert!(!vault.out(&["vault", "status"]).contains("rotat"));
    let store = Sqlite::open(vault.project.file("ioenv.vault")).unwrap();
    store
        .write(|tx| {
            let counters = tx.scan(&KeyRange::prefix("counter/"), Order::Ascending, 2)?;
            let mut counter: Value = serde_json::from_str(&counters[0].value).unwrap();
            counter["seals"] = (1 << 30).into();
            tx.put(&counters[0].key, &counter.to_string(), Precondition::Present)
        })
        .unwrap();
    drop(store);
    let status = vault.out(&["vault", "status"]);
    assert!(status.contains("rotation       advised: run `ioenv vault rotate acme --organization acme`"), "{status}");
    vault.ok(&["vault", "rotate", "acme", "--organization", "acme"]);
    assert!(!vault.out(&["vault", "status"]).contains("rotat"));
}

#[test]
fn two_processes_use_one_vault() {
    let vault = Vault::new();
    let set = |name: String| {
        let path = ["--path", "acme/dev"];
        vault.command(&[&["set", &name, "1"][..], &path].concat()).stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    let children: Vec<_> = (0..8).map(|number| set(format!("N{number}"))).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let export = vault.pipe(&["export", "--own", "--path", "acme/dev"], "");
    assert_eq!(text(&export.stdout).lines().count(), 9);
}

#[test]
fn a_rotation_that_was_cut_short_is_not_taken_for_a_new_one() {
    let vault = Vault::new();
    for value in ["1", "2", "3"] {
        vault.pipe(&["set", "KEY", "--path", "acme/dev"], value);
    }
    let root = RootKey::parse(&fs::read_to_string(vault.project.file("ioenv.root")).unwrap()).unwrap();
    let library =
        ioenv::vault::Vault::open(ioenv::store::Sqlite::open(vault.project.file("ioenv.vault")).unwrap(), &root)
            .unwrap();
    let session = library.session(ioenv::vault::Actor::system("test"));
    let organization = session.organizations().unwrap()[0].id;
    let acme = "acme".parse().unwrap();
    session
        .rotate_key(At::Path(organization, &LevelPath::from(&acme)), ioenv::vault::HistoryPolicy::Reencrypt)
        .unwrap();
    let version = || session.key(At::Path(organization, &LevelPath::from(&acme))).unwrap().version;
    assert_eq!(version(), 2);
    let [_, told] = vault.ok(&["vault", "rotate", "acme"]);
    assert!(told.contains("there is no newer key: run the command again"), "{told}");
    assert_eq!(version(), 2);
    let [_, told] = vault.ok(&["vault", "rotate", "acme"]);
    assert!(told.contains("its version 3") && !told.contains("again"), "{told}");
}

/// The vault cannot merge what it cannot open.
#[test]
fn two_processes_use_one_level_whose_key_is_not_in_the_vault() {
    let project = Project::new(&[("acme", "")]);
    project.stdout(&["vault", "init"]);
    project.stdout(&["vault", "create", "acme/dev", "--client-key"]);
    let set = |name: String| {
        let args = ["set", &name, "1", "--source", "vault", "--path", "acme/dev"];
        project.ioenv(&args).stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    let children: Vec<_> = (0..8).map(|number| set(format!("N{number}"))).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(project.stdout(&["export", "--source", "vault", "--path", "acme/dev"]).lines().count(), 8);
}

#[test]
fn each_mistake_has_its_own_sentence() {
    let vault = Vault::new();
    let list = ["list", "--path", "acme/dev"];
    let with = |name: &str, value: &str| complaint(vault.command(&list).env(name, value));
    let others = [
        "mysql://u:planted-3e7a@h/d",
        "Postgres://u:planted-3e7a@h/d",
        "http://u:planted-3e7a@h/d",
        "https://vault.example/planted-3e7a",
        "sqlite://planted-3e7a",
    ];
    for url in others {
        let complaint = with("IOENV_VAULT", url);
        assert!(complaint.contains("postgres://") && !complaint.contains("feature"), "{url}: {complaint}");
        assert!(!complaint.contains(PLANTED), "{url}");
    }
    let key = vault.project.key.to_text();
    let named = with("IOENV_TOKEN", key.expose_secret());
    assert!(named.contains("IOENV_TOKEN: ") && named.contains("it is a level key"), "{named}");
    assert!(!named.contains(key.expose_secret()));
    assert!(with("IOENV_ROOT_KEY", key.expose_secret()).contains("this is a level key, not a root key"));
    let named = with("IOENV_TOKEN_FILE", &vault.token);
    assert!(named.contains("put it in IOENV_TOKEN") && !named.contains(&vault.token), "{named}");
    assert!(with("IOENV_VAULT", "nope.vault").contains("there is no vault here: make one with `ioenv vault init`"));
    assert!(with("IOENV_SOURCE", "planted-3e7a").contains("the source is one of `sealed` `vault`"));
    #[cfg(not(feature = "postgres"))]
    assert!(with("IOENV_VAULT", "postgres://u:planted-3e7a@h/d").contains("the feature `postgres`"));
    vault.project.write("ioenv.toml", "source = \"vault\"\nvault = \"postgres://u:planted-3e7a@h/d\"\n");
    assert!(vault.complaint(&list).contains("put the URL into IOENV_VAULT"));

    vault.project.write("ioenv.toml", "source = \"vault\"\n");
    vault.project.write("token", &vault.token);
    stdout(vault.command(&list).env("IOENV_TOKEN_FILE", "token"));
    // As an editor on Windows writes them.
    vault.project.write("token", &format!("\u{feff}{}\r\n", vault.token));
    stdout(vault.command(&list).env("IOENV_TOKEN_FILE", "token"));
    let root = fs::read_to_string(vault.project.file("ioenv.root")).unwrap();
    vault.project.write("marked.root", &format!("\u{feff}{}\r\n", root.trim()));
    stdout(vault.command(&list).env("IOENV_ROOT_KEY_FILE", "marked.root"));
    stdout(vault.command(&list).env("IOENV_API_TOKEN", &vault.token));

    vault.ok(&["vault", "create", "other"]);
    assert!(vault.complaint(&["list", "--path", "acme", "--organization", "nope"]).contains("there is: acme"));
    vault.ok(&["list", "--path", "acme", "--organization", "acme"]);
}

#[cfg(feature = "postgres")]
#[test]
fn a_database_is_a_vault_too() {
    let url = postgres::fresh().replace("127.0.0.1", "localhost").replacen("postgres@", "postgres:planted-3e7a@", 1);
    let project = empty();
    let vault_command = |args: &[&str]| {
        let mut command = project.ioenv(args);
        command.env("IOENV_VAULT", &url).env("IOENV_PATH", "acme/dev");
        command
    };
    let vault = |args: &[&str], stdin: &str| {
        let output = run(&mut vault_command(args), stdin);
        assert!(!text(&output.stderr).contains(PLANTED), "{output:?}");
        output
    };
    // A look at an empty database makes nothing of it.
    let root = RootKey::generate(&ioenv::SystemRandom).unwrap().to_text();
    let early = run(vault_command(&["vault", "status"]).env("IOENV_ROOT_KEY", root.expose_secret()), "");
    assert!(
        text(&early.stderr).contains("there is no vault in this store: make one with `ioenv vault init`"),
        "{early:?}"
    );
    let init = vault(&["vault", "init", "--organization", "Acme"], "");
    assert!(init.status.success() && text(&init.stdout).starts_with("ioenv_"), "{init:?}");
    let settings = fs::read_to_string(project.file("ioenv.toml")).unwrap();
    assert!(settings.contains("source = \"vault\"") && !settings.contains("postgres://"), "{settings}");
    assert!(!project.file("ioenv.vault").exists());
    let again = vault(&["vault", "init"], "");
    assert!(text(&again.stderr).contains("there is a vault in this database already; nothing was changed"));

    assert!(vault(&["vault", "create", "acme/dev"], "").status.success());
    assert!(vault(&["set", "A"], "1").status.success());
    assert_eq!(text(&vault(&["get", "A"], "").stdout), "1");
    let status = text(&vault(&["vault", "status"], "").stdout);
    assert!(status.starts_with("store          PostgreSQL\n") && !status.contains(PLANTED), "{status}");
    let child = text(&vault(&["run", "--", "/bin/sh", "-c", "echo \"$A [$IOENV_VAULT]\""], "").stdout);
    assert_eq!(child, "1 []\n");

    // A copy of it is a file.
    assert!(vault(&["vault", "backup", "ioenv.vault"], "").status.success());
    assert_eq!(project.stdout(&["get", "A", "--path", "acme/dev"]), "1");
}

/// With `expand = true` a `$` that was written to stand for itself would insert another secret.
#[test]
fn a_literal_dollar_stays_literal_in_file_and_vault() {
    let project = Project::new(&[("acme", ""), ("acme/dev", "A=a\n")]);
    project.stdout(&["vault", "init"]);
    project.stdout(&["vault", "create", "acme/dev"]);
    project.stdout(&["vault", "create", "acme/client", "--client-key"]);
    let at = |source: &'static str, path: &'static str| {
        let project = &project;
        move |args: &[&str], stdin: &str| {
            let output = run(project.ioenv(args).args(["--source", source, "--path", path]), stdin);
            assert!(output.status.success(), "{source} {path} {args:?}: {output:?}");
            text(&output.stdout)
        }
    };
    let document = "A=a\nPW='p${A}w'\nMIXED=\"\\${A} ${A}\"\nURL=\"http://${A}\"\n";
    let expanded = "A=a\nMIXED='${A} a'\nPW='p${A}w'\nURL=http://a\n";
    for (source, path) in [("sealed", "acme/dev"), ("vault", "acme/dev"), ("vault", "acme/client")] {
        let ioenv = at(source, path);
        let holds = |how: &str| {
            assert_eq!(ioenv(&["export", "--format", "document"], ""), document, "{source} {path}: {how}");
            assert_eq!(ioenv(&["export", "--expand"], ""), expanded, "{source} {path}: {how}");
        };
        ioenv(&["import", "-"], document);
        holds("import");
        ioenv(&["import", "-"], document);
        holds("import again");
        ioenv(&["set", "PW"], "p${A}w");
        ioenv(&["set", "MIXED", "--secret"], "${A} ${A}");
        ioenv(&["set", "URL"], "http://${A}");
        holds("set to the same");
        ioenv(&["set", "B"], "b");
        ioenv(&["unset", "B"], "");
        holds("set and unset of another");
        ioenv(&["import", "-", "--replace"], document);
        holds("import --replace");
        ioenv(&["set", "PW"], "q${A}w");
        assert!(ioenv(&["export", "--format", "document"], "").contains("PW=\"q${A}w\"\n"), "a new value is a new one");
        ioenv(&["import", "-"], document);
        holds("import over a new value");
        ioenv(&["set", "PW"], "other");
        ioenv(&["set", "--literal", "PW"], "p${A}w");
        holds("set --literal");
        ioenv(&["set", "URL", "--literal"], "http://${A}");
        assert!(ioenv(&["export", "--expand"], "").contains("URL='http://${A}'\n"), "made literal");
        ioenv(&["import", "-"], document);
        holds("import over another meaning");
    }
    for args in [["push", "acme/dev"], ["pull", "acme/dev"]] {
        project.stdout(&args);
        for source in ["sealed", "vault"] {
            assert_eq!(at(source, "acme/dev")(&["export", "--format", "document"], ""), document, "{args:?}");
        }
    }
}
