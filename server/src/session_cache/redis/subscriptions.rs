//! Connections on which Redis reports changed keys: one to a single Redis, one to each master of a
//! Redis Cluster.
//!
//! Replicas need none. A master that is replaced in a planned failover becomes a replica of its successor and
//! reports the changes that it receives from it, until the new masters are noticed. The connection to a master
//! that crashed is closed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ProtocolVersion, PushInfo, PushKind,
    RedisResult, Value, cmd,
};
use tokio::sync::mpsc;

use super::codec;
use super::connection::CONNECT_TIMEOUT;
use super::error::RedisError;
use super::notice::Notice;
use super::shared::Shared;
use super::url::{Nodes, host_port};

/// A Redis that has not answered a ping for so long is gone, or hangs.
const PULSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Host and port.
pub(super) type Address = (String, u16);

/// Why changes are no longer reported, or some may have been missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SubscriptionError {
    #[error("the connection was closed")]
    Closed,
    #[error("Redis was flushed")]
    Flushed,
    #[error("Redis does not answer")]
    Hangs,
    #[error("the masters of the cluster have changed")]
    Masters,
}

/// The connections, one for each node.
pub(super) struct Subscriptions {
    connections: Vec<(String, MultiplexedConnection)>,
    /// The masters that they lead to; none for a single Redis.
    pub(super) masters: BTreeSet<Address>,
    failures: mpsc::UnboundedReceiver<SubscriptionError>,
}

impl Subscriptions {
    /// Subscribes. `known` are masters from an earlier time: the nodes of the URL may be gone by now.
    pub(super) async fn open(
        nodes: &Nodes,
        known: &BTreeSet<Address>,
        shared: &Arc<Shared>,
    ) -> Result<Self, RedisError> {
        let (failure, failures) = mpsc::unbounded_channel();
        let (masters, nodes) = match nodes {
            Nodes::Single(node) => (BTreeSet::new(), vec![node.as_ref().clone()]),
            Nodes::Cluster(nodes) => {
                let known = known.iter().map(|address| at(&nodes[0], address));
                let masters = discover(nodes.iter().cloned().chain(known)).await?;
                let nodes = masters.iter().map(|address| at(&nodes[0], address)).collect();
                (masters, nodes)
            }
        };
        let connections = try_join_all(nodes.iter().map(|node| {
            let (shared, failure) = (Arc::clone(shared), failure.clone());
            async move {
                let sender = move |push| {
                    on_push(push, &shared, &failure);
                    Ok::<(), redis::aio::SendError>(())
                };
                let config = config().set_push_sender(sender);
                let mut connection = connect(node, &config).await?;
                cmd("CLIENT")
                    .arg(&["TRACKING", "ON", "BCAST", "PREFIX", codec::PREFIX])
                    .exec_async(&mut connection)
                    .await?;
                Ok::<_, redis::RedisError>((host(node), connection))
            }
        }))
        .await?;
        Ok(Self { connections, masters, failures })
    }

    /// Waits until one of them fails.
    pub(super) async fn failure(&mut self) -> SubscriptionError {
        self.failures.recv().await.unwrap_or(SubscriptionError::Closed)
    }

    /// Pings every node; asks those of a cluster which masters they know.
    pub(super) async fn pulse(&mut self) -> Result<(), SubscriptionError> {
        if self.masters.is_empty() {
            for (_, connection) in &mut self.connections {
                cmd("PING").exec_async(connection).await.map_err(|_| SubscriptionError::Hangs)?;
            }
            return Ok(());
        }
        let views = self.connections.iter_mut().map(|(host, connection)| view(connection, host));
        let views = try_join_all(views).await.map_err(|_| SubscriptionError::Hangs)?;
        let masters: BTreeSet<_> = views.into_iter().flatten().collect();
        if masters == self.masters { Ok(()) } else { Err(SubscriptionError::Masters) }
    }
}

fn on_push(push: PushInfo, shared: &Shared, failure: &mpsc::UnboundedSender<SubscriptionError>) {
    let error = match (push.kind, push.data.into_iter().next()) {
        (PushKind::Disconnection, _) => SubscriptionError::Closed,
        (PushKind::Invalidate, Some(Value::Array(keys))) => {
            for key in keys {
                if let Value::BulkString(key) = key
                    && let Some(tag) = codec::tag(&key)
                {
                    shared.notify(Notice::Changed(tag));
                }
            }
            return;
        }
        (PushKind::Invalidate, _) => SubscriptionError::Flushed,
        _ => return,
    };
    // The receiver is gone if the connections were given up.
    let _ = failure.send(error);
}

