//! The same on a Redis Cluster, and what only a cluster can do: replace a master.

use std::collections::HashSet;

use redis::Value;
use visitflow_server::session_cache::redis::{Notice, RedisError, RedisUrl};

use super::cases::{self, Bench, NOW, opened};
use super::machine::{Cluster, patiently};
use super::{Notices, open};

async fn cluster() -> (Cluster, Bench, Notices) {
    let cluster = Cluster::start().await;
    let (redis, mut notices) = open(&cluster.url());
    notices.trusted(&redis).await;
    let admin = cluster.admin().await;
    (cluster, Bench { redis, admin }, notices)
}

#[tokio::test]
async fn a_cluster_keeps_the_rules() {
    let (cluster, bench, mut notices) = cluster().await;
    cases::all(&bench).await;
    cases::rotations_at_once_leave_the_highest(&bench).await;

    // Thirty records lie on all three masters, for all that chance can do.
    let records: Vec<_> = (0..30).map(|_| opened().0).collect();
    for server in &cluster.servers {
        server.admin().await.say(&["SCRIPT", "FLUSH"]).await;
    }
    patiently(async || bench.redis.put(&records, NOW).await).await;
    let mut untold: HashSet<_> = records.iter().map(|record| record.tag).collect();
    while !untold.is_empty() {
        let changed = |notice| match notice {
            Notice::Changed(tag) => Some(Some(tag)),
            Notice::Lost => Some(None),
            _ => None,
        };
        if let Some(tag) = notices.wait("changed, by each master", changed).await {
            untold.remove(&tag);
        } else {
            // A call took too long, and what changed then was not heard.
            notices.trusted(&bench.redis).await;
            patiently(async || bench.redis.put(&records, NOW).await).await;
        }
    }

    let url: RedisUrl = cluster.url().parse().unwrap();
    patiently(async || url.check().await).await;
    let one_node: RedisUrl = cluster.servers[1].url().parse().unwrap();
    patiently(async || match one_node.check().await {
        Err(RedisError::Cluster) => Ok(()),
        other => Err(other),
    })
    .await;
}

#[tokio::test]
async fn a_master_that_dies_is_replaced_and_the_rest_is_heard_again() {
    let (mut cluster, bench, mut notices) = cluster().await;
    let records: Vec<_> = (0..30).map(|_| opened().0).collect();
    patiently(async || bench.redis.put(&records, NOW).await).await;
    cluster.servers[0].kill();
    notices.lost().await;
    assert!(!bench.redis.is_trusted());

    // Its replica takes over within a few times the node time-out, and knows no script.
    let epoch = notices.trusted(&bench.redis).await;
    assert!(epoch > 1);
    patiently(async || bench.redis.put(&records, NOW).await).await;
    for record in &records {
        assert_eq!(bench.held(record.tag).await.as_ref(), Some(record));
    }
}

#[tokio::test]
async fn a_master_that_steps_down_is_noticed() {
    let (cluster, bench, mut notices) = cluster().await;
    let mut replica = None;
    for server in &cluster.servers {
        let admin = server.admin().await;
        if let Value::Array(role) = admin.say(&["ROLE"]).await
            && role.first() == Some(&Value::BulkString(b"slave".to_vec()))
        {
            replica = Some(admin);
        }
    }
    replica.unwrap().say(&["CLUSTER", "FAILOVER"]).await;
    notices.lost().await;
    notices.trusted(&bench.redis).await;
    let record = opened().0;
    bench.put(&record, NOW).await;
    notices.wait("changed", |notice| (notice == Notice::Changed(record.tag)).then_some(())).await;
}
