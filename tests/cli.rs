//! The command, as a user types it: real processes, real files.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Project, run, text};
use ioenv::{LevelKey, SystemRandom};
use serde_json::Value;

const PROJECT: &str = "# ioenv: variable\nLOG_LEVEL=info\nSTRIPE_KEY=sk_test\nDB_HOST=localhost\n";
const BACKEND: &str = "DATABASE_URL=\"postgres://${DB_HOST}/shop\"\nBAD=\"${NOBODY}\"\n";
const PRODUCTION: &str = "# ioenv: variable\nLOG_LEVEL=warn\nSTRIPE_KEY=sk_live\n";

fn project() -> Project {
    Project::new(&[
        ("acme-store", PROJECT),
        ("acme-store/backend", BACKEND),
        ("acme-store/backend/production", PRODUCTION),
    ])
}

fn empty() -> Project {
    let project = Project::new(&[("gone", "")]);
    for file in ["ioenv.toml", "ioenv.sealed", "ioenv.key", ".ioenv.sealed.lock"] {
        fs::remove_file(project.file(file)).unwrap();
    }
    project
}

#[test]
fn a_project_is_made_filled_and_run() {
    let project = empty();
    project.write(".gitignore", "/target");
    project.write(".env", "A=1\nA=2\n# ioenv: variable\nPORT=80\nKEY=\"-----BEGIN\nline\n-----END\"\n");
    project.write(".env.production", "PORT=8080\n");

    let init = run(&mut project.ioenv(&["init", "acme-store"]), "");
    assert!(init.status.success() && init.stdout.is_empty(), "{init:?}");
    assert_eq!(fs::read_to_string(project.file(".gitignore")).unwrap(), "/target\n/ioenv.key\n/.ioenv.sealed.*\n");
    assert!(fs::read_to_string(project.file("ioenv.toml")).unwrap().contains("path = \"acme-store\"\n"));
    #[cfg(unix)]
    assert_eq!(mode(&project, "ioenv.key"), 0o600);

    let import = run(&mut project.ioenv(&["import", ".env", "--path", "acme-store"]), "");
    assert!(import.status.success() && import.stdout.is_empty(), "{import:?}");
    assert!(text(&import.stderr).contains("A is set more than once"), "{import:?}");
    project.stdout(&["import", ".env.production", "--path", "acme-store/backend/production"]);
    let set = &["set", "API_KEY", "--path", "acme-store/backend/production"];
    assert!(run(&mut project.ioenv(set), "sk-1\n").status.success());

    let here = ["--path", "acme-store/backend/production"];
    let list = project.stdout(&[&["list"], &here[..]].concat());
    assert_eq!(
        list,
        "NAME     VALUE   LEVEL\n\
         A        ••••••  acme-store\n\
         API_KEY  ••••••  acme-store/backend/production\n\
         KEY      ••••••  acme-store\n\
         PORT     ••••••  acme-store/backend/production, over acme-store\n"
    );
    let child =
        project.stdout(&[&["run"], &here[..], &["--", "sh", "-c", "echo $A $PORT $API_KEY; echo \"$KEY\""]].concat());
    assert_eq!(child, "2 8080 sk-1\n-----BEGIN\nline\n-----END\n");

    let again = run(&mut project.ioenv(&["init", "acme-store"]), "");
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("is there already; nothing was changed"));
    assert_eq!(project.stdout(&[&["get", "A"], &here[..]].concat()), "2");
}

