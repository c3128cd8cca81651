//! Starts a session, or resumes it.
//!
//! Serialised by the visitor: which live visit it joins must stay so until it is stored.

use serde::{Deserialize, Serialize};

use crate::ledger::context::{Attached, Context};
use crate::ledger::known::Wants;
use crate::ledger::rules::{Answer, Held, Refused, Rules};
use crate::ledger::visits::Beginning;
use crate::ledger::world::World;
use crate::session::record::Record;
use crate::session::token::Proof;
use crate::session::{Caller, Millis, Ttl};

/// Start or resume a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The request.
    pub context: Context,
    /// The site that the request named.
    pub site: Option<String>,
    /// The page's address.
    pub url: Option<String>,
    /// Where the visitor came from.
    pub referrer: Option<String>,
}

/// What a start did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What it got.
    pub attached: Attached,
    /// Why it got nothing.
    pub refused: Option<Reason>,
}

/// Why nothing of a start was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The visitor's data was erased.
    Erased,
    /// The site is not counted.
    OtherSite,
}

impl Rules for Start {
    type Outcome = Outcome;

    fn wants(&self, wants: &mut Wants, _: Ttl) {
        let Context { caller, candidate, visitor, key, .. } = &self.context;
        wants.caller(caller);
        wants.tokens.extend(candidate.map(|candidate| candidate.tag));
        wants.keys.extend(key.map(|key| key.visitor));
        if let (None, Some(visitor)) = (caller.visit_id(), *visitor) {
            wants.erased.insert(visitor);
            wants.latest_open.insert(visitor);
            wants.current.extend(self.site.iter().map(|site| (visitor, site.clone())));
        }
    }

    fn apply<'c>(&'c self, world: &mut World<'_, 'c>) -> Outcome {
        let context = &self.context;
        let mut outcome = Outcome::default();
        let candidate = context.candidate.and_then(|candidate| world.token(candidate.tag));
        // A session that had ended before it was stored has no visit, and this start is to begin it.
        let is_applied =
            |record: &Record| record.visit_id.is_some() || record.ended_at.is_none() || record.is_erased();
        if candidate.is_some_and(is_applied) {
            outcome.attached.issued = true; // applied before: the answer was lost
            return outcome;
        }
        let caller = world.judged(&context.caller, context.now);
        let own = caller.visit_id().and_then(|id| world.visit(id)).map(|row| row.visit.clone());
        let is_erased = match context.visitor {
            Some(visitor) => world.is_erased(visitor, own.as_ref()),
            None => matches!(caller, Caller::Erased),
        };
        if is_erased {
            outcome.refused = Some(Reason::Erased);
            return outcome;
        }
        if context.candidate.is_none() {
            if let Some(id) = caller.visit_id().filter(|id| world.visit(*id).is_some()) {
                if matches!(caller, Caller::Live { .. }) {
                    world.slide_visit(id, context.now);
                }
                return outcome;
            }
            if matches!(caller, Caller::Grace { .. }) {
                return outcome; // the session was ended while the request was on its way
            }
            let has_session = matches!(caller, Caller::Live { .. }) && !world.was_withdrawn(&caller);
            if context.visitor.is_none() && !has_session {
                return outcome; // no later fact could belong to its visit
            }
        }
        let site = self.site.clone().or_else(|| world.site_of(context.visitor, context.now));
        let Some(site) = site.or_else(|| context.site.clone()) else {
            outcome.refused = Some(Reason::OtherSite);
            return outcome;
        };
        let beginning = Beginning {
            site: &site,
            visitor: context.visitor,
            user_id: None,
            at: context.now,
            url: self.url.as_deref(),
            referrer: self.referrer.as_deref(),
        };
        let visit_id = world.attach(context, &caller, &beginning, &mut outcome.attached);
        world.slide_visit(visit_id, context.now);
        outcome.attached.begun = world.visits_begun;
        outcome
    }

    fn provisional(&self, _: Held<'_>, _: Ttl) -> Option<Answer<Outcome>> {
        let Context { now, caller, candidate, .. } = &self.context;
        let attached = Attached {
            issued: candidate.is_some(),
            begun: u32::from(caller.visit_id().is_none()),
            ..Attached::default()
        };
        let record = candidate.map(|candidate| Record::open(candidate, None, None, *now));
        Answer::kept(Outcome { attached, refused: None }, record)
    }

    fn now(&self) -> Option<Millis> {
        Some(self.context.now)
    }

    fn begins(&self) -> Option<Proof> {
        self.context.candidate
    }

    fn has_begun(outcome: Outcome) -> bool {
        outcome.attached.issued
    }

    fn refused(outcome: Outcome) -> Refused {
        Refused {
            erased: u32::from(outcome.refused == Some(Reason::Erased)),
            of_other_sites: u32::from(outcome.refused == Some(Reason::OtherSite)),
        }
    }
}
