//! What calls and listener share: the pool, the breaker, the trust.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, mpsc};

use super::breaker::{Breaker, BreakerState, Ticket};
use super::connection::{Link, Pool};
use super::error::RedisError;
use super::notice::Notice;
use super::trust::Trust;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) pool: Pool,
    state: Mutex<State>,
    notices: mpsc::UnboundedSender<Notice>,
    /// Notifies the listener that a call has failed.
    pub(super) lost: Notify,
}

#[derive(Debug, Default)]
struct State {
    breaker: Breaker,
    trust: Trust,
}

impl Shared {
    pub(super) fn new(pool: Pool, notices: mpsc::UnboundedSender<Notice>) -> Self {
        Self { pool, state: Mutex::default(), notices, lost: Notify::new() }
    }

    /// Does `work` if the breaker allows it, and reports its outcome to the breaker.
    pub(super) async fn call<T, F>(&self, work: impl FnOnce(Link) -> F) -> Result<T, RedisError>
    where
        F: Future<Output = redis::RedisResult<T>>,
    {
        let ticket = self.admit().ok_or(RedisError::Open)?;
        let outcome = self.pool.run(work).await;
        self.report(ticket, outcome.is_ok());
        outcome
    }

    fn admit(&self) -> Option<Ticket> {
        let mut state = self.lock();
        let (breaker, ticket) = state.breaker.admit(Instant::now());
        state.breaker = breaker;
        ticket
    }

    fn report(&self, ticket: Ticket, succeeded: bool) {
        {
            let mut state = self.lock();
            state.breaker = state.breaker.after(ticket, succeeded, Instant::now());
        }
        if !succeeded && self.lose() {
            self.lost.notify_one();
        }
    }

    /// Begins an epoch.
    pub(super) fn connect(&self) {
        // Notices are sent under the lock, so that they are in the order of the events.
        let mut state = self.lock();
        let epoch = state.trust.connect();
        self.notify(Notice::Connected { epoch });
    }

    /// Ends the trust. Whether there was any.
    pub(super) fn lose(&self) -> bool {
        let mut state = self.lock();
        let news = state.trust.lose();
        if news {
            self.notify(Notice::Lost);
        }
        news
    }

    pub(super) fn trust(&self, epoch: u64) {
        self.lock().trust.trust(epoch);
    }

    pub(super) fn is_connected(&self) -> bool {
        self.lock().trust.is_connected()
    }

    pub(super) fn is_trusted(&self) -> bool {
        self.lock().trust.is_trusted()
    }

    pub(super) fn breaker_state(&self) -> BreakerState {
        self.lock().breaker.state()
    }

    pub(super) fn notify(&self, notice: Notice) {
        // Nobody listens any more: the server is stopping.
        let _ = self.notices.send(notice);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock; even then the state would be whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
