//! The sealed file under the real `git merge`.
#![cfg(feature = "sealed")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;

use common::{Project, path, run, text};
use ioenv::{Document, ErrorKind, KeyRing, LevelKey, SealedFile, Slug, SystemRandom};

struct Repository(Project);

impl Repository {
    fn new(levels: &[(&str, &str)]) -> Self {
        let repository = Self(Project::new(levels));
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit("start");
        repository
    }

    fn git(&self, args: &[&str]) -> (bool, String) {
        let mut git = self.0.program("git");
        git.args(["-c", "user.name=test", "-c", "user.email=test@example.com"]).args(args);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let output = run(&mut git, "");
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "ioenv.sealed"]);
        let (committed, shown) = self.git(&["commit", "--quiet", "-m", message]);
        assert!(committed, "{shown}");
    }

    /// A change on a branch of its own that starts at `main`.
    fn branch(&self, name: &str, level: &str, document: Option<&str>) {
        self.change(name, |sealed| match document {
            Some(text) => sealed.set_level(&path(level), &Document::parse(text).unwrap(), &self.0.keys()).unwrap(),
            None => assert!(sealed.remove_level(&path(level))),
        });
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut SealedFile)) {
        assert!(self.git(&["checkout", "--quiet", "-b", name, "main"]).0);
        let mut sealed = SealedFile::edit(self.0.sealed_file()).unwrap();
        change(&mut sealed);
        sealed.save().unwrap();
        self.commit(name);
    }

    /// Merges both branches into `main`.
    fn merge(&self, branches: [&str; 2]) -> (bool, String) {
        assert!(self.git(&["checkout", "--quiet", "main"]).0);
        assert!(self.git(&["merge", "--quiet", branches[0]]).0);
        self.git(&["merge", "--quiet", "--no-edit", branches[1]])
    }

    fn value(&self, level: &str, name: &str) -> Option<String> {
        self.0.value(level, name)
    }
}

const LEVELS: [(&str, &str); 4] =
    [("acme", "A=1\n"), ("acme/api", "A=1\n"), ("acme/api/dev", "A=1\n"), ("acme/web", "A=1\n")];

#[test]
fn changes_of_neighbouring_levels_merge() {
    for (one, other) in [("acme", "acme/api"), ("acme/api", "acme/api/dev"), ("acme/api/dev", "acme/web")] {
        let repository = Repository::new(&LEVELS);
        repository.branch("one", one, Some("A=one\n"));
        repository.branch(
            "other",
            other,
            Some("A=other\nB=a longer document than before, over several lines of base64\n"),
        );
        let (merged, shown) = repository.merge(["one", "other"]);
        assert!(merged, "{one} and {other}: {shown}");
        assert_eq!(repository.value(one, "A").as_deref(), Some("one"));
        assert_eq!(repository.value(other, "A").as_deref(), Some("other"));
    }
}

#[test]
fn a_new_level_and_a_removed_one_merge_with_changes_beside_them() {
    let repository = Repository::new(&LEVELS);
    repository.branch("new", "acme/api/prod", Some("A=new\n"));
    repository.branch("changed", "acme/api", Some("A=changed\n"));
    assert!(repository.merge(["new", "changed"]).0);
    assert_eq!(repository.value("acme/api/prod", "A").as_deref(), Some("new"));
    assert_eq!(repository.value("acme/api", "A").as_deref(), Some("changed"));

    repository.branch("removed", "acme/web", None);
    repository.branch("changed-again", "acme/api/dev", Some("A=again\n"));
    assert!(repository.merge(["removed", "changed-again"]).0);
    assert_eq!(repository.value("acme/web", "A"), None);
    assert_eq!(repository.value("acme/api/dev", "A").as_deref(), Some("again"));
}

