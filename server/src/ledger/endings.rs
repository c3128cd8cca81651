//! Ends sessions of a user: one, or all but the one that asks or changes the password. Also ends sessions, or raises
//! their generation, where the database does not confirm a provisional change.

use std::collections::BTreeSet;

use super::bounds::ENDED_MOST;
use super::command::{Command, EndProvisional, Ending, Outcome, Provisional, Which};
use super::known::SessionsOf;
use super::world::World;
use crate::session::Millis;
use crate::session::record::{PROVISIONAL_MAX, Record, SignedIn};
use crate::session::token::{Proof, Tag};

impl World<'_, '_> {
    pub(super) fn end_sessions(&mut self, ending: &Ending) -> Outcome {
        if let Some(asking) = ending.asking
            && self.live(asking, ending.now).is_none_or(|record| !ending.is_of(&record))
        {
            return Outcome { lost: true, ..Outcome::default() };
        }
        match ending.which {
            Which::One(tag) => {
                let missing = !self.end_those(ending, &[tag]);
                Outcome { missing, ..Outcome::default() }
            }
            Which::AllBut(kept) => {
                self.end_all_but(ending, kept);
                Outcome::default()
            }
        }
    }

    pub(super) fn change_password(
        &mut self,
        now: Millis,
        presented: Proof,
        candidate: Proof,
        user_id: &str,
        password_hash: &str,
    ) -> Outcome {
        let record = self.live(presented, now).filter(|record| record.user_id.as_deref() == Some(user_id));
        let Some(mut record) = record else { return Outcome { lost: true, ..Outcome::default() } };
        let (device, remember) = (record.device.take(), record.remembered);
        record.rotate(candidate, Some(SignedIn { user_id: user_id.to_owned(), device, remember }), now);
        self.put_token(record);
        self.set_password(user_id, password_hash);
        let kept = Some(presented.tag);
        let which = Which::AllBut(kept);
        let ending = Ending { now, user_id: user_id.to_owned(), asking: None, which, site: None };
        self.end_all_but(&ending, kept);
        Outcome { issued: true, ..Outcome::default() }
    }

    /// What becomes of a provisional change whose token is not live.
    pub(super) fn not_confirmed(
        &mut self,
        provisional: Provisional,
        (presented, now): (Proof, Millis),
    ) -> Outcome {
        match provisional.rests_on {
            Some(rests_on) => self.overrule(presented, rests_on, provisional.waits, now),
            None => Outcome { lost: true, ..Outcome::default() },
        }
    }

    /// Ends a session that has provisional changes, or had when this was asked.
    pub(super) fn end_provisional(&mut self, end: &EndProvisional) -> Outcome {
        let EndProvisional { now, presented, rests_on } = *end;
        match self.live(presented, now) {
            Some(_) => self.end(now, presented),
            None => self.overrule(presented, rests_on, false, now),
        }
    }

    /// A provisional change cannot be applied. If another request has replaced the token or ended the session, what is
    /// stored stays, and its generation is raised above that of any provisional change, so that every copy takes it.
    /// If the database does not know the token, another server has issued it provisionally and may store it soon; if
    /// this does not wait, the session ends.
    fn overrule(&mut self, presented: Proof, rests_on: u64, waits: bool, now: Millis) -> Outcome {
        let stored = self.token(presented.tag).cloned();
        let is_overruled = |stored: &Record| stored.generation >= rests_on + PROVISIONAL_MAX;
        let is_known = |stored: &Record| is_overruled(stored) || stored.knows(&presented.hash);
        if !stored.as_ref().is_some_and(is_known) {
            if waits {
                return Outcome { early: true, ..Outcome::default() };
            }
            let mut record = stored.unwrap_or_else(|| Record::open(presented, None, None, now));
            record.generation = record.generation.max(rests_on);
            record.end(now);
            let visit_id = record.visit_id;
            self.put_token(record);
            if let Some(visit_id) = visit_id {
                self.end_visit_if_deserted(visit_id, now);
            }
            return Outcome::default();
        }
        if let Some(mut record) = stored.filter(|stored| !is_overruled(stored)) {
            record.generation = record.generation.max(rests_on) + 2 * PROVISIONAL_MAX;
            self.put_token(record);
        }
        Outcome { lost: true, ..Outcome::default() }
    }

    /// Ends as many as the batch has room for. A later batch ends the others, even if the session that asked has ended
    /// by then.
    fn end_all_but(&mut self, ending: &Ending, kept: Option<Tag>) {
        self.note_ending(SessionsOf::user(&ending.user_id, ending.site.as_deref()), ending.now);
        let has_room = self.ends_left >= ENDED_MOST;
        let mut all = false;
        if has_room {
            self.ends_left -= ENDED_MOST;
            let (mut tags, are_all) =
                self.tokens_of_user(&ending.user_id, ending.site.as_deref(), ENDED_MOST);
            tags.retain(|tag| Some(*tag) != kept);
            self.end_those(ending, &tags);
            all = are_all;
        }
        if !all {
            self.left = Some(Command::EndSessions(Ending { asking: None, ..ending.clone() }));
        }
    }

    /// Ends those of the sessions that are the user's, and the visits that have no live session left. Whether one of
    /// the sessions was live.
    fn end_those(&mut self, ending: &Ending, tags: &[Tag]) -> bool {
        let (now, ttl) = (ending.now, self.ttl);
        let mut visits = BTreeSet::new();
        let mut ended = false;
        for tag in tags {
            let record = self.token(*tag).filter(|record| ending.is_of(record)).cloned();
            let Some(mut record) = record.filter(|record| self.is_of_site(record, ending)) else { continue };
            if record.expired(now, ttl) {
                record.end(record.expires_at(ttl));
            } else {
                record.end(now);
                visits.extend(record.visit_id);
                ended = true;
            }
            self.put_token(record);
        }
        for visit_id in visits {
            self.end_visit_if_deserted(visit_id, now);
        }
        ended
    }

    fn is_of_site(&mut self, record: &Record, ending: &Ending) -> bool {
        ending.site.as_ref().is_none_or(|site| {
            let visit = record.visit_id.and_then(|visit_id| self.visit(visit_id));
            visit.is_some_and(|row| row.visit.site == *site)
        })
    }
}

impl Ending {
    /// Whether a session is one of the user's that have not ended.
    #[must_use]
    pub fn is_of(&self, record: &Record) -> bool {
        record.user_id.as_ref() == Some(&self.user_id) && record.ended_at.is_none()
    }
}
