//! Provisional answers, while the database is away. The command is in the spool then. A session that it begins or
//! changes is live at once; which visit it belongs to, and which facts are duplicates, is found by the replay.

use std::collections::HashMap;
use std::time::Instant;

use super::jobs::lock;
use super::worker::{Worker, latest};
use crate::clock;
use crate::database::error::{Result, StoreError};
use crate::ledger::command::{Command, Outcome};
use crate::session::record::{Record, Standing};
use crate::session::token::{Proof, Tag};
use crate::session::{Caller, Millis};

impl Worker {
    /// Puts commands into the spool; the provisional outcome of each, in their order.
    pub(super) async fn put_in_spool(&mut self, commands: &[Command]) -> Vec<Result<Outcome>> {
        // These need the database. A password was checked there, so its command came before the database went away; and
        // only the database knows which sessions a user has.
        let takes = |command: &&Command| {
            !matches!(
                command,
                Command::SignIn { verified: Some(_), .. }
                    | Command::ChangePassword { .. }
                    | Command::EndSessions(_)
                    | Command::EndProvisional(_)
            )
        };
        // The next command of the batch finds the session as this one leaves it.
        let mut changed: HashMap<Tag, Record> = HashMap::new();
        let answers: Vec<_> = commands
            .iter()
            .map(|command| {
                takes(&command).then(|| {
                    let held = |tag| changed.get(&tag).cloned().or_else(|| self.sessions.local.get(tag));
                    let (mut outcome, record) = self.provisional(command, held);
                    if !outcome.lost {
                        outcome.begun = command.visits_at_most(self.sessions.ttl());
                    }
                    let before = command.changes().and_then(|(token, _)| held(token.tag));
                    let rests_on = record.as_ref().map(|_| before.map_or(0, |before| before.generation));
                    changed.extend(record.map(|record| (record.tag, record)));
                    (command, outcome, rests_on)
                })
            })
            .collect();
        let Some(spool) = &mut self.spool else { return Vec::new() };
        // A command that came too late is not done later. A withdrawal is: the session leaves the visit anyway.
        let is_kept = |command: &Command, lost: bool| !lost || matches!(command, Command::Forget { .. });
        let kept = answers.iter().flatten().filter(|(command, outcome, _)| is_kept(command, outcome.lost));
        let kept = kept.map(|(command, _, rests_on)| (*command, *rests_on));
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
        let needs_the_database = || StoreError::Unavailable("this request needs the database");
        answers
            .into_iter()
            .map(|answer| answer.map(|(_, outcome, _)| outcome).ok_or_else(needs_the_database))
            .collect()
    }

    /// The provisional outcome of a command in the spool, and the record that holds until the database is back.
    /// `held` tells the session as it is.
    fn provisional(
        &self,
        command: &Command,
        held: impl Fn(Tag) -> Option<Record>,
    ) -> (Outcome, Option<Record>) {
        let issued = Outcome { issued: true, ..Outcome::default() };
        let begun = |candidate: Proof, at: Millis, now: Millis| {
            let mut record = Record::open(candidate, None, None, now);
            record.last_activity = at;
            (issued, Some(record))
        };
        let live = |presented: Proof, now: Millis| {
            let record = held(presented.tag)?;
            (record.standing(&presented.hash, now, self.sessions.ttl()) == Standing::Live).then_some(record)
        };
        let lost = (Outcome { lost: true, ..Outcome::default() }, None);
        match command {
            Command::Start { context, .. } => match context.candidate {
                Some(candidate) => begun(candidate, context.now, context.now),
                None => (Outcome::default(), None),
            },
            Command::Facts { context, runs } => {
                let recent = |at: &Millis| context.now - at < self.sessions.ttl().idle_ms;
                // After an erasure a fact that names nobody is refused.
                let is_erased = matches!(context.caller, Caller::Erased);
                let runs = runs.iter().filter(|run| !is_erased || run.visitor.is_some());
                let facts = runs.flat_map(|run| &run.facts);
                let starting = facts.filter(|fact| !fact.anonymous && fact.kind.starts_a_visit());
                let first = starting.map(|fact| fact.occurred_at).filter(recent).min();
                match (&context.caller, context.candidate, first) {
                    (Caller::Erased | Caller::Nothing, Some(candidate), Some(at)) => {
                        begun(candidate, at, context.now)
                    }
                    _ => (Outcome::default(), None),
                }
            }
            Command::SignIn { now, presented: None, candidate, user, .. } => {
                (issued, Some(Record::open(*candidate, None, Some(user.clone()), *now)))
            }
            Command::SignIn { now, presented: Some(presented), candidate, user, visit, .. } => {
                live(*presented, *now).map_or(lost, |mut record| {
                    record.rotate(*candidate, Some(user.clone()), *now);
                    // Invariant: a provisional change counts no more generations than the ledger will.
                    if !visit && record.visit_id.is_some() {
                        record.set_visit(None);
                    }
                    (issued, Some(record))
                })
            }
            Command::SignOut { now, presented, candidate } => {
                live(*presented, *now).map_or(lost, |mut record| {
                    record.rotate(*candidate, None, *now);
                    (issued, Some(record))
                })
            }
            Command::End { now, presented } => {
                live(*presented, *now).map_or((Outcome::default(), None), |mut record| {
                    record.end_provisionally(*now);
                    (Outcome::default(), Some(record))
                })
            }
            Command::Forget { now, presented, candidate } => {
                live(*presented, *now).map_or(lost, |mut record| {
                    if record.user_id.is_none() {
                        record.end_provisionally(*now);
                        return (Outcome::default(), Some(record));
                    }
                    record.forget(*candidate, *now);
                    (issued, Some(record))
                })
            }
            Command::EndSessions(_)
            | Command::ChangePassword { .. }
            | Command::Link { .. }
            | Command::EndProvisional(_)
            | Command::Engagement { .. } => (Outcome::default(), None),
        }
    }
}
