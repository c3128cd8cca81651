//! visitflow's ingest server.
//!
//! A request's way: [`serve`] accepts the connection, [`service`] wraps the request (limits, origin,
//! errors, log), [`router`] finds the endpoint, [`endpoints`] parse, act and reply. The acting is
//! [`lifecycle`] over [`session`] (the rules, pure), [`ingest`] (the queue and the one writer) and
//! [`store`].
//!
//! | you want to change | look in |
//! |---|---|
//! | a flag | [`config`] |
//! | when a session ends, when a visit is joined | [`session`] |
//! | what start, page view, ping, login, logout, end do | [`lifecycle`] |
//! | what an endpoint takes or answers | [`endpoints`] |
//! | cookies, origins, proxies, error answers | [`http`] |
//! | how facts become durable | [`ingest`], `store/events/sqlite/ledger.rs` |
//! | tables and queries | `server/sql` |
//! | which assertions sign in | [`assertion`] |
//! | limits by address and account | [`throttle`] |
//! | what the operator sees | [`observe`] |
//!
//! Invariant: `hyper` is named only in serve, service, router, http and endpoints; `rusqlite` only
//! in store and ingest. A test keeps this.

#![forbid(unsafe_code)]

pub mod app;
pub mod assertion;
pub mod bots;
pub mod clock;
pub mod commands;
pub mod config;
pub mod endpoints;
pub mod http;
pub mod ingest;
pub mod ledger;
pub mod lifecycle;
pub mod log;
pub mod observe;
pub mod passwords;
pub mod router;
pub mod serve;
pub mod service;
pub mod session;
pub mod site;
pub mod store;
pub mod throttle;
