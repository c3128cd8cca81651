//! Waiting for the turn of a password guess. [`Guesses`] decides which guess is next.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::guesses::{Guessed, Guesses, PATIENCE_MS};
use super::too_many::TooMany;
use crate::session::Millis;

/// After how many seconds to try a guess again that had to leave.
const RETRY_AFTER_S: u32 = 5;

/// Gives turns. Clones share their state.
#[derive(Clone, Debug)]
pub struct Turns {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    begun: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    guesses: Guesses,
    waiting: HashMap<u64, oneshot::Sender<Turn>>,
    /// When a task will look for the next turn.
    alarm: Option<Millis>,
}

/// The right to check one guess. It ends when this is dropped; report the outcome before.
#[derive(Debug)]
pub struct Turn {
    shared: Arc<Shared>,
    account: String,
    begun: Instant,
    guessed: Guessed,
}

/// The place of a waiting guess; if this is dropped, the guess leaves.
struct Place<'a> {
    shared: &'a Arc<Shared>,
    ticket: u64,
}

impl Turns {
    /// Turns for so many guesses at once.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let state = State { guesses: Guesses::new(slots), waiting: HashMap::new(), alarm: None };
        Self { shared: Arc::new(Shared { begun: Instant::now(), state: Mutex::new(state) }) }
    }

    /// Waits until a guess on an account may be checked.
    ///
    /// # Errors
    /// When it would wait too long, or has.
    pub async fn take(&self, account: &str, address: IpAddr) -> Result<Turn, TooMany> {
        let shared = &self.shared;
        let (ticket, turn) = {
            let mut state = shared.state();
            let (ticket, left) = state.guesses.arrive(account, address, shared.now())?;
            if let Some(left) = left {
                state.waiting.remove(&left); // which tells it
            }
            let (sender, turn) = oneshot::channel();
            state.waiting.insert(ticket, sender);
            (ticket, turn)
        };
        let _place = Place { shared, ticket };
        shared.advance();
        let patience = Duration::from_millis(PATIENCE_MS.unsigned_abs());
        match tokio::time::timeout(patience, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(TooMany { retry_after_s: RETRY_AFTER_S }),
        }
    }

    /// Drops accounts without a guess for long, and with them the addresses that guessed.
    pub fn forget_quiet(&self) {
        self.shared.state().guesses.forget_quiet(self.shared.now());
    }
}

impl Turn {
    /// Reports the outcome; a turn that is dropped without one counts as a wrong guess.
    pub fn over(mut self, guessed: Guessed) {
        self.guessed = guessed;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let now = self.shared.now();
        let took = Millis::try_from(self.begun.elapsed().as_millis()).unwrap_or(Millis::MAX);
        self.shared.state().guesses.over(&self.account, self.guessed, took, now);
        self.shared.advance();
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        // Gone already if the turn came.
        if state.waiting.remove(&self.ticket).is_some() {
            state.guesses.leave(self.ticket);
            drop(state);
            self.shared.advance();
        }
    }
}

impl Shared {
    /// Gives out the turns that are due, and schedules its next call.
    fn advance(self: &Arc<Self>) {
        let mut turns = Vec::new();
        let mut alarm = None;
        {
            let mut state = self.state();
            let now = self.now();
            while let Some((ticket, account)) = state.guesses.next(now) {
                turns.push((state.waiting.remove(&ticket), account));
            }
            if let Some(due) = state.guesses.due().filter(|due| state.alarm.is_none_or(|alarm| *due < alarm))
            {
                state.alarm = Some(due);
                alarm = Some(due);
            }
        }
        // Without the lock: a turn that nobody takes is dropped here, which takes the lock.
        for (waiting, account) in turns {
            let shared = Arc::clone(self);
            let turn = Turn { shared, account, begun: Instant::now(), guessed: Guessed::Wrong };
            if let Some(Err(turn)) = waiting.map(|waiting| waiting.send(turn)) {
                turn.over(Guessed::Open);
            }
        }
        if let (Some(due), Ok(runtime)) = (alarm, tokio::runtime::Handle::try_current()) {
            let shared = Arc::clone(self);
            runtime.spawn(async move {
                let due_in = Duration::from_millis(due.max(0).unsigned_abs());
                tokio::time::sleep_until(shared.begun + due_in).await;
                shared.ring(due);
            });
        }
    }

