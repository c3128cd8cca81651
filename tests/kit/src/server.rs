//! A server of one's own: a directory, two ports, a process.

use crate::machine::{PATIENCE, binary, free_port, http};
use crate::setup::{Setup, password_of};
use crate::{Answer, Visitor};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

/// A running server; dropping it kills the process and removes its files.
#[derive(Debug)]
pub struct Server {
    directory: TempDir,
    http: reqwest::Client,
    public_port: u16,
    admin_port: u16,
    setup: Setup,
    process: Option<Child>,
}

impl Server {
    /// A server with the default flags, ready.
    pub async fn start() -> Self {
        Self::with().start().await
    }

    /// A server that is given something before it starts.
    #[must_use]
    pub fn with() -> Setup {
        Setup::default()
    }

    /// Starts a server and waits until it is ready.
    pub(crate) async fn launch(setup: Setup) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the server");
        let mut server =
            Server { directory, http: http(), public_port: 0, admin_port: 0, setup, process: None };
        for (name, admin) in server.setup.users.clone() {
            server.add_user(&name, admin).await;
        }
        // Another program may take a port between the choice and the start: then choose again.
        for _ in 0..5 {
            (server.public_port, server.admin_port) = (free_port(), free_port());
            server.spawn();
            if server.becomes_ready().await {
                return server;
            }
        }
        panic!("the server did not start:\n{}", server.log());
    }

    /// `127.0.0.1:port` of the public listener.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.public_port)
    }

    /// Scheme and address of the public listener: the origin of the pages it serves.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.setup.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address())
    }

    /// Scheme and address of the admin listener.
    #[must_use]
    pub fn admin_origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.admin_port)
    }

    /// Somebody who has never been here.
    #[must_use]
    pub fn visitor(&self) -> Visitor {
        Visitor::new(self.http.clone(), self.origin())
    }

    /// Asks the admin listener.
    pub async fn ask_admin(&self, path: &str) -> Answer {
        self.administrator().get(path).send().await
    }

    /// Somebody who asks the admin listener.
    #[must_use]
    pub fn administrator(&self) -> Visitor {
        Visitor::new(self.http.clone(), self.admin_origin())
    }

    /// SIGSTOP: connections stay open and nobody answers.
    ///
    /// # Panics
    ///
    /// The server does not run.
    pub fn stop(&self) {
        kill(self.pid(), Signal::SIGSTOP).expect("the server runs");
    }

    /// SIGCONT.
    ///
    /// # Panics
    ///
    /// The server does not run.
    pub fn resume(&self) {
        kill(self.pid(), Signal::SIGCONT).expect("the server runs");
    }

    /// Creates a user, or gives them a new password: [`password_of`] the name.
    pub async fn add_user(&self, name: &str, admin: bool) {
        let options: &[&str] = if admin { &["--admin"] } else { &[] };
        let arguments = [&["user", "add", name], options].concat();
        self.run(&arguments, &password_of(name)).await;
    }

    /// A new API key.
    pub async fn add_key(&self, name: &str) -> String {
        self.run(&["key", "add", name], "").await.trim().to_owned()
    }

    /// The headline figures, read with an API key; `query` begins with `?` or is empty.
    pub async fn overview(&self, key: &str, query: &str) -> Value {
        let path = format!("/api/metrics/overview{query}");
        self.visitor().get(&path).bearer(key).send().await.expect(200).json()
    }

    /// Runs a subcommand on this server's database to its end; returns what it printed.
    ///
    /// # Panics
    ///
    /// The command failed.
    pub async fn run(&self, arguments: &[&str], stdin: &str) -> String {
        let output = self.output_of(arguments, stdin).await;
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "visitflow {arguments:?}: {stderr}");
        String::from_utf8(output.stdout).expect("output is text")
    }

    /// Runs the binary in the server's directory with these arguments alone; returns what it printed.
    ///
    /// # Panics
    ///
    /// It failed.
    pub async fn run_plain(&self, arguments: &[&str]) -> String {
        let output = self.begin_plain(arguments).wait_with_output().await.expect("the command ends");
        assert!(output.status.success(), "visitflow {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("output is text")
    }

    /// As [`Self::run_plain`], for what must fail.
    ///
    /// # Panics
    ///
    /// It succeeded.
    pub async fn fails_plain(&self, arguments: &[&str]) -> String {
        let output = self.begin_plain(arguments).wait_with_output().await.expect("the command ends");
        assert!(!output.status.success(), "visitflow {arguments:?}: {output:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).expect("output is text")
    }

    /// Begins the binary in the server's directory with these arguments alone; dropping it kills it.
    ///
    /// # Panics
    ///
    /// There is no binary.
    #[must_use]
    pub fn begin_plain(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.directory()).env_clear().kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the binary runs")
    }

    /// Runs a subcommand that must fail; returns what it said.
    ///
    /// # Panics
    ///
    /// The command succeeded.
    pub async fn fails(&self, arguments: &[&str]) -> String {
        let output = self.output_of(arguments, "").await;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).expect("output is text");
        assert!(!output.status.success(), "visitflow {arguments:?}: {said}");
        said
    }

    /// Begins a subcommand, for who ends it; dropping it kills it.
    ///
    /// # Panics
    ///
    /// There is no binary.
    #[must_use]
    pub fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the binary runs")
    }

    async fn output_of(&self, arguments: &[&str], stdin: &str) -> Output {
        let mut child = self.begin(arguments);
        let mut pipe = child.stdin.take().expect("stdin is a pipe");
        // A command that wants no input may have closed its end already.
        let _ = pipe.write_all(format!("{stdin}\n").as_bytes()).await;
        drop(pipe);
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        output.expect("the command ends in time").expect("the command ends")
    }

    /// The process id.
    ///
    /// # Panics
    ///
    /// The server does not run.
    #[must_use]
    pub fn pid(&self) -> Pid {
        let id = self.process.as_ref().and_then(Child::id);
        let id = id.expect("the server runs");
        Pid::from_raw(i32::try_from(id).expect("a process id fits"))
    }

    /// kill -9.
    pub async fn kill(&mut self) {
        self.end_by(Signal::SIGKILL).await;
    }

    /// Asks the server to stop and waits until it has.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.end_by(Signal::SIGTERM).await
    }

    /// Sends a signal that ends the server, and waits until it has ended.
    ///
    /// # Panics
    ///
    /// The server does not run, or does not end.
    pub async fn end_by(&mut self, signal: Signal) -> ExitStatus {
        kill(self.pid(), signal).expect("the server runs");
        let mut process = self.process.take().expect("the server runs");
        let ended = tokio::time::timeout(PATIENCE, process.wait()).await;
        ended.expect("the server ends in time").expect("a status")
    }

    /// Starts the server again on the same files and ports.
    ///
    /// # Panics
    ///
    /// It does not become ready.
    pub async fn restart(&mut self) {
        self.spawn();
        assert!(self.becomes_ready().await, "no restart:\n{}", self.log());
    }

    /// Everything the server has logged so far, over restarts too.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// The directory of the server's files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn spawn(&mut self) {
        let mut log = File::options();
        log.create(true).append(true);
        let log = log.open(self.setup.log.clone().unwrap_or_else(|| self.log_path()));
        let log = log.expect("a log file");
        let listen = format!("127.0.0.1:{}", self.public_port);
        let admin = format!("127.0.0.1:{}", self.admin_port);
        let mut command = self.command(&["serve", "--listen", &listen, "--admin-listen", &admin]);
        if let Some(url) = &self.setup.redis_url {
            command.args(["--redis-url", url]);
        }
        if let Some(path) = &self.setup.spool {
            command.arg("--spool").arg(path);
        }
        command
            .args(&self.setup.flags)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("one file, two handles"))
            .stderr(log);
        self.process = Some(command.spawn().expect("the binary runs"));
    }

    /// Invariant: nothing of this machine's environment reaches the server.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .arg("--database-url")
            .arg(self.database_url())
            .current_dir(self.directory())
            .env_clear()
            .envs(self.setup.environment.iter().cloned())
            .kill_on_drop(true);
        command
    }

    async fn becomes_ready(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let url = format!("{}/readyz", self.admin_origin());
        while Instant::now() < deadline {
            let ended = self
                .process
                .as_mut()
                .is_none_or(|process| process.try_wait().is_ok_and(|status| status.is_some()));
            if ended {
                return false;
            }
            let answer = self.http.get(&url).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    /// Where the server was told to keep its visits.
    fn database_url(&self) -> String {
        let embedded = || format!("sqlite://{}", self.database_path().display());
        self.setup.database_url.clone().unwrap_or_else(embedded)
    }

    /// Where its database is read, if it is a PostgreSQL: not over a line that may be bad.
    pub(crate) fn postgres_url(&self) -> Option<&str> {
        self.setup.postgres_url.as_deref()
    }

    pub(crate) fn database_path(&self) -> PathBuf {
        self.directory().join("visitflow.db")
    }

    fn log_path(&self) -> PathBuf {
        self.directory().join("server.log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(30)..];
            eprintln!("the server's last words:\n{}", last.join("\n"));
        }
    }
}
