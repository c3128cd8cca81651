//! One suite for every backend: the server keeps its guarantees with each database, with and without Redis, and while one
//! of them is away.
//!
//! | module | holds |
//! |---|---|
//! | [`backend`] | the stores under test, and SQL that both databases understand |
//! | [`world`] | a server over a backend |
//! | [`browser`], [`steps`] | browsers, and what they do with a server |
//! | [`facts`] | page views, events, orders |
//! | [`list`] | the cases, and the backends on which each holds |
//! | `cases` | the cases, by subject |
//!
//! A test is named by backend and case: `postgres::a_duplicate_is_stored_once_and_starts_nothing`.

#![expect(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

mod backend;
mod browser;
mod facts;
mod list;
mod steps;
mod world;

mod cases {
    pub(crate) mod away;
    pub(crate) mod disclosure;
    pub(crate) mod disputes;
    pub(crate) mod erasure;
    pub(crate) mod forgetting;
    pub(crate) mod identity;
    pub(crate) mod keys;
    pub(crate) mod late;
    pub(crate) mod limits;
    pub(crate) mod many;
    pub(crate) mod orders;
    pub(crate) mod owners;
    pub(crate) mod provisional;
    pub(crate) mod races;
    pub(crate) mod refunds;
    pub(crate) mod refusals;
    pub(crate) mod remember;
    pub(crate) mod replays;
    pub(crate) mod servers;
    pub(crate) mod sites;
    pub(crate) mod slow;
    pub(crate) mod users;
    pub(crate) mod values;
}
