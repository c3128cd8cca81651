//! Errors of Redis. Their texts contain no URL, password or token.

use redis::ErrorKind;

/// A call to Redis failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisError {
    /// The URL cannot be used.
    #[error("{0}")]
    Url(String),
    /// No answer in time.
    #[error("Redis did not answer in time")]
    Timeout,
    /// The breaker is open: Redis was not asked.
    #[error("calls to Redis are paused, because the last ones failed")]
    Open,
    /// There is no connection.
    #[error("Redis cannot be reached")]
    Unreachable,
    /// Redis answered with an error; its code, such as `READONLY` or `NOPERM`.
    #[error("Redis refused a command: {0}")]
    Refused(String),
    /// One node of a Redis Cluster was named where a single Redis was expected.
    #[error("this Redis is a node of a cluster; name several of its nodes in --redis-url")]
    Cluster,
    /// Redis has, or answered, something that this program never writes.
    #[error("Redis holds a malformed {0}")]
    Malformed(&'static str),
}

impl From<redis::RedisError> for RedisError {
    fn from(error: redis::RedisError) -> Self {
        if error.is_timeout() {
            return Self::Timeout;
        }
        match error.kind() {
            ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => Self::Unreachable,
            // The rest of the message may contain a key, a user or an address.
            _ => Self::Refused(error.code().unwrap_or_else(|| error.category()).to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_refusal_only_the_code_is_told() {
        let refusal =
            redis::RedisError::from((ErrorKind::Extension, "NOPERM", "user shop:secret".to_owned()));
        let error = RedisError::from(refusal);
        assert!(matches!(error, RedisError::Refused(_)));
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}
