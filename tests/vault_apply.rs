//! `ioenv vault apply` and `dump`: real processes, a real SQLite file.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Project, run, text};
use ioenv::vault::{Action, Actor, At, AuditFilter, Declaration, NewBlob, Paging, RootKey, Token, Vault};
use ioenv::{Aes256Gcm, Cipher as _, ErrorKind, KeyDerivation as _, KeyString, SystemRandom, store};
use serde_json::Value;

const TEAM: &str = include_str!("../examples/team.toml");
const PLANTED: &str = "planted-3e7a";

/// An empty directory with a vault in it.
struct Directory(Project);

impl Directory {
    fn new() -> Self {
        let project = Project::new(&[("gone", "")]);
        for file in ["ioenv.toml", "ioenv.sealed", "ioenv.key", ".ioenv.sealed.lock"] {
            fs::remove_file(project.file(file)).unwrap();
        }
        project.stdout(&["vault", "init", "--organization", "main"]);
        project.write("team.toml", TEAM);
        Self(project)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.0.ioenv(args);
        command.env("IOENV_SOURCE", "vault");
        command
    }

    /// What is printed on stdout, and on stderr.
    fn ok(&self, args: &[&str]) -> [String; 2] {
        let output = run(&mut self.command(args), "");
        assert!(output.status.success(), "{args:?}: {output:?}");
        [text(&output.stdout), text(&output.stderr)]
    }

    fn out(&self, args: &[&str]) -> String {
        self.ok(args)[0].clone()
    }

    fn apply_json(&self, file: &str) -> Value {
        serde_json::from_str(&self.out(&["vault", "apply", file, "--json"])).unwrap()
    }

    fn is_done(&self, file: &str) {
        let [out, notes] = self.ok(&["vault", "apply", file]);
        assert_eq!(out, "");
        assert!(notes.starts_with("nothing to do: "), "{notes}");
    }

    fn vault(&self) -> Vault {
        let root = RootKey::parse(fs::read_to_string(self.0.file("ioenv.root")).unwrap().trim()).unwrap();
        Vault::open(store::Sqlite::open(self.0.file("ioenv.vault")).unwrap(), &root).unwrap()
    }

    /// Of the organization of the example.
    fn dump(&self) -> String {
        self.out(&["vault", "dump", "--organization", "acme"])
    }
}

/// The credentials of a document that `apply --json` printed, with their kind and name.
fn credentials(document: &Value) -> Vec<(String, String)> {
    let created = document["created"].as_array().unwrap().iter();
    created
        .filter_map(|thing| {
            Some((format!("{} {}", thing["kind"], thing["name"]), thing["credential"].as_str()?.to_owned()))
        })
        .collect()
}

