//! What one tab of an origin does at a time (Web Locks).

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/shell/locks.js")]
extern "C" {
    /// Asks for the lock; [`Happening::Locked`](crate::happening::Happening::Locked) tells of it. A tab
    /// that sleeps with the lock in its hand delays the others by three seconds.
    pub(crate) fn lock();

    /// Gives it back.
    pub(crate) fn unlock();
}
