//! visitflow's ingest server.
//!
//! A request's way: [`serve`] accepts the connection, [`service`] wraps the request (limits, origin,
//! errors, log), [`router`] finds the endpoint, [`endpoints`] parse, act and reply. The acting is
//! [`lifecycle`] over [`session`] (the rules of tokens and visits, pure), [`ingest`] (the queue, the
//! one writer, the spool), [`ledger`] (what commands change, pure), [`database`] (SQLite or Postgres),
//! [`session_cache`] (copies of live sessions) and [`resolve`] (which of them is asked). [`app`] opens the stores and is what every request shares.
//!
//! | you want to change | look in |
//! |---|---|
//! | a flag | [`config`] |
//! | a subcommand | [`commands`] |
//! | when a session ends, when a visit is joined | [`session`] |
//! | what start, page view, ping, login, logout, end do | [`lifecycle`], [`ledger`] |
//! | what an endpoint takes or answers | [`endpoints`] |
//! | what an endpoint is given of a request | [`call`] |
//! | who may read reports, what an API key may do | [`authorization`], [`keys`] |
//! | the embedded pages and client | [`assets`] |
//! | cookies, origins, proxies, error answers | [`http`] |
//! | how facts become durable, the spool | [`ingest`] |
//! | who is asked about a session, what keeps the copies in sync | [`resolve`] |
//! | the copies of sessions in the process and in Redis | [`session_cache`], `server/lua` |
//! | how a database is read and written | [`database`] |
//! | what stores and endpoints say to each other | [`contract`] |
//! | tables and queries | `server/sql` |
//! | the form in which addresses are stored, what is left out of them | [`address`], [`site`] |
//! | what a visit's campaign is | [`campaign`] |
//! | which assertions sign in | [`assertion`] |
//! | what is told of the device of a sign-in | [`device`] |
//! | limits by address and account | [`throttle`] |
//! | what the operator sees | [`observe`], [`log`] |
//! | what a signal does | [`signals`] |
//!
//! Invariant: `hyper` is named only in serve, service, router, endpoints, authorization, call, assets and http; the databases
//! (`rusqlite`, `refinery`, `tokio_postgres`, `bb8`, `redis`) only in database, session_cache
//! and ingest. A test keeps this.
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
