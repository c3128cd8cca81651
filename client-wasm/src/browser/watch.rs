//! What happens in the page, and in other tabs.

use wasm_bindgen::prelude::*;

/// Something that the browser tells of, by the numbers of `host.js`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// The address moved: `pushState`, back and forward.
    Moved,
    /// The address was replaced.
    Replaced,
    /// The page came back from the back/forward cache.
    Restored,
    /// The visitor did something.
    Activity,
    /// The visitor scrolled.
    Scroll,
    /// Visibility or focus changed.
    Look,
    /// The page goes away, perhaps for good.
    Hide,
    /// The network is back.
    Online,
    /// This tab has the lock.
    Locked,
    /// Consent was taken back in another tab.
    Revoked,
    /// A ping is due.
    Ping,
    /// The time has come to try again.
    Wake,
}

impl Happening {
    /// What a number of `host.js` stands for.
    pub(crate) fn of(number: usize) -> Option<Self> {
        [
            Self::Moved,
            Self::Replaced,
            Self::Restored,
            Self::Activity,
            Self::Scroll,
            Self::Look,
            Self::Hide,
            Self::Online,
            Self::Locked,
            Self::Revoked,
            Self::Ping,
            Self::Wake,
        ]
        .get(number)
        .copied()
    }
}

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    /// Watches until [`rest`]: routes if asked, and in full what the visitor does.
    pub(crate) fn watch(routes: bool, full: bool);

    /// Ends all watching.
    pub(crate) fn rest();

    /// Tells the other tabs that consent was taken back.
    #[wasm_bindgen(js_name = tellOthers)]
    pub(crate) fn tell_others();
}
