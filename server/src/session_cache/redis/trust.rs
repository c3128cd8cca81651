//! Whether Redis may be trusted.
//!
//! Invariant: every event after which Redis may be behind the database (a lost connection, another Redis in its
//! place, a flush, a failed call) ends the trust. Only an epoch that began after that event can be trusted, once
//! recent revocations were put again.

/// The trust, as a function of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Trust {
    epoch: u64,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Lost,
    Connected,
    Trusted,
}

impl Trust {
    /// Begins the epoch of a new connection.
    pub(super) fn connect(&mut self) -> u64 {
        *self = Self { epoch: self.epoch + 1, phase: Phase::Connected };
        self.epoch
    }

    /// Ends the trust. Whether there was any.
    pub(super) fn lose(&mut self) -> bool {
        std::mem::replace(&mut self.phase, Phase::Lost) != Phase::Lost
    }

    /// Notes that everything was put again in `epoch`.
    pub(super) fn trust(&mut self, epoch: u64) {
        if self.phase == Phase::Connected && self.epoch == epoch {
            self.phase = Phase::Trusted;
        }
    }

    pub(super) fn is_connected(self) -> bool {
        self.phase != Phase::Lost
    }

    pub(super) fn is_trusted(self) -> bool {
        self.phase == Phase::Trusted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_alone_is_not_trusted() {
        let mut trust = Trust::default();
        trust.trust(0);
        assert!(!trust.is_trusted());
        let epoch = trust.connect();
        assert!(!trust.is_trusted());
        trust.trust(epoch);
        assert!(trust.is_trusted());
    }

    #[test]
    fn what_was_re_applied_before_a_loss_does_not_count_after_it() {
        let mut trust = Trust::default();
        let before = trust.connect();
        assert!(trust.lose());
        assert!(!trust.lose());
        trust.trust(before);
        assert!(!trust.is_trusted());
        let after = trust.connect();
        trust.trust(before);
        assert!(!trust.is_trusted());
        trust.trust(after);
        assert!(trust.is_trusted());
    }
}
