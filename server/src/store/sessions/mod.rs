//! The fast copy of live tokens.
//!
//! | module | holds |
//! |---|---|
//! | [`embedded`] | it, in the process |
//! | [`redis`] | it, in a Redis that several servers share |

pub mod embedded;
pub mod redis;

pub use self::redis::{BreakerState, RedisUrl};
