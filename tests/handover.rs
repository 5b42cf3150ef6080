//! What a program that `ioenv run` has started loads without a key of its own.
#![allow(clippy::unwrap_used, reason = "a scenario that cannot go on has failed")]

mod common;
mod scenarios;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Output};

use common::{Project, path, run, text};
use ioenv::source::Freshness;
use ioenv::{ErrorKind, KeyRing, Kind, LevelKey, Loader, Precedence, SystemRandom, VarName};
use scenarios::{SCENARIO, Scenario};

const PLANTED: &str = "planted-7b1d";

const SCENARIOS: &[Scenario] = &[
    ("it_takes_what_it_was_given", it_takes_what_it_was_given),
    ("through_a_shell", it_takes_what_it_was_given),
    ("through_another_run", it_takes_what_it_was_given),
    ("through_another_run_with_only", says_that_the_selection_differs),
    ("in_a_directory_below", it_takes_what_it_was_given),
    ("where_the_key_file_is_missing", it_takes_what_it_was_given),
    ("where_the_key_is_kept", opens_the_levels),
    ("where_the_key_file_is_there", opens_the_levels),
    ("where_nothing_was_handed_over", says_that_no_key_is_given),
    ("in_another_directory", says_nothing_of_the_handover),
    ("in_another_project", says_that_the_place_differs),
    ("at_another_level", says_that_the_level_differs),
    ("of_fewer_names", says_that_the_selection_differs),
    ("of_more_names", of_more_names),
    ("of_the_names_that_were_chosen", of_the_names_that_were_chosen),
    ("without_one_of_the_names", without_one_of_the_names),
    ("with_an_empty_one_of_the_names", with_an_empty_one_of_the_names),
    ("where_the_levels_win", where_the_levels_win),
    ("where_the_levels_have_won", where_the_levels_have_won),
    ("where_the_levels_win_and_are_expanded", where_the_levels_win_and_are_expanded),
    ("what_code_names_is_not_replaced", what_code_names_is_not_replaced),
    ("what_nobody_wrote_is_refused", what_nobody_wrote_is_refused),
    ("what_was_loaded_over_it_ends_it", what_was_loaded_over_it_ends_it),
    ("the_command_reads_it", the_command_reads_it),
    ("of_a_vault", of_a_vault),
    ("of_another_organization", of_another_organization),
];

fn main() -> ExitCode {
    scenarios::main(SCENARIOS, |name| (start(name), vec![PLANTED.to_owned()]))
}

/// Runs this binary under `ioenv run`, which has the key from its environment, or from a file as the scenario wants it.
fn start(name: &str) -> Output {
    let project = Project::new(&[
        ("acme", "SHARED=from-project\n# ioenv: variable\nPORT=80\n"),
        ("acme/dev", &format!("PORT=8080\nSECRET={PLANTED}\nPATH=/nowhere\nURL=\"http://h:${{PORT}}\"\n")),
    ]);
    fs::create_dir_all(project.file("below")).unwrap();
    fs::create_dir(project.file(".git")).unwrap();
    let other = Project::new(&[("acme", ""), ("acme/dev", "")]);
    fs::remove_file(other.file("ioenv.key")).unwrap();
    if name != "where_the_key_file_is_there" {
        fs::remove_file(project.file("ioenv.key")).unwrap();
    }
    if name == "where_the_key_file_is_missing" {
        project.write("ioenv.toml", "path = \"acme/dev\"\nkey_file = \"/no/such/file\"\n");
    }
    let this = std::env::current_exe().unwrap();
    let this = this.to_str().unwrap();
    let ioenv = env!("CARGO_BIN_EXE_ioenv");
    let other = format!("IOENV_DIR={}", other.directory().display());
    let command: &[&str] = match name {
        "through_a_shell" => &["run", "--", "sh", "-c", "exec \"$0\"", this],
        "through_another_run" => &["run", "--", ioenv, "run", "--", ioenv, "run", "--", this],
        "through_another_run_with_only" => &["run", "--", "sh", "-c", "\"$0\" run --only PORT -- true", ioenv],
        "where_the_key_is_kept" | "what_was_loaded_over_it_ends_it" => &["run", "--keep-key", "--", this],
        "where_nothing_was_handed_over" => &["run", "--", "env", "IOENV_LOADED=", this],
        "in_another_project" => &["run", "--", "env", &other, this],
        "of_more_names" | "of_the_names_that_were_chosen" => &["run", "--only", "SECRET,NONE", "--", this],
        "without_one_of_the_names" => &["run", "--", "env", "-u", "SHARED", this],
        "with_an_empty_one_of_the_names" => &["run", "--", "env", "SHARED=", this],
        "where_the_levels_have_won" => &["run", "--override", "--", this],
        "where_the_levels_win_and_are_expanded" => &["run", "--override", "--expand", "--", this],
        "of_a_vault" | "of_another_organization" => return start_with_a_vault(name, &project, this),
        _ => &["run", "--", this],
    };
    let mut command = project.ioenv(command);
    command.env(SCENARIO, name).env("IOENV_KEY", project.key.to_text().expose_secret());
    if name == "through_another_run_with_only" {
        let output = run(&mut command, "");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(text(&output.stderr).contains("it is about another selection of names"), "{output:?}");
        return Command::new("true").output().unwrap();
    }
    run(&mut command, "")
}

