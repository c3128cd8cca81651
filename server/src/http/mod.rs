//! The parts of HTTP that visitflow needs, each in its own file.
//!
//! | module | holds |
//! |---|---|
//! | [`body`] | reading a body within its limits, as JSON |
//! | [`client_ip`] | whose request it is, behind which proxies |
//! | [`cookie`] | reading and writing the cookies |
//! | [`origin`] | whether a request comes from where it may |
//! | [`problem`] | errors: one message for the caller, one for the log |
//! | [`reply`] | answers |

pub mod body;
pub mod client_ip;
pub mod cookie;
pub mod origin;
pub mod problem;
pub mod reply;
