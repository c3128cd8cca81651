//! Start, sign-in, sign-out, end, forget: what they do to a session, and to its visit.

use super::command::{Context, Outcome};
use super::visits::Beginning;
use super::world::World;
use crate::session::record::{After, Record, SignedIn, Standing};
use crate::session::token::{Proof, Tag};
use crate::session::visit::Link;
use crate::session::{Caller, Millis};

impl<'c> World<'_, 'c> {
    pub(super) fn start(
        &mut self,
        context: &Context,
        site: Option<&str>,
        url: Option<&'c str>,
        referrer: Option<&'c str>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let candidate = context.candidate.and_then(|candidate| self.token(candidate.tag));
        // A session that had ended before it was stored has no visit, and this start is to begin it.
        let is_applied =
            |record: &Record| record.visit_id.is_some() || record.ended_at.is_none() || record.is_erased();
        if candidate.is_some_and(is_applied) {
            return Outcome { issued: true, ..outcome }; // applied before: the answer was lost
        }
        let caller = self.judged(&context.caller, context.now);
        let own = caller.visit_id().and_then(|id| self.visit(id)).map(|row| row.visit.clone());
        let erased = match context.visitor {
            Some(visitor) => self.is_erased(visitor, own.as_ref()),
            None => matches!(caller, Caller::Erased),
        };
        if erased {
            return Outcome { erased: 1, ..outcome };
        }
        if context.candidate.is_none() {
            if let Some(id) = caller.visit_id().filter(|id| self.visit(*id).is_some()) {
                if matches!(caller, Caller::Live { .. }) {
                    self.slide_visit(id, context.now);
                }
                return outcome;
            }
            if matches!(caller, Caller::Grace { .. }) {
                return outcome; // the session was ended while the request was on its way
            }
            let has_session = matches!(caller, Caller::Live { .. }) && !self.was_withdrawn(&caller);
            if context.visitor.is_none() && !has_session {
                return outcome; // no later fact could belong to its visit
            }
        }
        let site = site.map(str::to_owned).or_else(|| self.site_of(context.visitor, context.now));
        let Some(site) = site.or_else(|| context.site.clone()) else {
            return Outcome { of_other_sites: 1, ..outcome };
        };
        let beginning = Beginning {
            site: &site,
            visitor: context.visitor,
            user_id: None,
            at: context.now,
            url,
            referrer,
        };
        let visit_id = self.attach(context, &caller, &beginning, &mut outcome);
        self.slide_visit(visit_id, context.now);
        outcome
    }

    pub(super) fn sign_in(
        &mut self,
        now: Millis,
        presented: Option<Proof>,
        candidate: Proof,
        user: &SignedIn,
        visit: bool,
    ) -> Outcome {
        let user_id = &*user.user_id;
        let Some(presented) = presented else {
            if self.token(candidate.tag).is_none() {
                self.put_token(Record::open(candidate, None, Some(user.clone()), now));
                self.end_if_overtaken(candidate.tag, user_id, now);
            }
            return Outcome { issued: true, ..Outcome::default() };
        };
        let Some(mut record) = self.live(presented, now) else {
            let outcome = self.lost_or_done(candidate);
            if outcome.issued && visit {
                self.link_again(candidate, user_id, now);
            }
            return outcome;
        };
        let before = record.visit_id;
        record.rotate(candidate, Some(user.clone()), now);
        if let Some(own) = before.and_then(|id| self.visit(id)).map(|row| row.visit.clone()) {
            if !visit {
                record.set_visit(None);
            } else {
                match own.link(Some(user_id)) {
                    // Also if it is the user's already: an earlier sign-in may have been interrupted.
                    Link::Keep | Link::Set => self.link(&own, user_id, now),
                    Link::NewVisit => {
                        let next = Beginning {
                            site: &own.site,
                            visitor: own.visitor_id,
                            user_id: Some(user_id),
                            at: now,
                            url: None,
                            referrer: None,
                        };
                        record.set_visit(Some(self.begin(&next, None)));
                    }
                }
            }
        }
        let left = before.filter(|_| visit && record.visit_id != before);
        self.put_token(record);
        if let Some(left) = left {
            self.end_visit_if_deserted(left, now);
        }
        self.end_if_overtaken(candidate.tag, user_id, now);
        Outcome { issued: true, ..Outcome::default() }
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

    pub(super) fn end_overtaken(&mut self, tag: Tag, ended_at: Millis) {
        let Some(mut record) = self.token(tag).cloned() else { return };
        record.end(ended_at);
        let visit_id = record.visit_id;
        self.put_token(record);
        if let Some(visit_id) = visit_id {
            self.end_visit_if_deserted(visit_id, ended_at);
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

    pub(super) fn sign_out(&mut self, now: Millis, presented: Proof, candidate: Proof) -> Outcome {
        let Some(mut record) = self.live(presented, now) else {
            return self.lost_or_done(candidate);
        };
        record.rotate(candidate, None, now);
        self.put_token(record);
        Outcome { issued: true, ..Outcome::default() }
    }

    pub(super) fn end(&mut self, now: Millis, presented: Proof) -> Outcome {
        let Some(mut record) = self.live(presented, now) else {
            return Outcome { lost: true, ..Outcome::default() };
        };
        record.end(now);
        let visit_id = record.visit_id;
        self.put_token(record);
        if let Some(visit_id) = visit_id {
            self.end_visit_if_deserted(visit_id, now);
        }
        Outcome::default()
    }

    /// Stops measuring: the session leaves its visit, with a new token if somebody is signed in; otherwise the session
    /// ends.
    pub(super) fn forget(&mut self, now: Millis, presented: Proof, candidate: Proof) -> Outcome {
        let Some(mut record) = self.token(presented.tag).cloned() else {
            return Outcome { lost: true, ..Outcome::default() };
        };
        let left = record.visit_of(&presented.hash);
        let outcome = match record.standing(&presented.hash, now, self.ttl) {
            Standing::Live if record.user_id.is_some() => {
                record.forget(candidate, now);
                Outcome { issued: true, ..Outcome::default() }
            }
            Standing::Live => {
                record.end(now);
                Outcome::default()
            }
            // A sign-in or a sign-out was first, and its answer has the newer token. The session has not
            // left the visit yet: now it does, and keeps that token.
            Standing::Grace(After::Rotation) if left.is_some() && record.visit_id == left => {
                record.set_visit(None);
                Outcome { lost: true, ..Outcome::default() }
            }
            _ => return self.lost_or_done(candidate),
        };
        self.put_token(record);
        if let Some(visit_id) = left {
            self.end_visit_if_deserted(visit_id, now);
        }
        outcome
    }

    /// The outcome of a rotation whose token is not live: another request was first, or this one was applied before
    /// and its answer was lost.
    fn lost_or_done(&mut self, candidate: Proof) -> Outcome {
        let done = self.token(candidate.tag).is_some_and(|record| record.has_had(&candidate.hash));
        Outcome { issued: done, lost: !done, ..Outcome::default() }
    }
}
