//! The browser, one small file per API.
//!
//! Invariant: no other file of the crate names web_sys, js_sys or gloo_timers.
//!
//! | file | wraps |
//! |---|---|
//! | [`clock`] | the time, randomness, timeouts |
//! | [`cookies`] | `document.cookie` |
//! | [`net`] | fetch and beacons |
//! | [`page`] | address, title, device, what the browser objects to |
//! | [`history`] | pushState and replaceState |
//! | [`listen`] | event listeners |
//! | [`promise`] | the page's promises and callbacks |

pub(crate) mod clock;
pub(crate) mod cookies;
pub(crate) mod history;
pub(crate) mod listen;
pub(crate) mod net;
pub(crate) mod page;
pub(crate) mod promise;