#[test]
fn a_team_is_made_once() {
    let directory = Directory::new();
    let made = directory.apply_json("team.toml");
    // An environment that is built in is there already.
    assert_eq!((made["updated"].as_array().unwrap().len(), &made["unchanged"]), (0, &Value::from(1)));
    let credentials = credentials(&made);
    let kinds: Vec<&str> = credentials.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "\"account\" \"api\"",
            "\"service-key\" \"deployer: ci\"",
            "\"token\" \"server\"",
            "\"token\" \"auditor\"",
            "\"webhook\" \"https://hooks.acme.example/ioenv\"",
        ]
    );

    // Each credential works, and for what it was declared.
    let server = &credentials[2].1;
    let path = "acme-store/backend/production";
    let list = run(directory.command(&["list", "--path", path]).env("IOENV_TOKEN", server), "");
    assert_eq!(
        text(&list.stdout),
        "NAME               VALUE         LEVEL\n\
         DATABASE_URL       ••••••        acme-store/backend/production\n\
         LOG_LEVEL          warn          acme-store/backend/production, over acme-store\n\
         PORT               8080          acme-store/backend\n\
         REGION             eu-central-1  acme-store\n\
         SENTRY_DSN         ••••••        acme-store\n\
         STRIPE_SECRET_KEY  ••••••        acme-store/backend/production\n"
    );
    let value =
        run(directory.command(&["get", "DATABASE_URL", "--path", path]).env("IOENV_TOKEN", &credentials[0].1), "");
    assert!(text(&value.stdout).contains("example-only@db.acme.example"), "{value:?}");
    let refused = run(directory.command(&["list", "--path", "invoices"]).env("IOENV_TOKEN", server), "");
    assert_eq!(refused.status.code(), Some(1));

    let vault = directory.vault();
    let session = vault.session(Actor::system("test"));
    let acme = session.organizations().unwrap().into_iter().find(|one| one.slug == "acme").unwrap().id;
    let mut roles: Vec<String> = Vec::new();
    for member in session.members(acme, &Paging::new()).unwrap().items {
        roles.push(format!(
            "{} {} {}",
            member.email,
            member.role.to_string().split(':').next().unwrap(),
            member.teams.len()
        ));
    }
    roles.sort();
    assert_eq!(
        roles,
        [
            "aiko@acme.example developer 2",
            "jonas@acme.example member 1",
            "mia@acme.example owner 0",
            "sam@acme.example custom 0"
        ]
    );
    let environment = session.environment(At::Path(acme, &path.parse().unwrap())).unwrap();
    assert_eq!(environment.id.to_string(), "01JZ6Q2V8T9M4KCE3RWX5B7D0A");
    assert!(environment.is_production);
    let webhooks = session.webhooks(At::Path(acme, &path.parse().unwrap())).unwrap();
    assert!(webhooks.len() == 1 && !webhooks[0].enabled);
    assert_eq!(session.grants(At::Path(acme, &"acme-store".parse().unwrap())).unwrap().len(), 1);
    Token::parse(&credentials[1].1).unwrap();
    drop(vault);

    directory.is_done("team.toml");
    assert_eq!(directory.apply_json("team.toml"), serde_json::json!({"created": [], "updated": [], "unchanged": 36}));
    // A text has the same, each credential once.
    let other = Directory::new();
    let [out, notes] = other.ok(&["vault", "apply", "team.toml"]);
    assert_eq!(notes, "35 created, 0 updated, 1 unchanged\n");
    for prefix in ["sb_env_", "sb_service_", "ioenv_", "dotenv_", "whsec_"] {
        assert_eq!(out.split_whitespace().filter(|word| word.starts_with(prefix)).count(), 1, "{prefix}: {out}");
    }
    assert!(!out.contains("example-only") && !notes.contains("example-only"));
}

#[test]
fn applying_again_only_reads() {
    let directory = Directory::new();
    directory.ok(&["vault", "apply", "team.toml"]);
    let rows = |directory: &Directory| {
        let copy = store::Memory::new();
        store::copy(directory.vault().store(), &copy).unwrap();
        let range = store::KeyRange::prefix("");
        let read = store::StoreExt::read(&copy as &dyn store::Store, |tx| {
            tx.scan(&range, store::Order::Ascending, usize::MAX)
        });
        read.unwrap().into_iter().map(|row| (row.key, row.value)).collect::<BTreeSet<_>>()
    };
    let before = rows(&directory);
    directory.is_done("team.toml");
    let dump = directory.dump();
    directory.0.write("dump.toml", &dump);
    directory.is_done("dump.toml");
    // Telling what would be done does nothing.
    directory.0.write("more.toml", &TEAM.replace("\"info\"", "\"debug\"").replace("Mia Ortiz", "Mia O."));
    let [out, notes] = directory.ok(&["vault", "apply", "more.toml", "--dry-run"]);
    assert_eq!(notes, "nothing was done; it would be: 0 created, 2 updated, 34 unchanged\n", "{out}");
    let after = rows(&directory);
    assert!(before.iter().all(|row| after.contains(row) || row.0.starts_with("access/")), "something changed");
    let new: Vec<&(String, String)> = after.difference(&before).collect();
    let reads = |row: &(String, String)| {
        let is_record = row.0.starts_with("audit/");
        row.0.starts_with("access/") || row.0.starts_with("audit-") || (is_record && row.1.contains("\"read\""))
    };
    assert!(!new.is_empty() && new.iter().all(|row| reads(row)), "{:?}", new.iter().find(|row| !reads(row)));
}

