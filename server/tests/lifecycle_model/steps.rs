//! The steps of a sequence, and what each answers.

use proptest::prelude::*;
use visitflow_server::session::{Millis, Ttl};

pub(crate) const MINUTE: Millis = 60_000;
const DAY: Millis = 24 * 60 * MINUTE;
pub(crate) const TTL: Ttl = Ttl::DEFAULT;
pub(crate) const BROWSERS: usize = 3;
/// Browsers 0 and 1 share a visitor: two profiles that copied a cookie, or a cookie jar that lost
/// one cookie of two.
pub(crate) const VISITORS: [usize; BROWSERS] = [0, 0, 1];

/// Who speaks for the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Its page: login and logout.
    Page,
    /// The site's backend, which has the cookie from it: bind and unbind.
    Backend,
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Start,
    View {
        age: Millis,
    },
    Resend,
    Ping,
    SignIn {
        user: u8,
        visit: bool,
        remember: bool,
        by: By,
    },
    SignOut {
        by: By,
    },
    End,
    /// Consent is withdrawn.
    Forget,
    Introspect {
        touch: bool,
    },
    /// The sessions of a user.
    List {
        user: u8,
    },
    /// Ends the session of another browser's cookie, which may be of another user.
    EndOf {
        other: usize,
    },
    EndOthers,
    LoseCookie,
    /// The next step carries a cookie that the browser held some steps ago.
    ReplayCookie {
        back: usize,
    },
    Pass {
        ms: Millis,
    },
    Sweep,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<(usize, Op)>> {
    prop::collection::vec((0..BROWSERS, op()), 1..60)
}

fn op() -> impl Strategy<Value = Op> {
    let age =
        prop_oneof![Just(0), Just(5 * MINUTE), Just(29 * MINUTE), Just(40 * MINUTE), Just(3 * 60 * MINUTE)];
    let pass = prop_oneof![
        4 => Just(1_000),
        4 => Just(59_999),
        4 => Just(10 * MINUTE),
        4 => Just(29 * MINUTE + 59_999),
        4 => Just(30 * MINUTE),
        4 => Just(7 * 60 * MINUTE),
        1 => Just(29 * DAY),
        1 => Just(40 * DAY)
    ];
    let by = || prop_oneof![Just(By::Page), Just(By::Backend)];
    let sign_in = (0..2_u8, prop::bool::weighted(0.8), prop::bool::ANY, by());
    prop_oneof![
        3 => Just(Op::Start),
        6 => age.prop_map(|age| Op::View { age }),
        2 => Just(Op::Resend),
        3 => Just(Op::Ping),
        3 => sign_in.prop_map(|(user, visit, remember, by)| Op::SignIn { user, visit, remember, by }),
        1 => by().prop_map(|by| Op::SignOut { by }),
        1 => Just(Op::End),
        2 => Just(Op::Forget),
        2 => prop::bool::ANY.prop_map(|touch| Op::Introspect { touch }),
        1 => (0..2_u8).prop_map(|user| Op::List { user }),
        1 => (0..BROWSERS).prop_map(|other| Op::EndOf { other }),
        1 => Just(Op::EndOthers),
        1 => Just(Op::LoseCookie),
        1 => (1..4_usize).prop_map(|back| Op::ReplayCookie { back }),
        6 => pass.prop_map(|ms| Op::Pass { ms }),
        1 => Just(Op::Sweep),
    ]
}

/// What a step answered, as far as both sides can say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// No `Set-Cookie`.
    Left,
    /// The cookie that the request carried is sent again.
    Kept,
    /// A new cookie is set.
    Fresh,
    /// The cookie is deleted.
    Cleared,
    /// 401.
    Expired,
    /// 401: nobody is signed in.
    NotSignedIn,
    /// 404.
    Missing,
    /// 409.
    Rotated,
    /// Whose session a token is: the user, whether that one is remembered, whether the cookie is sent again.
    Whose(Option<u8>, bool, bool),
    /// The sessions of a user, by the order in which they began: the last activity of each, whether it is
    /// remembered.
    Sessions(Vec<(usize, Millis, bool)>),
}

/// A visit, as far as both sides can say it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) started_at: Millis,
    pub(crate) last_activity: Millis,
    pub(crate) ended_at: Option<Millis>,
    pub(crate) visitor: usize,
    pub(crate) user: Option<u8>,
    pub(crate) page_views: u64,
}