#[test]
fn init_takes_the_path_and_the_key_file_it_is_given() {
    let project = empty();
    fs::create_dir(project.file("keys")).unwrap();
    project.stdout(&["init", "acme", "--path", "acme/web/dev", "--key-file", "keys/my own.key"]);
    assert!(!project.file("ioenv.key").exists());
    #[cfg(unix)]
    assert_eq!(mode(&project, "keys/my own.key"), 0o600);
    assert_eq!(fs::read_to_string(project.file(".gitignore")).unwrap(), "/keys/my own.key\n/.ioenv.sealed.*\n");
    assert!(run(&mut project.ioenv(&["set", "A"]), "1").status.success());
    assert_eq!(project.stdout(&["explain", "A"]).lines().nth(1), Some("  acme/web/dev decides"));

    let project = empty();
    let outside = tempfile::tempdir().unwrap();
    let key = outside.path().join("k");
    project.stdout(&["init", "acme", "--key-file", key.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(project.file(".gitignore")).unwrap(), "/.ioenv.sealed.*\n");
    assert_eq!(project.stdout(&["list"]), "");
    // Another project's level, and a name that ioenv.toml cannot hold, are refused before anything is made.
    let project = empty();
    for args in [&["init", "acme", "--path", "other/dev"][..], &["init", "acme", "--key-file", "it's"]] {
        project.complaint(args);
        assert_eq!(fs::read_dir(project.directory()).unwrap().count(), 0);
    }
}

#[cfg(unix)]
fn mode(project: &Project, file: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;

    fs::metadata(project.file(file)).unwrap().permissions().mode() & 0o777
}

#[test]
fn values_are_shown_only_when_asked_for() {
    let project = project();
    assert_eq!(
        project.stdout(&["list"]),
        "NAME          VALUE   LEVEL\n\
         BAD           ••••••  acme-store/backend\n\
         DATABASE_URL  ••••••  acme-store/backend\n\
         DB_HOST       ••••••  acme-store\n\
         LOG_LEVEL     warn    acme-store/backend/production, over acme-store\n\
         STRIPE_KEY    ••••••  acme-store/backend/production, over acme-store\n"
    );
    assert_eq!(
        project.stdout(&["list", "--own", "--show"]),
        "NAME        VALUE    LEVEL\n\
         LOG_LEVEL   warn     acme-store/backend/production\n\
         STRIPE_KEY  sk_live  acme-store/backend/production\n"
    );
    let json: Value = serde_json::from_str(&project.stdout(&["list", "--format", "json"])).unwrap();
    assert_eq!(json[3]["name"], "LOG_LEVEL");
    assert_eq!(json[3]["value"], "warn");
    assert_eq!(json[3]["overrides"][0], "acme-store");
    assert_eq!(json[4]["kind"], "secret");
    assert!(json[4].get("value").is_none());
}

#[test]
fn what_moves_a_cursor_is_not_printed_as_it_is() {
    let project = Project::new(&[("acme", "# ioenv: variable\nA=\"x\\ry\u{1b}[2J\u{202e}\"\n")]);
    assert!(project.stdout(&["list"]).contains("x\\ry\\u{1b}[2J\\u{202e}"));
}

#[test]
fn explain_walks_the_chain() {
    let project = project();
    assert_eq!(
        project.stdout(&["explain", "STRIPE_KEY"]),
        "STRIPE_KEY is a secret: ••••••\n  \
         acme-store/backend/production decides\n  \
         acme-store/backend does not set it\n  \
         acme-store is overridden\n"
    );
    let shadowed = run(project.ioenv(&["explain", "LOG_LEVEL"]).env("LOG_LEVEL", "debug"), "");
    assert!(
        text(&shadowed.stdout)
            .ends_with("the process has its own, which would win in `ioenv::load()` and `ioenv run`\n")
    );
    assert!(
        project.complaint(&["explain", "NOBODY"]).contains("no level of acme-store/backend/production sets NOBODY")
    );
}

#[test]
fn the_tree_needs_no_key() {
    let project = Project::new(&[("acme/web/dev", ""), ("acme/api", ""), ("acme/api/prod", "")]);
    fs::remove_file(project.file("ioenv.key")).unwrap();
    assert_eq!(
        project.stdout(&["tree"]),
        "acme  (no level of its own)\n\
         ├── api  (key main)\n\
         │   └── prod  (key main)\n\
         └── web  (no level of its own)\n    \
             └── dev  (key main)\n"
    );
    assert_eq!(
        project.stdout(&["tree", "--path", "acme/web"]),
        "web  (no level of its own)\n└── dev  (key main)\n".replacen("web", "acme/web", 1)
    );
}

#[test]
fn an_export_reads_back() {
    let project = project();
    let plain = project.stdout(&["export"]);
    assert!(plain.contains("DATABASE_URL='postgres://${DB_HOST}/shop'\n"), "{plain}");
    let expanded = run(&mut project.ioenv(&["export", "--expand", "--format", "json"]), "");
    let json: Value = serde_json::from_str(&text(&expanded.stdout)).unwrap();
    assert_eq!(json["DATABASE_URL"], "postgres://localhost/shop");
    assert_eq!(json["BAD"], "${NOBODY}");
    assert!(text(&expanded.stderr).contains("BAD refers to NOBODY, which no level sets"));
    assert_eq!(project.stdout(&["export", "--own"]), "LOG_LEVEL=warn\nSTRIPE_KEY=sk_live\n");

    assert_eq!(project.stdout(&["export", "--own", "-o", "out.env"]), "");
    #[cfg(unix)]
    assert_eq!(mode(&project, "out.env"), 0o600);
    project.write("out.env", "mine");
    assert!(project.complaint(&["export", "-o", "out.env"]).contains("--force"));
    assert_eq!(fs::read_to_string(project.file("out.env")).unwrap(), "mine");
    project.stdout(&["export", "--own", "-o", "out.env", "--force"]);
    assert_eq!(fs::read_to_string(project.file("out.env")).unwrap(), "LOG_LEVEL=warn\nSTRIPE_KEY=sk_live\n");
}

#[test]
fn setting_takes_a_value_from_stdin_and_warns_of_an_argument() {
    let project = project();
    let level = "acme-store/backend/production";
    for (stdin, expected) in [("x\n", "x"), ("x\r\n", "x"), ("x\n\n", "x\n"), ("two\nlines", "two\nlines")] {
        let set = run(&mut project.ioenv(&["set", "A"]), stdin);
        assert!(set.status.success() && set.stdout.is_empty() && set.stderr.is_empty(), "{set:?}");
        assert_eq!(project.value(level, "A").as_deref(), Some(expected));
    }
    let set = run(&mut project.ioenv(&["set", "A", "planted", "--variable"]), "");
    assert!(text(&set.stderr).starts_with("warning: a value given as an argument"), "{set:?}");
    let set = run(&mut project.ioenv(&["set", "A", "planted", "--secret"]), "");
    assert!(set.status.success());
    assert!(text(&set.stderr).starts_with("warning: a value given as an argument"), "{set:?}");
    assert!(!text(&set.stderr).contains("planted"));
    assert_eq!(project.value(level, "A").as_deref(), Some("planted"));

    project.stdout(&["set", "B", "1", "--variable"]);
    assert!(project.level(level).unwrap().to_text().expose_secret().contains("# ioenv: variable\nB=1\n"));
    project.stdout(&["set", "B", "2", "--secret"]);
    assert!(!project.level(level).unwrap().to_text().expose_secret().contains("variable\nB="));
}

#[test]
fn unsetting_is_all_or_nothing() {
    let project = project();
    let before = fs::read(project.sealed_file()).unwrap();
    assert!(project.complaint(&["unset", "STRIPE_KEY", "DB_HOST"]).contains("does not set DB_HOST itself"));
    assert!(project.complaint(&["unset", "A", "--path", "acme-store/web"]).contains("there is no level"));
    assert_eq!(fs::read(project.sealed_file()).unwrap(), before);
    project.stdout(&["unset", "STRIPE_KEY"]);
    assert_eq!(project.stdout(&["get", "STRIPE_KEY"]), "sk_test");
    assert!(project.complaint(&["get", "NOBODY"]).contains("has no NOBODY"));
}

#[test]
fn an_import_adds_or_replaces() {
    let project = project();
    project.write("new.env", "STRIPE_KEY=sk_new\nNEW=1\n");
    let import = run(&mut project.ioenv(&["import", "new.env", "--variable", "NEW"]), "");
    assert_eq!(text(&import.stderr), "acme-store/backend/production: 1 added, 1 changed, 0 as before\n");
    assert_eq!(project.stdout(&["export", "--own"]), "LOG_LEVEL=warn\nNEW=1\nSTRIPE_KEY=sk_new\n");
    assert!(project.stdout(&["list"]).contains("NEW           1 "));

    let import = run(&mut project.ioenv(&["import", "-", "--replace"]), "ONLY=1\n");
    assert!(import.status.success());
    assert_eq!(project.stdout(&["export", "--own"]), "ONLY=1\n");

    let before = fs::read(project.sealed_file()).unwrap();
    project.write("bad.env", "A=1\nplanted secret\n");
    let complaint = project.complaint(&["import", "bad.env"]);
    assert!(complaint.contains("bad.env: line 2, column 1") && !complaint.contains("planted"), "{complaint}");
    assert!(project.complaint(&["import", "new.env", "--variable", "OTHER"]).contains("does not set OTHER"));
    assert_eq!(fs::read(project.sealed_file()).unwrap(), before);
}

#[test]
fn run_gives_the_child_what_it_needs_and_no_credentials() {
    let project = project();
    let shell = |script: &str, more: &[&str]| {
        let mut command = project.ioenv(&[&["run"], more, &["--", "/bin/sh", "-c", script]].concat());
        command
            .env("IOENV_KEY", project.key.to_text().expose_secret())
            .env("IOENV_TOKEN", "t")
            .env("LOG_LEVEL", "mine");
        command
    };
    let output = run(&mut shell("echo \"$LOG_LEVEL $STRIPE_KEY [$IOENV_KEY$IOENV_TOKEN]\"", &[]), "");
    assert_eq!(text(&output.stdout), "mine sk_live []\n");
    let output = run(&mut shell("echo $LOG_LEVEL $DATABASE_URL", &["--override", "--expand"]), "");
    assert_eq!(text(&output.stdout), "warn postgres://localhost/shop\n");
    let output = run(&mut shell("echo \"$LOG_LEVEL [$STRIPE_KEY] $DB_HOST\"", &["--only", "DB_HOST,LOG_LEVEL"]), "");
    assert_eq!(text(&output.stdout), "mine [] localhost\n");
    let output = run(&mut shell("cat; exit 42", &[]), "from stdin");
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(42), "from stdin"));
}

