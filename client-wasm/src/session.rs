//! Whether a session is alive, as far as a browser can know: the cookie `session_id` is HttpOnly,
//! so the only hint is the time of the last activity. The server is authoritative.
//!
//! Pure: [`Session::step`] takes an event and the time, and returns what is to be done.

use crate::queue::Backoff;
use visitflow_protocol::limits::SESSION_IDLE_MS;

/// The cookie `last_activity` is written at most this often, in ms: a fraction of the 30 minutes
/// it speaks of, and rare enough to cost nothing.
pub const TOUCH_EVERY_MS: u64 = 5_000;

/// A hint this far in the future, in ms, was written by another clock and is unreadable.
const FUTURE_MS: u64 = 60_000;

/// What the browser knows about the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing.
    None,
    /// A start is under way; facts wait for it.
    Starting,
    /// As far as known it lives.
    Live,
    /// The page ended it: activity alone does not begin another.
    Ended,
    /// The server does not count this browser: nothing is sent any more.
    Refused,
}

impl Phase {
    /// The word for snapshots.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Starting => "starting",
            Self::Live => "live",
            Self::Ended => "ended",
            Self::Refused => "refused",
        }
    }
}

/// What the cookie `last_activity` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Milliseconds since the Unix epoch.
    At(u64),
    /// Absent or unreadable.
    Missing,
    /// This browser keeps no cookies: memory has to do.
    Unkept,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A fact wants to be sent.
    Fact(Hint),
    /// The visitor did something.
    Activity(Hint),
    /// No other tab starts a session now.
    Locked(Hint),
    /// Start answered 200.
    Started,
    /// Start answered that this browser is not counted, or a final error.
    Refused,
    /// Start failed and may be tried again, after at least this many ms; then comes randomness.
    Failed(u64, u32),
    /// The network is back: a failed start may be tried at once.
    Online,
    /// A ping was answered well: the session cookie sticks.
    Confirmed,
    /// The server said `session-expired`.
    Expired,
    /// A sign-in or sign-out was answered well.
    Signed,
    /// The page ended the session.
    Ended,
    /// Consent was taken back.
    Revoked,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Ask the server for a session.
    pub start: bool,
    /// Write the cookie `last_activity`.
    pub touch: bool,
    /// Delete it: the server knows of no session, whatever it says.
    pub forget: bool,
    /// Facts may be sent now.
    pub ready: bool,
    /// A ping is due some time.
    pub ping: bool,
}

/// The state.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    phase: Phase,
    touched_ms: u64,
    retry: Backoff,
    started: bool,
    confirmed: bool,
    pings: bool,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            phase: Phase::None,
            touched_ms: 0,
            retry: Backoff::default(),
            started: false,
            confirmed: true,
            pings: true,
        }
    }
}

impl Session {
    /// What the browser knows.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether nothing was told of the page yet, and nothing was taken back.
    #[must_use]
    pub fn is_first(&self) -> bool {
        !self.started
    }

    /// When a failed start may be tried again, in ms since the Unix epoch; 0 for now.
    #[must_use]
    pub fn retry_at_ms(&self) -> u64 {
        self.retry.until_ms()
    }