fn start_with_a_vault(name: &str, project: &Project, this: &str) -> Output {
    project.write("ioenv.toml", "path = \"acme/dev\"\nsource = \"vault\"\n");
    let token = project.stdout(&["vault", "init", "--organization", "Acme"]);
    project.stdout(&["vault", "create", "acme/dev"]);
    project.stdout(&["set", "SECRET", PLANTED, "--path", "acme/dev"]);
    let root = fs::read_to_string(project.file("ioenv.root")).unwrap();
    fs::remove_file(project.file("ioenv.root")).unwrap();
    let args: &[&str] = match name {
        "of_a_vault" => &["run", "--", this],
        _ => &["run", "--organization", "acme", "--", this],
    };
    let mut command = project.ioenv(args);
    command.env(SCENARIO, name).env("IOENV_TOKEN", token.trim()).env("IOENV_ROOT_KEY", root.trim());
    run(&mut command, "")
}

fn process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// That loading fails as it does without `ioenv run`, and says why the handover does not help.
fn assert_refused(loader: Loader, why: &str) {
    let error = loader.resolve().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    let text = error.to_string();
    assert!(text.contains("no key is given, and `main` is needed"), "{error}");
    assert!(text.contains("although IOENV_LOADED is set") && text.contains(why), "{error}");
    assert!(!format!("{error:?}").contains(PLANTED));
}

fn it_takes_what_it_was_given() {
    assert_eq!((process("IOENV_KEY"), process("IOENV_KEY_FILE")), (None, None));
    if process(SCENARIO).as_deref() == Some("in_a_directory_below") {
        std::env::set_current_dir("below").unwrap();
    }
    let handed_over = process("IOENV_LOADED").unwrap();
    assert!(!handed_over.contains(PLANTED) && !handed_over.contains("ioenv_key_"), "{handed_over}");

    let before = std::env::vars_os().count();
    let env = ioenv::load().unwrap();
    assert_eq!(std::env::vars_os().count(), before, "there was nothing to write");
    assert_eq!(env.path(), &path("acme/dev"));
    assert_eq!(env.names().map(VarName::as_str).collect::<Vec<_>>(), ["PORT", "SECRET", "SHARED", "URL"]);
    assert_eq!(env.var("SECRET").unwrap().expose_secret(), PLANTED);
    for variable in env.iter() {
        assert!(variable.origin().is_process() && variable.kind() == Kind::Secret && !variable.is_public());
    }
    assert_eq!(env.origin("PORT").unwrap().to_string(), "the process, over acme/dev");
    assert_eq!(env.withheld(), ["PATH".parse::<VarName>().unwrap()]);
    assert_eq!(env.source(), "the process environment, as `ioenv run` left it");
    assert!(matches!(env.freshness(), Freshness::Stale { .. }));
    assert!(!format!("{env:?} {:?}", env.get("SECRET")).contains(PLANTED));
    println!("{env:?}");

    assert_eq!(ioenv::load().unwrap().names().count(), 4, "the first load is kept");
    assert_eq!(ioenv::resolve().unwrap().var("SHARED").unwrap().expose_secret(), "from-project");
    assert_eq!(ioenv::var("SECRET").unwrap().expose_secret(), PLANTED);
    Loader::new().require(["SECRET"]).resolve().unwrap();
    let error = Loader::new().require(["SECRET", "NONE"]).resolve().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert_eq!(Loader::new().require(["PATH"]).resolve().unwrap_err().kind(), ErrorKind::InvalidName);
}