#[test]
fn what_differs_is_changed() {
    let directory = Directory::new();
    directory.ok(&["vault", "apply", "team.toml"]);
    let changed = TEAM
        .replace("LOG_LEVEL = \"info\"", "LOG_LEVEL = \"debug\"\nADDED = \"1\"")
        .replace("The API and its workers", "The API")
        .replace("role = \"developer\"", "role = \"auditor\"")
        .replace(
            "name = \"staging\"\nstatus = \"staging\"",
            "name = \"Staging\"\nstatus = \"staging\"\nproduction = true",
        )
        .replace("role = \"editor\"", "role = \"admin\"")
        .replace("enabled = false", "enabled = true")
        .replace("192.0.2.0/24", "192.0.2.0/25")
        .replace("\"audit:read\"]\nexpires", "\"audit:read\", \"member:read\"]\nexpires");
    directory.0.write("changed.toml", &changed);
    let planned = directory.out(&["vault", "apply", "changed.toml", "--dry-run", "--json"]);
    let document = directory.apply_json("changed.toml");
    assert_eq!(serde_json::from_str::<Value>(&planned).unwrap(), document);
    let told = |list: &Value| -> Vec<String> {
        let things = list.as_array().unwrap().iter();
        things
            .map(|thing| format!("{} {} {}", thing["kind"], thing["name"], thing["changed"]).replace('"', ""))
            .collect()
    };
    assert_eq!(told(&document["created"]), ["variable ADDED null"]);
    assert_eq!(
        told(&document["updated"]),
        [
            "team backend [description]",
            "member aiko@acme.example [role]",
            "variable LOG_LEVEL [entry]",
            "environment Staging [name,production]",
            "grant backend [role]",
            "service-account deployer [allow_list]",
            "token auditor [permissions]",
            "webhook https://hooks.acme.example/ioenv [enabled]",
        ]
    );
    directory.is_done("changed.toml");
}

#[test]
fn a_dump_makes_the_same_elsewhere() {
    let [first, second] = [Directory::new(), Directory::new()];
    first.ok(&["vault", "apply", "team.toml"]);
    let dump = first.dump();
    for secret in ["example-only", "errors.acme.example", "ioenv_", "sb_", "dotenv_", "whsec_", "cGxhbnRlZC1wcm9v"] {
        assert!(!dump.contains(secret), "{secret}");
    }
    // The proof of a key that the vault does not hold is a secret, too, without which nobody can make the project.
    second.0.write("dump.toml", &dump);
    let failed = run(&mut second.command(&["vault", "apply", "dump.toml"]), "");
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed.stderr).contains("give the `proof`"), "{failed:?}");
    let proof = "key.custody = \"client\"\nkey.proof = \"cGxhbnRlZC1wcm9vZi1vZi1hLWtleS0tLS0tLS0tLS0=\"";
    second.0.write("whole.toml", &dump.replace("key.custody = \"client\"", proof));
    let document = second.apply_json("whole.toml");
    assert!(document["created"].as_array().unwrap().len() > 5);
    assert_eq!(second.dump(), dump);
    // All of the vault.
    let all = first.out(&["vault", "dump"]);
    assert_eq!(all.matches("[[organization]]").count(), 2, "those of people, in which there is nothing, are not there");
    first.0.write("all.toml", &all);
    first.is_done("all.toml");
}

#[test]
fn what_is_killed_is_finished_by_the_next_run() {
    let wanted = {
        let directory = Directory::new();
        directory.ok(&["vault", "apply", "team.toml"]);
        without_ids(&directory.dump())
    };
    let mut halves = 0;
    for round in 0..20 {
        let directory = Directory::new();
        let mut told = Vec::new();
        for attempt in 0..2 {
            let mut command = directory.command(&["vault", "apply", "team.toml"]);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            // Each line is told when its step is done, so the next steps are on their way when it is heard.
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
            let mut heard: Vec<String> = lines.by_ref().take(1 + round + attempt).collect();
            let _ = child.kill();
            heard.extend(lines);
            halves += usize::from(!child.wait().unwrap().success());
            told.push(heard.join("\n"));
        }
        told.push(directory.out(&["vault", "apply", "team.toml"]));
        directory.is_done("team.toml");
        assert_eq!(without_ids(&directory.dump()), wanted);
        // No credential is made a second time, whether its first telling was heard or not.
        for prefix in ["sb_env_", "sb_service_", "ioenv_", "dotenv_", "whsec_"] {
            let heard: Vec<&str> =
                told.iter().flat_map(|out| out.split_whitespace()).filter(|word| word.starts_with(prefix)).collect();
            assert!(heard.len() <= 1, "{prefix}: {}", heard.len());
        }
        let vault = directory.vault();
        let session = vault.session(Actor::system("test"));
        let acme = session.organizations().unwrap().into_iter().find(|one| one.slug == "acme").unwrap().id;
        assert_eq!(session.tokens(acme).unwrap().len(), 2);
        let filter = AuditFilter::new().action(Action::Create);
        let created = session.audit(acme, &filter, &Paging::new().limit(200)).unwrap().items;
        let ids: BTreeSet<_> = created.iter().map(|record| format!("{:?}", record.resource)).collect();
        assert_eq!(ids.len(), created.len(), "nothing is made twice");
    }
    assert!(halves >= 20, "{halves} of 40 were killed between their first and their last step");
}

