//! A Redis Cluster of one's own: three masters with a replica each.

use crate::Redis;
use crate::machine::{PATIENCE, free_port};
use crate::reaper::reaper;
use nix::unistd::Pid;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use tokio::process::Command;
use tokio::sync::OnceCell;

const NODES: usize = 6;

/// How long a node may be silent, in milliseconds, before another takes its place.
const NODE_TIMEOUT_MS: &str = "1000";

/// A running cluster; dropping it kills the processes and removes their files.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
}

/// What lives as long as the test binary: a static is not dropped, so the reaper cleans up.
struct Shared {
    cluster: RedisCluster,
    _reaper: Child,
}

impl RedisCluster {
    /// The one that this test binary shares: not to be hurt.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Shared> = OnceCell::const_new();
        let start = async || {
            let cluster = Self::start().await;
            let pids: Vec<Pid> = cluster.nodes.iter().filter_map(Redis::pid).collect();
            let reaper = reaper(&pids, cluster.nodes.iter().map(Redis::folder).collect());
            Shared { cluster, _reaper: reaper }
        };
        &SHARED.get_or_init(start).await.cluster
    }

    /// Six nodes, and every slot served.
    ///
    /// # Panics
    ///
    /// Redis is not installed, or the cluster does not come together.
    pub async fn start() -> Self {
        let (mut nodes, mut addresses) = (Vec::new(), Vec::new());
        for _ in 0..NODES {
            // By default the nodes speak to each other on the port 10,000 above: it might be taken.
            let bus = free_port().to_string();
            let node = Redis::with(&[
                "--cluster-enabled",
                "yes",
                "--cluster-node-timeout",
                NODE_TIMEOUT_MS,
                "--cluster-port",
                &bus,
                "--appendonly",
                "no",
            ])
            .await;
            addresses.push(format!("{}@{bus}", node.address()));
            nodes.push(node);
        }
        let mut command = Command::new("redis-cli");
        command.args(["--cluster", "create"]).args(&addresses);
        command.args(["--cluster-replicas", "1", "--cluster-yes"]).stdin(Stdio::null());
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.expect("the cluster comes together in time").expect("redis-cli runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "redis-cli: {said}");
        let cluster = Self { nodes };
        cluster.becomes_whole().await;
        cluster
    }

    /// `redis://…,redis://…`
    #[must_use]
    pub fn urls(&self) -> String {
        self.nodes.iter().map(Redis::url).collect::<Vec<_>>().join(",")
    }

    /// The nodes, alive or not.
    #[must_use]
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// kill -9 of the `n`th of those that are masters now.
    ///
    /// # Panics
    ///
    /// There are not so many.
    pub async fn kill_master(&mut self, n: usize) {
        let mut masters = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            if node.pid().is_some() && is_master(node).await {
                masters.push(index);
            }
        }
        self.nodes[masters[n]].kill();
    }

    /// Starts the nodes again that were killed; they come back as replicas.
    pub async fn restart_killed(&mut self) {
        for node in self.nodes.iter_mut().filter(|node| node.pid().is_none()) {
            node.restart().await;
        }
    }

    /// Waits until every living node says that every slot has a master who is not missed, and
    /// every master has a living replica, if enough nodes live.
    ///
    /// # Panics
    ///
    /// That takes too long.
    pub async fn becomes_whole(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_whole().await {
            assert!(Instant::now() < deadline, "the cluster is not whole");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn is_whole(&self) -> bool {
        let (mut masters, mut replicas, mut living) = (0, 0, 0);
        for node in self.nodes.iter().filter(|node| node.pid().is_some()) {
            living += 1;
            let info = text(node, &["CLUSTER", "INFO"]).await;
            if !["cluster_state:ok", "cluster_slots_ok:16384"].iter().all(|fact| info.contains(fact)) {
                return false;
            }
            if is_master(node).await {
                masters += 1;
            } else if text(node, &["INFO", "replication"]).await.contains("master_link_status:up") {
                replicas += 1;
            }
        }
        masters == NODES / 2 && masters + replicas == living
    }
}

async fn is_master(node: &Redis) -> bool {
    text(node, &["INFO", "replication"]).await.contains("role:master")
}

async fn text(node: &Redis, words: &[&str]) -> String {
    node.command(words).await.as_str().unwrap_or_default().to_owned()
}
