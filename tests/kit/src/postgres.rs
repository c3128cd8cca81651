//! A PostgreSQL of one's own, on a free port, with the durability that it has by default.
//!
//! [`Postgres::start`] gives a process that may be killed, stopped and restarted.
//! [`Postgres::shared_database`] gives a fresh database in the one process that the tests of a
//! binary share, in a few milliseconds; [`Postgres::shared_copy`] gives one that holds something already.

use crate::machine::{PATIENCE, free_port};
use crate::process::Process;
use crate::sql;
use nix::unistd::Pid;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::OnceCell;

mod cluster;
mod shared;

use cluster::program;

/// The superuser; nobody else can connect, and nobody is asked for a password.
const USER: &str = "visitflow";

/// A running PostgreSQL, or a database in the shared one.
#[derive(Debug)]
pub struct Postgres {
    place: Place,
    port: u16,
    database: String,
}

/// Whose process it is. Dropping one's own kills it and removes its files.
#[derive(Debug)]
enum Place {
    Own { process: Option<Process>, directory: TempDir },
    Shared,
}

impl Postgres {
    /// A process of one's own with an empty database, ready.
    ///
    /// # Panics
    ///
    /// PostgreSQL is not installed, or does not start.
    pub async fn start() -> Self {
        Self::launch(cluster::fresh().await).await
    }

    /// An empty database in the process that this test binary shares: not to be killed or stopped.
    ///
    /// # Panics
    ///
    /// PostgreSQL is not installed, or does not start.
    pub async fn shared_database() -> Self {
        Self::create("").await
    }

    /// The same, with what `fill` writes to the address that it is given, such as a schema. It fills one database per
    /// test binary; each test gets a copy.
    ///
    /// # Panics
    ///
    /// PostgreSQL is not installed, or does not start.
    pub async fn shared_copy(fill: impl AsyncFnOnce(String)) -> Self {
        static FILLED: OnceCell<Postgres> = OnceCell::const_new();
        let filled = async || {
            let empty = Self::shared_database().await;
            fill(empty.url()).await;
            empty
        };
        let filled = FILLED.get_or_init(filled).await;
        // PostgreSQL waits until the connections of `fill` are closed.
        Self::create(&format!("TEMPLATE {}", filled.database)).await
    }

    async fn create(options: &str) -> Self {
        let port = shared::port().await;
        let database = format!("test_{}", uuid::Uuid::new_v4().simple());
        let maintenance = url(port, "postgres");
        sql::execute(&maintenance, &format!("CREATE DATABASE {database} {options}")).await;
        Self { place: Place::Shared, port, database }
    }

    /// A hot standby that follows this one by streaming.
    ///
    /// # Panics
    ///
    /// The copy fails, or does not start.
    pub async fn replica(&self) -> Self {
        let directory = cluster::empty();
        let source = format!("host=127.0.0.1 port={} user={USER}", self.port);
        let mut copy = tokio::process::Command::from(program("pg_basebackup"));
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream", "--pgdata"]);
        copy.arg(cluster::data(&directory)).args(["--dbname", &source]).stdin(Stdio::null());
        let status = copy.status().await.expect("pg_basebackup runs");
        assert!(status.success(), "pg_basebackup: {status}");
        Self::launch(directory).await
    }

    async fn launch(directory: TempDir) -> Self {
        let place = Place::Own { process: None, directory };
        let mut postgres = Self { place, port: 0, database: USER.to_owned() };
        // Another program may take the port between the choice and the start: then choose again.
        for _ in 0..5 {
            postgres.port = free_port();
            if postgres.spawn_and_wait().await {
                return postgres;
            }
        }
        panic!("PostgreSQL did not start:\n{}", postgres.log());
    }

    /// `postgres://…`
    #[must_use]
    pub fn url(&self) -> String {
        url(self.port, &self.database)
    }

    /// [`Self::url`] over another address, such as that of a [`crate::proxy::Proxy`].
    #[must_use]
    pub fn url_over(&self, address: &str) -> String {
        format!("postgres://{USER}@{address}/{}", self.database)
    }

    /// `127.0.0.1:port`
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The postmaster and its children, itself first; none when it is killed.
    #[must_use]
    pub fn pids(&self) -> Vec<Pid> {
        self.process().map(Process::family).unwrap_or_default()
    }

    /// kill -9 of the postmaster and its children; returns when they are gone.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.own().0.take() {
            process.kill();
        }
    }

    /// SIGSTOP: connections stay open and nobody answers.
    pub fn stop(&self) {
        self.process().expect("PostgreSQL runs").stop();
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.process().expect("PostgreSQL runs").resume();
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

    /// Runs statements.
    pub async fn execute(&self, statements: &str) {
        sql::execute(&self.url(), statements).await;
    }

    /// The one number that a query gives.
    pub async fn number(&self, query: &str) -> i64 {
        sql::number(&self.url(), query).await
    }

    /// The texts of a query's first column, NULL as an empty text.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        sql::texts(&self.url(), query).await
    }

    /// Everything that it has logged.
    ///
    /// # Panics
    ///
    /// It is the shared one.
    #[must_use]
    pub fn log(&self) -> String {
        match &self.place {
            Place::Own { directory, .. } => cluster::log(directory),
            Place::Shared => panic!("the shared PostgreSQL has no log of one's own"),
        }
    }

    fn own(&mut self) -> (&mut Option<Process>, &TempDir) {
        match &mut self.place {
            Place::Own { process, directory } => (process, directory),
            Place::Shared => panic!("the shared PostgreSQL is not to be hurt: use Postgres::start"),
        }
    }

    fn process(&self) -> Option<&Process> {
        match &self.place {
            Place::Own { process, .. } => process.as_ref(),
            Place::Shared => panic!("the shared PostgreSQL is not to be hurt: use Postgres::start"),
        }
    }

    async fn spawn_and_wait(&mut self) -> bool {
        let port = self.port;
        let (process, directory) = self.own();
        let process = process.insert(cluster::spawn(directory, port, &[]));
        is_ready(process, port).await
    }
}

fn url(port: u16, database: &str) -> String {
    format!("postgres://{USER}@127.0.0.1:{port}/{database}")
}

/// Waits until it takes queries; false when it has ended instead.
async fn is_ready(process: &mut Process, port: u16) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline && process.is_running() {
        if sql::answers(&url(port, "postgres")).await {
            // Somebody else's would answer too, if ours could not take the port.
            return process.is_running();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}
