//! The pauses between guesses on one account.

use crate::session::Millis;

/// How many guesses on one account are not delayed.
const FREE: u32 = 5;

/// The first pause; each next one is twice as long.
const PAUSE_MS: Millis = 100;

/// The longest pause.
pub(super) const PAUSE_MAX_MS: Millis = 5_000;

/// After this time without a guess, the earlier ones are forgotten.
pub(super) const KEPT_MS: Millis = 15 * 60_000;

/// The pauses between an account's guesses.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// How many guesses failed.
    pub(super) guesses: u32,
    /// When the last one had been checked.
    last: Millis,
}

impl Pace {
    /// When the next guess may be checked.
    pub(super) fn due(self) -> Millis {
        match self.guesses.checked_sub(FREE) {
            None => Millis::MIN,
            Some(over) => self.last + PAUSE_MAX_MS.min(PAUSE_MS << over.min(16)),
        }
    }

    pub(super) fn wrong(&mut self, now: Millis) {
        self.guesses = self.guesses.saturating_add(1);
        self.last = now;
    }

    pub(super) fn is_forgotten(self, now: Millis) -> bool {
        self.guesses == 0 || now - self.last >= KEPT_MS
    }
}
