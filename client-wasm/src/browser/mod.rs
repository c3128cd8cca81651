//! The shell's functions, one file a subject: JavaScript (`client-wasm/shell`), because there it is a third of the
//! bytes: operations of several steps, that may throw, or that happen at each event.
//!
//! Invariant: no other file of the crate names web_sys, js_sys, gloo_timers or the shell.
//!
//! | file | holds |
//! |---|---|
//! | [`clock`] | the time, randomness, timeouts |
//! | [`cookies`] | the client's two cookies |
//! | [`facts`] | facts: made, kept over the end of the page, sent |
//! | [`locks`] | what one tab does at a time |
//! | [`net`] | fetch and beacons |
//! | [`page`] | whether the page is looked at, how far it is read; the page's callbacks |
//! | [`watch`] | what happens in the page, and in other tabs |

pub(crate) mod clock;
pub(crate) mod cookies;
pub(crate) mod facts;
pub(crate) mod locks;
pub(crate) mod net;
pub(crate) mod page;
pub(crate) mod watch;
