//! A server on PostgreSQL and Redis of its own, each behind a line that may be bad.

use crate::proxy::Proxy;
use crate::setup::Setup;
use crate::{Postgres, Redis, Server, Visitor};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::machine::PATIENCE;

/// All of it; dropping it kills it.
#[derive(Debug)]
pub struct Stand {
    /// The server.
    pub server: Server,
    /// Its database.
    pub postgres: Postgres,
    /// The shared session cache.
    pub redis: Redis,
    /// The server's line to PostgreSQL.
    pub to_postgres: Proxy,
    /// The server's line to Redis.
    pub to_redis: Proxy,
}

impl Stand {
    /// Starts all of it.
    pub async fn start(setup: Setup) -> Self {
        Self::on(Postgres::start().await, Redis::start().await, setup).await
    }

    /// Starts a server on these.
    pub async fn on(postgres: Postgres, redis: Redis, setup: Setup) -> Self {
        let to_postgres = Proxy::to(postgres.address()).await;
        let to_redis = Proxy::to(redis.address()).await;
        let setup = setup
            .database_url(&postgres.url_over(to_postgres.address()))
            .postgres(&postgres)
            .redis_url(&format!("redis://{}", to_redis.address()));
        let server = setup.start().await;
        Self { server, postgres, redis, to_postgres, to_redis }
    }

    /// Waits until the server uses its Redis for the `times`th time.
    pub async fn uses_redis(&self, times: usize) {
        self.server.says(times, "Redis is up to date and is used").await;
    }
}

impl Server {
    /// Waits until the log holds the words so often.
    ///
    /// # Panics
    ///
    /// That takes too long.
    pub async fn says(&self, times: usize, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.log().matches(words).count() < times {
            assert!(Instant::now() < deadline, "the log does not say {words:?} {times} times");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Somebody who asks again and again whether the server is ready.
#[derive(Debug)]
pub struct Watch {
    stop: watch::Sender<bool>,
    watcher: JoinHandle<Vec<u16>>,
}

impl Watch {
    /// Begins to ask.
    #[must_use]
    pub fn readiness(server: &Server) -> Self {
        let (stop, stopped) = watch::channel(false);
        let watcher = tokio::spawn(ask(server.administrator(), stopped));
        Self { stop, watcher }
    }

    /// Stops asking; the answers other than 200.
    ///
    /// # Panics
    ///
    /// An answer did not come.
    pub async fn ends(self) -> Vec<u16> {
        self.stop.send_replace(true);
        self.watcher.await.expect("the watcher ends")
    }
}

async fn ask(administrator: Visitor, stopped: watch::Receiver<bool>) -> Vec<u16> {
    let mut others = Vec::new();
    while !*stopped.borrow() {
        let answer = administrator.get("/readyz").send().await;
        others.extend((answer.status != 200).then_some(answer.status));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    others
}
