//! Limits by address and by account. The defaults never touch an office of 1,000 people behind one
//! address; what comes from this machine itself, unforwarded, is exempt.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::http::client_ip::Client;
use crate::http::problem::Problem;
use crate::session::Millis;

/// New sessions of one address: as many at once, and as many a minute.
const SESSIONS: (u32, u32) = (5_000, 2_000);

/// Sign-ins of one address: as many at once, and as many a minute.
const SIGN_INS: (u32, u32) = (2_000, 200);

/// Accounts whose attempts are remembered.
const ACCOUNTS_MAX: usize = 10_000;

/// Attempts are forgotten after this long without another.
const ATTEMPTS_KEPT_MS: Millis = 15 * 60_000;

/// The longest that a sign-in is delayed.
const DELAY_MAX: Duration = Duration::from_secs(5);

/// The limits of one server.
#[derive(Debug)]
pub struct Throttle {
    sessions: DefaultKeyedRateLimiter<IpAddr>,
    sign_ins: DefaultKeyedRateLimiter<IpAddr>,
    attempts: Mutex<HashMap<String, Attempts>>,
}

#[derive(Clone, Copy, Debug)]
struct Attempts {
    count: u32,
    last: Millis,
}

impl Default for Throttle {
    fn default() -> Self {
        let limiter = |(burst, per_minute): (u32, u32)| {
            let at_least_one = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
            DefaultKeyedRateLimiter::keyed(
                Quota::per_minute(at_least_one(per_minute)).allow_burst(at_least_one(burst)),
            )
        };
        Self { sessions: limiter(SESSIONS), sign_ins: limiter(SIGN_INS), attempts: Mutex::default() }
    }
}

impl Throttle {
    /// Whether the address may begin another session.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub fn session(&self, client: Client) -> Result<(), Problem> {
        check(&self.sessions, client)
    }

    /// Whether the address may try another sign-in.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub fn sign_in(&self, client: Client) -> Result<(), Problem> {
        check(&self.sign_ins, client)
    }

    /// Notes a sign-in to an account and says how long it waits: nothing for the first five, then
    /// twice as long each time, up to five seconds. It delays and never locks. It counts before the
    /// password is checked, so that guesses made at once wait too; a success forgets them all.
    pub fn attempt(&self, account: &str, now: Millis) -> Duration {
        let mut attempts = self.attempts();
        if attempts.len() >= ACCOUNTS_MAX && !attempts.contains_key(account) {
            attempts.retain(|_, seen| now - seen.last < ATTEMPTS_KEPT_MS);
            if attempts.len() >= ACCOUNTS_MAX {
                return Duration::ZERO; // a flood of names; the limit by address holds it
            }
        }
        let seen = attempts.entry(account.to_owned()).or_insert(Attempts { count: 0, last: now });
        if now - seen.last >= ATTEMPTS_KEPT_MS {
            seen.count = 0;
        }
        let over = seen.count.checked_sub(5);
        seen.count = seen.count.saturating_add(1);
        seen.last = now;
        match over {
            None => Duration::ZERO,
            Some(over) => DELAY_MAX.min(Duration::from_millis(100) * 2_u32.saturating_pow(over.min(16))),
        }
    }

    /// Forgets the attempts on an account: its user has signed in.
    pub fn succeeded(&self, account: &str) {
        self.attempts().remove(account);
    }

    /// Forgets addresses that have been quiet.
    pub fn forget_quiet(&self) {
        self.sessions.retain_recent();
        self.sign_ins.retain_recent();
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, HashMap<String, Attempts>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(limiter: &DefaultKeyedRateLimiter<IpAddr>, client: Client) -> Result<(), Problem> {
    if client.exempt {
        return Ok(());
    }
    limiter.check_key(&client.key).map_err(|until| {
        let wait = until.wait_time_from(DefaultClock::default().now()).as_secs();
        Problem::too_many_requests(u32::try_from(wait).unwrap_or(60).max(1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_delayed_after_five_attempts_and_never_locked() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            assert_eq!(throttle.attempt("ann", 0), Duration::ZERO);
        }
        assert_eq!(throttle.attempt("ann", 0), Duration::from_millis(100));
        assert_eq!(throttle.attempt("ann", 0), Duration::from_millis(200));
        for _ in 0..100 {
            throttle.attempt("ann", 0);
        }
        assert_eq!(throttle.attempt("ann", 0), DELAY_MAX);
        assert_eq!(throttle.attempt("bob", 0), Duration::ZERO);
        assert_eq!(throttle.attempt("ann", ATTEMPTS_KEPT_MS), Duration::ZERO);
        throttle.succeeded("ann");
        assert_eq!(throttle.attempt("ann", 0), Duration::ZERO);
    }

    #[test]
    fn an_office_of_a_thousand_people_passes_and_a_flood_does_not() {
        let throttle = Throttle::default();
        let office = Client { key: "203.0.113.1".parse().unwrap(), exempt: false, proxied: false };
        for _ in 0..1_000 {
            throttle.session(office).unwrap();
            throttle.sign_in(office).unwrap();
        }
        let refused = (0..10_000).filter(|_| throttle.session(office).is_err()).count();
        assert!(refused > 5_000, "{refused}");
        let here = Client { exempt: true, ..office };
        assert!(throttle.session(here).is_ok());
    }
}
