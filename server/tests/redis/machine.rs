//! Redis servers of a test's own, on ports of their own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{Client, Cmd, Value, cmd};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// A machine that is busy with other tests is slow, not broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Tries until it works.
pub(crate) async fn patiently<T, E: std::fmt::Debug>(attempt: impl AsyncFn() -> Result<T, E>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) if Instant::now() > deadline => panic!("still after {PATIENCE:?}: {error:?}"),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Tries until it is so.
pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "{what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// A redis-server.
pub(crate) struct Server {
    child: Option<Child>,
    folder: TempDir,
    pub(crate) port: u16,
    flags: Vec<String>,
}

impl Server {
    pub(crate) async fn start(flags: &[&str]) -> Self {
        let flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        let mut server = Self { child: None, folder: tempfile::tempdir().unwrap(), port: free_port(), flags };
        server.restart().await;
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it, on the same port, empty.
    pub(crate) async fn restart(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let client = Client::open(self.url()).unwrap();
        loop {
            let child = self.child.get_or_insert_with(|| {
                Command::new("redis-server")
                    .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
                    .args(["--appendonly", "no", "--dir"])
                    .arg(self.folder.path())
                    .args(&self.flags)
                    .stdout(Stdio::null())
                    .spawn()
                    .expect("redis-server is installed")
            });
            // Another process may have taken the port meanwhile. Then Redis ends and is started again.
            if child.try_wait().unwrap().is_some() {
                self.child = None;
            } else if answers(&client).await {
                return;
            }
            assert!(Instant::now() < deadline, "redis-server does not answer");
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    pub(crate) async fn admin(&self) -> Admin {
        let client = Client::open(self.url()).unwrap();
        Admin::Single(patiently(async || client.get_multiplexed_async_connection().await).await)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A Redis Cluster: three masters, each with a replica.
pub(crate) struct Cluster {
    pub(crate) servers: Vec<Server>,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let mut servers = Vec::new();
        for _ in 0..6 {
            let bus = free_port().to_string();
            // A master that is away for a second is replaced.
            let flags =
                ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", &bus];
            servers.push(Server::start(&flags).await);
        }
        let nodes = servers.iter().map(|server| format!("127.0.0.1:{}", server.port));
        let created = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(nodes)
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .output()
            .expect("redis-cli is installed");
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stdout));
        let cluster = Self { servers };
        for server in &cluster.servers {
            let admin = server.admin().await;
            patiently(async || {
                let info = admin.run(cmd("CLUSTER").arg("INFO")).await?;
                let text = redis::from_redis_value::<String>(info).unwrap();
                if text.contains("cluster_state:ok") { Ok(()) } else { Err(not_yet()) }
            })
            .await;
        }
        // A replica that has not synchronised yet could not take its master's place.
        patiently(async || {
            let admin = cluster.servers[0].admin().await;
            let slots = admin.run(cmd("CLUSTER").arg("SLOTS")).await?;
            let Value::Array(ranges) = slots else { return Err(not_yet()) };
            let whole = |range: &Value| matches!(range, Value::Array(range) if range.len() == 4);
            if ranges.len() == 3 && ranges.iter().all(whole) { Ok(()) } else { Err(not_yet()) }
        })
        .await;
        cluster
    }

    /// Two of its nodes: the others are to be found.
    pub(crate) fn url(&self) -> String {
        format!("{},127.0.0.1:{}", self.servers[0].url(), self.servers[5].port)
    }

    pub(crate) async fn admin(&self) -> Admin {
        let client = ClusterClient::new(self.servers.iter().map(Server::url)).unwrap();
        Admin::Cluster(patiently(async || client.get_async_connection().await).await)
    }
}

async fn answers(client: &Client) -> bool {
    let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
        return false;
    };
    match cmd("ROLE").query_async::<Value>(&mut connection).await {
        Ok(_) => true,
        Err(error) => error.code() == Some("NOAUTH"),
    }
}

fn not_yet() -> redis::RedisError {
    (redis::ErrorKind::Client, "not yet").into()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Another client of Redis.
#[derive(Clone)]
pub(crate) enum Admin {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Admin {
    pub(crate) async fn run(&self, command: &Cmd) -> redis::RedisResult<Value> {
        match self.clone() {
            Self::Single(mut connection) => command.query_async(&mut connection).await,
            Self::Cluster(mut connection) => command.query_async(&mut connection).await,
        }
    }

    /// The same, until it works.
    pub(crate) async fn say(&self, words: &[&str]) -> Value {
        let mut command = cmd(words[0]);
        command.arg(&words[1..]);
        patiently(async || self.run(&command).await).await
    }
}
