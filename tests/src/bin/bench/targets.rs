//! The servers that are measured, and the stores that they use.

use crate::bare;
use crate::scripts::{People, Scripts};
use nix::unistd::Pid;
use serde_json::json;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use visitflow_testkit::process::Process;
use visitflow_testkit::{Postgres, Redis, Server, Visitor};

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
                let running = Running::Bare { process, address };
                return Self { kind, scripts: Scripts::new(&unknown_people()), running };
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
        let scripts = Scripts::new(&people(&server).await);
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
fn unknown_people() -> People {
    let token = || format!("s_{}.{}", "x".repeat(22), "x".repeat(43));
    People {
        visitors: (0..VISITORS).map(|_| (token(), format!("v_{}", uuid::Uuid::new_v4()))).collect(),
        signed_in: (0..VISITORS).map(|_| token()).collect(),
        key: "x".repeat(46),
    }
}

/// Starts the sessions, 64 at a time: half of them of users whom a backend has signed in.
async fn people(server: &Server) -> People {
    let key = server.run(&["key", "add", "bench", "--scope", "session"], "").await.trim().to_owned();
    let turns = Arc::new(Semaphore::new(64));
    let starts: Vec<_> = (0..VISITORS)
        .map(|n| {
            let (visitor, user, turns, key) =
                (server.visitor(), server.visitor(), turns.clone(), key.clone());
            tokio::spawn(async move {
                let _turn = turns.acquire().await;
                visitor.start().await.expect(200);
                ((visitor.token(), visitor.id.clone()), signed_in(&user, &key, n).await)
            })
        })
        .collect();
    let (mut visitors, mut signed_in) = (Vec::new(), Vec::new());
    for start in starts {
        let (visitor, user) = start.await.expect("sessions");
        visitors.push(visitor);
        signed_in.push(user);
    }
    People { visitors, signed_in, key }
}

/// The token of a user who has looked at a page and whom a backend has signed in.
async fn signed_in(user: &Visitor, key: &str, number: usize) -> String {
    user.view("/").await.expect(204);
    let user_id = format!("customer-{number}");
    let ask = async |path: &str, body| {
        let request = user.post(path, &body).as_json().bearer(key).cookie("").without("origin");
        request.without("sec-fetch-site").send().await.expect(200).json()
    };
    let bound = ask("/api/session/bind", json!({ "token": user.token(), "user_id": &user_id })).await;
    let cookie = bound["set_cookie"].as_str().expect("a cookie");
    let pair = cookie.split(';').next().and_then(|pair| pair.strip_prefix("session_id="));
    let token = pair.expect("a token").to_owned();
    let known = ask("/api/session/introspect", json!({ "token": &token })).await;
    assert_eq!((&known["active"], &known["sub"]), (&json!(true), &json!(user_id)));
    token
}
