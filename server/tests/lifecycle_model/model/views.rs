//! Starts, page views, pings.

use uuid::Uuid;
use visitflow_server::session::Millis;

use super::{Model, ModelCookie, Worth};
use crate::steps::{Answer, Row, TTL};

impl Model {
    pub(crate) fn start(
        &mut self,
        cookie: Option<ModelCookie>,
        visitor: usize,
        now: Millis,
    ) -> (Answer, Option<ModelCookie>) {
        match self.worth(cookie, now) {
            Worth::Grace { rotated: true, .. } => (Answer::Expired, cookie),
            Worth::Live(token) => {
                self.slide(token, now);
                if self.tokens[token].visit.is_none() {
                    let visit = self.join_or_begin(visitor, self.tokens[token].user, now, now);
                    self.set_visit(token, visit);
                    self.touch(visit, now);
                }
                (Answer::Kept, cookie)
            }
            _ => {
                let visit = self.join_or_begin(visitor, None, now, now);
                self.touch(visit, now);
                (Answer::Fresh, Some(self.open(Some(visit), None, false, now, now)))
            }
        }
    }

    pub(crate) fn view(
        &mut self,
        cookie: Option<ModelCookie>,
        visitor: usize,
        id: Uuid,
        at: Millis,
        now: Millis,
    ) -> (Answer, Option<ModelCookie>) {
        let late = now - at >= TTL.idle_ms;
        let worth = self.worth(cookie, now);
        if let (Worth::Live(token), false) = (&worth, late) {
            self.slide(*token, at);
        }
        let kept = if matches!(worth, Worth::Live(_)) && !late { Answer::Kept } else { Answer::Left };
        if !self.views.insert(id) {
            return (kept, cookie);
        }
        let own = match &worth {
            Worth::Live(token) | Worth::Grace { token, .. } => self.visit_of(*token, cookie),
            Worth::Nothing => None,
        };
        let visit = if late {
            own.filter(|visit| self.covers(*visit, at)).or_else(|| self.covering(visitor, at)).unwrap_or_else(
                || {
                    self.visits.push(Row {
                        started_at: at,
                        last_activity: at,
                        ended_at: Some(at),
                        visitor,
                        user: own.and_then(|visit| self.visits[visit].user),
                        page_views: 0,
                    });
                    self.visits.len() - 1
                },
            )
        } else {
            match (own, &worth) {
                (Some(visit), Worth::Live(_)) if !self.is_over(visit, at) => visit,
                (Some(visit), Worth::Grace { .. } | Worth::Nothing) => visit,
                (None, Worth::Grace { .. }) => return (kept, cookie),
                // None yet, or the session has outlived it.
                (own, Worth::Live(token)) => {
                    let visitor = own.map_or(visitor, |visit| self.visits[visit].visitor);
                    let visit = self.join_or_begin(visitor, self.tokens[*token].user, at, now);
                    self.set_visit(*token, visit);
                    visit
                }
                (None, Worth::Nothing) => {
                    let visit = self.join_or_begin(visitor, None, at, now);
                    let fresh = self.open(Some(visit), None, false, at, now);
                    self.count(visit, at);
                    // A view as old as the idle limit allows may leave a token that is still live.
                    return (Answer::Fresh, Some(fresh));
                }
            }
        };
        self.count(visit, at);
        (kept, cookie)
    }

    pub(crate) fn ping(&mut self, cookie: Option<ModelCookie>, now: Millis) -> Answer {
        match self.worth(cookie, now) {
            Worth::Live(token) => {
                self.slide(token, now);
                Answer::Kept
            }
            _ => Answer::Expired,
        }
    }
}
