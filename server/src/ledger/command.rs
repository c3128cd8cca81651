//! Facts, and the commands that the ledger applies. They are valid: the endpoints check every request
//! before they build one. No command contains a secret, because it may stay in the spool for a while. (A
//! sign-in by password and a change of password contain hashes of passwords, and are not spooled.)

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::session::record::SignedIn;
use crate::session::token::{Proof, SecretHash, Tag};
use crate::session::visit::VisitorId;
use crate::session::visitor_key::CandidateKey;
use crate::session::{Caller, Millis, Ttl};

/// A page view, an event, an order or a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The site that the request names. If none: that of the visit, or [`Context::site`].
    pub site: Option<String>,
    /// When it happened, by the server's clock: receipt minus age.
    pub occurred_at: Millis,
    /// Store it without a visit and without an identifier.
    pub anonymous: bool,
    /// What happened.
    pub kind: Kind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A page was seen.
    PageView {
        /// UUIDv7.
        id: Uuid,
        /// The page's address.
        url: String,
        /// Its path, for reports.
        path: String,
        /// The page before, or another site.
        referrer: Option<String>,
        /// The page's title.
        title: Option<String>,
        /// JSON text.
        device: Option<String>,
        /// Its number within the visit, from 1, as the browser counted.
        sequence: Option<i32>,
    },
    /// Something else that the site counts.
    Event {
        /// UUIDv7.
        id: Uuid,
        /// Its name.
        name: String,
        /// JSON text.
        props: Option<String>,
        /// The page it happened on.
        url: Option<String>,
    },
    /// Something was bought.
    Order(Order),
    /// Money was paid back.
    Refund(Refund),
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The shop's own number.
    pub id: String,
    /// Exact decimal.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// JSON text.
    pub items: Option<String>,
    /// Whether it came with an API key; then the session or the user below may attribute it.
    pub from_api: bool,
    /// Tag of the session to attribute it to.
    pub session: Option<Tag>,
    /// User to attribute it to.
    pub user_id: Option<String>,
}

/// A refund. It needs an API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The shop's own number.
    pub id: String,
    /// The order's number.
    pub refund_of: String,
    /// Exact decimal, positive.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// The user it was paid to, if the order does not say.
    pub user_id: Option<String>,
}

/// Facts of one visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Whose they are.
    pub visitor: Option<VisitorId>,
    /// In their order.
    pub facts: Vec<Fact>,
}

/// The request of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// When the request was received.
    pub now: Millis,
    /// Who sent it, as far as its session tells.
    pub caller: Caller,
    /// A token that becomes valid if the command needs a new session; none if the browser would not keep
    /// its cookie (in another site's page).
    pub candidate: Option<Proof>,
    /// The visitor it names.
    pub visitor: Option<VisitorId>,
    /// A key that becomes the visitor's if the request gets a visit and the visitor has none yet. Not spooled,
    /// because the answer to the browser depends on the database.
    #[serde(skip)]
    pub key: Option<CandidateKey>,
    /// The site if nothing else tells it: that of the host to which the request was sent; none if that site is not
    /// counted.
    pub site: Option<String>,
}

/// What the ledger applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Start or resume a session.
    Start {
        /// The request.
        context: Context,
        /// The site that the request named.
        site: Option<String>,
        /// The page's address.
        url: Option<String>,
        /// Where the visitor came from.
        referrer: Option<String>,
    },
    /// Store facts.
    Facts {
        /// The request; each run has a visitor of its own.
        context: Context,
        /// In the order of the request, cut where the visitor changes: a browser sends one run, a
        /// server's batch may hold many. All of them are stored, or none.
        runs: Vec<Run>,
    },
    /// Sign a verified user in.
    SignIn {
        /// When the request was received.
        now: Millis,
        /// The live token it came with.
        presented: Option<Proof>,
        /// The token that replaces it, or the first of a new session.
        candidate: Proof,
        /// The user, and what the sign-in makes of the session.
        user: SignedIn,
        /// The password hash that was verified. If it is not that user's any more at the commit, or
        /// the user is disabled by then, the sign-in is stale.
        verified: Option<String>,
        /// Whether the session's visit gets the user; `false` leaves the session without a visit.
        visit: bool,
    },
    /// Sign out: the token is replaced, the user leaves the session.
    SignOut {
        /// When the request was received.
        now: Millis,
        /// The live token it came with.
        presented: Proof,
        /// The token that replaces it.
        candidate: Proof,
    },
    /// End the session.
    End {
        /// When the request was received.
        now: Millis,
        /// The live token it came with.
        presented: Proof,
    },
    /// End what is measured of the session: it leaves its visit. Who is signed in stays so under a new
    /// token; a session without a user ends.
    Forget {
        /// When the request was received.
        now: Millis,
        /// The token it came with: live, or replaced a moment ago.
        presented: Proof,
        /// The token that replaces it if somebody is signed in.
        candidate: Proof,
    },
    /// End sessions of a user.
    EndSessions(Ending),
    /// Give a user a new password: the token is replaced, and the user's other sessions end.
    ChangePassword {
        /// When the request was received.
        now: Millis,
        /// The live token it came with.
        presented: Proof,
        /// The token that replaces it.
        candidate: Proof,
        /// The user.
        user_id: String,
        /// The hash of the old password, which was verified: if it is not that user's any more at the
        /// commit, or the user is disabled by then, nothing is done.
        verified: String,
        /// The hash of the new one.
        password_hash: String,
    },
    /// Give a visitor's visits their user: what a sign-in has left to do where there are many.
    Link {
        /// Of the visits that began at or before this instant: when the sign-in was received.
        until: Millis,
        /// Whose visits.
        visitor: VisitorId,
        /// The user of those that have none.
        user_id: String,
    },
    /// End a session that servers have changed provisionally, beyond what is stored.
    EndProvisional(EndProvisional),
    /// Note how a page view was engaged with.
    Engagement {
        /// The visit of the session that says so.
        visit_id: Uuid,
        /// The page view.
        page_view_id: Uuid,
        /// Milliseconds visible and focused.
        engaged_ms: i64,
        /// Greatest scroll depth in per cent.
        scroll_pct: i64,
    },
}