/// Every master that any node knows: while a cluster changes, no node knows all of them.
async fn discover(nodes: impl Iterator<Item = ConnectionInfo>) -> Result<BTreeSet<Address>, RedisError> {
    let views = join_all(nodes.map(|node| async move {
        let mut connection = connect(&node, &config()).await?;
        view(&mut connection, &host(&node)).await
    }))
    .await;
    let mut refusal = RedisError::Unreachable;
    let mut masters = BTreeSet::new();
    for seen in views {
        match seen {
            Ok(seen) => masters.extend(seen),
            Err(error) => refusal = error.into(),
        }
    }
    if masters.is_empty() { Err(refusal) } else { Ok(masters) }
}

/// The masters, as a node sees them.
async fn view(connection: &mut MultiplexedConnection, host: &str) -> RedisResult<BTreeSet<Address>> {
    let slots: Value = cmd("CLUSTER").arg("SLOTS").query_async(connection).await?;
    Ok(masters(&slots, host))
}

/// Each entry of CLUSTER SLOTS is first slot, last slot, master, replicas; a node is host, port, id.
/// A host that is empty or null is the one that was asked (<https://redis.io/docs/latest/commands/cluster-slots/>).
fn masters(slots: &Value, asked: &str) -> BTreeSet<Address> {
    let Value::Array(ranges) = slots else {
        return BTreeSet::new();
    };
    let master = |range: &Value| {
        let Value::Array(range) = range else { return None };
        let Some(Value::Array(master)) = range.get(2) else { return None };
        let host = match master.first()? {
            Value::BulkString(host) if !host.is_empty() => String::from_utf8(host.clone()).ok()?,
            Value::BulkString(_) | Value::Nil => asked.to_owned(),
            _ => return None,
        };
        let Some(Value::Int(port)) = master.get(1) else { return None };
        Some((host, u16::try_from(*port).ok()?))
    };
    ranges.iter().filter_map(master).collect()
}

async fn connect(
    node: &ConnectionInfo,
    config: &AsyncConnectionConfig,
) -> RedisResult<MultiplexedConnection> {
    let settings = node.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(node.clone().set_redis_settings(settings))?
        .get_multiplexed_async_connection_with_config(config)
        .await
}

fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(PULSE_TIMEOUT))
}

/// Another node of the same cluster: same user, same TLS.
fn at(node: &ConnectionInfo, (host, port): &Address) -> ConnectionInfo {
    let (host, port) = (host.clone(), *port);
    node.clone().set_addr(match node.addr().clone() {
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host, port, insecure, tls_params }
        }
        _ => ConnectionAddr::Tcp(host, port),
    })
}

fn host(node: &ConnectionInfo) -> String {
    host_port(node.addr()).map(|(host, _)| host.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(host: Value, port: i64) -> Value {
        Value::Array(vec![host, Value::Int(port), Value::BulkString(b"id".to_vec())])
    }

    fn range(first: i64, nodes: Vec<Value>) -> Value {
        Value::Array([vec![Value::Int(first), Value::Int(first + 99)], nodes].concat())
    }

    #[test]
    fn masters_are_the_first_nodes_of_each_range() {
        let text = |text: &str| Value::BulkString(text.into());
        let slots = Value::Array(vec![
            range(0, vec![node(text("a"), 1), node(text("b"), 2)]),
            range(100, vec![node(text("b"), 3)]),
            range(200, vec![node(text("a"), 1)]),
            range(300, vec![node(text(""), 4)]),
            range(400, vec![node(Value::Nil, 5)]),
        ]);
        let expected = [("a", 1), ("asked", 4), ("asked", 5), ("b", 3)];
        let expected: Vec<Address> = expected.map(|(host, port)| (host.to_owned(), port)).into();
        assert_eq!(masters(&slots, "asked").into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_answer_that_makes_no_sense_names_no_master() {
        for nonsense in [Value::Nil, Value::Array(vec![Value::Okay]), range(0, vec![Value::Array(vec![])])] {
            assert!(masters(&Value::Array(vec![nonsense.clone()]), "x").is_empty());
            assert!(masters(&nonsense, "x").is_empty());
        }
    }
}
