//! Ends sessions: of a token, of a user, and where the database does not confirm a provisional change.

use std::collections::BTreeSet;

use super::bounds::ENDED_MOST;
use super::known::SessionsOf;
use super::left::{EndSessions, Left};
use super::rules::Provisional;
use super::world::World;
use crate::session::Millis;
use crate::session::record::{PROVISIONAL_MAX, Record};
use crate::session::token::{Proof, Tag};

/// What became of a session whose provisional change is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overruled {
    /// Nothing yet: the change that it rests on may be stored soon.
    Early,
    /// It has ended: nobody knows who holds its token.
    Ended,
    /// It stays as another request has left it.
    Kept,
}

impl World<'_, '_> {
    /// Ends the session of a token, if it is live. Whether it was.
    pub(super) fn end_live(&mut self, presented: Proof, now: Millis) -> bool {
        let Some(mut record) = self.live(presented, now) else { return false };
        record.end(now);
        let visit_id = record.visit_id;
        self.put_token(record);
        if let Some(visit_id) = visit_id {
            self.end_visit_if_deserted(visit_id, now);
        }
        true
    }

    /// Ends a session whose user's sessions were all ended at an instant, while its sign-in or its visit was in a spool.
    pub(super) fn end_overtaken(&mut self, tag: Tag, ended_at: Millis) {
        let Some(mut record) = self.token(tag).cloned() else { return };
        record.end(ended_at);
        let visit_id = record.visit_id;
        self.put_token(record);
        if let Some(visit_id) = visit_id {
            self.end_visit_if_deserted(visit_id, ended_at);
        }
    }

    /// What becomes of a provisional change whose token is not live.
    pub(super) fn not_confirmed(
        &mut self,
        provisional: Provisional,
        (presented, now): (Proof, Millis),
    ) -> Overruled {
        match provisional.rests_on {
            Some(rests_on) => self.overrule(presented, rests_on, provisional.waits, now),
            None => Overruled::Kept,
        }
    }

    /// A provisional change cannot be applied. If another request has replaced the token or ended the session, what is
    /// stored stays, and its generation is raised above that of any provisional change, so that every copy takes it.
    /// If the database does not know the token, another server has issued it provisionally and may store it soon; if
    /// this does not wait, the session ends.
    pub(super) fn overrule(
        &mut self,
        presented: Proof,
        rests_on: u64,
        waits: bool,
        now: Millis,
    ) -> Overruled {
        let stored = self.token(presented.tag).cloned();
        let is_overruled = |stored: &Record| stored.generation >= rests_on + PROVISIONAL_MAX;
        let is_known = |stored: &Record| is_overruled(stored) || stored.knows(&presented.hash);
        if !stored.as_ref().is_some_and(is_known) {
            if waits {
                return Overruled::Early;
            }
            let mut record = stored.unwrap_or_else(|| Record::open(presented, None, None, now));
            record.generation = record.generation.max(rests_on);
            record.end(now);
            let visit_id = record.visit_id;
            self.put_token(record);
            if let Some(visit_id) = visit_id {
                self.end_visit_if_deserted(visit_id, now);
            }
            return Overruled::Ended;
        }
        if let Some(mut record) = stored.filter(|stored| !is_overruled(stored)) {
            record.generation = record.generation.max(rests_on) + 2 * PROVISIONAL_MAX;
            self.put_token(record);
        }
        Overruled::Kept
    }

    /// Ends as many as the batch has room for. A later batch ends the others, even if the session that asked has ended
    /// by then.
    pub(super) fn end_all_but(&mut self, ending: &EndSessions, kept: Option<Tag>) {
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
            self.left = Some(Left::EndSessions(EndSessions { asking: None, ..ending.clone() }));
        }
    }

    /// Ends those of the sessions that are the user's, and the visits that have no live session left. Whether one of
    /// the sessions was live.
    pub(super) fn end_those(&mut self, ending: &EndSessions, tags: &[Tag]) -> bool {
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

    fn is_of_site(&mut self, record: &Record, ending: &EndSessions) -> bool {
        ending.site.as_ref().is_none_or(|site| {
            let visit = record.visit_id.and_then(|visit_id| self.visit(visit_id));
            visit.is_some_and(|row| row.visit.site == *site)
        })
    }
}