/// Which sessions of a user are to end, and by what right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// When the request was received.
    pub now: Millis,
    /// The user.
    pub user_id: String,
    /// The user's live session that asks; none for who needs none.
    pub asking: Option<Proof>,
    /// Which of the user's sessions.
    pub which: Which,
    /// Only those whose visit is of this site; none: of any, or without a visit.
    pub site: Option<String>,
}

/// A session to end that was changed provisionally: only servers that cannot reach the database have it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndProvisional {
    /// When.
    pub now: Millis,
    /// Its token, live by what a server knew.
    pub presented: Proof,
    /// The generation of the session that the server knew.
    pub rests_on: u64,
}

/// What a server knew when it answered a command provisionally, while the database was away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Provisional {
    /// The generation of the session that the command changes; none if it changes none, or the server could not
    /// judge the token.
    pub rests_on: Option<u64>,
    /// Whether it may wait until another server has stored what it rests on.
    pub waits: bool,
}

/// Which sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// This one.
    One(Tag),
    /// All, but for this one.
    AllBut(Option<Tag>),
}

/// What a command did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The candidate token is valid now.
    pub issued: bool,
    /// The request joined a visit that was live already.
    pub joined: bool,
    /// Another request rotated or ended the session first; nothing was done.
    pub lost: bool,
    /// The command rests on a provisional change of another server, which is not stored yet; nothing was done.
    pub early: bool,
    /// The credentials have changed since they were verified; nothing was done.
    pub stale: bool,
    /// There is no such session of the user; nothing was done.
    pub missing: bool,
    /// Facts that were stored by an earlier request already.
    pub duplicates: u32,
    /// Facts and starts of a visitor whose data was erased: nothing of them was stored.
    pub erased: u32,
    /// Visits that began; while the database is away, the most that may turn out to.
    pub begun: u32,
    /// Facts and starts whose site is not counted: nothing of them was stored.
    pub of_other_sites: u32,
    /// The visitor's key as it is stored now, where the request had a candidate and got a visit.
    pub key: Option<SecretHash>,
}

/// The most visits that facts may begin: one for each run of a request without a visit, and those that late facts make.
#[must_use]
pub fn visits_at_most(runs: &[Run], caller: &Caller, now: Millis, ttl: Ttl) -> u32 {
    let may_begin = match caller {
        Caller::Live { visit_id, .. } => visit_id.is_none(),
        Caller::Grace { .. } => false,
        Caller::Unverified(_) | Caller::Erased | Caller::Nothing => true,
    };
    let most = runs.iter().map(|run| {
        let starting = || run.facts.iter().filter(|fact| !fact.anonymous && fact.kind.starts_a_visit());
        let is_late = |fact: &&Fact| now - fact.occurred_at >= ttl.idle_ms;
        let late = late_visits(run.visitor.is_some(), starting().filter(is_late), ttl);
        late + usize::from(may_begin && starting().any(|fact| !is_late(&fact)))
    });
    u32::try_from(most.sum::<usize>()).unwrap_or(u32::MAX)
}