/// A dump, but for what is another one in each vault.
fn without_ids(dump: &str) -> String {
    let lines = dump.lines().filter(|line| !line.starts_with("id = ") && !line.starts_with("expires = "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_step_that_fails_comes_after_what_is_told() {
    let directory = Directory::new();
    let broken = TEAM.replace("path = \"acme-store/backend/staging\"", "path = \"acme-store/backend\"");
    directory.0.write("broken.toml", &broken);
    let output = run(&mut directory.command(&["vault", "apply", "broken.toml", "--json"]), "");
    assert_eq!(output.status.code(), Some(1));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["created"].as_array().unwrap().len(), 28);
    let complaint = text(&output.stderr);
    let line = 1 + broken[..broken.find("user = \"jonas").unwrap()].matches('\n').count() - 1;
    assert!(complaint.contains(&format!("broken.toml: line {line}, column ")), "{complaint}");
    assert!(complaint.contains("not in a target"), "{complaint}");
    let made = directory.apply_json("team.toml");
    assert_eq!((made["created"].as_array().unwrap().len(), &made["unchanged"]), (7, &Value::from(29)));

    // Nobody listens: nothing is made that nobody would hear of.
    let deaf = Directory::new();
    let mut command = deaf.command(&["vault", "apply", "team.toml"]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    if let Ok(full) = full {
        let status = command.stdout(full).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(1));
        let vault = deaf.vault();
        assert!(vault.statistics().unwrap().projects == 0);
    }
}

#[test]
fn a_project_key_is_told_if_the_file_asks() {
    let directory = Directory::new();
    let file = "[[organization]]\nname = \"Orbit\"\n\n[[organization.project]]\nname = \"shop\"\n\
                key = { scheme = \"pbkdf2\", string = \"planted-3e7a key string\", tell = true }\n\
                secrets = { A = { value = \"planted-3e7a\", comment = \"planted-3e7a\" } }\n";
    directory.0.write("orbit.toml", file);
    let [out, notes] = directory.ok(&["vault", "apply", "orbit.toml"]);
    assert_eq!(out.matches(PLANTED).count(), 1, "the key string, where it is told: {out}");
    assert!(out.lines().any(|line| line.starts_with("created  project") && line.ends_with("planted-3e7a key string")));
    assert!(!notes.contains(PLANTED));
    directory.is_done("orbit.toml");
    let dump = directory.out(&["vault", "dump", "--organization", "orbit"]);
    assert!(
        dump.contains("A = { keep = true }\n") && !dump.contains("planted") && !dump.contains("key string"),
        "{dump}"
    );
    assert!(dump.contains("key.scheme = \"pbkdf2\""), "{dump}");
    directory.0.write(
        "other.toml",
        &file
            .replace("scheme = \"pbkdf2\", string = \"planted-3e7a key string\", tell = true", "custody = \"client\"")
            .replace("secrets =", "# "),
    );
    let complaint = run(&mut directory.command(&["vault", "apply", "other.toml"]), "");
    assert!(text(&complaint.stderr).contains("neither the custody"), "{complaint:?}");
}

#[test]
fn a_key_string_is_kept_with_the_blanks_around_it() {
    let directory = Directory::new();
    let file = "[[organization]]\nname = \"Orbit\"\n\n[[organization.project]]\nname = \"shop\"\n\
                key = { scheme = \"pbkdf2\", string = \" a key string\\n\" }\n";
    directory.0.write("orbit.toml", file);
    directory.ok(&["vault", "apply", "orbit.toml"]);
    let vault = directory.vault();
    let session = vault.session(Actor::system("test"));
    let orbit = session.organizations().unwrap().into_iter().find(|one| one.slug == "orbit").unwrap().id;
    let key = session.key(At::Path(orbit, &"shop".parse().unwrap())).unwrap();
    assert_eq!(key.text.unwrap().expose_secret(), " a key string\n");
}

#[test]
fn what_is_no_dotenv_text_is_left_out_of_a_dump() {
    let directory = Directory::new();
    let project = |name: &str, more: &str| {
        format!("[[organization.project]]\nname = \"{name}\"\nkey.scheme = \"pbkdf2\"\n{more}\n")
    };
    let json = project("documents", "secret_format = \"json\"");
    let file = ["[[organization]]\nname = \"Orbit\"\n", &json, &project("texts", ""), &project("strange", "")].concat();
    directory.0.write("orbit.toml", &file);
    directory.ok(&["vault", "apply", "orbit.toml"]);
    {
        let vault = directory.vault();
        let session = vault.session(Actor::system("test"));
        let orbit = session.organizations().unwrap().into_iter().find(|one| one.slug == "orbit").unwrap().id;
        for (name, is_ours) in [("documents", true), ("texts", true), ("strange", false)] {
            let key = session.key(At::Path(orbit, &name.parse().unwrap())).unwrap();
            let text = if is_ours { key.text.unwrap() } else { "another key".into() };
            let key = key.derivation.unwrap().derive(&KeyString::new(text.expose_secret()).unwrap()).unwrap();
            let blob = Aes256Gcm.seal(&key, br#"{"A": "planted-3e7a"}"#, &SystemRandom).unwrap();
            session.set_blob(At::Path(orbit, &name.parse().unwrap()), &NewBlob::new(blob)).unwrap();
        }
    }
    let dump = directory.out(&["vault", "dump", "--organization", "orbit"]);
    assert!(dump.contains("name = \"texts\"") && !dump.contains("secrets") && !dump.contains(PLANTED), "{dump}");
    directory.0.write("dump.toml", &dump);
    directory.is_done("dump.toml");
    let checked = run(&mut directory.command(&["vault", "check"]), "");
    let lines = text(&checked.stdout);
    let line = |name: &str| lines.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(line("documents").ends_with("opens, and is no dotenv text"), "{lines}");
    assert!(line("texts").ends_with("opens, and is no dotenv text"), "{lines}");
    assert!(line("strange").ends_with("something else sealed it; read it as a blob"), "{lines}");
}

/// Each is an error that names a line, and repeats nothing of the file.
#[test]
#[expect(clippy::too_many_lines, reason = "there is one line for each mistake")]
fn bad_files_are_refused_with_their_line() {
    let organization = "[[organization]]\nname = \"Acme\"\n";
    let project = format!("{organization}[[organization.project]]\nname = \"shop\"\n");
    let token = format!("{organization}[[organization.token]]\nname = \"planted-3e7a\"\n");
    let cases: &[(String, usize, ErrorKind, &str)] = &[
        ("name = planted-3e7a\n".into(), 1, ErrorKind::Config, "not TOML"),
        ("[[organization]]\nname = \"planted-3e7a\n".into(), 2, ErrorKind::Config, "not TOML"),
        ("planted-3e7a = 1\n".into(), 1, ErrorKind::Config, "no such field; it has: organization"),
        ("organization = \"planted-3e7a\"\n".into(), 1, ErrorKind::Config, "[[...organization]]"),
        (format!("{organization}planted-3e7a = true\n"), 3, ErrorKind::Config, "an organization has no such field"),
        ("[[organization]]\nslug = \"acme\"\n".into(), 1, ErrorKind::Config, "an organization needs a `name`"),
        ("[[organization]]\nname = 7\n".into(), 2, ErrorKind::Config, "a string, between quotes"),
        (format!("{organization}slug = \"planted 3e7a\"\n"), 3, ErrorKind::InvalidName, ""),
        (format!("{organization}plan = \"planted-3e7a\"\n"), 3, ErrorKind::InvalidValue, "Free, Pro and Team"),
        (format!("{organization}id = \"planted-3e7a\"\n"), 3, ErrorKind::InvalidValue, "not an id"),
        (format!("{organization}id = \"org_planted-3e7a\"\n"), 3, ErrorKind::InvalidValue, "not an id"),
        (format!("{organization}{organization}"), 3, ErrorKind::Conflict, "declared twice"),
        (
            format!("{organization}[[organization.member]]\nemail = \"planted-3e7a\"\nrole = \"owner\"\n"),
            4,
            ErrorKind::InvalidValue,
            "email",
        ),
        (
            format!("{organization}[[organization.member]]\nemail = \"a@b\"\nrole = \"planted-3e7a\"\n"),
            5,
            ErrorKind::InvalidValue,
            "`owner`",
        ),
        (format!("{project}variables = {{ \"planted 3e7a\" = \"1\" }}\n"), 5, ErrorKind::InvalidName, ""),
        (format!("{project}variables = {{ PORT = 8080 }}\n"), 5, ErrorKind::Config, "a string, between quotes"),
        (
            format!("{project}secrets.A = {{ comment = \"planted-3e7a\" }}\n"),
            5,
            ErrorKind::Config,
            "either a `value`, the value `quoted`, or `keep = true`",
        ),
        (
            format!("{project}secrets.A = {{ value = \"planted-3e7a\", keep = true }}\n"),
            5,
            ErrorKind::Config,
            "either a `value`",
        ),
        (
            format!("{project}secrets.A = {{ value = \"planted-3e7a\", quoted = \"planted-3e7a\" }}\n"),
            5,
            ErrorKind::Config,
            "either a `value`",
        ),
        (
            format!("{project}secrets.A = {{ quoted = \"'planted-3e7a\" }}\n"),
            5,
            ErrorKind::Syntax,
            "as a dotenv file has it",
        ),
        (
            format!("{project}variables.A = \"1\"\nsecrets.A = \"planted-3e7a\"\n"),
            6,
            ErrorKind::Conflict,
            "declared twice",
        ),
        (
            format!("{project}key.string = \"planted-3e7a\"\n"),
            5,
            ErrorKind::Config,
            "only a key of the scheme `pbkdf2`",
        ),
        (format!("{project}key.custody = \"planted-3e7a\"\n"), 5, ErrorKind::InvalidValue, "`server` `client`"),
        (
            format!("{project}key.custody = \"client\"\nsecrets.A = \"planted-3e7a\"\n"),
            3,
            ErrorKind::ClientManaged,
            "ioenv set",
        ),
        (
            format!("{project}secret_format = \"json\"\nsecrets.A = \"planted-3e7a\"\n"),
            3,
            ErrorKind::Config,
            "of the format `env` alone",
        ),
        (
            format!("{token}permissions = [\"planted-3e7a\"]\n"),
            5,
            ErrorKind::InvalidValue,
            "`read`, `write` and `admin`",
        ),
        (token.clone(), 3, ErrorKind::Config, "`permissions`"),
        (format!("{token}permissions = [\"read\"]\npath = \"planted 3e7a\"\n"), 6, ErrorKind::InvalidName, ""),
        (
            format!("{token}permissions = [\"read\"]\nexpires = \"planted-3e7a\"\n"),
            6,
            ErrorKind::InvalidValue,
            "like 90d",
        ),
        (
            format!("{organization}[[organization.grant]]\nrole = \"viewer\"\npath = \"shop\"\n"),
            3,
            ErrorKind::Config,
            "by email, or to a `team`",
        ),
        (
            format!(
                "{organization}[[organization.service]]\nname = \"a\"\npermissions = [\"*\"]\nallow_list = [\"planted-3e7a\"]\n"
            ),
            6,
            ErrorKind::InvalidValue,
            "",
        ),
    ];
    let directory = Directory::new();
    for (file, line, kind, part) in cases {
        let error = Declaration::parse(file).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert_eq!((error.kind(), error.position().map(|(line, _)| line)), (*kind, Some(*line)), "{file}\n{shown}");
        assert!(shown.contains(part) && !shown.contains("planted"), "{file}\n{shown}");
    }
    for (file, ..) in cases.iter().step_by(5) {
        directory.0.write("bad.toml", file);
        let complaint = directory.0.complaint(&["vault", "apply", "bad.toml"]);
        assert!(complaint.starts_with("error: bad.toml: line ") && !complaint.contains("planted"), "{complaint}");
    }
    assert!(!directory.out(&["vault", "dump"]).contains("Acme"));
    assert!(Path::new(&directory.0.file("bad.toml")).exists());
}

#[test]
fn the_guide_has_the_example_whole() {
    assert!(include_str!("../docs/apply.md").contains(&format!("```toml\n{TEAM}```\n")));
}
