//! Provisional answers, while the database is away. The command is in the spool then. A session that it begins or
//! changes is live at once; which visit it belongs to, and which facts are duplicates, is found by the replay.
//!
//! What is answered is in the command's own file in `ledger/commands`.

use std::collections::HashMap;
use std::time::Instant;

use super::jobs::lock;
use super::worker::{Worker, latest};
use crate::clock;
use crate::database::error::{Result, StoreError};
use crate::ledger::Answer;
use crate::ledger::commands::{Command, Outcome};
use crate::session::record::Record;
use crate::session::token::Tag;

impl Worker {
    /// Puts commands into the spool; the provisional outcome of each, in their order.
    pub(super) async fn put_in_spool(&mut self, commands: &[Command]) -> Vec<Result<Outcome>> {
        let ttl = self.sessions.ttl();
        // The next command of the batch finds the session as this one leaves it.
        let mut changed: HashMap<Tag, Record> = HashMap::new();
        let mut outcomes = Vec::with_capacity(commands.len());
        let mut kept = Vec::with_capacity(commands.len());
        for command in commands {
            let held = |tag| changed.get(&tag).cloned().or_else(|| self.sessions.local.get(tag));
            let Some(Answer { outcome, record, is_kept }) = command.provisional(&held, ttl) else {
                outcomes.push(Err(StoreError::Unavailable("this request needs the database")));
                continue;
            };
            let before = command.changes().and_then(|(token, _)| held(token.tag));
            let rests_on = record.as_ref().map(|_| before.map_or(0, |before| before.generation));
            changed.extend(record.map(|record| (record.tag, record)));
            outcomes.push(Ok(outcome));
            if is_kept {
                kept.push((command, rests_on));
            }
        }
        let Some(spool) = &mut self.spool else { return Vec::new() };
        let appended = spool.append(kept, clock::now());
        self.metrics.spool(spool.len(), spool.bytes());
        if let Err(error) = appended {
            tracing::error!(%error, commands = commands.len(), "facts could not be put into the spool");
            *lock(&self.failed_at) = Some(Instant::now());
            let refused = || StoreError::Unavailable("neither the database nor the spool accepts facts");
            return commands.iter().map(|_| Err(refused())).collect();
        }
        let now = latest(commands);
        let provisional: Vec<Record> = changed.into_values().collect();
        for record in &provisional {
            self.sessions.local.install_provisional(record.clone(), now);
        }
        self.sessions.tell(&provisional, now).await;
        outcomes
    }
}
