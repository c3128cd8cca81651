//! Whose session a token is: asks the copies, then the database, and keeps the copies in sync.
//!
//! | module | holds |
//! |---|---|
//! | `sessions` | which store is asked first, and what is written to Redis |
//! | `asking` | asks Redis and the database |
//! | `sync` | follows the notices of Redis, and brings Redis up to date |
//! | `visit_owners` | sites and visitors of visits |

mod asking;
mod sessions;
mod sync;
mod visit_owners;

pub use self::sessions::{LISTED_MAX, Sessions, TRUE_MS};
