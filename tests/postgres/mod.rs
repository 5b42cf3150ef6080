//! A PostgreSQL server to test against: the one in `IOENV_TEST_POSTGRES` (a URL), or a throwaway one.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The URL of a new, empty schema on the server that the tests share.
pub(crate) fn fresh() -> String {
    static SERVER: OnceLock<Result<String, Cluster>> = OnceLock::new();
    match SERVER.get_or_init(|| std::env::var("IOENV_TEST_POSTGRES").map_err(|_| Cluster::start(&[]))) {
        Ok(url) => fresh_at(url),
        Err(cluster) => cluster.fresh(),
    }
}

fn fresh_at(url: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let schema = format!("ioenv_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    execute(url, &format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"));
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}options=-csearch_path%3D{schema}")
}

/// Runs SQL, past the store.
pub(crate) fn execute(url: &str, sql: &str) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
    });
}

/// A server of one's own, which goes when this process goes, however it does.
pub(crate) struct Cluster {
    directory: PathBuf,
    pub(crate) port: u16,
    /// Waits for the end of its input, which is the end of this process, and cleans up.
    watchdog: Child,
}

impl Cluster {
    /// Starts a server with further settings, such as `ssl=on`.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let cluster = Self::prepare();
        cluster.configure(settings);
        cluster.up();
        cluster
    }

    /// A server that is ready to be configured and started.
    pub(crate) fn prepare() -> Self {
        let directory = tempfile::Builder::new().prefix("ioenv-pg").tempdir().unwrap().keep();
        let clean_up = r#"
            while read -r line; do :; done
            if pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null); then
                kill -QUIT "$pid"
                for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
            fi
            rm -rf "$1"
        "#;
        let watchdog = Command::new("sh")
            .args(["-c", clean_up, "watchdog"])
            .arg(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A signal from the keyboard is for the tests.
            .process_group(0)
            .spawn()
            .unwrap();
        fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let cluster = Self { directory, port, watchdog };
        for name in ["data", "socket"] {
            fs::create_dir(cluster.directory.join(name)).unwrap();
            cluster.hand_over(&cluster.directory.join(name));
        }
        let data = cluster.data().display().to_string();
        cluster.run("initdb", &["-D", &data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]);
        cluster
    }

    fn configure(&self, settings: &[&str]) {
        let path = self.data().join("postgresql.conf");
        let text = fs::read_to_string(&path).unwrap();
        let (socket, port) = (self.directory.join("socket"), self.port);
        let ours = format!(
            "port={port}\nlisten_addresses='localhost'\nunix_socket_directories='{}'\nmax_connections=100\n",
            socket.display()
        );
        fs::write(&path, text + &ours + &settings.join("\n") + "\n").unwrap();
    }

    /// A file in the data directory, as the server wants it.
    pub(crate) fn write(&self, name: &str, text: &[u8]) {
        let path = self.data().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        self.hand_over(&path);
    }

    pub(crate) fn up_with(&self, settings: &[&str]) {
        self.configure(settings);
        self.up();
    }

    pub(crate) fn up(&self) {
        let log = self.directory.join("socket/log").display().to_string();
        self.run("pg_ctl", &["-D", &self.data().display().to_string(), "-l", &log, "-w", "start"]);
    }

    /// Stops the server: `fast` says goodbye to its clients, `immediate` is a crash.
    pub(crate) fn down(&self, mode: &str) {
        self.run("pg_ctl", &["-D", &self.data().display().to_string(), "-w", "-m", mode, "stop"]);
    }

    /// The URL of its database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The URL by way of the Unix socket.
    pub(crate) fn socket_url(&self) -> String {
        let socket = self.directory.join("socket").display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{socket}:{}/postgres", self.port)
    }

    /// The URL of a new, empty schema.
    pub(crate) fn fresh(&self) -> String {
        fresh_at(&self.url())
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn hand_over(&self, path: &Path) {
        if let Some((uid, gid)) = self.servant() {
            chown(path, Some(uid), Some(gid)).unwrap();
        }
    }

    /// Whom root lets the server run as, because it refuses to run as root.
    fn servant(&self) -> Option<(u32, u32)> {
        if fs::metadata(&self.directory).unwrap().uid() != 0 {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").unwrap();
        let user = |name: &str| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut numbers = line.split(':').skip(2).map(|number| number.parse().unwrap());
            Some((numbers.next()?, numbers.next()?))
        };
        Some(user("postgres").or_else(|| user("nobody")).expect("a user `postgres` or `nobody`"))
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(binary(program));
        // The server would hold on to our standard output, if it had it.
        command.args(arguments).current_dir(self.directory.join("socket")).stdout(Stdio::null()).stdin(Stdio::null());
        command.stderr(Stdio::null()).env("LC_ALL", "C").process_group(0);
        if let Some((uid, gid)) = self.servant() {
            command.uid(uid).gid(gid);
        }
        let status = command.status().unwrap();
        let log = fs::read_to_string(self.directory.join("socket/log")).unwrap_or_default();
        assert!(status.success(), "{program} {arguments:?}: {status}\n{log}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

fn binary(name: &str) -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut installed: Vec<PathBuf> = installed.map(|version| version.join("bin")).collect();
    installed.sort();
    installed.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain(installed).map(|directory| directory.join(name)).find(|file| file.is_file()).expect(
        "no PostgreSQL to test against: install Debian's `postgresql`, or name a server's URL in IOENV_TEST_POSTGRES",
    )
}
