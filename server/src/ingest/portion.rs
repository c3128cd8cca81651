//! How many commands of the spool are replayed at once.

use super::jobs::BATCH_MAX;

/// How often a command of the spool that is too slow even alone is tried before it is set aside.
const SLOW_TRIES: u32 = 3;

/// How many commands of the spool are replayed at once: half as many after a batch that took too long, twice as
/// many after one that was stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portion {
    most: usize,
    /// How often one command alone took too long.
    slow: u32,
}

/// What to do after a portion that took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterTooMuch {
    /// Try fewer, or the one again.
    TryAgain,
    /// Set the one command aside.
    SetAside,
}

impl Default for Portion {
    fn default() -> Self {
        Self { most: BATCH_MAX, slow: 0 }
    }
}

impl Portion {
    /// How many of the waiting commands are next.
    pub(super) fn of(self, waiting: u64) -> usize {
        self.most.min(usize::try_from(waiting).unwrap_or(usize::MAX))
    }

    pub(super) fn was_taken(&mut self) {
        *self = Self { most: (self.most * 2).min(BATCH_MAX), slow: 0 };
    }

    pub(super) fn was_too_much(&mut self, tried: usize) -> AfterTooMuch {
        let slow = if tried > 1 { 0 } else { self.slow + 1 };
        *self = Self { most: (tried / 2).max(1), slow };
        if slow < SLOW_TRIES { AfterTooMuch::TryAgain } else { AfterTooMuch::SetAside }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portion_that_was_too_much_is_halved_down_to_one_command_and_grows_again() {
        let mut portion = Portion::default();
        assert_eq!(portion.of(5_000), BATCH_MAX);
        assert_eq!(portion.of(100), 100);
        portion.was_too_much(100);
        assert_eq!(portion.of(5_000), 50, "half of what was tried");
        for _ in 0..6 {
            assert_eq!(portion.was_too_much(portion.of(5_000)), AfterTooMuch::TryAgain);
        }
        assert_eq!(portion.of(5_000), 1);
        portion.was_taken();
        assert_eq!(portion.of(5_000), 2);
        for _ in 0..20 {
            portion.was_taken();
        }
        assert_eq!(portion.of(5_000), BATCH_MAX);
    }

    #[test]
    fn a_command_that_is_too_much_by_itself_is_set_aside_after_three_tries() {
        let mut portion = Portion::default();
        let tried = [4, 2, 1, 1, 1, 1].map(|tried| portion.was_too_much(tried));
        let again = AfterTooMuch::TryAgain;
        assert_eq!(tried, [again, again, again, again, AfterTooMuch::SetAside, AfterTooMuch::SetAside]);
        portion.was_taken();
        assert_eq!(portion.was_too_much(1), again, "the next command has tries of its own");
    }
}
