//! Signs a verified user in.
//!
//! Serialised by the user's row (the user may be disabled, or the password changed, meanwhile), by the visitor (whose
//! visits get the user), and by the token.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ledger::known::Wants;
use crate::ledger::rules::{self, Answer, Held, Rules};
use crate::ledger::visits::Beginning;
use crate::ledger::world::World;
use crate::session::record::{Record, SignedIn};
use crate::session::token::{Proof, Tag};
use crate::session::visit::{Link, Visit};
use crate::session::{Millis, Ttl};

/// Sign a verified user in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// When the request was received.
    pub now: Millis,
    /// The live token it came with.
    pub presented: Option<Proof>,
    /// The token that replaces it, or the first of a new session.
    pub candidate: Proof,
    /// The user, and what the sign-in makes of the session.
    pub user: SignedIn,
    /// The password hash that was verified. If it is not that user's any more at the commit, or the user is disabled
    /// by then, the sign-in is stale. Such a command is not spooled.
    pub verified: Option<String>,
    /// Whether the session's visit gets the user; `false` leaves the session without a visit.
    pub visit: bool,
}

/// What a sign-in did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The candidate token is valid now.
    Done {
        /// Visits that began; while the database is away, the most that may turn out to.
        begun: u32,
    },
    /// Another request rotated or ended the session first; nothing was done.
    Lost,
    /// The credentials have changed since they were verified; nothing was done.
    Stale,
}

impl Rules for SignIn {
    type Outcome = Outcome;

    fn wants(&self, wants: &mut Wants, _: Ttl) {
        wants.tokens.insert(self.presented.unwrap_or(self.candidate).tag);
        let verified = self.verified.iter();
        wants.accounts.extend(verified.map(|hash| (self.user.user_id.clone(), hash.clone())));
    }

    fn apply<'c>(&'c self, world: &mut World<'_, 'c>) -> Outcome {
        let Self { now, candidate, visit, .. } = *self;
        let user_id = &*self.user.user_id;
        if self.verified.as_ref().is_some_and(|hash| !world.is_current(user_id, hash)) {
            return Outcome::Stale;
        }
        let Some(presented) = self.presented else {
            if world.token(candidate.tag).is_none() {
                world.put_token(Record::open(candidate, None, Some(self.user.clone()), now));
                world.end_if_overtaken(candidate.tag, user_id, now);
            }
            return Outcome::Done { begun: 0 };
        };
        let Some(mut record) = world.live(presented, now) else {
            if !world.has_had(candidate) {
                return Outcome::Lost;
            }
            if visit {
                world.link_again(candidate, user_id, now);
            }
            return Outcome::Done { begun: 0 };
        };
        let before = record.visit_id;
        record.rotate(candidate, Some(self.user.clone()), now);
        if let Some(own) = before.and_then(|id| world.visit(id)).map(|row| row.visit.clone()) {
            if !visit {
                record.set_visit(None);
            } else if let Some(next) = world.give_user(&own, user_id, now) {
                record.set_visit(Some(next));
            }
        }
        let left = before.filter(|_| visit && record.visit_id != before);
        world.put_token(record);
        if let Some(left) = left {
            world.end_visit_if_deserted(left, now);
        }
        world.end_if_overtaken(candidate.tag, user_id, now);
        Outcome::Done { begun: world.visits_begun }
    }

    /// A password was checked in the database, so a command with one came before the database went away.
    fn provisional(&self, held: Held<'_>, ttl: Ttl) -> Option<Answer<Outcome>> {
        if self.verified.is_some() {
            return None;
        }
        let user = Some(self.user.clone());
        let Some(presented) = self.presented else {
            let record = Record::open(self.candidate, None, user, self.now);
            return Answer::kept(Outcome::Done { begun: 0 }, Some(record));
        };
        let Some(mut record) = rules::live(held, presented, self.now, ttl) else {
            return Answer::lost(Outcome::Lost);
        };
        record.rotate(self.candidate, user, self.now);
        // Invariant: a provisional change counts no more generations than the ledger will.
        if !self.visit && record.visit_id.is_some() {
            record.set_visit(None);
        }
        Answer::kept(Outcome::Done { begun: u32::from(self.visit) }, Some(record))
    }

    fn now(&self) -> Option<Millis> {
        Some(self.now)
    }

    fn begins(&self) -> Option<Proof> {
        Some(self.candidate).filter(|_| self.presented.is_none())
    }

    fn changes(&self) -> Option<(Proof, Millis)> {
        self.presented.map(|presented| (presented, self.now))
    }

    fn is_lost(outcome: Outcome) -> bool {
        outcome == Outcome::Lost
    }

    fn has_begun(outcome: Outcome) -> bool {
        matches!(outcome, Outcome::Done { .. })
    }
}

impl World<'_, '_> {
    /// Gives a session's visit the user. If it is another user's, returns the visit that begins instead.
    fn give_user(&mut self, own: &Visit, user_id: &str, now: Millis) -> Option<Uuid> {
        match own.link(Some(user_id)) {
            // Also if it is the user's already: an earlier sign-in may have been interrupted.
            Link::Keep | Link::Set => {
                self.link(own, user_id, now);
                None
            }
            Link::NewVisit => {
                let next = Beginning {
                    site: &own.site,
                    visitor: own.visitor_id,
                    user_id: Some(user_id),
                    at: now,
                    url: None,
                    referrer: None,
                };
                Some(self.begin(&next, None))
            }
        }
    }

    /// Completes a sign-in that was applied before, perhaps in part.
    fn link_again(&mut self, candidate: Proof, user_id: &str, now: Millis) {
        let visit_id = self.token(candidate.tag).and_then(|record| record.visit_id);
        let own = visit_id.and_then(|id| self.visit(id)).map(|row| row.visit.clone());
        if let Some(own) = own.filter(|visit| visit.user_id.as_deref() == Some(user_id)) {
            self.link(&own, user_id, now);
        }
    }

    /// Ends a session whose user signed in before all sessions of that user were ended, everywhere or on its site: the
    /// sign-in was in a spool meanwhile.
    fn end_if_overtaken(&mut self, tag: Tag, user_id: &str, signed_in_at: Millis) {
        let Some(record) = self.token(tag) else { return };
        let visit_id = record.visit_id;
        let site = visit_id.and_then(|id| self.visit(id)).map(|row| row.visit.site.clone());
        let everywhere = self.ended_since(user_id, None, signed_in_at);
        let there = site.and_then(|site| self.ended_since(user_id, Some(&site), signed_in_at));
        if let Some(ended_at) = everywhere.max(there) {
            self.end_overtaken(tag, ended_at);
        }
    }
}
