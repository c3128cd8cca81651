//! A plain restatement of the rules.
//!
//! | module | holds |
//! |---|---|
//! | this one | tokens: what each is worth |
//! | `visits` | visits: joined, begun, linked, ended |
//! | `views` | page views, starts, pings |
//! | `users` | who signs in and out, and the sessions of a user |

mod users;
mod views;
mod visits;

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;
use visitflow_server::session::Millis;

use crate::steps::{MINUTE, Row, TTL};

/// A cookie of the model: which token, and which of its secrets.
pub(crate) type ModelCookie = (usize, usize);

#[derive(Clone, Debug)]
struct Token {
    secret: usize,
    /// Secret, when it was replaced, the visit then.
    retired: Vec<(usize, Millis, Option<usize>)>,
    visit: Option<usize>,
    user: Option<u8>,
    remembered: bool,
    created: Millis,
    last: Millis,
    ended: Option<Millis>,
}

#[derive(Default)]
pub(crate) struct Model {
    tokens: Vec<Token>,
    visits: Vec<Row>,
    /// The visit that a visitor's next hit joins, if it is live.
    current: [Option<usize>; 2],
    views: HashSet<Uuid>,
    /// Activity of sessions by their visit, since the last sweep: it counts as soon as it follows the
    /// visit's last without a pause, also if a view that tells so comes later.
    slid: HashMap<usize, BTreeSet<Millis>>,
}

enum Worth {
    Live(usize),
    Grace { token: usize, rotated: bool },
    Nothing,
}

impl Model {
    fn expired(&self, token: usize, now: Millis) -> bool {
        let token = &self.tokens[token];
        let (idle_ms, max_ms) = match token.remembered {
            true => (TTL.remember_idle_ms, TTL.remember_max_ms),
            false => (TTL.idle_ms, TTL.max_ms),
        };
        now - token.last >= idle_ms || now - token.created >= max_ms
    }

    fn is_live(&self, token: usize, now: Millis) -> bool {
        self.tokens[token].ended.is_none() && !self.expired(token, now)
    }

    fn worth(&self, cookie: Option<ModelCookie>, now: Millis) -> Worth {
        let Some((at, secret)) = cookie else {
            return Worth::Nothing;
        };
        let token = &self.tokens[at];
        let retired = token.retired.iter().any(|(old, when, _)| *old == secret && now - when < MINUTE);
        if let Some(ended) = token.ended {
            let grace = now - ended < MINUTE && (retired || token.secret == secret);
            return if grace { Worth::Grace { token: at, rotated: false } } else { Worth::Nothing };
        }
        if self.expired(at, now) {
            Worth::Nothing
        } else if token.secret == secret {
            Worth::Live(at)
        } else if retired {
            Worth::Grace { token: at, rotated: true }
        } else {
            Worth::Nothing
        }
    }

    /// The visit that facts with a cookie of the token belong to.
    fn visit_of(&self, token: usize, cookie: Option<ModelCookie>) -> Option<usize> {
        let token = &self.tokens[token];
        let retired = token.retired.iter().find(|(old, ..)| cookie.is_some_and(|(_, secret)| secret == *old));
        retired.map_or(token.visit, |(.., visit)| *visit)
    }

    /// What a hit does to a live session, and its visit.
    fn slide(&mut self, token: usize, at: Millis) {
        let token = &mut self.tokens[token];
        if at < token.last {
            return;
        }
        token.last = at;
        if let Some(visit) = token.visit {
            self.touch(visit, at);
        }
    }

    fn open(
        &mut self,
        visit: Option<usize>,
        user: Option<u8>,
        remembered: bool,
        last: Millis,
        now: Millis,
    ) -> ModelCookie {
        self.tokens.push(Token {
            secret: 0,
            retired: Vec::new(),
            visit,
            user,
            remembered,
            created: now,
            last,
            ended: None,
        });
        (self.tokens.len() - 1, 0)
    }

    fn rotate(&mut self, token: usize, user: Option<u8>, remember: bool, now: Millis) -> ModelCookie {
        self.slide(token, now);
        let changed = &mut self.tokens[token];
        changed.user = user;
        if changed.remembered != remember {
            changed.remembered = remember;
            changed.created = now;
        }
        self.replace_secret(token, now)
    }

    fn replace_secret(&mut self, token: usize, now: Millis) -> ModelCookie {
        let changed = &mut self.tokens[token];
        changed.retired.push((changed.secret, now, changed.visit));
        changed.secret += 1;
        changed.last = changed.last.max(now);
        (token, changed.secret)
    }

    /// How many tokens there are.
    pub(crate) fn tokens(&self) -> usize {
        self.tokens.len()
    }

    /// The visits, when all that is over has been ended.
    pub(crate) fn finish(mut self) -> Vec<Row> {
        self.visits.sort();
        self.visits
    }
}