#[cfg(unix)]
#[test]
fn run_becomes_the_child() {
    use std::os::unix::process::ExitStatusExt as _;

    let project = project();
    let child = project.ioenv(&["run", "--", "/bin/sh", "-c", "kill -TERM $$"]).status().unwrap();
    assert_eq!(child.signal(), Some(15));
    let output = run(&mut project.ioenv(&["run", "--", "/bin/sh", "-c", "echo $$"]), "");
    assert_ne!(text(&output.stdout), "");
    let mut command = project.ioenv(&["run", "--", "/bin/sh", "-c", "echo $$"]);
    let child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let id = child.id();
    assert_eq!(text(&child.wait_with_output().unwrap().stdout), format!("{id}\n"));
}

#[test]
fn loader_names_are_withheld_and_reported() {
    let project = Project::new(&[("acme", "LD_PRELOAD=/evil.so\nA=1\n")]);
    let output = run(&mut project.ioenv(&["run", "--", "/bin/sh", "-c", "echo \"$A[$LD_PRELOAD]\""]), "");
    assert_eq!(text(&output.stdout), "1[]\n");
    assert!(project.stdout(&["list"]).contains("LD_PRELOAD  ••••••  acme (withheld)"));
    assert!(
        project
            .stdout(&["explain", "LD_PRELOAD"])
            .ends_with("withheld, because it changes how programs are loaded, unless `only` lists it\n")
    );
    assert!(
        text(&output.stderr).contains("LD_PRELOAD changes how programs are loaded, or is ioenv's own, and is withheld")
    );
}

#[test]
fn keys_are_shown_checked_made_and_used() {
    let project = project();
    assert!(project.stdout(&["key"]).starts_with("KEY   SCHEME  CREATED"));
    assert!(project.stdout(&["key", "check"]).contains("acme-store/backend/production  main  opens, 2 entries"));

    let new = run(&mut project.ioenv(&["key", "new", "prod"]), "");
    assert!(new.status.success() && new.stdout.is_empty(), "{new:?}");
    let key_file = fs::read_to_string(project.file("ioenv.key")).unwrap();
    assert_eq!(key_file.lines().filter(|line| line.starts_with("ioenv_key_")).count(), 2);
    project.stdout(&["key", "use", "prod"]);
    assert!(project.stdout(&["tree"]).contains("production  (key prod)"));
    assert_eq!(project.stdout(&["get", "STRIPE_KEY"]), "sk_live");
    assert!(project.complaint(&["key", "remove", "prod"]).contains("still uses the key `prod`"));

    // Without the new key the level does not open, and the one that is missing is named.
    project.write("dev.key", key_file.lines().next().unwrap());
    project.set_mode("dev.key", 0o600);
    let complaint = project.complaint(&["list", "--key-file", "dev.key"]);
    assert!(complaint.contains("the key `prod` is missing"), "{complaint}");
    assert_eq!(project.stdout(&["get", "LOG_LEVEL", "--path", "acme-store", "--key-file", "dev.key"]), "info");
    let check = run(&mut project.ioenv(&["key", "check", "--key-file", "dev.key"]), "");
    assert_eq!(check.status.code(), Some(1));
    assert!(text(&check.stdout).contains("production  prod  the key is missing"));
    project.stdout(&["key", "check", "--path", "acme-store", "--key-file", "dev.key"]);

    let level = "acme-store/backend/production";
    project.stdout(&["key", "use", "main", "--path", level]);
    project.stdout(&["key", "remove", "prod"]);
    assert!(!project.stdout(&["key"]).contains("prod "));
}

#[test]
fn configuration_is_code_over_environment_over_file() {
    let project = project();
    let get = |change: &dyn Fn(&mut Command) -> &mut Command, more: &[&str]| {
        let mut command = project.ioenv(&[&["get", "LOG_LEVEL"], more].concat());
        change(&mut command);
        let output = run(&mut command, "");
        text(&output.stdout) + &text(&output.stderr)
    };
    assert_eq!(get(&|command| command, &[]), "warn");
    assert_eq!(get(&|command| command.env("IOENV_PATH", "acme-store"), &[]), "info");
    assert_eq!(get(&|command| command.env("IOENV_PATH", ""), &[]), "warn");
    let path = ["--path", "acme-store/backend/production"];
    assert_eq!(get(&|command| command.env("IOENV_PATH", "acme-store"), &path), "warn");

    project.write("ioenv.toml", "path = \"acme-store/{env}/production\"\n");
    assert!(get(&|command| command, &[]).contains("IOENV_ENV is not set: set it, as in IOENV_ENV=production"));
    assert_eq!(get(&|command| command.env("IOENV_ENV", "backend"), &[]), "warn");
    assert!(get(&|command| command.env("IOENV_ENV", "a/b"), &[]).contains("IOENV_ENV cannot fill {env}"));
    assert_eq!(get(&|command| command.env("IOENV_ENV", "backend").env("IOENV_PATH", "acme-store"), &[]), "info");
    project.write("ioenv.toml", "path = \"acme-store\"\n");
    assert!(get(&|command| command.env("IOENV_ENV", "dev"), &[]).contains("has no `{env}` for it to fill"));

    fs::rename(project.sealed_file(), project.file("other.sealed")).unwrap();
    fs::rename(project.file("ioenv.key"), project.file("other.key")).unwrap();
    assert!(get(&|command| command, &[]).contains("cannot read the sealed file"));
    assert_eq!(
        get(&|command| command.env("IOENV_FILE", "other.sealed").env("IOENV_KEY_FILE", "other.key"), &[]),
        "info"
    );
    project.write("ioenv.toml", "path = \"acme-store\"\nfile = \"other.sealed\"\nkey_file = \"other.key\"\n");
    assert_eq!(get(&|command| command, &[]), "info");
    fs::create_dir(project.file("below")).unwrap();
    assert_eq!(get(&|command| command.current_dir(project.file("below")), &["--dir", ".."]), "info");
    assert_eq!(get(&|command| command.env("IOENV_SOURCE", "sealed"), &[]), "info");

    for (toml, complaint) in [
        (
            "paths = \"a\"\n",
            "line 1, column 1: there is no such setting; there is: expand, file, key_file, path, precedence, source, vault",
        ),
        ("path = 1\n", "`path` must be a string"),
        ("path = \"a\"\nplanted planted\n", "line 2, column 9: this is not TOML"),
        ("expand = \"planted\"\n", "`expand` must be true or false"),
    ] {
        project.write("ioenv.toml", toml);
        let shown = get(&|command| command, &[]);
        assert!(shown.contains(complaint) && !shown.contains("planted"), "{shown}");
    }
}

