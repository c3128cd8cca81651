//! The values of labels, all in one style: words in lower case, joined by `_`.

use std::fmt::{self, Write as _};

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

/// A set of values: each variant with its text.
macro_rules! labels {
    ($($(#[$about:meta])* $name:ident { $($(#[$what:meta])* $variant:ident = $text:literal,)+ })+) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$what])* $variant,)+ }

        impl $name {
            /// Every value, as they are declared.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
                encoder.write_str(match self { $(Self::$variant => $text,)+ })
            }
        }
    )+};
}

labels! {
    /// Why a request was answered 204 without being stored.
    Drop {
        /// The user agent is a robot's.
        Bot = "bot",
        /// The browser reports that a program controls it.
        Webdriver = "webdriver",
        /// The browser loaded the page ahead of a visit.
        Prerender = "prerender",
        /// The browser asks not to be tracked, and a start would track.
        Gpc = "gpc",
        /// The visitor's data was erased before.
        Erased = "erased",
        /// It is of a site that `--site` does not name.
        OtherSite = "other_site",
    }

    /// What was stored.
    Stored {
        /// A page view.
        PageView = "page_view",
        /// An event.
        Event = "event",
        /// An order.
        Order = "order",
        /// A refund.
        Refund = "refund",
    }

    /// What was refused with 503, because too many commands wait; first what is refused first.
    Shed {
        /// A report.
        Report = "report",
        /// The engagement in a ping.
        Ping = "ping",
        /// A page view, or anything else that is to be stored.
        PageView = "page_view",
    }

    /// The state of the breaker for calls to Redis.
    Breaker {
        /// Calls are made.
        Closed = "closed",
        /// Calls fail at once.
        Open = "open",
        /// One call is tried.
        HalfOpen = "half_open",
    }
}