    /// How many starts in a row have failed.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.retry.failures()
    }

    /// Whether the last start failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.retry.failing()
    }

    /// The next state, and what is to be done.
    #[must_use]
    pub fn step(mut self, event: Event, now_ms: u64) -> (Self, Effects) {
        let mut effects = Effects::default();
        match event {
            Event::Fact(hint) => match self.phase {
                Phase::Starting | Phase::Refused => {}
                _ if self.alive(hint, now_ms) => {
                    self.phase = Phase::Live;
                    self.started = true;
                    effects.ready = true;
                    effects.touch = self.touch_due(now_ms);
                }
                _ => effects.start = self.may_start(now_ms),
            },
            Event::Activity(hint) => match self.phase {
                Phase::Starting | Phase::Refused | Phase::Ended => {}
                _ if self.alive(hint, now_ms) => {
                    self.phase = Phase::Live;
                    effects.ping = self.pings;
                    effects.touch = self.touch_due(now_ms);
                }
                _ => effects.start = self.may_start(now_ms),
            },
            Event::Locked(hint) if self.alive(hint, now_ms) => {
                self.phase = Phase::Live;
                effects.ready = true;
            }
            Event::Locked(_) => {}
            Event::Started => {
                self.phase = Phase::Live;
                self.started = true;
                self.retry = Backoff::default();
                self.touched_ms = now_ms;
                effects.touch = true;
                effects.ready = true;
            }
            Event::Refused => self.phase = Phase::Refused,
            Event::Failed(after_ms, jitter) => {
                self.phase = Phase::None;
                self.retry.failed(now_ms, after_ms, jitter);
            }
            Event::Online => self.retry = Backoff::default(),
            Event::Confirmed => self.confirmed = true,
            Event::Expired if self.phase == Phase::Live => {
                // A start that brought no usable cookie is not tried again and again: the server
                // joins the facts by their visitor, and pings have nothing to keep alive.
                if self.confirmed {
                    self.confirmed = false;
                    effects.forget = true;
                    effects.start = self.may_start(now_ms);
                } else {
                    self.pings = false;
                }
            }
            Event::Signed => {
                self.phase = Phase::Live;
                self.touched_ms = now_ms;
                effects.touch = true;
                effects.ready = true;
            }
            Event::Ended => self.phase = Phase::Ended,
            Event::Revoked => self = Self { started: true, ..Self::default() },
            Event::Expired => {}
        }
        if effects.start {
            self.phase = Phase::Starting;
        }
        (self, effects)
    }

    fn alive(&self, hint: Hint, now_ms: u64) -> bool {
        let at_ms = match hint {
            Hint::At(at_ms) => at_ms,
            Hint::Missing => return false,
            Hint::Unkept if self.phase == Phase::Live => self.touched_ms,
            Hint::Unkept => return false,
        };
        at_ms <= now_ms + FUTURE_MS && now_ms < at_ms + SESSION_IDLE_MS
    }

    /// Whether no failed start has to be waited for.
    #[must_use]
    pub fn may_start(&self, now_ms: u64) -> bool {
        self.retry.is_over(now_ms)
    }

    fn touch_due(&mut self, now_ms: u64) -> bool {
        let due = now_ms.abs_diff(self.touched_ms) >= TOUCH_EVERY_MS;
        if due {
            self.touched_ms = now_ms;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000_000;
    const MINUTE: u64 = 60_000;

    /// A session under test: each verb is one event at a time.
    struct Tab(Session);

    impl Tab {
        fn new() -> Self {
            Self(Session::default())
        }

        fn live() -> Self {
            let mut tab = Self::new();
            tab.on(Event::Fact(Hint::Missing), NOW);
            tab.on(Event::Started, NOW);
            tab
        }

        fn on(&mut self, event: Event, now_ms: u64) -> Effects {
            let (next, effects) = self.0.step(event, now_ms);
            self.0 = next;
            effects
        }
    }

    #[test]
    fn a_missing_hint_starts_a_session_before_anything_else() {
        let mut tab = Tab::new();
        let effects = tab.on(Event::Fact(Hint::Missing), NOW);
        assert!(effects.start && !effects.touch && !effects.ready);
        assert_eq!(tab.0.phase(), Phase::Starting);
    }

    #[test]
    fn a_fresh_hint_needs_no_start() {
        let effects = Tab::new().on(Event::Fact(Hint::At(NOW - 29 * MINUTE)), NOW);
        assert!(effects.ready && effects.touch && !effects.start);
    }

    #[test]
    fn a_start_after_a_session_that_was_alive_does_not_tell_of_the_landing_page() {
        let mut tab = Tab::new();
        tab.on(Event::Fact(Hint::At(NOW)), NOW);
        assert!(tab.on(Event::Activity(Hint::At(NOW)), NOW + 31 * MINUTE).start);
        assert!(!tab.0.is_first());
    }

    #[test]
    fn a_hint_of_thirty_minutes_or_of_the_future_is_no_hint() {
        for hint in [NOW - 30 * MINUTE, NOW + 2 * MINUTE, 0] {
            let effects = Tab::new().on(Event::Activity(Hint::At(hint)), NOW);
            assert!(effects.start && !effects.touch, "{hint}");
        }
    }

    #[test]
    fn one_interaction_starts_once() {
        let mut tab = Tab::new();
        assert!(tab.on(Event::Activity(Hint::Missing), NOW).start);
        assert_eq!(tab.on(Event::Activity(Hint::Missing), NOW + 1), Effects::default());
        assert_eq!(tab.on(Event::Fact(Hint::Missing), NOW + 2), Effects::default());
        let effects = tab.on(Event::Started, NOW + 3);
        assert!(effects.ready && effects.touch);
    }

    #[test]
    fn the_hint_is_written_every_few_seconds_at_most() {
        let mut tab = Tab::live();
        let hint = Hint::At(NOW);
        assert!(!tab.on(Event::Activity(hint), NOW + TOUCH_EVERY_MS - 1).touch);
        assert!(tab.on(Event::Activity(hint), NOW + TOUCH_EVERY_MS).touch);
        assert!(!tab.on(Event::Activity(hint), NOW + TOUCH_EVERY_MS + 1).touch);
    }

    #[test]
    fn a_failed_start_waits_before_the_next() {
        let mut tab = Tab::new();
        tab.on(Event::Fact(Hint::Missing), NOW);
        tab.on(Event::Failed(10_000, 0), NOW);
        assert!(!tab.on(Event::Fact(Hint::Missing), NOW + 9_999).start);
        assert!(tab.on(Event::Fact(Hint::Missing), NOW + 10_000).start);
    }

    #[test]
    fn back_online_a_failed_start_waits_no_longer() {
        let mut tab = Tab::new();
        tab.on(Event::Fact(Hint::Missing), NOW);
        tab.on(Event::Failed(10_000, 0), NOW);
        tab.on(Event::Online, NOW + 1);
        assert!(tab.on(Event::Fact(Hint::Missing), NOW + 1).start);
    }

    #[test]
    fn a_refused_browser_is_left_alone() {
        let mut tab = Tab::new();
        tab.on(Event::Fact(Hint::Missing), NOW);
        tab.on(Event::Refused, NOW);
        assert_eq!(tab.on(Event::Fact(Hint::Missing), NOW + MINUTE), Effects::default());
        assert_eq!(tab.on(Event::Activity(Hint::At(NOW)), NOW + MINUTE), Effects::default());
    }

    #[test]
    fn an_expired_session_is_started_once() {
        let mut tab = Tab::live();
        assert!(tab.on(Event::Expired, NOW).start);
        assert!(!tab.on(Event::Expired, NOW).start);
    }

    #[test]
    fn another_tab_may_have_started_before_this_one_has_the_lock() {
        let mut tab = Tab::new();
        assert!(tab.on(Event::Fact(Hint::Missing), NOW).start);
        assert_eq!(tab.on(Event::Locked(Hint::Missing), NOW + 1), Effects::default());
        assert_eq!(tab.0.phase(), Phase::Starting);
        assert!(tab.on(Event::Locked(Hint::At(NOW)), NOW + 1).ready);
        assert_eq!(tab.0.phase(), Phase::Live);
    }

    #[test]
    fn a_hint_that_the_server_refutes_is_deleted() {
        let effects = Tab::live().on(Event::Expired, NOW);
        assert!(effects.start && effects.forget);
    }

    #[test]
    fn a_session_cookie_that_does_not_stick_makes_no_loop() {
        let mut tab = Tab::live();
        assert!(tab.on(Event::Expired, NOW).start);
        tab.on(Event::Started, NOW);
        assert!(!tab.on(Event::Expired, NOW + MINUTE).start);
        assert!(!tab.on(Event::Activity(Hint::At(NOW)), NOW + MINUTE).ping);
        assert!(tab.on(Event::Fact(Hint::At(NOW)), NOW + MINUTE).ready);
    }

    #[test]
    fn a_confirmed_session_may_expire_again() {
        let mut tab = Tab::live();
        tab.on(Event::Expired, NOW);
        tab.on(Event::Started, NOW);
        tab.on(Event::Confirmed, NOW);
        assert!(tab.on(Event::Expired, NOW + MINUTE).start);
    }

    #[test]
    fn without_cookies_memory_knows_for_thirty_minutes() {
        let mut tab = Tab::live();
        assert!(tab.on(Event::Fact(Hint::Unkept), NOW + 29 * MINUTE).ready);
        assert!(tab.on(Event::Fact(Hint::Unkept), NOW + 59 * MINUTE).start);
    }

    #[test]
    fn after_an_end_a_fact_begins_a_session_and_a_click_does_not() {
        let mut tab = Tab::live();
        tab.on(Event::Ended, NOW);
        assert_eq!(tab.on(Event::Activity(Hint::Missing), NOW + 1), Effects::default());
        assert!(tab.on(Event::Fact(Hint::Missing), NOW + 2).start);
    }

    #[test]
    fn a_revoke_forgets_everything() {
        let mut tab = Tab::live();
        tab.on(Event::Revoked, NOW);
        assert_eq!(tab.0.phase(), Phase::None);
        assert!(!tab.0.is_first(), "the landing page was another visitor's");
        assert!(tab.on(Event::Fact(Hint::Unkept), NOW).start);
    }
}
