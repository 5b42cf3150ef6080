//! Making a project or a vault: all of it or nothing, out of git's reach, and with what is configured.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Project, run, text};
use ioenv::{LevelKey, SystemRandom};

/// An empty directory, and programs run in it.
fn empty() -> Project {
    let project = Project::new(&[("gone", "")]);
    for file in ["ioenv.toml", "ioenv.sealed", "ioenv.key", ".ioenv.sealed.lock"] {
        fs::remove_file(project.file(file)).unwrap();
    }
    project
}

fn git(project: &Project, args: &[&str]) -> String {
    let mut git = project.program("git");
    git.args(["-c", "user.name=test", "-c", "user.email=test@example.com"]).args(args);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let output = run(&mut git, "");
    text(&output.stdout) + &text(&output.stderr)
}

fn repository() -> Project {
    let project = empty();
    git(&project, &["init", "--quiet"]);
    project
}

/// What git would commit, but for `.gitignore` files.
fn seen(project: &Project) -> Vec<String> {
    let seen = git(project, &["-c", "core.quotePath=false", "status", "--porcelain", "--untracked-files=all", "-z"]);
    let seen = seen.split('\0').filter(|line| !line.is_empty() && !line.ends_with(".gitignore"));
    let mut seen: Vec<String> = seen.map(|line| line[3..].to_owned()).collect();
    seen.sort_unstable();
    seen
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn git_ignores_the_key_wherever_it_is() {
    let made = ["app/ioenv.sealed", "app/ioenv.toml"];
    for key in [
        "ioenv.key",
        "k[1].key",
        "k*.key",
        "k?.key",
        "back\\slash.key",
        "#k",
        "!k",
        " k ",
        "größe.key",
        "../team.key",
        "../a b/[team].key",
        "link/team.key",
        "below/deep/team.key",
        "/team.key",
    ] {
        let project = repository();
        for directory in ["app/below/deep", "a b", "elsewhere"] {
            fs::create_dir_all(project.file(directory)).unwrap();
        }
        std::os::unix::fs::symlink("../elsewhere", project.file("app/link")).unwrap();
        let real = fs::canonicalize(project.directory()).unwrap();
        // An absolute name within the repository.
        let absolute = real.join("elsewhere/team.key");
        let given = if key.starts_with('/') { absolute.to_str().unwrap() } else { key };
        let mut init = project.ioenv(&["init", "acme", "--key-file", given]);
        let output = run(init.current_dir(project.file("app")), "");
        assert!(output.status.success(), "{key:?}: {output:?}");
        assert!(project.file("app").join(given).exists(), "{key:?}");
        let mut seen = seen(&project);
        seen.retain(|file| file != "app/link");
        assert_eq!(seen, made, "{key:?}: {}", fs::read_to_string(project.file("app/.gitignore")).unwrap());
        let mut get = project.ioenv(&["set", "A", "--dir", "app"]);
        assert!(run(&mut get, "1").status.success(), "{key:?}");
    }
}

#[test]
fn a_rule_that_takes_the_key_in_again_is_overruled() {
    for (file, rules) in [
        (".gitignore", "/ioenv.key\n!*.key\n!.ioenv.sealed.lock\n"),
        (".gitignore", "/ioenv.key\n!/ioenv.key"),
        ("keys/.gitignore", "!team.key\n"),
        (".gitignore", "ioenv.key\r\n/keys/team.key\r\n!keys/team.key\r\n"),
    ] {
        for key in ["ioenv.key", "keys/team.key"] {
            let project = repository();
            fs::create_dir(project.file("keys")).unwrap();
            project.write(file, rules);
            project.stdout(&["init", "acme", "--key-file", key]);
            assert_eq!(seen(&project), ["ioenv.sealed", "ioenv.toml"], "{rules:?} {key}");
            assert!(fs::read_to_string(project.file(file)).unwrap().starts_with(rules));
        }
    }
}

#[test]
fn nothing_is_made_where_git_would_commit_the_key() {
    // Git reads no .gitignore that is a link.
    let project = repository();
    project.write("rules", "/target\n");
    std::os::unix::fs::symlink("rules", project.file(".gitignore")).unwrap();
    for args in [&["init", "acme"][..], &["vault", "init"]] {
        let complaint = project.complaint(args);
        assert!(complaint.contains("git would commit") && complaint.contains("nothing was made"), "{complaint}");
        assert_eq!(names(project.directory()), [".git", ".gitignore", "rules"]);
        assert_eq!(fs::read_to_string(project.file("rules")).unwrap(), "/target\n");
    }
    // A key that git has tracked.
    let project = repository();
    project.write("ioenv.key", "old");
    git(&project, &["add", "--force", "ioenv.key"]);
    fs::remove_file(project.file("ioenv.key")).unwrap();
    assert!(project.complaint(&["init", "acme"]).contains("git would commit"));
    assert_eq!(names(project.directory()), [".git"]);
}

#[test]
fn without_a_repository_it_is_said_that_git_could_not_be_asked() {
    let project = empty();
    let init = run(&mut project.ioenv(&["init", "acme"]), "");
    assert!(text(&init.stderr).contains("git could not be asked whether it ignores ioenv.key"), "{init:?}");
    git(&project, &["init", "--quiet"]);
    assert_eq!(seen(&project), ["ioenv.sealed", "ioenv.toml"]);

    // Nor without git.
    let project = repository();
    let mut init = project.ioenv(&["init", "acme"]);
    let init = run(init.env("PATH", "/no/such/directory"), "");
    assert!(init.status.success() && text(&init.stderr).contains("git could not be asked"), "{init:?}");
    let project = repository();
    let init = run(&mut project.ioenv(&["init", "acme"]), "");
    assert!(!text(&init.stderr).contains("git could not be asked"), "{init:?}");
}

#[test]
fn the_lock_of_a_sealed_file_anywhere_is_ignored() {
    let project = repository();
    fs::create_dir(project.file("conf")).unwrap();
    project.stdout(&["init", "acme"]);
    for (name, setting) in [("conf/ioenv.sealed", "conf/ioenv.sealed"), ("conf/[team].env", "conf/../conf/[team].env")]
    {
        fs::rename(project.sealed_file(), project.file(name)).unwrap();
        project.write("ioenv.toml", &format!("path = \"acme\"\nfile = '{setting}'\n"));
        assert!(run(&mut project.ioenv(&["set", "A"]), "1").status.success());
        assert!(project.file("conf").read_dir().unwrap().count() > 1, "the lock stays");
        assert_eq!(seen(&project), [name, "ioenv.toml"]);
        let rules = fs::read_to_string(project.file(".gitignore")).unwrap();
        assert!(run(&mut project.ioenv(&["set", "A"]), "2").status.success());
        assert_eq!(fs::read_to_string(project.file(".gitignore")).unwrap(), rules, "it is written once");
        fs::rename(project.file(name), project.sealed_file()).unwrap();
    }
}

#[test]
fn git_ignores_a_vault_and_its_root_key_wherever_they_are() {
    for (vault, root) in [(None, None), (Some("data/[v]"), Some("data/root*")), (Some("../v"), Some("../r"))] {
        let project = repository();
        fs::create_dir_all(project.file("app/data")).unwrap();
        let mut init = project.ioenv(&["vault", "init"]);
        init.current_dir(project.file("app"));
        for (name, value) in [("IOENV_VAULT", vault), ("IOENV_ROOT_KEY_FILE", root)] {
            if let Some(value) = value {
                init.env(name, value);
            }
        }
        let output = run(&mut init, "");
        assert!(output.status.success(), "{output:?}");
        assert!(project.file("app").join(root.unwrap_or("ioenv.root")).exists(), "{root:?}");
        assert_eq!(seen(&project), ["app/ioenv.toml"], "{vault:?}");
        fs::write(project.file("app").join(format!("{}-wal", vault.unwrap_or("ioenv.vault"))), "").unwrap();
        assert_eq!(seen(&project), ["app/ioenv.toml"], "{vault:?}");
    }
}

#[test]
fn init_takes_the_key_and_the_files_that_the_environment_names() {
    let key = LevelKey::generate(&SystemRandom).unwrap().to_text();
    let project = empty();
    let with = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = project.ioenv(args);
        command.envs(variables.iter().copied());
        run(&mut command, "1")
    };
    let given = [("IOENV_KEY", key.expose_secret())];
    let init = with(&["init", "acme"], &given);
    assert!(init.status.success() && text(&init.stderr).contains("the key is the one in IOENV_KEY"), "{init:?}");
    assert_eq!(names(project.directory()), [".gitignore", ".ioenv.sealed.lock", "ioenv.sealed", "ioenv.toml"]);
    assert!(with(&["set", "A"], &given).status.success());
    assert_eq!(text(&with(&["get", "A"], &given).stdout), "1");

    // A passphrase, too.
    let project = empty();
    let mut init = project.ioenv(&["init", "acme"]);
    assert!(run(init.env("IOENV_KEY", "tide-pool ledger number 41"), "").status.success());
    assert!(project.stdout(&["key"]).contains("main  pbkdf2"));
    let mut get = project.ioenv(&["list"]);
    assert!(run(get.env("IOENV_KEY", "tide-pool ledger number 41"), "").status.success());

    // Files that are named are made, and found without the variables.
    let project = empty();
    fs::create_dir(project.file("conf")).unwrap();
    let mut init = project.ioenv(&["init", "acme"]);
    init.env("IOENV_KEY_FILE", "conf/team.key").env("IOENV_FILE", "conf/team.sealed");
    let init = run(&mut init, "");
    assert!(init.status.success() && text(&init.stderr).contains("conf/team.sealed, to be committed"), "{init:?}");
    assert_eq!(names(project.directory()), [".gitignore", "conf", "ioenv.toml"]);
    assert_eq!(names(&project.file("conf")), [".team.sealed.lock", "team.key", "team.sealed"]);
    assert!(run(&mut project.ioenv(&["set", "A"]), "1").status.success());
    assert_eq!(project.stdout(&["get", "A"]), "1");
}