    fn ring(self: &Arc<Self>, alarm: Millis) {
        let mut state = self.state();
        if state.alarm == Some(alarm) {
            state.alarm = None;
        }
        drop(state);
        self.advance();
    }

    fn now(&self) -> Millis {
        Millis::try_from(self.begun.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOD: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1));
    const OWNER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));

    /// Guesses so many times at once; when each was judged, in ms, and how many were refused.
    async fn flood(turns: &Turns, account: &str, guesses: usize) -> (Vec<u128>, usize) {
        let begun = Instant::now();
        let guesses: Vec<_> = (0..guesses)
            .map(|_| {
                let (turns, account) = (turns.clone(), account.to_owned());
                tokio::spawn(async move {
                    let turn = turns.take(&account, FLOOD).await?;
                    let at = begun.elapsed().as_millis();
                    turn.over(Guessed::Wrong);
                    Ok::<_, TooMany>(at)
                })
            })
            .collect();
        let (mut judged, mut refused) = (Vec::new(), 0);
        for guess in guesses {
            match guess.await.unwrap() {
                Ok(at) => judged.push(at),
                Err(_) => refused += 1,
            }
        }
        judged.sort_unstable();
        (judged, refused)
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_guesses_at_once_take_the_time_of_their_delays() {
        let turns = Turns::new(4);
        let (judged, refused) = flood(&turns, "ann", 100).await;
        let right = [0, 0, 0, 0, 0, 100, 300, 700, 1_500, 3_100, 6_300, 11_300, 16_300, 21_300, 26_300];
        let late = judged.iter().zip(right).map(|(at, right)| at.abs_diff(right)).max();
        assert!(late <= Some(20), "{judged:?}"); // the timer's steps of a millisecond add up
        assert_eq!((judged.len(), refused), (right.len(), 100 - right.len()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_owner_signs_in_while_somebody_else_guesses() {
        let turns = Turns::new(1);
        let other = turns.clone();
        let flooding = tokio::spawn(async move { flood(&other, "ann", 100).await });
        tokio::time::sleep(Duration::from_secs(12)).await;
        let came = Instant::now();
        let turn = turns.take("ann", OWNER).await.unwrap();
        assert!(came.elapsed() <= Duration::from_secs(5), "{:?}", came.elapsed());
        turn.over(Guessed::Right);
        let came = Instant::now();
        turns.take("bob", OWNER).await.unwrap().over(Guessed::Right);
        assert_eq!(came.elapsed(), Duration::ZERO, "no other account is concerned");
        flooding.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn who_hangs_up_leaves_the_place() {
        let turns = Turns::new(1);
        let held = turns.take("ann", FLOOD).await.unwrap();
        let waiting = turns.clone();
        let gone = tokio::spawn(async move { waiting.take("bob", FLOOD).await.map(drop) });
        let other = turns.clone();
        let stays = tokio::spawn(async move { other.take("carol", FLOOD).await.map(drop) });
        tokio::task::yield_now().await;
        assert_eq!(turns.shared.state().waiting.len(), 2);
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        assert_eq!(turns.shared.state().waiting.len(), 1);
        held.over(Guessed::Right);
        stays.await.unwrap().unwrap();
        assert!(turns.shared.state().waiting.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn patience_has_an_end() {
        let turns = Turns::new(1);
        let _held = turns.take("ann", FLOOD).await.unwrap();
        let came = Instant::now();
        assert!(turns.take("bob", OWNER).await.is_err());
        assert_eq!(came.elapsed().as_secs(), 30);
        assert!(turns.shared.state().waiting.is_empty());
    }
}