/// Two changes of one level cannot be merged by anybody without the key, so git must say so, and the file that it
/// leaves must be refused in words that help.
#[test]
fn changes_of_the_same_level_conflict_and_are_named() {
    let repository = Repository::new(&LEVELS);
    repository.branch("one", "acme/api", Some("A=one\n"));
    repository.branch("other", "acme/api", Some("A=other\n"));
    let (merged, shown) = repository.merge(["one", "other"]);
    assert!(!merged && shown.contains("CONFLICT"), "{shown}");

    let error = SealedFile::open(repository.0.sealed_file()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("a merge left a conflict here"), "{error}");

    // Keeping one side of it is a whole file again.
    repository.git(&["checkout", "--theirs", "ioenv.sealed"]);
    assert_eq!(repository.value("acme/api", "A").as_deref(), Some("other"));
}

/// A diff shows which level was changed and leaves the others alone.
#[test]
fn a_diff_is_about_the_level_that_changed() {
    let repository = Repository::new(&LEVELS);
    repository.branch("one", "acme/api", Some("A=one\n"));
    let (_, diff) = repository.git(&["diff", "--unified=2", "main", "one"]);
    assert!(diff.contains("\n level acme/api\n"), "{diff}");
    assert!(!diff.contains("level acme/web"), "{diff}");
    let changed = diff
        .lines()
        .filter(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"));
    assert_eq!(changed.count(), 4, "a place tag and a blob, before and after: {diff}");
    assert!(fs::read_to_string(repository.0.sealed_file()).unwrap().ends_with("\nend\n"));
}

fn id(text: &str) -> Slug {
    text.parse().unwrap()
}

fn new_key() -> LevelKey {
    LevelKey::generate(&SystemRandom).unwrap()
}

/// The keys `main`, `main-2` and so on.
fn ring(project: &Project, more: &[&LevelKey]) -> KeyRing {
    let mut keys = project.keys();
    for key in more {
        keys.extend(*key);
    }
    keys
}

fn rotate(sealed: &mut SealedFile, old: &str, new: &str, key: &LevelKey, keys: &KeyRing) {
    sealed.add_key(id(new), key).unwrap();
    sealed.replace_key(&id(old), &id(new), keys).unwrap();
}

fn opens(sealed: &SealedFile, level: &str, keys: &KeyRing) -> bool {
    sealed.level(&path(level), keys).is_ok_and(|level| level.is_some())
}

#[test]
fn a_level_that_comes_in_under_a_retired_key_opens_and_the_next_rotation_moves_it() {
    for rotations in [1, 2] {
        for order in [["rotated", "new"], ["new", "rotated"]] {
            let repository = Repository::new(&LEVELS);
            let [second, third, last] = [new_key(), new_key(), new_key()];
            let keys = ring(&repository.0, &[&second, &third, &last]);
            repository.change("rotated", |sealed| {
                rotate(sealed, "main", "main-2", &second, &keys);
                if rotations == 2 {
                    rotate(sealed, "main-2", "main-3", &third, &keys);
                }
            });
            repository.branch("new", "acme/api/prod", Some("A=new\n"));
            let (merged, shown) = repository.merge(order);
            assert!(merged, "{order:?}: {shown}");

            let mut sealed = SealedFile::edit(repository.0.sealed_file()).unwrap();
            let current = if rotations == 2 { "main-3" } else { "main-2" };
            let level = path("acme/api/prod");
            assert_eq!(sealed.key_of(&level), Some(&id("main")));
            assert_eq!(sealed.keys()[0].replaced_by(), Some(&id(current)));
            assert!(opens(&sealed, "acme/api/prod", &repository.0.keys()), "who holds the old key opens it");
            assert!(!opens(&sealed, "acme/api/dev", &repository.0.keys()), "the others are under the new key");
            assert_eq!(sealed.layers(&level, &keys).unwrap().len(), 3);
            let error = sealed.layers(&level, &KeyRing::from(if rotations == 2 { &third } else { &second }));
            let error = error.unwrap_err();
            assert_eq!((error.kind(), error.path()), (ErrorKind::Config, Some(level.clone())), "{error}");
            assert!(error.to_string().contains("`main`"), "{error}");

            rotate(&mut sealed, current, "last", &last, &keys);
            assert!(sealed.paths().all(|path| sealed.key_of(path) == Some(&id("last"))));
            assert!(sealed.paths().all(|path| opens(&sealed, path.as_str(), &KeyRing::from(&last))));
            sealed.save().unwrap();
            // Nothing is under them any more.
            let mut sealed = SealedFile::open(repository.0.sealed_file()).unwrap();
            let retired = sealed.keys().iter().filter(|key| key.replaced_by() == Some(&id("last")));
            assert_eq!(retired.count(), rotations + 1);
            assert!(sealed.remove_key(&id("main")).unwrap());
        }
    }
}

#[test]
fn a_level_under_a_retired_key_is_moved_at_once_by_rotating_that_key_or_changing_the_level() {
    let repository = Repository::new(&LEVELS);
    let second = new_key();
    let keys = ring(&repository.0, &[&second]);
    repository.change("rotated", |sealed| rotate(sealed, "main", "main-2", &second, &keys));
    repository.branch("new", "acme/api/prod", Some("A=new\n"));
    assert!(repository.merge(["rotated", "new"]).0);

    let mut sealed = SealedFile::open(repository.0.sealed_file()).unwrap();
    assert_eq!(sealed.sealing_key(&id("main"), &keys).unwrap(), &id("main-2"));
    assert_eq!(sealed.replace_key(&id("main"), &id("main-2"), &keys).unwrap(), [path("acme/api/prod")]);
    assert!(opens(&sealed, "acme/api/prod", &KeyRing::from(&second)));

    // A retired key seals nothing new: neither the level itself nor a new one.
    let mut sealed = SealedFile::open(repository.0.sealed_file()).unwrap();
    let document = Document::parse("A=changed\n").unwrap();
    let old = repository.0.keys();
    assert_eq!(sealed.set_level(&path("acme/api/prod"), &document, &old).unwrap_err().kind(), ErrorKind::Config);
    sealed.set_level(&path("acme/api/prod"), &document, &keys).unwrap();
    assert_eq!(sealed.key_of(&path("acme/api/prod")), Some(&id("main-2")));
    let error = sealed.set_level_key(&path("acme"), &id("main"), &keys).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    // The new key cannot go while the old one leads to it.
    assert_eq!(sealed.remove_key(&id("main-2")).unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn each_key_has_its_own_successor_and_nobody_without_the_key_changes_it() {
    let repository = Repository::new(&LEVELS);
    let [production, second, foreign] = [new_key(), new_key(), new_key()];
    let keys = ring(&repository.0, &[&production, &second]);
    let mut sealed = SealedFile::edit(repository.0.sealed_file()).unwrap();
    sealed.add_key(id("production"), &production).unwrap();
    sealed.set_level_key(&path("acme/web"), &id("production"), &keys).unwrap();
    rotate(&mut sealed, "main", "main-2", &second, &keys);
    assert_eq!(sealed.key_of(&path("acme/web")), Some(&id("production")));

    // Somebody with the repository, but without the key, directs the levels of `main` to a key of their own.
    sealed.add_key(id("foreign"), &foreign).unwrap();
    sealed.save().unwrap();
    drop(sealed);
    let text = fs::read_to_string(repository.0.sealed_file()).unwrap();
    let all = ring(&repository.0, &[&production, &second, &foreign]);
    let forged = SealedFile::parse(&text.replace("  replaced-by main-2 ", "  replaced-by foreign ")).unwrap();
    let error = forged.sealing_key(&id("main"), &all).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("was changed by somebody without the key"), "{error}");
    // Nor by putting their key under the id of the new one.
    let section = |key: &str| {
        let start = text.find(&format!("key {key}\n")).unwrap();
        text[start..].split("\n\n").next().unwrap().to_owned()
    };
    let check = |key: &str| section(key).lines().find(|line| line.starts_with("  check ")).unwrap().to_owned();
    let forged = SealedFile::parse(&text.replace(&check("main-2"), &check("foreign"))).unwrap();
    assert_eq!(forged.sealing_key(&id("main"), &all).unwrap_err().kind(), ErrorKind::Corrupt);
    // A circle ends.
    let circle = section("main").lines().last().unwrap().replace("main-2", "main");
    let forged = SealedFile::parse(&text.replace(section("main").lines().last().unwrap(), &circle)).unwrap();
    assert_eq!(forged.sealing_key(&id("main"), &all).unwrap_err().kind(), ErrorKind::Corrupt);
}

/// One side removes the key after its last level was moved; the other one adds a level under it.
fn with_a_level_of_a_removed_key(order: [&str; 2], second: &LevelKey) -> Repository {
    let repository = Repository::new(&LEVELS);
    let keys = ring(&repository.0, &[second]);
    repository.change("removed", |sealed| {
        sealed.add_key(id("other"), second).unwrap();
        for level in LEVELS {
            sealed.set_level_key(&path(level.0), &id("other"), &keys).unwrap();
        }
        assert!(sealed.remove_key(&id("main")).unwrap());
    });
    repository.branch("new", "acme/api/prod", Some("A=new\n"));
    let (merged, shown) = repository.merge(order);
    assert!(merged, "{order:?}: {shown}");
    repository
}

#[test]
fn a_level_whose_key_the_other_side_removed_fails_alone() {
    for order in [["removed", "new"], ["new", "removed"]] {
        let second = new_key();
        let repository = with_a_level_of_a_removed_key(order, &second);
        let keys = ring(&repository.0, &[&second]);
        let mut sealed = SealedFile::edit(repository.0.sealed_file()).unwrap();
        let level = path("acme/api/prod");
        assert_eq!(sealed.key_of(&level), Some(&id("main")));
        for error in [
            sealed.level(&level, &keys).unwrap_err(),
            sealed.layers(&level, &keys).unwrap_err(),
            sealed.blob(&level, &keys).unwrap_err(),
            sealed.level_key(&level, &keys).unwrap_err(),
            sealed.set_level(&level, &Document::new(), &keys).unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.path()), (ErrorKind::Corrupt, Some(level.clone())), "{error}");
            assert!(error.to_string().contains("`ioenv key rotate ID KEY`"), "{error}");
        }
        for other in LEVELS {
            assert!(!sealed.layers(&path(other.0), &keys).unwrap().is_empty(), "{}", other.0);
        }
        sealed.set_level(&path("acme/web"), &Document::parse("A=2\n").unwrap(), &keys).unwrap();
        sealed.save().unwrap();
        assert_eq!(SealedFile::parse(&sealed.to_text()).unwrap().key_of(&level), Some(&id("main")));

        // Without the key it can only go.
        let error = sealed.replace_key(&id("main"), &id("other"), &KeyRing::from(&second)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        let mut without = SealedFile::parse(&sealed.to_text()).unwrap();
        assert!(without.remove_level(&level));
        // With it, it can be sealed with another one.
        assert_eq!(sealed.replace_key(&id("main"), &id("other"), &keys).unwrap(), std::slice::from_ref(&level));
        assert!(opens(&sealed, level.as_str(), &KeyRing::from(&second)));
    }
}

#[cfg(feature = "cli")]
#[test]
fn the_command_works_beside_a_level_whose_key_was_removed_and_repairs_it() {
    let second = new_key();
    let repository = with_a_level_of_a_removed_key(["removed", "new"], &second);
    let project = &repository.0;
    let both = format!("{}\n{}\n", project.key.to_text().expose_secret(), second.to_text().expose_secret());
    project.write("ioenv.key", second.to_text().expose_secret());

    assert!(project.stdout(&["tree"]).contains("prod  (key main, which is not in the file)"));
    let listed = project.stdout(&["key"]);
    assert!(listed.lines().any(|line| line.starts_with("main") && line.contains("not in the file  acme/api/prod")));
    assert_eq!(project.stdout(&["get", "A", "--path", "acme/api/dev"]), "1");
    project.stdout(&["set", "B", "2", "--path", "acme/api/dev"]);
    project.stdout(&["unset", "B", "--path", "acme/api/dev"]);
    project.stdout(&["key", "new", "third"]);
    project.stdout(&["key", "use", "third", "--path", "acme/web"]);
    let check = run(&mut project.ioenv(&["key", "check"]), "");
    assert_eq!(check.status.code(), Some(1));
    let check = text(&check.stdout);
    assert!(check.contains("acme/api/prod  main   ") && check.contains("`ioenv key rotate ID KEY`"), "{check}");
    assert!(check.contains("acme/web       third  opens, 1 entry"), "{check}");

    for args in [&["get", "A"][..], &["set", "A", "2"], &["unset", "A"], &["list"], &["unset", "--all"]] {
        let complaint = project.complaint(&[args, &["--path", "acme/api/prod"]].concat());
        assert!(
            complaint.contains("acme/api/prod: the level is sealed with a key that the file does not have"),
            "{args:?}: {complaint}"
        );
        assert!(complaint.contains("`ioenv key rotate ID KEY`"), "{args:?}: {complaint}");
    }

    project.write("ioenv.key", &both);
    project.stdout(&["key", "rotate", "main", "other"]);
    assert_eq!(project.stdout(&["get", "A", "--path", "acme/api/prod"]), "new");
    assert!(!project.stdout(&["key"]).contains("main"));
}

#[cfg(feature = "cli")]
#[test]
fn the_command_rotates_keys() {
    let repository = Repository::new(&LEVELS);
    let project = &repository.0;
    assert!(repository.git(&["checkout", "--quiet", "-b", "rotated"]).0);
    project.stdout(&["key", "rotate", "main"]);
    project.stdout(&["key", "rotate", "main-2"]);
    repository.commit("rotated");
    let keys = fs::read_to_string(project.file("ioenv.key")).unwrap();
    assert_eq!(keys.lines().filter(|line| line.starts_with("ioenv_key_")).count(), 3);
    repository.branch("new", "acme/api/prod", Some("A=new\n"));
    assert!(repository.merge(["rotated", "new"]).0);

    assert!(project.stdout(&["tree"]).contains("prod  (key main, retired)"));
    let listed = project.stdout(&["key"]);
    assert!(listed.lines().any(|line| line.starts_with("main ") && line.contains("replaced by main-3  acme/api/prod")));
    assert!(project.stdout(&["key", "check"]).contains("opens, 1 entry; the key is retired"));
    assert!(project.complaint(&["key", "remove", "main"]).contains("still uses the key `main`"));
    assert!(project.complaint(&["key", "use", "main", "--path", "acme"]).contains("is retired"));
    assert_eq!(project.stdout(&["get", "A", "--path", "acme/api/prod"]), "new");

    // Of the retired key itself, no new key is made.
    project.stdout(&["key", "rotate", "main"]);
    assert!(project.stdout(&["tree"]).contains("prod  (key main-3)"));
    assert_eq!(fs::read_to_string(project.file("ioenv.key")).unwrap(), keys);
    project.stdout(&["key", "remove", "main"]);
    project.stdout(&["key", "rotate", "main-3", "last"]);
    assert!(project.stdout(&["key"]).lines().any(|line| line.starts_with("last ")));
    assert!(project.complaint(&["key", "rotate", "none"]).contains("there is no key `none`"));
    assert!(project.complaint(&["key", "rotate", "last", "last"]).contains("cannot replace itself"));
}