fn opens_the_levels() {
    assert_eq!(process("IOENV_KEY").is_some(), process(SCENARIO).as_deref() == Some("where_the_key_is_kept"));
    let env = ioenv::load().unwrap();
    assert_eq!(env.freshness(), Freshness::Live);
    assert!(env.source().starts_with("the sealed file "));
    assert_eq!(ioenv::resolve().unwrap().get("PORT").unwrap().kind(), Kind::Secret);
    assert_eq!(Loader::new().path(path("acme")).resolve().unwrap().get("PORT").unwrap().kind(), Kind::Variable);
}

fn says_that_no_key_is_given() {
    let error = ioenv::load().unwrap_err();
    assert!(error.to_string().contains("no key is given") && !error.to_string().contains("IOENV_LOADED"), "{error}");
}

fn says_nothing_of_the_handover() {
    std::env::set_current_dir("/").unwrap();
    let error = ioenv::load().unwrap_err();
    assert!(error.to_string().starts_with("there is no ioenv.toml in /"), "{error}");
    assert!(!error.to_string().contains("IOENV_LOADED"), "{error}");
}

fn says_that_the_place_differs() {
    assert_refused(Loader::new(), "it is about another sealed file or vault");
}

fn says_that_the_level_differs() {
    assert_refused(Loader::new().path(path("acme")), "it is about another level than acme");
    for other in ["acme/dev/x", "other/dev"] {
        let error = Loader::new().path(path(other)).resolve().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
}

fn says_that_the_selection_differs() {
    for only in [&["SECRET"][..], &["PATH"], &[], &["PORT", "SECRET", "SHARED", "URL"]] {
        assert_refused(Loader::new().only(only.iter().copied()), "it is about another selection of names");
    }
}

fn of_more_names() {
    assert_eq!(process("SHARED"), None);
    assert_refused(Loader::new(), "it is about another selection of names");
    assert_refused(Loader::new().only(["SECRET", "PORT"]), "it is about another selection of names");
}

fn of_the_names_that_were_chosen() {
    let env = Loader::new().only(["SECRET", "NONE"]).load().unwrap();
    assert_eq!(env.names().map(VarName::as_str).collect::<Vec<_>>(), ["SECRET"]);
    assert_eq!(Loader::new().only(["NONE", "SECRET", "NONE"]).resolve().unwrap().names().count(), 1);
}

fn without_one_of_the_names() {
    assert_refused(Loader::new(), "the process has no SHARED any more");
}

fn with_an_empty_one_of_the_names() {
    assert_eq!(ioenv::load().unwrap().var("SHARED").unwrap().expose_secret(), "");
}

fn where_the_levels_win() {
    assert_refused(Loader::new().precedence(Precedence::VaultWins), "start with `ioenv run --override`");
}

fn where_the_levels_have_won() {
    let env = Loader::new().precedence(Precedence::VaultWins).load().unwrap();
    assert_eq!(env.var("PORT").unwrap().expose_secret(), "8080");
    assert!(ioenv::resolve().is_ok());
    let loader = Loader::new().precedence(Precedence::VaultWins).expand(true);
    assert_refused(loader, "with --expand if this program expands");
}

fn where_the_levels_win_and_are_expanded() {
    let env = Loader::new().precedence(Precedence::VaultWins).expand(true).load().unwrap();
    assert_eq!(env.var("URL").unwrap().expose_secret(), "http://h:8080");
    assert_refused(Loader::new().precedence(Precedence::VaultWins), "with --expand if this program expands");
    // Where the process wins, it counts as it is.
    assert_eq!(ioenv::resolve().unwrap().var("URL").unwrap().expose_secret(), "http://h:8080");
}

fn what_code_names_is_not_replaced() {
    let wrong = LevelKey::generate(&SystemRandom).unwrap();
    for keys in [KeyRing::from(&wrong), KeyRing::new()] {
        let error = Loader::new().key(keys).resolve().unwrap_err();
        assert!(!error.to_string().contains("IOENV_LOADED"), "{error}");
    }
    let sealed = ioenv::SealedFile::open("ioenv.sealed").unwrap();
    let error = Loader::new().source(sealed).resolve().unwrap_err();
    assert!(error.to_string().contains("no key is given") && !error.to_string().contains("IOENV_LOADED"), "{error}");
}

fn what_nobody_wrote_is_refused() {
    let good = process("IOENV_LOADED").unwrap();
    let with = |text: &str, why: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ioenv"));
        let output = child.args(["get", "SECRET"]).env("IOENV_LOADED", text).output().unwrap();
        let shown = text_of(&output);
        assert!(!output.status.success() && shown.contains(why), "{text}: {shown}");
    };
    for text in ["x", "1", "1 path=acme/dev", &good.replace("names=", "name="), &good.replace("1 ", "2 ")] {
        with(text, "it is not what `ioenv run` writes");
    }
    // A name that is withheld, one that was not chosen, and one that the process lacks.
    with(&good.replace("names=", "names=PATH,"), "`ioenv run` has not written it");
    with(&good.replace("names=", "names=NONE,"), "the process has no NONE any more");
    with(&good.replace("path=acme/dev", "path=acme"), "it is about another level");
    with(&good.replace("organization=-", "organization=acme"), "it is about another organization");
    with(&good.replace("sealed=/", "vault=/"), "it is about another sealed file or vault");
}