#[test]
fn init_refuses_what_commands_would_not_find_again() {
    let key = LevelKey::generate(&SystemRandom).unwrap().to_text();
    let two = format!("{}\nanother one\n", key.expose_secret());
    for (args, name, value, text) in [
        (&["init", "acme", "--key-file", "k"][..], "IOENV_KEY", key.expose_secret(), "unset IOENV_KEY"),
        (&["init", "acme"], "IOENV_KEY", &two, "must hold one key"),
        (&["init", "acme"], "IOENV_KEY", "# none", "must hold one key"),
        (&["init", "acme"], "IOENV_KEY", "ioenv_key_planted", "IOENV_KEY: line 1"),
        (&["init", "acme"], "IOENV_KEY", "IOENV_KEY=planted", "remove the name of the variable"),
        (&["init", "acme"], "IOENV_KEY_FILE", "no/such/directory/key", "cannot look into"),
        (&["init", "acme"], "IOENV_FILE", "no/such/directory/file", "cannot look into"),
        (&["vault", "init", "v"], "IOENV_VAULT", "w", "IOENV_VAULT names another vault"),
        (&["vault", "init"], "IOENV_ROOT_KEY", "planted", "IOENV_ROOT_KEY"),
        (&["vault", "init"], "IOENV_ROOT_KEY_FILE", "no/such/directory/key", "cannot look into"),
    ] {
        let project = empty();
        let mut command = project.ioenv(args);
        let output = run(command.env(name, value), "");
        let complaint = common::text(&output.stderr);
        assert!(output.status.code() == Some(1) && complaint.contains(text), "{args:?} {name}: {output:?}");
        assert!(!complaint.contains("planted") && !complaint.contains(key.expose_secret()), "{complaint}");
        assert_eq!(names(project.directory()), [""; 0], "{args:?} {name}");
    }
    // What is there is not made again.
    for (name, args) in [("IOENV_FILE", &["init", "acme"][..]), ("IOENV_KEY_FILE", &["init", "acme"])] {
        let project = empty();
        project.write("there", "x");
        let output = run(project.ioenv(args).env(name, "there"), "");
        assert!(text(&output.stderr).contains("there is there already; nothing was changed"), "{output:?}");
        assert_eq!(names(project.directory()), ["there"]);
    }
}

