//! A website of one's own: some program that serves pages on a free port.

use crate::machine::{PATIENCE, free_port, http, target_directory};
use crate::process::Process;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Where `cargo xtask test examples` leaves an example, installed from the packed package and built.
///
/// # Panics
///
/// It is not there.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    let folder = target_directory().join("examples").join(name);
    assert!(folder.join(".stamp").is_file(), "{name} is not built: `cargo xtask test examples` builds it");
    folder
}

/// A Node.js program of an example, for this port: `script` lies in its `node_modules`.
#[must_use]
pub fn node(folder: &Path, script: &str, arguments: &[&str], port: u16) -> Command {
    let mut command = Command::new("node");
    command.arg(folder.join("node_modules").join(script)).args(arguments);
    command.args(["--port", &port.to_string()]).env("NEXT_TELEMETRY_DISABLED", "1").current_dir(folder);
    command
}

/// A running website; dropping it kills the program.
#[derive(Debug)]
pub struct Site {
    port: u16,
    process: Process,
    log: TempDir,
    /// What the program serves, if it is a copy.
    files: Option<TempDir>,
}

impl Site {
    /// Starts the program for a free port of 127.0.0.1, and waits until somebody answers there.
    ///
    /// # Panics
    ///
    /// The program is missing, or does not answer in time.
    pub async fn start(program: impl Fn(u16) -> Command) -> Self {
        let mut said = String::new();
        // Another program may take the port between the choice and the start: then choose again.
        for _ in 0..5 {
            let port = free_port();
            match Self::on(port, &mut program(port)).await {
                Ok(site) => return site,
                Err(last) => said = last,
            }
        }
        panic!("no website comes up:\n{said}");
    }

    /// Starts the program for this port, for a server that has to know it before.
    ///
    /// # Errors
    ///
    /// It does not answer in time: what it has said.
    ///
    /// # Panics
    ///
    /// It is missing.
    pub async fn on(port: u16, program: &mut Command) -> Result<Self, String> {
        let directory = tempfile::tempdir().expect("a directory for the log");
        let log = File::create(directory.path().join("log")).expect("a log");
        program.stdin(Stdio::null()).stdout(log.try_clone().expect("one file, two handles")).stderr(log);
        let process = Process::start(program);
        let mut site = Self { port, process, log: directory, files: None };
        if site.answers().await { Ok(site) } else { Err(site.said()) }
    }

    /// nginx with this configuration, in which it listens on 127.0.0.1:8000. Its relative paths
    /// are those of a folder of its own, a copy of `files` if there are any.
    ///
    /// # Panics
    ///
    /// nginx is missing, or refuses the configuration.
    pub async fn nginx(files: Option<&Path>, configuration: &str) -> Self {
        const LISTEN: &str = "127.0.0.1:8000";
        assert!(configuration.contains(LISTEN), "the configuration listens on {LISTEN}");
        let copies = tempfile::tempdir().expect("a directory for nginx");
        let mut site = Self::start(|port| {
            let place = copies.path().join(port.to_string());
            fs::create_dir_all(&place).expect("a folder");
            if let Some(files) = files {
                copy(files, &place);
            }
            let own = configuration.replace(LISTEN, &format!("127.0.0.1:{port}"));
            fs::write(place.join("nginx.conf"), own).expect("a configuration");
            let mut command = Command::new("nginx");
            // One process, which may read what is root's.
            command
                .args(["-e", "stderr", "-c", "nginx.conf", "-g", "daemon off; master_process off;", "-p"])
                .arg(place);
            command
        })
        .await;
        site.files = Some(copies);
        site
    }

    /// `http://127.0.0.1:port`
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn said(&self) -> String {
        fs::read_to_string(self.log.path().join("log")).unwrap_or_default()
    }

    async fn answers(&mut self) -> bool {
        let http = http();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && self.process.is_running() {
            if http.get(self.origin()).send().await.is_ok() {
                // Somebody else's would answer too, if ours could not take the port.
                return self.process.is_running();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the website has said:\n{}", self.said());
        }
    }
}

/// Copies a folder with all that is in it.
///
/// # Panics
///
/// Something cannot be read or written.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder is read") {
        let entry = entry.expect("an entry");
        let place = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).expect("a file is copied");
        }
    }
}
