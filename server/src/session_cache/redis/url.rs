//! The URL of Redis.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use redis::io::tcp::TcpSettings;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _};

use super::error::RedisError;

/// The URL of Redis: `redis://` or `rediss://` (TLS). One URL for a single Redis, several separated by
/// commas for nodes of a Redis Cluster; those after the first may be `host:port` alone. User and
/// password of the first apply to all. Of a URL that cannot be used only the error is kept, because the
/// URL may contain a password.
#[derive(Clone)]
pub struct RedisUrl(Result<Nodes, String>);

/// The nodes that the URL names.
#[derive(Clone)]
pub(super) enum Nodes {
    /// A single Redis.
    Single(Box<ConnectionInfo>),
    /// Some nodes of a cluster; the others are found through them.
    Cluster(Vec<ConnectionInfo>),
}

impl RedisUrl {
    /// What is wrong with the URL, if anything.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.0.as_ref().err().map(String::as_str)
    }

    pub(super) fn nodes(&self) -> Result<Nodes, RedisError> {
        self.0.clone().map_err(RedisError::Url)
    }
}

impl FromStr for RedisUrl {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(parse(url).map_err(|wrong| format!("--redis-url: {wrong}"))))
    }
}

fn parse(url: &str) -> Result<Nodes, String> {
    let mut urls = url.split(',').map(str::trim);
    let first_url = urls.next().unwrap_or_default();
    let first = node(first_url)?;
    let scheme = first_url.split("://").next().unwrap_or_default();
    let others = urls
        .map(|url| {
            let url = if url.contains("://") { url.to_owned() } else { format!("{scheme}://{url}") };
            if !url.starts_with(&format!("{scheme}://")) {
                return Err("write either redis:// or rediss:// for all nodes".to_owned());
            }
            Ok(first.clone().set_addr(node(&url)?.addr().clone()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if others.is_empty() {
        return Ok(Nodes::Single(Box::new(first)));
    }
    if first.redis_settings().db() != 0 {
        return Err("a Redis Cluster has only one database; remove the number after the slash".into());
    }
    Ok(Nodes::Cluster([vec![first], others].concat()))
}

fn node(url: &str) -> Result<ConnectionInfo, String> {
    let wrong = "write redis://host:6379, rediss://user:password@host:6379, or several nodes of a cluster \
                 separated by commas (a comma within a password is %2C)";
    if !(url.starts_with("redis://") || url.starts_with("rediss://")) || url.contains('#') {
        return Err(wrong.into());
    }
    let info = url.into_connection_info().map_err(|_| wrong.to_owned())?;
    if host_port(info.addr()).is_none_or(|(host, port)| host.is_empty() || port == 0) {
        return Err(wrong.into());
    }
    // A command is small, and a caller waits for its answer.
    Ok(info.set_tcp_settings(TcpSettings::default().set_nodelay(true)))
}

/// A node's host and port.
pub(super) fn host_port(addr: &ConnectionAddr) -> Option<(&str, u16)> {
    match addr {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => Some((host, *port)),
        _ => None,
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(Nodes::Single(node)) => f.debug_tuple("RedisUrl").field(&host_port(node.addr())).finish(),
            Ok(Nodes::Cluster(nodes)) => {
                f.debug_list().entries(nodes.iter().map(|node| host_port(node.addr()))).finish()
            }
            Err(wrong) => f.debug_tuple("RedisUrl").field(wrong).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> RedisUrl {
        text.parse().unwrap()
    }

    #[test]
    fn one_url_is_a_redis_and_several_are_a_cluster() {
        assert!(matches!(url("redis://127.0.0.1").nodes(), Ok(Nodes::Single(_))));
        let Ok(Nodes::Cluster(nodes)) = url("rediss://shop:pa%2Css@a.example:7000, b.example:7001").nodes()
        else {
            panic!("a cluster");
        };
        assert_eq!(host_port(nodes[1].addr()), Some(("b.example", 7001)));
        assert!(nodes.iter().all(|node| node.redis_settings().password() == Some("pa,ss")));
        assert!(
            nodes.iter().all(|node| matches!(node.addr(), ConnectionAddr::TcpTls { insecure: false, .. }))
        );
    }

    #[test]
    fn a_url_that_cannot_be_used_is_not_repeated() {
        for bad in [
            "",
            "localhost:6379",
            "unix:///var/secret.sock",
            "rediss://:secret@host/#insecure",
            "redis://:secret@host:99999",
            "redis://:secret@host/x",
            "redis://:secret@host/1,redis://other",
            "redis://:secret@host,rediss://other",
            "redis://:secret@host,",
        ] {
            let url = url(bad);
            let wrong = url.problem().expect(bad);
            assert!(wrong.starts_with("--redis-url: ") && !wrong.contains("secret"), "{bad}: {wrong}");
            assert!(!format!("{url:?}").contains("secret"));
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        for good in ["redis://shop:secret@host:6379/2", "redis://:secret@host:7000,other:7001"] {
            assert_eq!(url(good).problem(), None);
            assert!(!format!("{:?}", url(good)).contains("secret"));
        }
    }
}
