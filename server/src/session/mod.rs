//! The rules of sessions and visits. No I/O happens here and `now` is always an argument, so that
//! every rule can be tested by moving a number.
//!
//! | module | holds |
//! |---|---|
//! | `limits` | time, and how long sessions live |
//! | [`token`] | the credential `s_<tag>.<secret>`: issue, parse, hash |
//! | [`record`] | the record of a token, and what a token is worth at an instant |
//! | `caller` | who sends a request, according to its session |
//! | [`visit`] | when a hit joins a visit, and which user a visit gets |
//! | [`visitor_key`] | what proves that a browser is the visitor |
//!
//! A *session* is the security object (a token); a *visit* is the analytics object. Several
//! sessions may point at one visit.

mod caller;
mod limits;
pub mod record;
pub mod token;
pub mod visit;
pub mod visitor_key;

pub use self::caller::{Activity, Caller};
pub use self::limits::{Millis, Ttl, uuid_v7};
