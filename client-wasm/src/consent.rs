//! What the visitor decided, and what may happen because of it.
//!
//! Invariant: no other module decides whether something may be stored or sent. Before the WebAssembly is there
//! `shell/consent.js` does; both pass the cases of `tests/consent.json`.

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

    /// Whether a fact may be sent.
    #[must_use]
    pub fn may_send(&self, is_view: bool) -> bool {
        match self.mode() {
            Mode::Full => true,
            Mode::Anonymous => is_view,
            Mode::Silent => false,
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
    fn facts_go_as_they_do_before_the_webassembly_is_there() {
        let cases: serde_json::Value = serde_json::from_str(include_str!("../tests/consent.json")).unwrap();
        for case in cases.as_array().unwrap() {
            let choice = [Choice::Pending, Choice::Granted, Choice::Denied]
                .into_iter()
                .find(|choice| case["consent"] == choice.word())
                .unwrap();
            let consent = Consent::new(choice, case["beforeConsent"] == "anonymous");
            for (kind, is_view) in [("view", true), ("event", false)] {
                assert_eq!(consent.may_send(is_view), case[kind] == "goes", "{case}");
            }
        }
    }

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
