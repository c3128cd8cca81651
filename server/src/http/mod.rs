//! The parts of HTTP that visitflow needs, each in its own file.
//!
//! | module | holds |
//! |---|---|
//! | [`body`] | reading a body within its limits, as JSON |
//! | [`client_ip`] | the client's address, behind proxies |
//! | [`cookie`] | reading and writing the cookies |
//! | [`cookie_names`] | the names of the cookies |
//! | [`fields`] | header fields, which are bytes |
//! | [`foreign`] | the foreign origins that were refused recently |
//! | [`hangup`] | whether the client has closed the connection |
//! | [`origin`] | which origins may send requests that change something |
//! | [`prefix`] | the path prefix of the site, `--path-prefix` |
//! | [`problem`] | errors: one message for the caller, one for the log |
//! | [`reply`] | answers |
//! | [`target`] | how a request reached the server: over TLS or not, by which host |

pub mod body;
pub mod client_ip;
pub mod cookie;
pub mod cookie_names;
pub mod fields;
pub mod foreign;
pub mod hangup;
pub mod origin;
pub mod prefix;
pub mod problem;
pub mod reply;
pub mod target;
