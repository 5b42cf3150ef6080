//! The sealed file under the real `git merge`.
#![cfg(feature = "sealed")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;

use common::{Project, path, run, text};
use ioenv::{Document, ErrorKind, SealedFile};

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
        assert!(self.git(&["checkout", "--quiet", "-b", name, "main"]).0);
        let mut sealed = SealedFile::edit(self.0.sealed_file()).unwrap();
        match document {
            Some(text) => sealed.set_level(&path(level), &Document::parse(text).unwrap(), &self.0.keys()).unwrap(),
            None => assert!(sealed.remove_level(&path(level))),
        }
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
