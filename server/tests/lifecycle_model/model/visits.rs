//! Visits: joined, begun, linked to a user, ended.

use visitflow_server::database::batch::SWEEP_DELAY_MS;
use visitflow_server::session::Millis;

use super::Model;
use crate::steps::{Row, TTL};

impl Model {
    /// Activity prolongs no visit that has ended, or was over.
    pub(super) fn touch(&mut self, visit: usize, at: Millis) {
        self.slid.entry(visit).or_default().insert(at);
        self.settle(visit);
    }

    /// Lets the activity count that follows the visit's last without a pause.
    fn settle(&mut self, visit: usize) {
        let row = &mut self.visits[visit];
        for at in self.slid.get(&visit).into_iter().flatten() {
            if row.ended_at.is_none() && at - row.last_activity < TTL.idle_ms {
                row.last_activity = row.last_activity.max(*at);
            }
        }
    }

    /// A visit's last activity is not before that of any of its sessions.
    pub(super) fn set_visit(&mut self, token: usize, visit: usize) {
        self.tokens[token].visit = Some(visit);
        let last = self.tokens[token].last;
        let visit = &mut self.visits[visit];
        if visit.ended_at.is_none() {
            visit.last_activity = visit.last_activity.max(last);
        }
    }

    fn live_tokens(&self, visit: usize, now: Millis) -> usize {
        let of_visit = (0..self.tokens.len()).filter(|at| self.tokens[*at].visit == Some(visit));
        of_visit.filter(|at| self.is_live(*at, now)).count()
    }

    pub(super) fn begin(&mut self, visitor: usize, user: Option<u8>, at: Millis) -> usize {
        self.visits.push(Row {
            started_at: at,
            last_activity: at,
            ended_at: None,
            visitor,
            user,
            page_views: 0,
        });
        self.current[visitor] = Some(self.visits.len() - 1);
        self.visits.len() - 1
    }

    pub(super) fn join_or_begin(
        &mut self,
        visitor: usize,
        user: Option<u8>,
        at: Millis,
        now: Millis,
    ) -> usize {
        if let Some(visit) = self.current[visitor] {
            let row = &self.visits[visit];
            let others = user.is_some() && row.user.is_some() && row.user != user;
            if row.ended_at.is_none() && now - row.last_activity < TTL.idle_ms && !others {
                if let Some(user) = user {
                    self.link(visit, user);
                }
                return visit;
            }
        }
        self.begin(visitor, user, at)
    }

    pub(super) fn link(&mut self, visit: usize, user: u8) {
        let visitor = self.visits[visit].visitor;
        for row in self.visits.iter_mut().filter(|row| row.visitor == visitor && row.user.is_none()) {
            row.user = Some(user);
        }
    }

    pub(super) fn count(&mut self, visit: usize, at: Millis) {
        let row = &mut self.visits[visit];
        row.page_views += 1;
        match row.ended_at {
            Some(ended) if ended == row.last_activity => {
                row.ended_at = Some(ended.max(at));
                row.last_activity = row.last_activity.max(at);
            }
            Some(ended) => row.last_activity = row.last_activity.max(at.min(ended - 1)),
            None => row.last_activity = row.last_activity.max(at),
        }
        self.settle(visit);
    }

    pub(super) fn covers(&self, visit: usize, at: Millis) -> bool {
        let row = &self.visits[visit];
        let until = match row.ended_at {
            Some(ended) if ended > row.last_activity => ended,
            _ => row.last_activity + TTL.idle_ms - 1,
        };
        row.started_at <= at && at <= until
    }

    pub(super) fn covering(&self, visitor: usize, at: Millis) -> Option<usize> {
        let before = (0..self.visits.len())
            .filter(|visit| self.visits[*visit].visitor == visitor && self.visits[*visit].started_at <= at);
        before.max_by_key(|visit| self.visits[*visit].started_at).filter(|visit| self.covers(*visit, at))
    }

    pub(super) fn end_if_deserted(&mut self, visit: usize, now: Millis) {
        if self.live_tokens(visit, now) == 0 && self.visits[visit].ended_at.is_none() {
            self.visits[visit].ended_at = Some(now.max(self.visits[visit].last_activity));
        }
    }

    /// Whether the visit was over before an instant.
    pub(super) fn is_over(&self, visit: usize, at: Millis) -> bool {
        at - self.visits[visit].last_activity >= TTL.idle_ms
    }

    /// What a server does every thirty seconds.
    pub(crate) fn sweep(&mut self, now: Millis) {
        self.slid.clear();
        for row in self.visits.iter_mut().filter(|row| row.ended_at.is_none()) {
            if now - SWEEP_DELAY_MS - row.last_activity >= TTL.idle_ms {
                row.ended_at = Some(row.last_activity);
            }
        }
    }
}