/// Runs a command in a file system of its own with room for so many files, and tells what is in it afterwards; none, where
/// nobody may mount one.
#[cfg(target_os = "linux")]
fn with_room_for(files: usize, args: &str, before: &str) -> Option<(bool, Vec<String>)> {
    let project = empty();
    let script = format!(
        "mount -t tmpfs -o size=4m,nr_inodes={} none '{directory}' && mountpoint -q '{directory}' || exit 99\n\
         cd '{directory}' || exit 99\n{before}\n\"$IOENV\" {args} >/dev/null 2>errors-of-init; code=$?\n\
         cat errors-of-init >&2; rm -f errors-of-init; ls -A; cat .gitignore 2>/dev/null; exit $code",
        files + 2, // the root directory, and where the errors go
        directory = project.directory().display(),
    );
    let mut command = project.program("unshare");
    command.args(["--mount", "sh", "-c", &script]).env("IOENV", env!("CARGO_BIN_EXE_ioenv"));
    let output = run(&mut command, "");
    match output.status.code() {
        Some(0 | 1) => {}
        Some(99) => return None,
        _ if text(&output.stderr).contains("unshare") => return None,
        _ => panic!("{output:?}"),
    }
    assert_eq!(names(project.directory()), [""; 0], "it was really mounted over");
    Some((output.status.success(), text(&output.stdout).lines().map(str::to_owned).collect()))
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_all_of_it_or_nothing() {
    for args in ["init acme", "vault init"] {
        for before in ["", "printf '/target\\n' > .gitignore"] {
            let nothing: &[&str] = if before.is_empty() { &[] } else { &[".gitignore", "/target"] };
            let mut failures = 0;
            for files in 1.. {
                let Some((has_succeeded, there)) = with_room_for(files, args, before) else {
                    eprintln!("skipped: no file system can be mounted here");
                    return;
                };
                if has_succeeded {
                    assert!(there.iter().any(|name| name == "ioenv.toml"), "{there:?}");
                    break;
                }
                failures += 1;
                assert_eq!(there, nothing, "{args}, room for {files}");
            }
            assert!(failures >= 3, "{args}: a step each must have failed, and {failures} did");
        }
    }
}

/// A file that may grow to one block only: the key goes in, the sealed file does not.
#[test]
fn a_file_that_cannot_be_written_to_its_end_leaves_nothing() {
    let project = empty();
    let rules = "# a comment\n".repeat(40);
    for before in [None, Some(rules.as_str())] {
        if let Some(rules) = before {
            project.write(".gitignore", rules);
        }
        let mut command = project.program("sh");
        // So long that the sealed file is larger than a block of any shell's.
        let path = ["a", "b", "c"].map(|name| name.repeat(100)).join("/");
        command.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" init \"$1\" --path \"$2\""]);
        command.args([env!("CARGO_BIN_EXE_ioenv"), &path[..100], &path]);
        let output = run(&mut command, "");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let there: &[&str] = if before.is_some() { &[".gitignore"] } else { &[] };
        assert_eq!(names(project.directory()), there);
        if let Some(rules) = before {
            assert_eq!(fs::read_to_string(project.file(".gitignore")).unwrap(), rules);
        }
    }
    project.stdout(&["init", "acme"]);
}

