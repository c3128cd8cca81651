//! The scripts. Each touches the keys of one record, which are on one node of a Redis Cluster, so it is atomic.

use std::sync::LazyLock;

use redis::{Cmd, ErrorKind, ServerErrorKind, Value, cmd};

use super::codec;
use super::connection::Link;
use crate::session::record::Record;
use crate::session::token::{SecretHash, Tag};
use crate::session::{Millis, Ttl};

/// A key outlives its record (or the idle limit of a session that is not remembered, if that is over before)
/// by so much: the minute of grace after a rotation or an end, and another for clocks that differ.
const SLACK_MS: Millis = 2 * 60_000;

/// A record's life is prolonged by this much more than needed, so that activity touches its key no more often.
const AHEAD_MS: Millis = 5 * 60_000;

/// How long a record's key lives at most if no request uses it.
pub(super) fn longest_life(ttl: Ttl) -> Millis {
    ttl.idle_ms + SLACK_MS + AHEAD_MS
}

static RESOLVE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../../../lua/resolve.lua")));
static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../../../lua/put.lua")));

/// Reads a record, and notes activity if the secret is valid.
pub(super) async fn resolve(
    link: Link,
    (tag, presented, at): (Tag, SecretHash, Option<Millis>),
    now: Millis,
    ttl: Ttl,
) -> redis::RedisResult<Value> {
    let at = at.map(|at| at.to_string()).unwrap_or_default();
    let args = |cmd: &mut Cmd| {
        cmd.arg(&codec::keys(tag)).arg(presented.as_bytes()).arg(&at).arg(now);
        cmd.arg(ttl.idle_ms).arg(ttl.max_ms).arg(ttl.remember_idle_ms).arg(ttl.remember_max_ms);
        cmd.arg(SLACK_MS).arg(AHEAD_MS);
    };
    RESOLVE.run(link, args).await
}

/// Puts a record, unless a later generation of it is held.
pub(super) async fn put(link: Link, record: &Record, now: Millis, ttl: Ttl) -> redis::RedisResult<Value> {
    let ended = record.ended_at.map(|at| at.to_string()).unwrap_or_default();
    let (idle_ms, max_ms) = ttl.limits(record.remembered);
    let args = |cmd: &mut Cmd| {
        cmd.arg(&codec::keys(record.tag)).arg(record.generation).arg(record.created_at);
        cmd.arg(record.last_activity).arg(&ended).arg(now);
        cmd.arg(idle_ms).arg(max_ms).arg(ttl.idle_ms).arg(SLACK_MS + AHEAD_MS).arg(codec::encode(record));
    };
    PUT.run(link, args).await
}

struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    fn new(code: &'static str) -> Self {
        Self { code, hash: redis::Script::new(code).get_hash().to_owned() }
    }

    /// One round trip; a second one only if Redis does not know the script yet: after its start, a failover or SCRIPT
    /// FLUSH. EVAL goes to the node of the key, while SCRIPT LOAD would need every node of a cluster to work.
    async fn run(&self, mut link: Link, args: impl Fn(&mut Cmd)) -> redis::RedisResult<Value> {
        let command = |name: &str, script: &str| {
            let mut command = cmd(name);
            command.arg(script).arg(2);
            args(&mut command);
            command
        };
        match link.query(&command("EVALSHA", &self.hash)).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                link.query(&command("EVAL", self.code)).await
            }
            other => other,
        }
    }
}
