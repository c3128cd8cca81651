//! What commands do to sessions, visits and facts: the rules, without a database.
//!
//! A store (the writer of SQLite or of Postgres) does three things with a batch of commands, in one transaction:
//! it looks up what the ledger [wants](Wants) to know, calls [`plan`], and writes the [`Changes`]. So SQLite,
//! Postgres and the replay of the spool follow the same rules, and a batch costs a few set-based statements, not
//! several for each command.
//!
//! | module | holds |
//! |---|---|
//! | [`command`] | the commands, and what a command did |
//! | [`known`] | what a store has looked up, and what is still to be looked up |
//! | `recent` | visits and facts of recent batches, cached by the writer |
//! | `bounds` | how many rows one batch may change |
//! | [`changes`] | what a store is to write |
//! | `world` | the state that a plan works on: what is known, and what the batch has changed so far |
//! | `sessions` | start, sign-in, sign-out, end, forget |
//! | `endings` | the end of sessions of a user; provisional changes that are not confirmed |
//! | `facts` | page views, events: which visit each belongs to, duplicates |
//! | `orders` | orders and refunds: which source counts, which visit they belong to |
//! | `visits` | joining, beginning, linking and ending visits |
//!
//! Invariant: what a batch was planned by is true until it has been written, even if several servers share the
//! database. A store looks up under the one lock of the database and holds it until the commit; what it has cached
//! instead (`recent`) is checked under that lock.
//!
//! Invariant: a batch looks up and changes a bounded number of rows for each command that it holds. If a command
//! has more to do, the rest becomes a command of its own ([`Plan::left`]).
//!
//! Invariant: a command that is applied a second time changes nothing. Facts are recognized by their ids, sessions
//! by the tag or the secret of the candidate token.

use std::collections::HashSet;

mod bounds;
pub mod changes;
pub mod command;
mod endings;
mod facts;
pub mod known;
mod orders;
mod recent;
mod sessions;
mod visits;
mod world;

pub use self::bounds::{ENDED_MOST, ENDED_OF_BATCH, LINKED_MOST, LINKS_OF_BATCH};
pub use self::changes::Changes;
use self::command::{Command, EndProvisional, Ending, Outcome, Provisional, Which};
pub use self::known::{Known, Wants};
pub use self::recent::Recent;
use self::world::World;
use crate::session::token::Tag;
use crate::session::{Caller, Ttl};

/// Most look-ups of a batch. Each answers what the last attempt to plan asked for; the longest chain of such
/// questions (session, visit, its sessions, the visitor's other visits) is far shorter.
pub const LOOK_UPS_MAX: usize = 16;

/// What a batch does.
#[derive(Debug)]
pub struct Plan<'c> {
    /// The outcome of each command, in their order.
    pub outcomes: Vec<Outcome>,
    /// What is to be written.
    pub changes: Changes<'c>,
    /// The rest of commands, by their place, which a later batch has to do. They are done after that.
    pub left: Vec<(usize, Command)>,
}

/// What a batch will certainly want to know. For nearly all batches that is everything, so that one look-up is
/// enough.
#[must_use]
pub fn first_wants(commands: &[Command], ttl: Ttl) -> Wants {
    let mut wants = Wants::default();
    for command in commands {
        match command {
            Command::Start { context, site, .. } => {
                wants.caller(&context.caller);
                wants.tokens.extend(context.candidate.map(|candidate| candidate.tag));
                wants.keys.extend(context.key.map(|key| key.visitor));
                if let (None, Some(visitor)) = (context.caller.visit_id(), context.visitor) {
                    wants.erased.insert(visitor);
                    wants.latest_open.insert(visitor);
                    wants.current.extend(site.iter().map(|site| (visitor, site.clone())));
                }
            }
            Command::Facts { context, runs } => {
                wants.caller(&context.caller);
                wants.tokens.extend(context.candidate.map(|candidate| candidate.tag));
                wants.keys.extend(context.key.map(|key| key.visitor));
                for run in runs {
                    let has_none = matches!(context.caller, Caller::Erased | Caller::Nothing);
                    let joining = run.visitor.filter(|_| has_none);
                    wants.erased.extend(joining);
                    for fact in &run.facts {
                        wants.fact(fact, joining, context.now - fact.occurred_at >= ttl.idle_ms);
                    }
                }
            }
            Command::SignIn { presented, candidate, user, verified, .. } => {
                wants.tokens.insert(presented.map_or(candidate.tag, |presented| presented.tag));
                wants.accounts.extend(verified.iter().map(|hash| (user.user_id.clone(), hash.clone())));
            }
            Command::SignOut { presented, .. }
            | Command::End { presented, .. }
            | Command::Forget { presented, .. }
            | Command::EndProvisional(EndProvisional { presented, .. }) => {
                _ = wants.tokens.insert(presented.tag)
            }
            Command::EndSessions(Ending { asking, which, .. }) => {
                wants.tokens.extend(asking.map(|asking| asking.tag));
                match which {
                    Which::One(tag) => _ = wants.tokens.insert(*tag),
                    Which::AllBut(_) => {} // the plan finds how many the batch has room for
                }
            }
            Command::ChangePassword { presented, user_id, verified, .. } => {
                wants.tokens.insert(presented.tag);
                wants.accounts.insert((user_id.clone(), verified.clone()));
            }
            Command::Engagement { visit_id, .. } => {
                wants.visits.insert(*visit_id);
            }
            Command::Link { .. } => {} // the plan finds how many the batch has room for
        }
    }
    wants
}

