//! When a hit joins a visit, and which user a visit gets.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use uuid::fmt::Hyphenated;
use visitflow_protocol::VISITOR_PREFIX;

use super::limits::{Millis, Ttl};

/// A browser that consented: `v_` + UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VisitorId(Uuid);

impl VisitorId {
    /// SHA-256 of the identifier: all that is kept of a visitor whose data was erased.
    #[must_use]
    pub fn hash(self) -> [u8; 32] {
        Sha256::digest(self.to_string()).into()
    }
}

impl Serialize for VisitorId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VisitorId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|()| de::Error::custom("not a visitor id"))
    }
}

impl FromStr for VisitorId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let id = text.strip_prefix(VISITOR_PREFIX).ok_or(())?;
        id.parse().map(|id: Hyphenated| Self(id.into_uuid())).map_err(|_| ())
    }
}

impl fmt::Display for VisitorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", VISITOR_PREFIX, self.0)
    }
}

/// The state of a visit that the rules use: a row of `sessions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Its identifier.
    pub id: Uuid,
    /// The report it belongs to.
    pub site: String,
    /// The visitor; none if the browser never named one.
    pub visitor_id: Option<VisitorId>,
    /// The user; set once.
    pub user_id: Option<String>,
    /// When its first fact happened, or its start.
    pub started_at: Millis,
    /// When its last fact or ping happened.
    pub last_activity: Millis,
    /// When it ended: the end of its last live session, or its last activity if that expired.
    pub ended_at: Option<Millis>,
}

/// Activity of a visit that is not in its row yet: a time without a pause that is as long as the idle limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first instant.
    pub first: Millis,
    /// The last.
    pub last: Millis,
}

impl Span {
    /// Adds an instant, unless the visit was over by then.
    pub fn add(&mut self, at: Millis, ttl: Ttl) {
        if !ttl.ends_visit(self.last, at) {
            *self = Self { first: self.first.min(at), last: self.last.max(at) };
        }
    }
}

/// What a sign-in does to a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The visit was anonymous: it and the visitor's earlier anonymous visits get the user.
    Set,
    /// The visit is this user's already, or nobody signs in. A sign-in still gives the user to the visitor's earlier
    /// anonymous visits.
    Keep,
    /// The visit is another user's, and a visit's user is set once: a new visit begins.
    NewVisit,
}

impl Visit {
    /// Whether a hit at `now` without a session may join the visit. A visit that was idle for the limit is over,
    /// even if a session of it is live.
    #[must_use]
    pub fn is_live(&self, now: Millis, ttl: Ttl) -> bool {
        self.ended_at.is_none() && !self.is_over(now, ttl)
    }

    /// Whether the visit was over before something at `at` happened: its last activity is further back than
    /// the idle limit, even if a session of it was active since.
    #[must_use]
    pub fn is_over(&self, at: Millis, ttl: Ttl) -> bool {
        ttl.ends_visit(self.last_activity, at)
    }

    /// Notes activity of a visit that goes on.
    pub fn slide(&mut self, span: Span, ttl: Ttl) {
        if self.ended_at.is_none() && !self.is_over(span.first, ttl) {
            self.last_activity = self.last_activity.max(span.last);
        }
    }

    /// Whether a session of `user_id` may belong to the visit.
    #[must_use]
    pub fn admits(&self, user_id: Option<&str>) -> bool {
        user_id.is_none() || self.link(user_id) != Link::NewVisit
    }

    /// Whether a fact that arrived late belongs to the visit. An expired visit ended with its last
    /// activity and covers the idle limit beyond it; one that was ended on request ended there.
    #[must_use]
    pub fn covers(&self, occurred_at: Millis, ttl: Ttl) -> bool {
        let is_after = match self.ended_at {
            Some(ended) if ended > self.last_activity => occurred_at > ended,
            _ => self.is_over(occurred_at, ttl),
        };
        self.started_at <= occurred_at && !is_after
    }

    /// What the sign-in of `user_id` does to the visit.
    #[must_use]
    pub fn link(&self, user_id: Option<&str>) -> Link {
        match (self.user_id.as_deref(), user_id) {
            (_, None) => Link::Keep,
            (None, Some(_)) => Link::Set,
            (Some(own), Some(other)) if own == other => Link::Keep,
            _ => Link::NewVisit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Ttl = Ttl { idle_ms: 1_000, max_ms: 10_000, ..Ttl::DEFAULT };

    fn visit(last_activity: Millis, ended_at: Option<Millis>) -> Visit {
        Visit {
            id: Uuid::nil(),
            site: "a".into(),
            visitor_id: None,
            user_id: None,
            started_at: 100,
            last_activity,
            ended_at,
        }
    }

    #[test]
    fn an_idle_or_ended_visit_is_not_joined() {
        assert!(visit(500, None).is_live(1_499, TTL));
        assert!(!visit(500, None).is_live(1_500, TTL));
        assert!(!visit(500, Some(600)).is_live(700, TTL));
    }

    #[test]
    fn activity_prolongs_no_visit_that_was_over() {
        let mut span = Span { first: 1_000, last: 1_000 };
        span.add(1_999, TTL);
        span.add(2_999, TTL);
        assert_eq!(span, Span { first: 1_000, last: 1_999 }, "after a pause it is another visit's");
        let slid = |mut visit: Visit| {
            visit.slide(span, TTL);
            visit.last_activity
        };
        assert_eq!(slid(visit(1, None)), 1_999);
        assert_eq!(slid(visit(0, None)), 0);
        assert_eq!(slid(visit(500, Some(500))), 500);
        assert_eq!(slid(visit(5_000, None)), 5_000);
    }

    #[test]
    fn a_late_fact_belongs_to_the_visit_that_covers_its_time() {
        assert!(!visit(500, Some(500)).covers(99, TTL));
        assert!(visit(500, Some(500)).covers(1_499, TTL), "expired: the idle limit still covers it");
        assert!(!visit(500, Some(500)).covers(1_500, TTL));
        assert!(visit(500, Some(600)).covers(600, TTL));
        assert!(
            !visit(500, Some(600)).covers(601, TTL),
            "ended on request: what came later is another visit"
        );
    }

    #[test]
    fn a_visits_user_is_set_once() {
        let mut anonymous = visit(500, None);
        assert_eq!(anonymous.link(Some("ann")), Link::Set);
        anonymous.user_id = Some("ann".into());
        assert_eq!(anonymous.link(Some("ann")), Link::Keep);
        assert_eq!(anonymous.link(Some("bob")), Link::NewVisit);
        assert_eq!(anonymous.link(None), Link::Keep);
    }

    #[test]
    fn a_visitor_id_keeps_one_spelling() {
        let upper = "v_018F3A5E-7C1B-4F6A-9D2E-3B4C5D6E7F80";
        assert_eq!(upper.parse::<VisitorId>().unwrap().to_string(), upper.to_lowercase().replace("V_", "v_"));
    }

    #[test]
    fn a_visitor_id_is_v_and_a_uuid() {
        for bad in [
            "",
            "v_",
            "v_nonsense",
            "018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80",
            "v_018f3a5e7c1b4f6a9d2e3b4c5d6e7f80",
            "v_{018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80}",
            "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f8g",
        ] {
            assert!(bad.parse::<VisitorId>().is_err(), "{bad}");
        }
    }
}