fn text_of(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

fn what_was_loaded_over_it_ends_it() {
    Loader::new().path(path("acme")).precedence(Precedence::VaultWins).load().unwrap();
    assert_eq!(process("PORT").as_deref(), Some("80"));
    assert_eq!(process("IOENV_LOADED").as_deref(), Some(""));
}

fn the_command_reads_it() {
    let ioenv = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_ioenv")).args(args).output().unwrap();
    let stdout = |args: &[&str]| {
        let output = ioenv(args);
        assert!(output.status.success(), "{args:?}: {}", text_of(&output));
        text(&output.stdout)
    };
    assert_eq!(stdout(&["get", "SECRET"]), PLANTED);
    assert_eq!(
        stdout(&["export"]),
        format!("PORT=8080\nSECRET={PLANTED}\nSHARED=from-project\nURL='http://h:${{PORT}}'\n")
    );
    // What the process has is meant as it is.
    assert_eq!(stdout(&["export", "--expand"]), stdout(&["export"]));
    let listed = stdout(&["list"]);
    assert!(listed.contains("PORT    ••••••  the process, over acme/dev") && !listed.contains(PLANTED), "{listed}");
    let explained = stdout(&["explain", "SECRET"]);
    assert!(explained.contains("the process has it from `ioenv run`") && !explained.contains(PLANTED), "{explained}");
    assert!(Path::new("ioenv.sealed").exists());

    for (args, why) in [
        (&["get", "SECRET", "--path", "acme"][..], "it is about another level than acme"),
        (&["list", "--own"], "no key is given"),
        (&["set", "SECRET", "x"], "no key is given"),
        (&["get", "SECRET", "--key-file", "none"], "cannot read the key file"),
        (&["get", "SECRET", "--source", "vault"], "ioenv.vault"),
        (&["get", "NONE"], "acme/dev has no NONE"),
    ] {
        let output = ioenv(args);
        assert!(output.status.code() == Some(1) && text_of(&output).contains(why), "{args:?}: {}", text_of(&output));
    }
}

fn of_a_vault() {
    assert_eq!((process("IOENV_TOKEN"), process("IOENV_ROOT_KEY")), (None, None));
    let env = ioenv::load().unwrap();
    assert_eq!(env.var("SECRET").unwrap().expose_secret(), PLANTED);
    assert!(env.origin("SECRET").unwrap().is_process());
    let get = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_ioenv")).args(args).output().unwrap();
    assert_eq!(text(&get(&["get", "SECRET"]).stdout), PLANTED);
    let other = get(&["get", "SECRET", "--organization", "other"]);
    assert!(text_of(&other).contains("it is about another organization"), "{}", text_of(&other));
    let error = Loader::new().path(path("acme")).resolve().unwrap_err();
    assert!(error.to_string().starts_with("no token is given"), "{error}");
    assert!(error.to_string().contains("it is about another level than acme"), "{error}");
}

fn of_another_organization() {
    let error = ioenv::load().unwrap_err();
    assert!(error.to_string().contains("it is about another organization"), "{error}");
}