/// How many visits late facts make if none is stored: facts of one visitor share a visit if it covers them; each fact
/// without a visitor makes one.
fn late_visits<'a>(of_visitor: bool, facts: impl Iterator<Item = &'a Fact>, ttl: Ttl) -> usize {
    // By site: the visits' starts, and their last activity.
    let mut visits: HashMap<Option<&str>, BTreeMap<Millis, Millis>> = HashMap::new();
    let (mut made, mut of_nobody) = (0, 0);
    for Fact { site, occurred_at, .. } in facts {
        if !of_visitor {
            of_nobody += 1;
            continue;
        }
        let visits = visits.entry(site.as_deref()).or_default();
        match visits.range_mut(..=occurred_at).next_back() {
            Some((_, last)) if *occurred_at < *last + ttl.idle_ms => *last = *occurred_at.max(last),
            _ => {
                visits.insert(*occurred_at, *occurred_at);
                made += 1;
            }
        }
    }
    made + of_nobody
}

impl Command {
    /// How much work it is, in facts.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Facts { runs, .. } => runs.iter().map(|run| run.facts.len()).sum(),
            _ => 1,
        }
    }

    /// When it was received; none for an engagement and a link.
    #[must_use]
    pub fn now(&self) -> Option<Millis> {
        match self {
            Self::Start { context, .. } | Self::Facts { context, .. } => Some(context.now),
            Self::SignIn { now, .. }
            | Self::SignOut { now, .. }
            | Self::End { now, .. }
            | Self::Forget { now, .. } => Some(*now),
            Self::EndSessions(ending) => Some(ending.now),
            Self::ChangePassword { now, .. } => Some(*now),
            Self::EndProvisional(end) => Some(end.now),
            Self::Engagement { .. } | Self::Link { .. } => None,
        }
    }

    /// The most visits that it may begin.
    #[must_use]
    pub fn visits_at_most(&self, ttl: Ttl) -> u32 {
        match self {
            Self::Start { context, .. } => u32::from(context.caller.visit_id().is_none()),
            Self::Facts { context, runs } => visits_at_most(runs, &context.caller, context.now, ttl),
            Self::SignIn { presented, visit, .. } => u32::from(*visit && presented.is_some()),
            Self::SignOut { .. }
            | Self::End { .. }
            | Self::Forget { .. }
            | Self::EndSessions(_)
            | Self::ChangePassword { .. }
            | Self::Link { .. }
            | Self::EndProvisional(_)
            | Self::Engagement { .. } => 0,
        }
    }

    /// The token whose session it changes, and when.
    #[must_use]
    pub fn changes(&self) -> Option<(Proof, Millis)> {
        match self {
            Self::SignIn { presented, now, .. } => presented.map(|presented| (presented, *now)),
            Self::SignOut { presented, now, .. }
            | Self::End { presented, now }
            | Self::Forget { presented, now, .. } => Some((*presented, *now)),
            _ => None,
        }
    }
}

impl Kind {
    /// Whether a fact of this kind may start a visit. Orders and refunds never do.
    #[must_use]
    pub fn starts_a_visit(&self) -> bool {
        matches!(self, Self::PageView { .. } | Self::Event { .. })
    }

    /// The page's address and the referrer, for the visit that the fact may begin.
    #[must_use]
    pub fn addresses(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::PageView { url, referrer, .. } => (Some(url), referrer.as_deref()),
            Self::Event { url, .. } => (url.as_deref(), None),
            Self::Order(_) | Self::Refund(_) => (None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A late view of a site, so many minutes ago.
    fn view(site: &str, minutes: Millis) -> Fact {
        let kind = Kind::Event { id: Uuid::nil(), name: "seen".into(), props: None, url: None };
        Fact { site: Some(site.into()), occurred_at: -60_000 * minutes, anonymous: false, kind }
    }

    #[test]
    fn late_facts_of_one_visit_count_as_one() {
        let ttl = Ttl::default();
        let most = |visitor, facts| visits_at_most(&[Run { visitor, facts }], &Caller::Nothing, 0, ttl);
        let ann: Option<VisitorId> = "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80".parse().ok();
        let queued = || (0..100).map(|n| view("a.example", 140 - n)).collect::<Vec<_>>();
        assert_eq!(most(ann, queued()), 1, "an hour and a half without a pause");
        assert_eq!(most(ann, vec![view("a.example", 90), view("a.example", 40)]), 2, "with a pause");
        assert_eq!(most(ann, vec![view("a.example", 90), view("b.example", 90)]), 2);
        assert_eq!(
            most(ann, vec![view("a.example", 40), view("a.example", 41)]),
            2,
            "the later one came first"
        );
        assert_eq!(most(None, queued()), 100, "nobody's share none");
        assert_eq!(
            most(ann, vec![view("a.example", 40), view("a.example", 1)]),
            2,
            "and one that is not late"
        );
    }
}
