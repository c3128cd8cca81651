//! Activity that the copies of sessions hold, and that the database does not have yet.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Copied, Inner, Local};
use crate::contract::activity::{CachedActivity, Slides};
use crate::ledger::Known;
use crate::session::token::Tag;
use crate::session::visit::Span;
use crate::session::{Activity, Ttl};

/// The sessions and visits that had unwritten activity at some instant. Their [`Slides`] are taken piece by piece.
#[derive(Debug, Default)]
pub struct Slid {
    sessions: Vec<Tag>,
    visits: Vec<Uuid>,
}

impl Slid {
    /// How many sessions are to be taken, or visits if those are more.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len().max(self.visits.len())
    }

    /// Whether all of it has been taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.visits.is_empty()
    }
}

impl Local {
    /// The sessions and visits with activity that is not in the database yet.
    #[must_use]
    pub fn slid(&self) -> Slid {
        let inner = self.lock();
        Slid {
            sessions: inner.slid.iter().copied().collect(),
            visits: inner.slid_visits.keys().copied().collect(),
        }
    }

    /// Takes the activity of at most so many sessions, and at most so many visits besides theirs.
    pub fn take_slides(&self, slid: &mut Slid, most: usize) -> Slides {
        let mut inner = self.lock();
        let Inner { copies, slid: slid_sessions, slid_visits, slid_without_visit, .. } = &mut *inner;
        let mut sessions = Vec::with_capacity(most);
        let mut visits = Vec::with_capacity(most);
        for tag in last(&mut slid.sessions, most).filter(|tag| slid_sessions.remove(tag)) {
            let without_visit = slid_without_visit.remove(&tag);
            let Some(Copied { record, .. }) = copies.get(&tag) else { continue };
            sessions.push((tag, record.last_activity));
            let Some(visit_id) = record.visit_id else { continue };
            if let Some(span) = without_visit {
                merge(slid_visits, visit_id, span, self.ttl);
            }
            visits.extend(slid_visits.remove_entry(&visit_id));
        }
        let others = last(&mut slid.visits, most);
        visits.extend(others.filter_map(|visit_id| slid_visits.remove_entry(&visit_id)));
        Slides { sessions, visits }
    }

    /// Notes activity that Redis has and the database does not have yet.
    pub fn slid_elsewhere(&self, tag: Tag, activity: Activity) {
        self.lock().slide(tag, activity, self.ttl);
    }

    /// Takes back activity that could not be written.
    pub fn return_slides(&self, slides: &Slides) {
        let mut inner = self.lock();
        inner.slid.extend(slides.sessions.iter().map(|(tag, _)| *tag));
        for (visit_id, span) in &slides.visits {
            merge(&mut inner.slid_visits, *visit_id, *span, self.ttl);
        }
    }
}

impl CachedActivity for Local {
    fn freshen(&self, known: &mut Known) {
        let inner = self.lock();
        known.freshen(
            |visit_id| inner.slid_visits.get(&visit_id).copied(),
            |tag| inner.copies.get(&tag).map(|copied| copied.record.last_activity),
            self.ttl,
        );
    }
}

impl Inner {
    /// Notes activity that is not in the database yet.
    pub(super) fn slide(&mut self, tag: Tag, activity: Activity, ttl: Ttl) {
        let Some(Copied { record, .. }) = self.copies.get_mut(&tag) else { return };
        record.slide(activity.at());
        self.slid.insert(tag);
        let Activity::Visitor(at) = activity else { return };
        let begun = Span { first: at, last: at };
        let span = match record.visit_id {
            Some(visit_id) => self.slid_visits.entry(visit_id).or_insert(begun),
            None => self.slid_without_visit.entry(tag).or_insert(begun),
        };
        span.add(at, ttl);
    }
}

/// Adds activity from before what is known of the visit. If a pause lies between, it was another visit's.
fn merge(slid: &mut HashMap<Uuid, Span>, visit_id: Uuid, earlier: Span, ttl: Ttl) {
    let known = slid.entry(visit_id).or_insert(earlier);
    let mut whole = earlier;
    whole.add(known.first, ttl);
    whole.add(known.last, ttl);
    if whole.last >= known.last {
        *known = whole;
    }
}

fn last<T>(items: &mut Vec<T>, most: usize) -> std::vec::Drain<'_, T> {
    items.drain(items.len().saturating_sub(most)..)
}
