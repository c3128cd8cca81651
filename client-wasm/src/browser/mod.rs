//! The browser, one small file per API.
//!
//! Invariant: no other file of the crate names web_sys, js_sys, gloo_timers or `host.js`.
//!
//! | file | wraps |
//! |---|---|
//! | [`clock`] | the time, randomness, timeouts |
//! | [`cookies`] | the client's two cookies |
//! | [`facts`] | facts: made, kept over the end of the page, sent |
//! | [`locks`] | what one tab does at a time |
//! | [`net`] | fetch and beacons |
//! | [`page`] | where the visitor is, whether it is looked at; the page's callbacks |
//! | [`watch`] | what happens in the page, and in other tabs |
//!
//! `host.js` is JavaScript because there it is a third of the bytes: operations of several steps,
//! that may throw, or that happen at each event.

pub(crate) mod clock;
pub(crate) mod cookies;
pub(crate) mod facts;
pub(crate) mod locks;
pub(crate) mod net;
pub(crate) mod page;
pub(crate) mod watch;
