//! The session cache: copies of live sessions, which every hit asks first. The database owns the
//! sessions; [`resolve`](crate::resolve) keeps the copies in sync with it.
//!
//! | module | holds |
//! |---|---|
//! | [`local`] | the copies in this process |
//! | [`redis`] | the copy that all servers share |
//!
//! A copy is changed only after a commit, and refuses a generation lower than the one it holds.

pub mod local;
pub mod redis;