#[test]
fn an_export_goes_into_what_is_no_file_and_never_replaces_it() {
    use std::os::unix::fs::FileTypeExt as _;

    let project = Project::new(&[("acme", "A=1\n")]);
    let kind = |name: &str| fs::symlink_metadata(project.file(name)).unwrap().file_type();
    let is_there = |args: &[&str]| project.complaint(args).contains("is there already; use --force");

    assert!(Command::new("mkfifo").arg(project.file("pipe")).status().unwrap().success());
    std::os::unix::fs::symlink("pipe", project.file("to-pipe")).unwrap();
    for name in ["pipe", "to-pipe"] {
        let before = kind(name);
        assert!(is_there(&["export", "-o", name]));
        let reader = project
            .program("timeout")
            .args(["60", "cat", "pipe"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        project.stdout(&["export", "-o", name, "--force"]);
        assert_eq!(text(&reader.wait_with_output().unwrap().stdout), "A=1\n");
        assert_eq!(kind(name), before);
    }

    // A link stays, and what it names is replaced as a whole.
    project.write("real", "theirs");
    std::os::unix::fs::symlink("real", project.file("to-real")).unwrap();
    assert!(is_there(&["export", "-o", "to-real"]));
    project.stdout(&["export", "-o", "to-real", "--force"]);
    assert!(kind("to-real").is_symlink() && kind("real").is_file());
    assert_eq!(fs::read_to_string(project.file("real")).unwrap(), "A=1\n");
    std::os::unix::fs::symlink("none", project.file("to-none")).unwrap();
    assert!(project.complaint(&["export", "-o", "to-none", "--force"]).contains("is a link to what is not there"));

    project.stdout(&["export", "-o", "/dev/null", "--force"]);
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    assert_eq!(project.stdout(&["export", "-o", "/dev/stdout", "--force"]), "A=1\n");
    assert_eq!(project.stdout(&["export", "-o", "/proc/self/fd/1", "--force"]), "A=1\n");
    let mut redirected = project.program("sh");
    redirected.args([
        "-c",
        "{ echo B=2; \"$0\" export -o /dev/fd/3 --force 3>&1; } >> out",
        env!("CARGO_BIN_EXE_ioenv"),
    ]);
    let output = run(&mut redirected, "");
    assert!(output.status.success(), "{output:?}");
    assert!(kind("out").is_file());

    let socket = std::os::unix::net::UnixListener::bind(project.file("socket")).unwrap();
    project.complaint(&["export", "-o", "socket", "--force"]);
    assert!(kind("socket").is_socket());
    drop(socket);
    fs::create_dir(project.file("directory")).unwrap();
    project.complaint(&["export", "-o", "directory", "--force"]);
    assert!(kind("directory").is_dir());
}