#[test]
fn each_thing_that_is_missing_has_its_own_sentence() {
    let project = empty();
    assert!(project.complaint(&["list", "--path", "a"]).contains("no ioenv.toml in"));
    project.stdout(&["init", "acme"]);
    project.write("ioenv.toml", "");
    assert!(project.complaint(&["list"]).contains("no path is given: write `path = "));
    project.write("ioenv.toml", "path = \"acme\"\n");
    assert!(
        project
            .complaint(&["list", "--path", "acme/nope"])
            .contains("acme/nope: there is no such level in the file; there is: acme")
    );
    fs::remove_file(project.file("ioenv.key")).unwrap();
    assert!(project.complaint(&["list"]).contains("no key is given, and `main` is needed: give it in IOENV_KEY"));
    project.write("ioenv.key", "a passphrase of somebody else");
    project.set_mode("ioenv.key", 0o600);
    let complaint = project.complaint(&["list"]);
    assert!(complaint.contains("decryption failed: no key given is the key `main`"), "{complaint}");
    assert!(complaint.contains("ioenv.sealed") && complaint.contains("IOENV_KEY_FILE"), "{complaint}");
    project.write("ioenv.key", "# a typo\nioenv_key_planted\n");
    let complaint = project.complaint(&["list"]);
    assert!(complaint.contains("ioenv.key: line 2") && !complaint.contains("planted"), "{complaint}");
}

#[test]
fn a_configuration_is_found_within_its_repository_only() {
    let project = project();
    let below = project.file("a/b");
    fs::create_dir_all(&below).unwrap();
    let list = || {
        let mut command = project.ioenv(&["get", "LOG_LEVEL"]);
        run(command.current_dir(&below), "")
    };
    assert!(text(&list().stderr).contains("no ioenv.toml"));
    fs::create_dir(project.file("a/.git")).unwrap();
    assert!(text(&list().stderr).contains("no ioenv.toml"));
    fs::remove_dir(project.file("a/.git")).unwrap();
    fs::create_dir(project.file(".git")).unwrap();
    assert_eq!(text(&list().stdout), "warn");
    fs::write(
        below.join("ioenv.toml"),
        "path = \"acme-store\"\nfile = \"../../ioenv.sealed\"\nkey_file = \"../../ioenv.key\"\n",
    )
    .unwrap();
    assert_eq!(text(&list().stdout), "info");
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_draws_a_warning_and_no_refusal() {
    let project = project();
    project.set_mode("ioenv.key", 0o644);
    let output = run(&mut project.ioenv(&["get", "LOG_LEVEL"]), "");
    assert_eq!(text(&output.stdout), "warn");
    assert!(text(&output.stderr).contains("ioenv.key can be read by others (mode 0644): run `chmod 600"));
    project.set_mode("ioenv.key", 0o600);
    assert!(run(&mut project.ioenv(&["get", "LOG_LEVEL"]), "").stderr.is_empty());
}

#[test]
fn usage_errors_exit_with_2_and_repeat_no_value() {
    let project = project();
    for args in [
        &["set", "A=planted"][..],
        &["set", "A", "planted", "words"],
        &["get", "planted value"],
        &["unset", "A", "B=planted"],
        &["run", "--only", "A=planted", "--", "true"],
        &["import", "x", "--variable", "A=planted"],
        &["list", "--nope"],
        &["nope"],
        &[],
    ] {
        project.write("x", "A=1\n");
        let output = run(&mut project.ioenv(args), "");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!text(&output.stderr).contains("planted"), "{args:?} {output:?}");
    }
}

#[test]
fn every_command_shows_an_example() {
    let project = project();
    let commands = ["init", "import", "set", "unset", "get", "list", "explain", "tree", "export", "run", "key"];
    for command in commands.into_iter().chain(["diff", "push", "pull"]) {
        let help = project.stdout(&[command, "--help"]);
        assert!(
            help.contains("Example") && help.contains(&format!("\n  ioenv {command}")) || help.contains("ioenv get"),
            "{help}"
        );
        assert!(help.contains("--path") && help.contains("--dir") && help.contains("--key-file"), "{help}");
    }
    for command in ["check", "new", "use", "remove"] {
        assert!(project.stdout(&["key", command, "--help"]).contains(&format!("Example:\n  ioenv key {command}")));
    }
}

#[test]
fn colour_is_for_terminals() {
    let project = project();
    for args in [&["list"][..], &["key"]] {
        let output = run(project.ioenv(args).env("CLICOLOR_FORCE", "1"), "");
        assert!(text(&output.stdout).contains("\u{1b}["), "{args:?}");
        let output = run(project.ioenv(args).env("NO_COLOR", "1"), "");
        assert!(!text(&output.stdout).contains('\u{1b}'), "{args:?}");
        assert!(!project.stdout(args).contains('\u{1b}'), "{args:?}");
    }
}

#[test]
fn a_reader_that_stops_early_is_no_error() {
    let entries: String = (0..5000).map(|n| format!("A{n}=x\n")).collect::<Vec<_>>().concat();
    let project = Project::new(&[("acme", &entries)]);
    for (args, start) in [("list", "NAME"), ("list --format json", "["), ("export", "A0=x")] {
        let script = format!("{} {args} | head -n 1", env!("CARGO_BIN_EXE_ioenv"));
        let output = run(project.program("/bin/sh").args(["-c", &script]), "");
        assert_eq!(text(&output.stderr), "", "{args}");
        assert!(text(&output.stdout).starts_with(start), "{args}");
    }
}

#[test]
fn a_key_in_the_wrong_place_is_not_repeated() {
    let project = project();
    let key = project.key.to_text();
    let key = key.expose_secret();
    for args in [
        &["list", "--key-file", key][..],
        &["list", "--path", key],
        &["list", "--path", &format!("acme-store/{key}")],
        &["key", "new", key],
        &["key", "use", key],
        &["init", key],
        &["get", key],
        &["get", "STRIPE_KEY", key],
        &["run", key],
    ] {
        let output = run(&mut project.ioenv(args), "");
        assert!(!output.status.success(), "{args:?}");
        assert!(!(text(&output.stdout) + &text(&output.stderr)).contains(&key[10..30]), "{output:?}");
    }
    for variable in ["IOENV_KEY_FILE", "IOENV_PATH"] {
        let output = run(project.ioenv(&["list"]).env(variable, key), "");
        assert!(!output.status.success() && !text(&output.stderr).contains(&key[10..30]), "{output:?}");
    }
    let output = run(project.ioenv(&["list"]).env("IOENV_KEY_FILE", key), "");
    assert!(text(&output.stderr).contains("put it in IOENV_KEY"));
    assert!(!fs::read_to_string(project.sealed_file()).unwrap().contains(&key[10..30]));
}

