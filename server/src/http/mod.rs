//! The parts of HTTP that visitflow needs, each in its own file.
//!
//! | module | holds |
//! |---|---|
//! | [`body`] | reading a body within its limits, as JSON |
//! | [`client_ip`] | whose request it is, behind which proxies |
//! | [`cookie`] | reading and writing the cookies |
//! | [`cookie_names`] | what the cookies are called |
//! | [`fields`] | header fields, which are bytes |
//! | [`foreign`] | the foreign origins that were refused of late |
//! | [`hangup`] | whether the client has gone |
//! | [`origin`] | whether a request comes from where it may |
//! | [`prefix`] | the path prefix of the site, `--path-prefix` |
//! | [`problem`] | errors: one message for the caller, one for the log |
//! | [`reply`] | answers |
//! | [`target`] | how a request reached us: over TLS or not, by which host |

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