/// Assumes without a look-up that candidate tokens are new, and that sign-ins are later than everything that has ended.
/// That is true of commands that come for the first time: a tag is 128 random bits.
pub fn assume_they_are_new(commands: &[Command], wants: &mut Wants, known: &mut Known) {
    let candidates = commands.iter().filter_map(|command| match command {
        Command::Start { context, .. } | Command::Facts { context, .. } => context.candidate,
        Command::SignIn { presented: None, candidate, .. } => Some(*candidate),
        _ => None,
    });
    let tokens: HashSet<Tag> = candidates.map(|candidate| candidate.tag).collect();
    wants.tokens.retain(|tag| !tokens.contains(tag));
    known.asked(Wants { tokens, ..Wants::default() });
    known.sign_ins_are_new = true;
}

/// Applies the commands one after another to what is known. Those that a server has answered provisionally come with
/// what it knew then.
///
/// # Errors
/// What must be looked up before the batch can be planned. The caller looks it up and calls again.
pub fn plan<'c>(
    commands: &'c [Command],
    provisional: &[Provisional],
    known: &Known,
    ttl: Ttl,
) -> Result<Plan<'c>, Box<Wants>> {
    let mut world = World::new(known, ttl);
    let mut left = Vec::new();
    let outcomes = commands.iter().enumerate().map(|(place, command)| {
        let before = world.visits_begun;
        let mut outcome = world.apply(command);
        if let (true, Some(provisional), Some(changed)) =
            (outcome.lost, provisional.get(place), command.changes())
        {
            outcome = world.not_confirmed(*provisional, changed);
        }
        left.extend(world.left.take().map(|command| (place, command)));
        Outcome { begun: world.visits_begun - before, ..outcome }
    });
    let outcomes = outcomes.collect();
    world.finish().map(|changes| Plan { outcomes, changes, left })
}

impl<'c> World<'_, 'c> {
    fn apply(&mut self, command: &'c Command) -> Outcome {
        match command {
            Command::Start { context, site, url, referrer } => {
                self.start(context, site.as_deref(), url.as_deref(), referrer.as_deref())
            }
            Command::Facts { context, runs } => self.runs(context, runs),
            Command::SignIn { now, presented, candidate, user, verified, visit } => {
                if verified.as_ref().is_some_and(|hash| !self.is_current(&user.user_id, hash)) {
                    return Outcome { stale: true, ..Outcome::default() };
                }
                self.sign_in(*now, *presented, *candidate, user, *visit)
            }
            Command::SignOut { now, presented, candidate } => self.sign_out(*now, *presented, *candidate),
            Command::End { now, presented } => self.end(*now, *presented),
            Command::Forget { now, presented, candidate } => self.forget(*now, *presented, *candidate),
            Command::EndSessions(ending) => self.end_sessions(ending),
            Command::ChangePassword { now, presented, candidate, user_id, verified, password_hash } => {
                if !self.is_current(user_id, verified) {
                    return Outcome { stale: true, ..Outcome::default() };
                }
                self.change_password(*now, *presented, *candidate, user_id, password_hash)
            }
            Command::Link { until, visitor, user_id } => {
                self.link_earlier(*visitor, user_id, *until, LINKED_MOST);
                Outcome::default()
            }
            Command::EndProvisional(end) => self.end_provisional(end),
            Command::Engagement { visit_id, page_view_id, engaged_ms, scroll_pct } => {
                self.engage(*visit_id, *page_view_id, *engaged_ms, *scroll_pct)
            }
        }
    }
}
