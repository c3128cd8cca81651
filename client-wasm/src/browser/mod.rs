//! The browser, one small file per API.
//!
//! Invariant: no other file of the crate names web_sys, js_sys, gloo_timers or `host.js`.
//!
//! | file | wraps |
//! |---|---|
//! | [`body`] | what requests say |
//! | [`clock`] | the time, randomness, timeouts |
//! | [`cookies`] | `document.cookie` |
//! | [`locks`] | what one tab does at a time |
//! | [`net`] | fetch and beacons |
//! | [`page`] | address, visibility, scroll depth; the page's callbacks |
//! | [`storage`] | facts that outlive the page |
//! | [`watch`] | what happens in the page, and in other tabs |
//!
//! `host.js` is JavaScript because there it is a third of the bytes: operations of several steps,
//! that may throw, or that happen at each event.

pub(crate) mod body;
pub(crate) mod clock;
pub(crate) mod cookies;
pub(crate) mod locks;
pub(crate) mod net;
pub(crate) mod page;
pub(crate) mod storage;
pub(crate) mod watch;
