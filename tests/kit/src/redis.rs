//! A Redis of one's own, on a free port.

use crate::machine::{PATIENCE, free_port};
use crate::process::Process;
use crate::reaper::reaper;
use nix::unistd::Pid;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::OnceCell;

mod protocol;

/// What lives as long as the test binary: a static is not dropped, so the reaper cleans up.
struct Shared {
    redis: Redis,
    _reaper: Child,
}

/// A running Redis; dropping it kills the process and removes its files.
#[derive(Debug)]
pub struct Redis {
    directory: TempDir,
    arguments: Vec<String>,
    port: u16,
    process: Option<Process>,
}

impl Redis {
    /// One that keeps nothing on disk: a restart forgets everything.
    pub async fn start() -> Self {
        Self::with(&["--appendonly", "no"]).await
    }

    /// The one that this test binary shares, and that keeps nothing on disk: not to be hurt.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Shared> = OnceCell::const_new();
        let start = async || {
            let redis = Self::start().await;
            let reaper = reaper(redis.pid().as_slice(), vec![redis.folder()]);
            Shared { redis, _reaper: reaper }
        };
        &SHARED.get_or_init(start).await.redis
    }

    /// One that writes every command to its append-only file before it answers.
    pub async fn persistent() -> Self {
        Self::with(&["--appendonly", "yes"]).await
    }

    /// One with these arguments beside those that every Redis here has.
    ///
    /// # Panics
    ///
    /// Redis is not installed, or does not start.
    pub async fn with(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory for Redis");
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let mut redis = Self { directory, arguments, port: 0, process: None };
        // Another program may take the port between the choice and the start: then choose again.
        for _ in 0..5 {
            redis.port = free_port();
            if redis.spawn_and_wait().await {
                return redis;
            }
        }
        panic!("Redis did not start:\n{}", redis.log());
    }

    /// `redis://…`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// `127.0.0.1:port`
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The process; none when it is killed.
    #[must_use]
    pub fn pid(&self) -> Option<Pid> {
        self.process.as_ref().map(Process::pid)
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// SIGSTOP: connections stay open and nobody answers.
    ///
    /// # Panics
    ///
    /// It does not run.
    pub fn stop(&self) {
        self.process.as_ref().expect("Redis runs").stop();
    }

    /// SIGCONT.
    ///
    /// # Panics
    ///
    /// It does not run.
    pub fn resume(&self) {
        self.process.as_ref().expect("Redis runs").resume();
    }

    /// Starts it again on the same port and files, after a kill if it still runs.
    ///
    /// # Panics
    ///
    /// It does not become ready.
    pub async fn restart(&mut self) {
        self.kill();
        assert!(self.spawn_and_wait().await, "no restart:\n{}", self.log());
    }

    /// The answer to a command. Texts that are not UTF-8 lose what is not.
    ///
    /// # Panics
    ///
    /// The answer is an error, or none comes in time.
    pub async fn command(&self, words: &[&str]) -> Value {
        let answer = tokio::time::timeout(PATIENCE, protocol::ask(&self.address(), words)).await;
        match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => panic!("{words:?}: {error}"),
            Err(_) => panic!("{words:?}: no answer in time"),
        }
    }

    /// Everything that it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    async fn spawn_and_wait(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--daemonize", "no", "--logfile", "log", "--dir"])
            .arg(self.directory.path())
            .args(&self.arguments)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let address = self.address();
        let process = self.process.insert(Process::start(&mut command));
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && process.is_running() {
            // While it loads its file it answers with an error.
            if protocol::ask(&address, &["PING"]).await.is_ok_and(|answer| answer == "PONG") {
                // Somebody else's would answer too, if ours could not take the port.
                return process.is_running();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }
}
