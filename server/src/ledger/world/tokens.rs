//! Sessions as the batch has them, and who a caller turns out to be.

use uuid::Uuid;

use super::World;
use crate::session::record::{After, Record, Standing};
use crate::session::token::{Proof, Tag};
use crate::session::{Caller, Millis};

impl World<'_, '_> {
    pub(in crate::ledger) fn token(&mut self, tag: Tag) -> Option<&Record> {
        if let Some(record) = self.tokens.get(&tag) {
            return Some(record);
        }
        self.wants.tokens.insert(tag);
        self.known.tokens.get(&tag)
    }

    /// The record of a token that is live at `now`.
    pub(in crate::ledger) fn live(&mut self, presented: Proof, now: Millis) -> Option<Record> {
        let ttl = self.ttl;
        let record = self.token(presented.tag)?;
        (record.standing(&presented.hash, now, ttl) == Standing::Live).then(|| record.clone())
    }

    pub(in crate::ledger) fn put_token(&mut self, record: Record) {
        if let Some(visit_id) = record.visit_id {
            let tags = self.tokens_of.entry(visit_id).or_default();
            if !tags.contains(&record.tag) {
                tags.push(record.tag);
            }
        }
        self.tokens.insert(record.tag, record);
    }

    /// Whether a secret is or was a session's: a rotation was applied before, and its answer was lost.
    pub(in crate::ledger) fn has_had(&mut self, candidate: Proof) -> bool {
        self.token(candidate.tag).is_some_and(|record| record.has_had(&candidate.hash))
    }

    /// Whether a live session points at the visit.
    pub(in crate::ledger) fn has_live_session(&mut self, visit_id: Uuid, now: Millis) -> bool {
        let known = self.known;
        // No stored session has a visit that this batch begins. Such a visit has a new id in every attempt, so
        // looking it up would never end.
        if known.visits.contains_key(&visit_id) || !self.visits.contains_key(&visit_id) {
            self.wants.tokens_of.insert(visit_id);
        }
        let stored = known.tokens_of.get(&visit_id).into_iter().flatten();
        let stored =
            stored.filter(|tag| !self.tokens.contains_key(*tag)).filter_map(|tag| known.tokens.get(tag));
        let changed = self.tokens_of.get(&visit_id).into_iter().flatten();
        let changed = changed.filter_map(|tag| self.tokens.get(tag));
        let of_visit = |record: &&Record| record.visit_id == Some(visit_id);
        let live = |record: &Record| record.ended_at.is_none() && !record.expired(now, self.ttl);
        stored.chain(changed).filter(of_visit).any(live)
    }

    /// The tokens of a user that have not ended, so many of the stored ones at most, and whether these are
    /// all; with a site, those whose visit was of it when they were stored, and those of the batch.
    pub(in crate::ledger) fn tokens_of_user(
        &mut self,
        user_id: &str,
        site: Option<&str>,
        most: usize,
    ) -> (Vec<Tag>, bool) {
        let key = (user_id.to_owned(), site.map(str::to_owned), most);
        let stored = self.known.tokens_of_user.get(&key).map_or(&[][..], Vec::as_slice);
        self.wants.tokens_of_user.insert(key);
        let stays = |tag: &&Tag| !self.tokens.contains_key(*tag);
        let is_theirs =
            |record: &&Record| record.user_id.as_deref() == Some(user_id) && record.ended_at.is_none();
        let changed = self.tokens.values().filter(is_theirs).map(|record| record.tag);
        let tags = stored.iter().filter(stays).copied().chain(changed).collect();
        (tags, stored.len() < most)
    }

    /// What an unverified caller turns out to be; others are as they were judged. A session that
    /// had no visit then may have one by now: one that began while the database was away, or that
    /// a request a moment earlier has given it. One whose visit has ended may have been taken out of it
    /// by such a request; then this one is in the grace period.
    pub(in crate::ledger) fn judged(&mut self, caller: &Caller, now: Millis) -> Caller {
        let ttl = self.ttl;
        match *caller {
            Caller::Unverified(token) => {
                let Some(record) = self.token(token.tag) else { return Caller::Nothing };
                let visit_id = record.visit_of(&token.hash);
                match record.standing(&token.hash, now, ttl) {
                    Standing::Live => Caller::Live { token, visit_id },
                    Standing::Grace(after) => Caller::Grace { token, visit_id, after },
                    Standing::Erased => Caller::Erased,
                    Standing::Dead => Caller::Nothing,
                }
            }
            Caller::Live { token, visit_id } if visit_id.is_none_or(|id| self.has_ended(id)) => {
                let Some(record) = self.token(token.tag) else { return caller.clone() };
                let visit_id = record.visit_of(&token.hash);
                let grace = |after| Caller::Grace { token, visit_id, after };
                match record.ended_at {
                    Some(at) => grace(After::End { at }),
                    None if record.secret_hash != token.hash => grace(After::Rotation),
                    None => Caller::Live { token, visit_id },
                }
            }
            Caller::Grace { token, visit_id: None, after } => {
                let visit_id = self.token(token.tag).and_then(|record| record.visit_of(&token.hash));
                Caller::Grace { token, visit_id, after }
            }
            Caller::Live { .. } | Caller::Grace { .. } | Caller::Erased | Caller::Nothing => caller.clone(),
        }
    }

    /// Whether a caller's session was withdrawn: it was provisional, and did not come to be, or is still in another
    /// server's spool.
    pub(in crate::ledger) fn was_withdrawn(&mut self, caller: &Caller) -> bool {
        matches!(*caller, Caller::Live { token, visit_id: None } if self.token(token.tag).is_none())
    }
}
