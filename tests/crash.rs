//! Writers that are killed, that run at once, and that run out of space: the file is the old one or the new one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use common::{Project, path, run, text};
use ioenv::{Document, ErrorKind, SealedFile};

/// Big enough that a write takes several system calls' time.
fn filling() -> String {
    (0..100).map(|n| format!("FILLING_{n}={}\n", "x".repeat(500))).collect::<Vec<_>>().concat()
}

/// A writer is killed at a moment that differs from round to round; what it had acknowledged is there, and the file
/// opens. The moment closes in on the end of the write from both sides, so that writers are killed before and after it on
/// a machine of any speed.
#[test]
fn a_writer_killed_fifty_times_loses_nothing_it_acknowledged() {
    let project = Project::new(&[("acme", &filling())]);
    let mut delay = Duration::from_millis(1);
    let (mut killed, mut done) = (0, 0);
    for round in 0..50_u32 {
        let value = format!("value-{round}");
        let before = project.value("acme", "COUNTER");
        let mut command = project.ioenv(&["set", "COUNTER", &value, "--variable"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(delay);
        let _ = child.kill();
        let acknowledged = child.wait().unwrap().success();
        if acknowledged {
            done += 1;
            delay = delay.mul_f64(0.8);
        } else {
            killed += 1;
            delay = delay.mul_f64(1.3);
        }

        let after = project.value("acme", "COUNTER");
        if acknowledged {
            assert_eq!(after.as_deref(), Some(value.as_str()), "round {round}");
        } else {
            assert!(after == before || after.as_deref() == Some(&value), "round {round}");
        }
        assert_eq!(project.level("acme").unwrap().len(), 100 + usize::from(after.is_some()), "round {round}");
    }
    assert!(killed > 0 && done > 0, "{killed} writers were killed, {done} were done before");
    // What a killed writer leaves beside the file is in nobody's way.
    project.stdout(&["set", "COUNTER", "end", "--variable"]);
    let mut names: Vec<_> =
        fs::read_dir(project.directory()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".ioenv.sealed.lock", "ioenv.key", "ioenv.sealed", "ioenv.toml"]);
}

#[test]
fn two_loops_of_fifty_at_once_lose_nothing() {
    let project = Project::new(&[("acme", "")]);
    thread::scope(|scope| {
        for writer in ["A", "B"] {
            let project = &project;
            scope.spawn(move || {
                for n in 0..50 {
                    let output = run(&mut project.ioenv(&["set", &format!("{writer}{n}")]), &format!("{writer}-{n}"));
                    assert!(output.status.success(), "{output:?}");
                }
            });
        }
    });
    let level = project.level("acme").unwrap();
    assert_eq!(level.len(), 100);
    for writer in ["A", "B"] {
        for n in 0..50 {
            assert_eq!(level.get(&format!("{writer}{n}")).unwrap().value().expose_secret(), format!("{writer}-{n}"));
        }
    }
}

/// A limit on the size of files fails a write as a full disk does, and needs no disk of its own.
#[cfg(unix)]
#[test]
fn a_write_that_does_not_fit_leaves_the_old_file() {
    let project = Project::new(&[("acme", "A=1\n")]);
    project.write("large.env", &filling());
    let before = fs::read(project.sealed_file()).unwrap();
    let script = format!("trap '' XFSZ; ulimit -f 64; {} import large.env", env!("CARGO_BIN_EXE_ioenv"));
    let output = run(project.program("/bin/sh").args(["-c", &script]), "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stderr).contains("it is as it was"), "{output:?}");
    assert_eq!(fs::read(project.sealed_file()).unwrap(), before);
    assert!(!project.file(".ioenv.sealed.tmp").exists());
}

#[test]
fn a_change_made_meanwhile_is_not_written_over() {
    let project = Project::new(&[("acme", "A=1\n")]);
    let mut mine = SealedFile::open(project.sealed_file()).unwrap();
    project.stdout(&["set", "B", "2", "--variable"]);
    mine.set_level(&path("acme"), &Document::parse("C=3\n").unwrap(), &project.keys()).unwrap();
    assert_eq!(mine.save().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(project.value("acme", "B").as_deref(), Some("2"));

    // A file that is to be made must not be there when it is saved, either.
    let file = project.file("new.sealed");
    let mut mine = SealedFile::create(&file, "acme".parse().unwrap()).unwrap();
    fs::write(&file, "theirs").unwrap();
    assert_eq!(mine.save().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(fs::read_to_string(&file).unwrap(), "theirs");
}

#[test]
fn a_writer_waits_for_another_and_a_reader_does_not() {
    let project = Project::new(&[("acme", "A=1\n")]);
    let mut held = SealedFile::edit(project.sealed_file()).unwrap();
    assert_eq!(project.stdout(&["get", "A"]), "1");
    let mut waiting = project.ioenv(&["set", "B", "2", "--variable"]).spawn().unwrap();
    #[cfg(target_os = "linux")]
    until_it_has_opened(&mut waiting, &project.file(".ioenv.sealed.lock"));
    assert!(waiting.try_wait().unwrap().is_none());
    held.set_level(&path("acme"), &Document::parse("A=3\n").unwrap(), &project.keys()).unwrap();
    held.save().unwrap();
    drop(held);
    assert!(waiting.wait().unwrap().success());
    assert_eq!(project.stdout(&["export"]), "A=3\nB=2\n");
}

/// A process that has the lock file open, and no lock, waits for it.
#[cfg(target_os = "linux")]
fn until_it_has_opened(process: &mut std::process::Child, file: &std::path::Path) {
    let file = file.canonicalize().unwrap();
    let descriptors = format!("/proc/{}/fd", process.id());
    let has_opened = || {
        let links = fs::read_dir(&descriptors).into_iter().flatten().flatten();
        links.filter_map(|link| fs::read_link(link.path()).ok()).any(|target| target == file)
    };
    while !has_opened() {
        assert!(process.try_wait().unwrap().is_none(), "it did not wait");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_changes_nothing_writes_nothing() {
    let project = Project::new(&[("acme", "A=1\n"), ("acme/dev", "B=2\n")]);
    let before = fs::read_to_string(project.sealed_file()).unwrap();
    project.stdout(&["set", "B", "2", "--variable"]);
    let after = fs::read_to_string(project.sealed_file()).unwrap();
    assert_ne!(before, after);
    project.stdout(&["set", "B", "2", "--variable"]);
    assert_eq!(fs::read_to_string(project.sealed_file()).unwrap(), after);
    // The level that was not touched has the same bytes.
    let section = |text: &str| text.split("level ").nth(1).unwrap().to_owned();
    assert_eq!(section(&before), section(&after));
}

#[cfg(unix)]
#[test]
fn a_link_and_the_mode_of_the_file_survive() {
    use std::os::unix::fs::{MetadataExt as _, symlink};

    let project = Project::new(&[("acme", "A=1\n")]);
    fs::create_dir(project.file("real")).unwrap();
    fs::rename(project.sealed_file(), project.file("real/file")).unwrap();
    symlink("real/file", project.sealed_file()).unwrap();
    project.set_mode("real/file", 0o640);
    project.stdout(&["set", "A", "2", "--variable"]);
    assert!(project.sealed_file().symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::metadata(project.file("real/file")).unwrap().mode() & 0o777, 0o640);
    assert_eq!(project.value("acme", "A").as_deref(), Some("2"));

    let mut opened = SealedFile::open(project.sealed_file()).unwrap();
    opened.set_level(&path("acme"), &Document::parse("A=3\n").unwrap(), &project.keys()).unwrap();
    opened.save().unwrap();
    assert!(project.sealed_file().symlink_metadata().unwrap().is_symlink());
    assert_eq!(project.value("acme", "A").as_deref(), Some("3"));
}
