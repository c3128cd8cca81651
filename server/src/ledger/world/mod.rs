//! The state that a plan works on: what is known of the database, and what the batch has changed so far. A question
//! that cannot be answered yet is noted, and its answer is "none"; the plan is then thrown away and made anew.
//!
//! | module | holds |
//! |---|---|
//! | `tokens` | sessions, and who a caller turns out to be |
//! | `visits` | visits, whose they are, visitors and their keys |
//! | `facts` | facts, orders, refunds, engagements |
//! | `users` | passwords, and when sessions of users were ended |

mod facts;
mod tokens;
mod users;
mod visits;

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use super::bounds::{ENDED_OF_BATCH, LINKED_OF_BATCH};
use super::changes::{Changes, Engagement, VisitPut};
use super::known::{Known, SessionsOf, Table, VisitIndex, VisitRow, Wants};
use super::left::Left;
use crate::campaign::Campaign;
use crate::session::record::Record;
use crate::session::token::{SecretHash, Tag};
use crate::session::visit::VisitorId;
use crate::session::{Millis, Ttl};

/// A visit that the batch has changed.
#[derive(Debug)]
pub(super) struct Touched<'c> {
    pub(super) row: VisitRow,
    /// More than counters and activity.
    pub(super) whole: bool,
    pub(super) entry_url: Option<&'c str>,
    pub(super) referrer: Option<&'c str>,
    pub(super) referrer_host: Option<String>,
    pub(super) campaign: Campaign,
}

/// The state of a plan.
pub(super) struct World<'k, 'c> {
    pub(super) ttl: Ttl,
    pub(super) known: &'k Known,
    pub(super) wants: Wants,
    pub(super) changes: Changes<'c>,
    /// By the present command.
    pub(super) visits_begun: u32,
    /// How many more visits may be given their user.
    pub(super) links_left: usize,
    /// How many more sessions commands that end several may end.
    pub(super) ends_left: usize,
    /// The rest of the present command, for a later batch.
    pub(super) left: Option<Left>,
    tokens: HashMap<Tag, Record>,
    visits: HashMap<Uuid, Touched<'c>>,
    /// The visits above that the batch has begun or given a visitor or a site.
    index: VisitIndex,
    /// Those of them that had not ended then, by their start.
    open: HashMap<VisitorId, BTreeSet<(Millis, Uuid)>>,
    /// The visits that the batch has begun with a user or given one, by their start.
    of_user: HashMap<String, BTreeSet<(Millis, Uuid)>>,
    /// Those that are known; made when it is first needed, because most batches do not need it.
    known_index: OnceCell<VisitIndex>,
    tokens_of: HashMap<Uuid, Vec<Tag>>,
    current: HashMap<(VisitorId, String), Option<Uuid>>,
    keys: HashMap<VisitorId, SecretHash>,
    facts: HashSet<(Table, Uuid, String)>,
    orders: HashMap<(String, &'c str), usize>,
    refunds: HashSet<(String, &'c str)>,
    engagements: HashMap<(Uuid, Uuid), Engagement>,
    passwords: HashMap<String, String>,
    endings: HashMap<SessionsOf, Millis>,
}

impl<'k, 'c> World<'k, 'c> {
    pub(super) fn new(known: &'k Known, ttl: Ttl) -> Self {
        Self {
            ttl,
            known,
            wants: Wants::default(),
            changes: Changes::default(),
            visits_begun: 0,
            links_left: LINKED_OF_BATCH,
            ends_left: ENDED_OF_BATCH,
            left: None,
            tokens: HashMap::new(),
            visits: HashMap::new(),
            index: VisitIndex::default(),
            open: HashMap::new(),
            of_user: HashMap::new(),
            known_index: OnceCell::new(),
            tokens_of: HashMap::new(),
            current: HashMap::new(),
            keys: HashMap::new(),
            facts: HashSet::new(),
            orders: HashMap::new(),
            refunds: HashSet::new(),
            engagements: HashMap::new(),
            passwords: HashMap::new(),
            endings: HashMap::new(),
        }
    }

    /// What is to be written, or what must be known first.
    pub(super) fn finish(mut self) -> Result<Changes<'c>, Box<Wants>> {
        let wants = self.wants.without(self.known);
        if !wants.is_empty() {
            return Err(Box::new(wants));
        }
        for (_, Touched { row, whole, entry_url, referrer, referrer_host, campaign }) in self.visits {
            if whole {
                self.changes.visits.push(VisitPut { row, entry_url, referrer, referrer_host, campaign });
            } else {
                self.changes.counted.push(row);
            }
        }
        self.changes.tokens.extend(self.tokens.into_values());
        self.changes.keys.extend(self.keys);
        self.changes.engagements.extend(self.engagements.into_values());
        self.changes.passwords.extend(self.passwords);
        self.changes.endings.extend(self.endings);
        for ((visitor, site), visit_id) in self.current {
            match visit_id {
                Some(visit_id) => self.changes.current.push((site, visitor, visit_id)),
                None => self.changes.forgotten.push((site, visitor)),
            }
        }
        Ok(self.changes)
    }
}
