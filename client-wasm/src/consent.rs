//! What the visitor decided, and what may happen because of it.
//!
//! Invariant: no other module decides whether something may be stored or sent.

/// The visitor's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Not asked, or not answered yet.
    Pending,
    /// May be measured.
    Granted,
    /// May not be measured.
    Denied,
}

impl Choice {
    /// The word for snapshots.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Granted => "granted",
            Self::Denied => "denied",
        }
    }
}

/// What may happen now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is read, written or sent.
    Silent,
    /// Page views without cookies and identifiers, nothing else.
    Anonymous,
    /// Everything.
    Full,
}

/// The state machine.
#[derive(Clone, Copy, Debug)]
pub struct Consent {
    choice: Choice,
    anonymous_before: bool,
}

impl Consent {
    /// `anonymous_before` is the option `beforeConsent: "anonymous"`. A browser that objects (Global
    /// Privacy Control, Do Not Track) never gets here with another choice than
    /// [`Choice::Denied`]: the loader sees to it.
    #[must_use]
    pub fn new(choice: Choice, anonymous_before: bool) -> Self {
        Self { choice, anonymous_before }
    }

    /// What may happen now.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match (self.choice, self.anonymous_before) {
            (Choice::Granted, _) => Mode::Full,
            (_, true) => Mode::Anonymous,
            (_, false) => Mode::Silent,
        }
    }

    /// The choice in force.
    #[must_use]
    pub fn choice(&self) -> Choice {
        self.choice
    }

    /// Notes a decision and returns whether [`Consent::mode`] changed.
    pub fn decide(&mut self, choice: Choice) -> bool {
        let before = self.mode();
        self.choice = choice;
        before != self.mode()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_happens_before_consent() {
        for choice in [Choice::Pending, Choice::Denied] {
            assert_eq!(Consent::new(choice, false).mode(), Mode::Silent);
            assert_eq!(Consent::new(choice, true).mode(), Mode::Anonymous);
        }
    }

    #[test]
    fn grant_and_revoke_each_change_what_may_happen() {
        let mut consent = Consent::new(Choice::Pending, false);
        assert!(consent.decide(Choice::Granted));
        assert!(consent.decide(Choice::Denied));
        assert_eq!(consent.mode(), Mode::Silent);
    }

    #[test]
    fn granting_twice_changes_nothing() {
        let mut consent = Consent::new(Choice::Granted, false);
        assert!(!consent.decide(Choice::Granted));
    }

    #[test]
    fn denying_what_was_pending_changes_nothing() {
        let mut consent = Consent::new(Choice::Pending, true);
        assert!(!consent.decide(Choice::Denied));
        assert_eq!(consent.choice(), Choice::Denied);
        assert_eq!(consent.mode(), Mode::Anonymous);
    }
}
