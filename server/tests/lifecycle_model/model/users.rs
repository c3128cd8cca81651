//! Who signs in and out, and the sessions of a user.

use visitflow_server::session::Millis;

use super::{Model, ModelCookie, Worth};
use crate::steps::{Answer, MINUTE};

impl Model {
    pub(crate) fn sign_in(
        &mut self,
        cookie: Option<ModelCookie>,
        user: u8,
        with_visit: bool,
        remember: bool,
        now: Millis,
    ) -> (Answer, Option<ModelCookie>) {
        match self.worth(cookie, now) {
            Worth::Grace { rotated: true, .. } => (Answer::Rotated, cookie),
            Worth::Nothing | Worth::Grace { rotated: false, .. } => {
                (Answer::Fresh, Some(self.open(None, Some(user), remember, now, now)))
            }
            Worth::Live(token) => {
                let fresh = self.rotate(token, Some(user), remember, now);
                if let Some(visit) = self.tokens[token].visit {
                    if !with_visit {
                        self.tokens[token].visit = None;
                    } else if self.visits[visit].user.is_some_and(|own| own != user) {
                        let next = self.begin(self.visits[visit].visitor, Some(user), now);
                        self.tokens[token].visit = Some(next);
                        self.end_if_deserted(visit, now);
                    } else {
                        self.link(visit, user);
                    }
                }
                (Answer::Fresh, Some(fresh))
            }
        }
    }

    pub(crate) fn sign_out(
        &mut self,
        cookie: Option<ModelCookie>,
        now: Millis,
    ) -> (Answer, Option<ModelCookie>) {
        match self.worth(cookie, now) {
            Worth::Live(token) => (Answer::Fresh, Some(self.rotate(token, None, false, now))),
            Worth::Grace { .. } => (Answer::Left, cookie),
            Worth::Nothing => (Answer::Cleared, None),
        }
    }

    pub(crate) fn end(&mut self, cookie: Option<ModelCookie>, now: Millis) -> (Answer, Option<ModelCookie>) {
        match self.worth(cookie, now) {
            Worth::Live(token) => {
                self.end_tokens(&[token], now);
                (Answer::Cleared, None)
            }
            Worth::Grace { .. } => (Answer::Left, cookie),
            Worth::Nothing => (Answer::Cleared, None),
        }
    }

    /// Consent is withdrawn: a session of a user leaves its visit, any other ends with it.
    pub(crate) fn forget(
        &mut self,
        cookie: Option<ModelCookie>,
        now: Millis,
    ) -> (Answer, Option<ModelCookie>) {
        match self.worth(cookie, now) {
            Worth::Live(token) if self.tokens[token].user.is_some() => {
                let left = self.tokens[token].visit;
                let fresh = self.replace_secret(token, now);
                self.leave(token, left, now);
                (Answer::Fresh, Some(fresh))
            }
            Worth::Live(token) => {
                self.end_tokens(&[token], now);
                (Answer::Cleared, None)
            }
            Worth::Grace { token, rotated: true } => {
                let left = self.visit_of(token, cookie);
                if self.tokens[token].visit == left {
                    self.leave(token, left, now);
                }
                (Answer::Left, cookie)
            }
            Worth::Grace { .. } => (Answer::Left, cookie),
            Worth::Nothing => (Answer::Cleared, None),
        }
    }

    fn leave(&mut self, token: usize, visit: Option<usize>, now: Millis) {
        self.tokens[token].visit = None;
        if let Some(visit) = visit {
            self.end_if_deserted(visit, now);
        }
    }

    /// Ends live sessions, and visits that none is left of.
    fn end_tokens(&mut self, tokens: &[usize], now: Millis) {
        for token in tokens {
            self.tokens[*token].ended = Some(now);
        }
        for token in tokens {
            if let Some(visit) = self.tokens[*token].visit {
                self.end_if_deserted(visit, now);
            }
        }
    }

    /// A backend asks whose the session is; with `touch` that keeps a user signed in, and no visit alive.
    pub(crate) fn introspect(&mut self, cookie: Option<ModelCookie>, touch: bool, now: Millis) -> Answer {
        let Worth::Live(at) = self.worth(cookie, now) else { return Answer::Expired };
        let token = &mut self.tokens[at];
        let slides = touch && token.user.is_some();
        // Once a minute, by the clock.
        let renews = slides && token.last / MINUTE < now / MINUTE;
        if slides {
            token.last = token.last.max(now);
        }
        Answer::Whose(token.user, token.remembered, renews)
    }

    pub(crate) fn list(&self, user: u8, now: Millis) -> Answer {
        Answer::Sessions(
            self.of_user(user, now)
                .map(|at| (at, self.tokens[at].last, self.tokens[at].remembered))
                .collect(),
        )
    }

    fn of_user(&self, user: u8, now: Millis) -> impl Iterator<Item = usize> {
        let of_user = (0..self.tokens.len()).filter(move |at| self.tokens[*at].user == Some(user));
        of_user.filter(move |at| self.is_live(*at, now))
    }

    /// The session of the cookie, and its user.
    fn signed_in(&self, cookie: Option<ModelCookie>, now: Millis) -> Result<(usize, u8), Answer> {
        let Worth::Live(own) = self.worth(cookie, now) else { return Err(Answer::Expired) };
        self.tokens[own].user.map(|user| (own, user)).ok_or(Answer::NotSignedIn)
    }

    pub(crate) fn end_of(
        &mut self,
        cookie: Option<ModelCookie>,
        ended: usize,
        now: Millis,
    ) -> (Answer, Option<ModelCookie>) {
        let (own, user) = match self.signed_in(cookie, now) {
            Ok(signed_in) => signed_in,
            Err(answer) => return (answer, cookie),
        };
        if !self.of_user(user, now).any(|token| token == ended) {
            return (Answer::Missing, cookie);
        }
        self.end_tokens(&[ended], now);
        if own == ended { (Answer::Cleared, None) } else { (Answer::Left, cookie) }
    }

    pub(crate) fn end_others(&mut self, cookie: Option<ModelCookie>, now: Millis) -> Answer {
        let (own, user) = match self.signed_in(cookie, now) {
            Ok(signed_in) => signed_in,
            Err(answer) => return answer,
        };
        let others: Vec<usize> = self.of_user(user, now).filter(|token| *token != own).collect();
        self.end_tokens(&others, now);
        Answer::Left
    }
}
