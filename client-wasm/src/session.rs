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
mod tests;
