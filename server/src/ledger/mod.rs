//! What commands do to sessions, visits and facts: the rules, without a database.
//!
//! A store (the writer of SQLite or of Postgres) does three things with a batch of commands, in one transaction:
//! it looks up what the ledger [wants](Wants) to know, calls [`plan`], and writes the [`Changes`]. So SQLite,
//! Postgres and the replay of the spool follow the same rules, and a batch costs a few set-based statements, not
//! several for each command.
//!
//! | module | holds |
//! |---|---|
//! | [`commands`] | the commands, one file each: what it is, what it does, what it did |
//! | `rules` | what is asked of every command |
//! | [`context`] | the request of a command that may begin a session or a visit, and what it got |
//! | [`kinds`] | facts, one file a kind: its fields, and its row |
//! | [`known`] | what a store has looked up, and what is still to be looked up |
//! | `recent` | visits and facts of recent batches, cached by the writer |
//! | `bounds`, [`left`] | how many rows one batch may change; what it leaves for a later one |
//! | [`changes`] | what a store is to write |
//! | `world` | the state that a plan works on: what is known, and what the batch has changed so far |
//! | `visits` | joining, beginning, linking and ending visits |
//! | `endings` | ending sessions; provisional changes that are not confirmed |
//! | `orders` | orders and refunds: which source counts, which visit they belong to |
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
pub mod commands;
pub mod context;
mod endings;
pub mod kinds;
pub mod known;
pub mod left;
mod orders;
mod recent;
mod rules;
mod visits;
mod world;

pub use self::bounds::{ENDED_MOST, ENDED_OF_BATCH, LINKED_MOST, LINKS_OF_BATCH};
pub use self::changes::Changes;
use self::commands::{Command, Outcome};
use self::endings::Overruled;
pub use self::known::{Known, Wants};
pub use self::recent::Recent;
pub use self::rules::{Answer, Held, Provisional, Refused};
use self::world::World;
use crate::session::Ttl;
use crate::session::token::Tag;

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
    commands.iter().for_each(|command| command.wants(&mut wants, ttl));
    wants
}

/// Assumes without a look-up that candidate tokens are new, and that sign-ins are later than everything that has ended.
/// That is true of commands that come for the first time: a tag is 128 random bits.
pub fn assume_they_are_new(commands: &[Command], wants: &mut Wants, known: &mut Known) {
    let candidates = commands.iter().filter_map(Command::begins);
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
        world.visits_begun = 0;
        let outcome = command.apply(&mut world);
        left.extend(world.left.take().map(|left| (place, left.into())));
        match (provisional.get(place), command.changes()) {
            (Some(provisional), Some(changed)) if outcome.is_lost() => {
                match world.not_confirmed(*provisional, changed) {
                    Overruled::Early => Outcome::Early,
                    Overruled::Ended | Overruled::Kept => outcome,
                }
            }
            _ => outcome,
        }
    });
    let outcomes = outcomes.collect();
    world.finish().map(|changes| Plan { outcomes, changes, left })
}
