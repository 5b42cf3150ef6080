//! A project in a directory of its own, and the real command run in it.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ioenv::{Document, KeyRing, LevelKey, LevelPath, SealedFile, SystemRandom};

pub(crate) struct Project {
    directory: tempfile::TempDir,
    pub(crate) key: LevelKey,
}

impl Project {
    /// `ioenv.toml`, `ioenv.sealed` and `ioenv.key`, with these levels; the last one is the path that is configured.
    pub(crate) fn new(levels: &[(&str, &str)]) -> Self {
        let project = Self { directory: tempfile::tempdir().unwrap(), key: LevelKey::generate(&SystemRandom).unwrap() };
        let (last, _) = levels.last().expect("at least one level");
        let name = path(last).project().parse().unwrap();
        let mut sealed = SealedFile::create(project.sealed_file(), name).unwrap();
        sealed.add_key("main".parse().unwrap(), &project.key).unwrap();
        for (path, text) in levels {
            sealed.set_level(&path.parse().unwrap(), &Document::parse(text).unwrap(), &project.keys()).unwrap();
        }
        sealed.save().unwrap();
        project.write("ioenv.key", project.key.to_text().expose_secret());
        project.write("ioenv.toml", &format!("path = \"{last}\"\n"));
        #[cfg(unix)]
        project.set_mode("ioenv.key", 0o600);
        project
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    pub(crate) fn sealed_file(&self) -> PathBuf {
        self.file("ioenv.sealed")
    }

    pub(crate) fn keys(&self) -> KeyRing {
        (&self.key).into()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
    }

    #[cfg(unix)]
    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;

        fs::set_permissions(self.file(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn level(&self, level: &str) -> Option<Document> {
        SealedFile::open(self.sealed_file()).unwrap().level(&path(level), &self.keys()).unwrap()
    }

    pub(crate) fn value(&self, level: &str, name: &str) -> Option<String> {
        Some(self.level(level)?.get(name)?.value().expose_secret().to_owned())
    }

    /// A program started in the project, with nothing of ours in its environment.
    pub(crate) fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("IOENV_") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.directory()).env_remove("NO_COLOR").env_remove("RUST_BACKTRACE").stdin(Stdio::null());
        command
    }

    /// The `ioenv` command.
    #[cfg(feature = "cli")]
    pub(crate) fn ioenv(&self, args: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_ioenv"));
        command.args(args);
        command
    }

    /// What the command prints when it succeeds.
    #[cfg(feature = "cli")]
    pub(crate) fn stdout(&self, args: &[&str]) -> String {
        let output = run(&mut self.ioenv(args), "");
        assert!(output.status.success(), "{args:?}: {output:?}");
        text(&output.stdout)
    }

    /// What the command complains about when it fails.
    #[cfg(feature = "cli")]
    pub(crate) fn complaint(&self, args: &[&str]) -> String {
        let output = run(&mut self.ioenv(args), "");
        assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
        assert_eq!(text(&output.stdout), "", "{args:?}");
        text(&output.stderr)
    }
}

pub(crate) fn path(text: &str) -> LevelPath {
    text.parse().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub(crate) fn run(command: &mut Command, stdin: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that does not read may be gone already.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}