/// `false | ioenv set NAME` must not empty a secret.
#[test]
fn an_empty_value_must_be_meant() {
    let project = project();
    let output = run(&mut project.ioenv(&["set", "STRIPE_KEY"]), "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("`ioenv set STRIPE_KEY ''` sets an empty one"));
    assert_eq!(project.stdout(&["get", "STRIPE_KEY"]), "sk_live");
    let output = run(&mut project.ioenv(&["set", "STRIPE_KEY", ""]), "");
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(project.stdout(&["get", "STRIPE_KEY"]), "");
    let output = run(&mut project.ioenv(&["set", "STRIPE_KEY"]), "x\0y");
    assert!(text(&output.stderr).contains("the value of STRIPE_KEY holds a NUL byte"));
}

#[test]
fn a_level_can_be_removed_and_is_made_with_a_note() {
    let project = project();
    let output = run(&mut project.ioenv(&["set", "A", "--path", "acme-store/typo"]), "x");
    assert_eq!(text(&output.stderr), "made the level acme-store/typo, sealed with the key main\n");
    // Without the key of the level it takes a second word.
    let other = LevelKey::generate(&SystemRandom).unwrap().to_text();
    for key in [other.expose_secret(), ""] {
        let mut remove = project.ioenv(&["unset", "--all", "--path", "acme-store/typo"]);
        remove.env("IOENV_KEY", key).env("IOENV_KEY_FILE", "/dev/null");
        let output = run(&mut remove, "");
        assert!(!output.status.success() && text(&output.stderr).contains("--force"), "{output:?}");
        assert!(project.level("acme-store/typo").is_some());
    }
    let mut remove = project.ioenv(&["unset", "--all", "--force", "--path", "acme-store/typo"]);
    assert!(run(remove.env("IOENV_KEY", other.expose_secret()), "").status.success());
    run(&mut project.ioenv(&["set", "A", "--path", "acme-store/typo"]), "x");
    project.stdout(&["unset", "--all", "--path", "acme-store/typo"]);
    assert!(!project.stdout(&["tree"]).contains("typo"));
    assert!(project.complaint(&["unset", "--all", "--path", "acme-store/typo"]).contains("there is no level"));
    assert!(project.complaint(&["key", "use", "main", "--path", "acme-store/typo"]).contains("there is no level"));
    for args in [&["unset", "--all"][..], &["unset", "--all", "A", "--path", "acme-store"]] {
        assert_eq!(run(&mut project.ioenv(args), "").status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_level_by_itself_needs_no_key_but_its_own() {
    let project = project();
    project.stdout(&["key", "new", "prod"]);
    project.stdout(&["key", "use", "prod"]);
    let keys = fs::read_to_string(project.file("ioenv.key")).unwrap();
    project.write("prod.key", keys.lines().last().unwrap());
    project.set_mode("prod.key", 0o600);
    assert!(project.stdout(&["list", "--own", "--key-file", "prod.key"]).contains("STRIPE_KEY"));
    assert!(project.stdout(&["export", "--own", "--key-file", "prod.key"]).contains("STRIPE_KEY=sk_live"));
    assert!(project.complaint(&["list", "--key-file", "prod.key"]).contains("the key `main` is missing"));
}

#[test]
fn get_and_list_show_what_a_program_would_see() {
    let project = project();
    assert_eq!(project.stdout(&["get", "DATABASE_URL"]), "postgres://${DB_HOST}/shop");
    let output = run(project.ioenv(&["get", "DATABASE_URL"]).env("IOENV_EXPAND", "1"), "");
    assert_eq!(text(&output.stdout), "postgres://localhost/shop");
    let output = run(project.ioenv(&["list", "--show"]).env("IOENV_EXPAND", "1"), "");
    assert!(text(&output.stdout).contains("postgres://localhost/shop"));
    let output = run(project.ioenv(&["export"]).env("IOENV_EXPAND", "1"), "");
    assert!(text(&output.stdout).contains("DATABASE_URL=postgres://localhost/shop\n"));
}

#[cfg(unix)]
#[test]
fn an_export_that_does_not_fit_leaves_the_old_file() {
    let project = project();
    project.write("large.env", &format!("LARGE={}\n", "x".repeat(60_000)));
    project.stdout(&["import", "large.env"]);
    project.write("out.env", "old");
    let script = format!("trap '' XFSZ; ulimit -f 16; {} export -o out.env --force", env!("CARGO_BIN_EXE_ioenv"));
    let output = run(project.program("/bin/sh").args(["-c", &script]), "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(fs::read_to_string(project.file("out.env")).unwrap(), "old");
    let is_left = |name: &str| name.starts_with("out.env.");
    let mut files = fs::read_dir(project.directory()).unwrap();
    assert!(!files.any(|entry| is_left(&entry.unwrap().file_name().to_string_lossy())));
}

#[test]
fn a_passphrase_can_be_used_or_is_refused() {
    let project = project();
    for bad in ["# x\n", "ioenv_key_x\n", "a\nb\n", " \n"] {
        let output = run(&mut project.ioenv(&["key", "new", "pass", "--passphrase"]), bad);
        assert_eq!(output.status.code(), Some(1), "{bad:?}");
    }
    let output = run(&mut project.ioenv(&["key", "new", "pass", "--passphrase"]), "tide-pool ledger\n");
    assert!(output.status.success() && text(&output.stderr).contains("take 20 characters or more"), "{output:?}");
    let key = project.key.to_text();
    let both = format!("{}\ntide-pool ledger", key.expose_secret());
    let mut use_it = project.ioenv(&["key", "use", "pass"]);
    assert!(run(use_it.env("IOENV_KEY", &both), "").status.success());
    let output = run(project.ioenv(&["get", "STRIPE_KEY"]).env("IOENV_KEY", &both), "");
    assert_eq!(text(&output.stdout), "sk_live");
}

/// Whoever shares a directory with others must not find a configuration there that is somebody else's, even by links.
#[cfg(unix)]
#[test]
fn a_link_to_a_file_of_ones_own_is_no_file_of_ones_own() {
    use std::os::unix::fs::{chown, symlink};

    let project = project();
    let (shared, work) = (project.file("shared"), project.file("shared/work"));
    fs::create_dir_all(&work).unwrap();
    symlink(project.file("ioenv.toml"), shared.join("ioenv.toml")).unwrap();
    symlink(project.directory(), shared.join(".git")).unwrap();
    let found = || run(project.ioenv(&["get", "LOG_LEVEL"]).current_dir(&work), "");
    // All of one owner: this is a repository. Only root can make it another's.
    if chown(&shared, Some(12_345), None).is_ok() {
        assert!(text(&found().stderr).contains("there is no ioenv.toml"), "{:?}", found());
    } else {
        assert!(!text(&found().stderr).contains("there is no ioenv.toml"), "{:?}", found());
    }
}

/// Root, in the directory of another user, must not load what that user wrote.
#[cfg(unix)]
#[test]
fn a_configuration_of_another_user_is_refused_unless_its_directory_is_named() {
    use std::os::unix::fs::{chown, symlink};

    let project = project();
    let (file, link) = (project.file("ioenv.toml"), project.file("linked/ioenv.toml"));
    let get = |directory: &Path| {
        let mut command = project.ioenv(&["get", "LOG_LEVEL"]);
        command.current_dir(directory);
        command
    };
    let refused = |mut command: Command| {
        let output = run(&mut command, "");
        let text = text(&output.stderr);
        assert!(!output.status.success() && text.contains("belongs to the user 12345"), "{text}");
        assert!(text.contains("IOENV_DIR") && text.contains("--dir"), "{text}");
    };
    let taken = |mut command: Command| {
        let output = run(&mut command, "");
        assert!(output.status.success(), "{output:?}");
    };
    let root = project.directory().to_owned();
    taken(get(&root));
    // Only root can give a file away, and only then there is anything to see.
    if chown(&file, Some(12_345), None).is_err() {
        eprintln!("SKIPPED: only root can give a file to another user");
        return;
    }
    refused(get(&root));
    // The working directory, and one above it in the repository.
    fs::create_dir_all(root.join(".git")).unwrap();
    fs::create_dir_all(root.join("src")).unwrap();
    for directory in [&root, &root.join(".git"), &root.join("src")] {
        chown(directory, Some(12_345), None).unwrap();
    }
    refused(get(&root));
    refused(get(&root.join("src")));
    // A directory that somebody names is trusted.
    let mut named = get(&root.join("src"));
    named.arg("--dir").arg(&root);
    taken(named);
    let mut named = get(&root.join("src"));
    named.env("IOENV_DIR", &root);
    taken(named);
    // A link of root's to the file, and a link of the user's to a file of root's.
    fs::create_dir(root.join("linked")).unwrap();
    symlink(&file, &link).unwrap();
    refused(get(&root.join("linked")));
    chown(&file, Some(0), None).unwrap();
    std::os::unix::fs::lchown(&link, Some(12_345), None).unwrap();
    refused(get(&root.join("linked")));
}

/// A commit that names a key file of its own must not displace the key that a person has.
#[test]
fn a_committed_key_file_does_not_displace_the_own_key() {
    let project = project();
    let own = fs::read_to_string(project.file("ioenv.key")).unwrap();
    let get = |change: &dyn Fn(&mut Command)| {
        let mut command = project.ioenv(&["get", "LOG_LEVEL"]);
        change(&mut command);
        let output = run(&mut command, "");
        (output.status.success(), text(&output.stderr))
    };
    project.write("ioenv.toml", "path = \"acme-store\"\nkey_file = \"theirs.key\"\n");
    // A sealed file of somebody else, under their key.
    let (ours, theirs) = (fs::read_to_string(project.file("ioenv.sealed")).unwrap(), self::project());
    project.write("theirs.key", &fs::read_to_string(theirs.file("ioenv.key")).unwrap());
    project.write("ioenv.sealed", &fs::read_to_string(theirs.file("ioenv.sealed")).unwrap());
    let (is_loaded, complaint) = get(&|_| {});
    assert!(!is_loaded && complaint.contains("theirs.key") && complaint.contains("ioenv.key"), "{complaint}");
    assert!(!complaint.contains("ioenv_key_"), "{complaint}");
    fs::remove_file(project.file("ioenv.key")).unwrap();
    assert!(get(&|_| {}).0, "what a clone without a key of its own loads");
    project.write("ioenv.key", &own);
    project.write("ioenv.sealed", &ours);
    let other = LevelKey::generate(&SystemRandom).unwrap().to_text().expose_secret().to_owned() + "\n";
    project.write("theirs.key", &other);
    assert!(!get(&|_| {}).0);
    // Without the person's own key among several, and with it.
    project.write("theirs.key", &format!("{other}a passphrase of theirs\n"));
    assert!(!get(&|_| {}).0);
    project.write("theirs.key", &format!("{other}{own}"));
    assert!(get(&|_| {}).0);
    // What the process says counts.
    project.write("theirs.key", &other);
    assert!(
        get(&|command| {
            command.env("IOENV_KEY_FILE", "ioenv.key");
        })
        .0
    );
    assert!(
        get(&|command| {
            command.env("IOENV_KEY", own.trim());
        })
        .0
    );
    assert!(
        get(&|command| {
            command.args(["--key-file", "ioenv.key"]);
        })
        .0
    );
}

#[test]
fn a_key_file_that_git_tracks_is_refused() {
    let project = project();
    let git = |args: &[&str]| {
        let status = project.program("git").args(args).status();
        status.is_ok_and(|status| status.success())
    };
    assert!(git(&["init", "--quiet"]), "this test needs git");
    let refused = |args: &[&str]| {
        let output = run(&mut project.ioenv(args), "");
        let complaint = text(&output.stderr);
        assert!(!output.status.success() && complaint.contains("git tracks"), "{args:?}: {complaint}");
    };
    project.stdout(&["get", "LOG_LEVEL"]);
    assert!(git(&["add", "--force", "ioenv.key"]));
    for args in [
        &["get", "LOG_LEVEL"][..],
        &["list"],
        &["set", "A", "1"],
        &["unset", "LOG_LEVEL"],
        &["explain", "LOG_LEVEL"],
        &["export"],
        &["run", "--", "true"],
        &["key", "new", "dev"],
        &["key", "use", "main", "--path", "acme-store"],
        &["key", "check"],
        &["get", "LOG_LEVEL", "--key-file", "ioenv.key"],
    ] {
        refused(args);
    }
    // Where git cannot read its repository, nobody knows.
    let index = fs::read(project.file(".git/index")).unwrap();
    fs::write(project.file(".git/index"), "garbage").unwrap();
    let output = run(&mut project.ioenv(&["get", "LOG_LEVEL"]), "");
    assert!(!output.status.success() && text(&output.stderr).contains("git cannot read the repository"), "{output:?}");
    fs::write(project.file(".git/index"), index).unwrap();
    #[cfg(unix)]
    if std::os::unix::fs::chown(project.file(".git"), Some(12_345), None).is_ok() {
        refused(&["get", "LOG_LEVEL"]);
        std::os::unix::fs::chown(project.file(".git"), Some(0), None).unwrap();
    }
    // A key outside of git's sight, a link to a tracked one, and one that is ignored.
    project.write("aside.key", &fs::read_to_string(project.file("ioenv.key")).unwrap());
    project.stdout(&["get", "LOG_LEVEL", "--key-file", "aside.key"]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(project.file("ioenv.key"), project.file("link.key")).unwrap();
        refused(&["get", "LOG_LEVEL", "--key-file", "link.key"]);
    }
    assert!(git(&["rm", "--quiet", "--cached", "ioenv.key"]));
    project.stdout(&["get", "LOG_LEVEL"]);
}

#[test]
fn a_mistyped_option_is_no_value_and_two_values_are_refused() {
    let project = project();
    for args in [
        &["set", "TOKEN", "--varible"][..],
        &["set", "TOKEN", "-v"],
        &["set", "TOKEN", "value", "--varible"],
        &["set", "TOKEN", "--varible", "value"],
        &["set", "TOKEN", "-planted"],
        &["set", "TOKEN", "value", "--", "-value"],
    ] {
        let output = run(&mut project.ioenv(args), "piped");
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        assert!(!text(&output.stderr).contains("planted"), "{args:?}: {output:?}");
        assert_eq!(project.value("acme-store/backend/production", "TOKEN"), None, "{args:?}");
    }
    // An argument and stdin.
    for args in [&["set", "TOKEN", "value"][..], &["set", "TOKEN", "--", "-value"], &["set", "TOKEN", ""]] {
        let output = run(&mut project.ioenv(args), "piped");
        assert!(output.status.code() == Some(2) && text(&output.stderr).contains("on stdin"), "{args:?}: {output:?}");
        assert_eq!(project.value("acme-store/backend/production", "TOKEN"), None, "{args:?}");
    }
    project.write("piped", "piped");
    let mut redirected = project.ioenv(&["set", "TOKEN", "value"]);
    redirected.stdin(fs::File::open(project.file("piped")).unwrap());
    assert_eq!(redirected.output().unwrap().status.code(), Some(2));
    // What begins with `-` is written behind `--`; `-` alone is stdin.
    project.stdout(&["set", "TOKEN", "--variable", "--", "--varible"]);
    assert_eq!(project.value("acme-store/backend/production", "TOKEN").as_deref(), Some("--varible"));
    assert!(run(&mut project.ioenv(&["set", "TOKEN", "-"]), "piped").status.success());
    assert_eq!(project.value("acme-store/backend/production", "TOKEN").as_deref(), Some("piped"));
}

#[test]
fn a_program_that_cannot_be_run_exits_as_shells_have_it() {
    let project = project();
    project.write("not-a-program", "neither\n");
    fs::create_dir(project.file("directory")).unwrap();
    for (program, code) in [
        ("no-such-program", 127),
        ("./no-such-program", 127),
        ("./no-such-directory/program", 127),
        ("./not-a-program", 126),
        ("./directory", 126),
    ] {
        let output = run(&mut project.ioenv(&["run", "--", program]), "");
        assert_eq!(output.status.code(), Some(code), "{program}: {output:?}");
        assert!(text(&output.stderr).contains(&format!("cannot run {program}: ")), "{output:?}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        project.write("script", "#!/no/such/interpreter\n");
        fs::set_permissions(project.file("script"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(run(&mut project.ioenv(&["run", "--", "./script"]), "").status.code(), Some(127));
    }
    assert_eq!(run(&mut project.ioenv(&["run", "--", "sh", "-c", "exit 7"]), "").status.code(), Some(7));
}

#[test]
fn a_list_of_variables_does_not_swallow_the_file() {
    let project = project();
    project.write(".env", "A=1\nB=2\nC=3\n");
    project.stdout(&["import", "--variable", "A,B", ".env", "--path", "acme-store/dev"]);
    let level = project.level("acme-store/dev").unwrap();
    assert_eq!(
        ["A", "B", "C"].map(|name| level.get(name).unwrap().kind().as_str()),
        ["variable", "variable", "secret"]
    );
    project.stdout(&["import", "--variable", "C", "--variable", "A", ".env", "--path", "acme-store/dev", "--replace"]);
    let level = project.level("acme-store/dev").unwrap();
    assert_eq!(level.get("C").unwrap().kind().as_str(), "variable");
}

#[test]
fn a_level_is_exported_as_it_is_and_read_back() {
    let project = project();
    let document = "# the database\n\n# its host\nHOST=db # aside\n# ioenv: variable\nPORT=5432\nURL=\"pg://${HOST}:${PORT}\"\n\
                    PASSWORD='p${HOST}w'\nMIXED=\"\\${HOST} ${HOST}\"\nEMPTY=\n# end\n";
    project.write("level.env", document);
    let (from, to) = (["--path", "acme-store/from"], ["--path", "acme-store/to"]);
    project.stdout(&[&["import", "--replace", "level.env"][..], &from].concat());
    let exported = project.stdout(&[&["export", "--format", "document"][..], &from].concat());
    assert_eq!(exported, document);
    assert!(run(&mut project.ioenv(&[&["import", "--replace", "-"][..], &to].concat()), &exported).status.success());
    assert_eq!(project.stdout(&[&["export", "--format", "document"][..], &to].concat()), document);
    assert_eq!(run(&mut project.ioenv(&["export", "--format", "document", "--expand"]), "").status.code(), Some(2));

    // An export of values is another document, and `diff` sees in what.
    project.stdout(&[&["export", "--own", "--output", "values.env"][..], &from].concat());
    project.stdout(&[&["import", "--replace", "values.env"][..], &to].concat());
    let diff = project.stdout(&["diff", "acme-store/from", "acme-store/to", "--own"]);
    let lines: Vec<Vec<&str>> = diff.lines().map(|line| line.split("  ").map(str::trim).collect()).collect();
    let change = |name: &str| lines.iter().find(|line| line.contains(&name)).map(|line| line[0]);
    assert_eq!(change("URL"), Some("now literal"), "{diff}");
    assert_eq!(change("PORT"), Some("another kind"), "{diff}");
    let both = "# ioenv: variable\nURL=\"pg://${HOST}:${PORT}\"\n";
    assert!(run(&mut project.ioenv(&[&["import", "--replace", "-"][..], &from].concat()), both).status.success());
    assert!(
        project.stdout(&["diff", "acme-store/from", "acme-store/to", "--own"]).contains("another kind, now literal")
    );
    assert!(run(&mut project.ioenv(&[&["import", "--replace", "-"][..], &from].concat()), document).status.success());
    assert_eq!((change("PASSWORD"), change("HOST")), (None, None), "{diff}");
}

#[test]
fn an_export_replaces_references_as_configured() {
    let project = project();
    project.write("level.env", "HOST=db\nURL=\"pg://${HOST}\"\n");
    project.stdout(&["import", "--replace", "level.env", "--path", "acme-store/from"]);
    let export = |value: Option<&str>| {
        let mut command = project.ioenv(&["export", "--own", "--path", "acme-store/from"]);
        command.envs(value.map(|value| ("IOENV_EXPAND", value)));
        text(&run(&mut command, "").stdout)
    };
    assert!(export(None).contains("URL='pg://${HOST}'"));
    assert!(export(Some("true")).contains("URL=pg://db\n"));
    project.write("ioenv.toml", "expand = true\n");
    assert!(export(None).contains("URL=pg://db\n"));
    assert!(export(Some("false")).contains("URL='pg://${HOST}'"));
}

#[test]
fn an_import_names_the_values_that_refer_to_others() {
    let project = project();
    project.write(
        ".env",
        "HOST=planted\nURL=http://$HOST:${PORT}\nA=\"${HOST}\"\nB=\"${HOST:-planted}\"\nC='${HOST} $HOST'\nD=cost$\nE=$5\nF=\\$HOST\n",
    );
    let import = |expand: &str| {
        let mut command = project.ioenv(&["import", "--replace", ".env", "--path", "acme-store/dev"]);
        text(&run(command.env("IOENV_EXPAND", expand), "").stderr)
    };
    let said = import("");
    let line = |what: &str| said.lines().find(|line| line.contains(what)).unwrap_or_default().to_owned();
    assert!(line("`expand = true`").ends_with(": URL, A"), "{said}");
    assert!(line("never replaced").ends_with(": URL, B"), "{said}");
    assert!(!said.contains("planted"), "{said}");
    assert!(!import("true").contains("`expand = true`"));
}

/// Each way in which another program may have replaced something is named, and none where nothing would be.
#[test]
fn an_import_names_what_is_not_replaced() {
    const REFERENCE: &str = "never replaced";
    const COMMAND: &str = "never run";
    const KNOWN: &str = "`expand = true`";
    let cases: &[(&str, &[&str])] = &[
        ("$PLANTED", &[REFERENCE]),
        ("x$PLANTED_1/y", &[REFERENCE]),
        ("$PLANTED.b", &[REFERENCE]),
        ("${PLANTED:-x}", &[REFERENCE]),
        ("${PLANTED-x}", &[REFERENCE]),
        ("${PLANTED:?x}", &[REFERENCE]),
        ("${PLANTED?x}", &[REFERENCE]),
        ("${PLANTED:=x}", &[REFERENCE]),
        ("${PLANTED=x}", &[REFERENCE]),
        ("${PLANTED:+x}", &[REFERENCE]),
        ("${PLANTED+x}", &[REFERENCE]),
        ("${PLANTED%x}", &[REFERENCE]),
        ("${PLANTED:-${B}}", &[KNOWN, REFERENCE]),
        ("${B}$PLANTED", &[KNOWN, REFERENCE]),
        ("${PLANTED}", &[KNOWN]),
        ("${planted.b}", &[KNOWN]),
        ("\"${PLANTED:-x}\"", &[REFERENCE]),
        ("\"a\n$PLANTED\"", &[REFERENCE]),
        ("$(echo planted)", &[COMMAND]),
        ("\"a $(echo planted)\"", &[COMMAND]),
        ("`echo planted`", &[COMMAND]),
        ("\"x `echo planted`\"", &[COMMAND]),
        ("$(echo $PLANTED)", &[REFERENCE, COMMAND]),
        ("'$PLANTED ${PLANTED:-x} $(planted) `planted`'", &[]),
        ("\"\\$PLANTED \\${PLANTED:-x} \\$(planted) \\`planted\\`\"", &[]),
        ("cost$", &[]),
        ("$5 $ ${ ${} $$ planted`", &[]),
        ("${PLANTED", &[]),
        ("planted # $PLANTED `planted`", &[]),
    ];
    let project = project();
    project.stdout(&["vault", "init"]);
    project.stdout(&["vault", "create", "acme-store/dev"]);
    for source in ["sealed", "vault"] {
        for (value, expected) in cases {
            let args = ["import", "-", "--path", "acme-store/dev", "--source", source];
            let output = run(&mut project.ioenv(&args), &format!("OTHER=1\nNAME={value}\n"));
            let said = text(&output.stderr);
            assert!(output.status.success() && !said.to_lowercase().contains("planted"), "{value}: {said}");
            for what in [REFERENCE, COMMAND, KNOWN] {
                let line = said.lines().find(|line| line.contains(what));
                assert_eq!(line.is_some(), expected.contains(&what), "{source}: {value}: {what}: {said}");
                assert!(line.is_none_or(|line| line.ends_with(": NAME")), "{said}");
            }
        }
    }
}

#[test]
fn a_name_with_a_dot_goes_wherever_it_can() {
    let project = project();
    project.stdout(&["vault", "init"]);
    project.stdout(&["vault", "create", "acme-store/dev"]);
    let text_of = "spring.datasource.url=jdbc:x\nURL=\"<${spring.datasource.url}>\"\n";
    for source in ["sealed", "vault"] {
        let ioenv = |args: &[&str], stdin: &str| {
            let mut command = project.ioenv(args);
            run(command.env("IOENV_SOURCE", source).env("IOENV_PATH", "acme-store/dev"), stdin)
        };
        let out = |args: &[&str], stdin: &str| {
            let output = ioenv(args, stdin);
            assert!(output.status.success(), "{source} {args:?}: {output:?}");
            text(&output.stdout)
        };
        out(&["import", "-", "--replace"], text_of);
        out(&["set", "app.name"], "it's");
        assert_eq!(out(&["get", "app.name"], ""), "it's");
        assert!(out(&["export", "--expand"], "").contains("URL='<jdbc:x>'\n"));
        assert!(out(&["export"], "").contains("spring.datasource.url=jdbc:x\n"));
        assert!(out(&["export", "--format", "json"], "").contains("\"spring.datasource.url\": \"jdbc:x\""));
        assert!(out(&["export", "--format", "document"], "").starts_with("spring.datasource.url=jdbc:x\n"));
        #[cfg(unix)]
        {
            let env = out(&["run", "--", "env"], "");
            assert!(env.lines().any(|line| line == "spring.datasource.url=jdbc:x"), "{env}");
        }
        let refused = ioenv(&["export", "--format", "shell"], "");
        let said = text(&refused.stderr);
        assert_eq!((refused.status.code(), text(&refused.stdout).as_str()), (Some(1), ""), "{said}");
        assert!(said.contains("rename app.name, spring.datasource.url") && !said.contains("jdbc"), "{said}");
        out(&["unset", "app.name", "spring.datasource.url"], "");
        assert_eq!(out(&["export", "--format", "shell", "--own"], ""), "export URL='<${spring.datasource.url}>'\n");
        let bad = ioenv(&["import", "-"], ".planted=1\n");
        assert!(!bad.status.success() && !text(&bad.stderr).contains("planted"), "{bad:?}");
    }
}
