//! visitflow's server: it takes page views, events and orders, and answers the reports.
//!
//! The way of a request: [`serve`] accepts the connection, [`service`] wraps the request (limits, origin, errors,
//! log), [`router`] finds the endpoint, and one of the [`endpoints`] parses, acts and replies. It acts through
//! [`lifecycle`], which uses [`session`] (the rules of tokens and visits, pure), [`ingest`] (the queue, the one
//! writer, the spool), [`ledger`] (what commands change, pure), [`database`] (SQLite or Postgres), [`session_cache`]
//! (copies of live sessions) and [`resolve`] (which copy is asked). [`app`] opens all of these and is what every
//! request shares.
//!
//! | to change | look in |
//! |---|---|
//! | a flag | [`config`] |
//! | a subcommand | [`commands`] |
//! | when a session ends, when a visit is joined | [`session`] |
//! | what start, page view, ping, login, logout, end do | [`lifecycle`], [`ledger::commands`] |
//! | what an endpoint takes or answers | [`endpoints`] |
//! | what an endpoint gets of a request | [`call`] |
//! | who may read reports, what an API key may do | [`authorization`], [`keys`] |
//! | the embedded pages and client | [`assets`] |
//! | cookies, origins, proxies, error answers | [`http`] |
//! | how facts are committed, the spool | [`ingest`] |
//! | which store is asked about a session, how the copies are kept in sync | [`resolve`] |
//! | the copies of sessions in the process and in Redis | [`session_cache`], `server/lua` |
//! | how a database is read and written | [`database`] |
//! | the types that databases and endpoints exchange | [`contract`] |
//! | tables and queries | `server/sql` |
//! | the form in which addresses are stored, what is left out of them | [`address`], [`site`] |
//! | what a visit's campaign is | [`campaign`] |
//! | which assertions sign in | [`assertion`] |
//! | how the device of a sign-in is named | [`device`] |
//! | limits by address and account | [`throttle`] |
//! | metrics and the log | [`observe`], [`log`] |
//! | what a signal does | [`signals`] |
//!
//! Invariant: `hyper` is named in serve, service, router, endpoints, authorization, call, assets and http only; the
//! databases (`rusqlite`, `refinery`, `tokio_postgres`, `bb8`, `redis`) in database, session_cache and ingest only.
//! A test keeps this.
//!
//! Invariant: what is acknowledged has been committed, in the database or in the spool.
//!
//! Invariant: the ledger and the session's rules do no I/O and read no clock.

#![forbid(unsafe_code)]

pub mod address;
pub mod app;
pub mod assertion;
pub mod assets;
pub mod authorization;
pub mod bots;
pub mod call;
pub mod campaign;
pub mod clock;
pub mod commands;
pub mod config;
pub mod contract;
pub mod database;
pub mod device;
pub mod endpoints;
pub mod http;
pub mod ingest;
pub mod keys;
pub mod ledger;
pub mod lifecycle;
pub mod log;
pub mod observe;
pub mod passwords;
pub mod resolve;
pub mod router;
pub mod serve;
pub mod service;
pub mod session;
pub mod session_cache;
pub mod signals;
pub mod site;
pub mod throttle;
