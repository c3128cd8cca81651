//! The servers that are measured, and who else works for them.

use crate::bare;
use crate::scripts::Scripts;
use nix::unistd::Pid;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use visitflow_e2e::process::Process;
use visitflow_e2e::{Postgres, Redis, Server};

/// Visitors with a session before the first run.
const VISITORS: usize = 10_000;

/// Which server it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Reads the body, answers 204.
    Bare,
    /// visitflow on PostgreSQL and Redis.
    Postgres,
    /// visitflow on SQLite alone.
    Embedded,
}

impl Kind {
    /// In the order in which they run: the bare one first, the others are compared with it.
    pub(crate) const ALL: [Self; 3] = [Self::Bare, Self::Postgres, Self::Embedded];

    /// Its name in arguments and tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Postgres => "postgres",
            Self::Embedded => "embedded",
        }
    }
}

/// A running server with its stores.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) scripts: Scripts,
    running: Running,
}

#[derive(Debug)]
enum Running {
    Bare { process: Process, address: String },
    Visitflow { server: Box<Server>, stores: Option<(Postgres, Redis, TempDir)> },
}

impl Target {
    /// Starts it and its visitors' sessions.
    pub(crate) async fn start(kind: Kind) -> Self {
        let setup = Server::with();
        let (server, stores) = match kind {
            Kind::Bare => {
                let (process, address) = bare::start().await;
                let visitors: Vec<_> = (0..VISITORS).map(|_| unknown_visitor()).collect();
                let running = Running::Bare { process, address };
                return Self { kind, scripts: Scripts::new(&visitors), running };
            }
            Kind::Embedded => (setup.start().await, None),
            Kind::Postgres => {
                let (postgres, redis) = (Postgres::start().await, Redis::start().await);
                let directory = tempfile::tempdir().expect("a directory for the spool");
                let setup = setup
                    .postgres(&postgres)
                    .redis_url(&redis.url())
                    .spool(&directory.path().join("spool.db"));
                (setup.start().await, Some((postgres, redis, directory)))
            }
        };
        let scripts = Scripts::new(&visitors(&server).await);
        let running = Running::Visitflow { server: Box::new(server), stores };
        Self { kind, scripts, running }
    }

    /// `127.0.0.1:port`
    pub(crate) fn address(&self) -> String {
        match &self.running {
            Running::Bare { address, .. } => address.clone(),
            Running::Visitflow { server, .. } => server.address(),
        }
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> Pid {
        match &self.running {
            Running::Bare { process, .. } => process.pid(),
            Running::Visitflow { server, .. } => server.pid(),
        }
    }

    /// The postmaster and the Redis.
    pub(crate) fn stores(&self) -> Option<(Pid, Pid)> {
        match &self.running {
            Running::Visitflow { stores: Some((postgres, redis, _)), .. } => {
                Some((*postgres.pids().first()?, redis.pid()?))
            }
            _ => None,
        }
    }

    /// The rows of a table.
    pub(crate) fn rows(&self, table: &str) -> Option<i64> {
        match &self.running {
            Running::Bare { .. } => None,
            Running::Visitflow { server, .. } => {
                Some(server.number(&format!("SELECT COUNT(*) FROM {table}")))
            }
        }
    }
}

/// The bare server knows nobody; its cookies have the length of real ones.
fn unknown_visitor() -> (String, String) {
    (format!("s_{}.{}", "x".repeat(22), "x".repeat(43)), format!("v_{}", uuid::Uuid::new_v4()))
}

/// Starts the sessions, 64 at a time.
async fn visitors(server: &Server) -> Vec<(String, String)> {
    let turns = Arc::new(Semaphore::new(64));
    let starts: Vec<_> = (0..VISITORS)
        .map(|_| {
            let (visitor, turns) = (server.visitor(), turns.clone());
            tokio::spawn(async move {
                let _turn = turns.acquire().await;
                visitor.start().await.expect(200);
                (visitor.token(), visitor.id)
            })
        })
        .collect();
    let mut visitors = Vec::new();
    for start in starts {
        visitors.push(start.await.expect("a session"));
    }
    visitors
}
