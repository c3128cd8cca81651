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

/// Accounts whose failures are remembered.
const ACCOUNTS_MAX: usize = 10_000;

/// Failures are forgotten after this long without another.
const FAILURES_KEPT_MS: Millis = 15 * 60_000;

/// The longest that a sign-in is delayed.
const DELAY_MAX: Duration = Duration::from_secs(5);

/// The limits of one server.
#[derive(Debug)]
pub struct Throttle {
    sessions: DefaultKeyedRateLimiter<IpAddr>,
    sign_ins: DefaultKeyedRateLimiter<IpAddr>,
    failures: Mutex<HashMap<String, Failures>>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
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
        Self { sessions: limiter(SESSIONS), sign_ins: limiter(SIGN_INS), failures: Mutex::default() }
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

    /// How long the next sign-in to an account waits: nothing for the first five failures, then
    /// twice as long each time, up to five seconds. It delays and never locks.
    pub fn delay(&self, account: &str, now: Millis) -> Duration {
        let failures = self.failures();
        let count = failures
            .get(account)
            .filter(|seen| now - seen.last < FAILURES_KEPT_MS)
            .map_or(0, |seen| seen.count);
        match count.checked_sub(5) {
            None => Duration::ZERO,
            Some(over) => DELAY_MAX.min(Duration::from_millis(100) * 2_u32.saturating_pow(over.min(16))),
        }
    }

    /// Notes how a sign-in went.
    pub fn signed_in(&self, account: &str, succeeded: bool, now: Millis) {
        let mut failures = self.failures();
        if succeeded {
            failures.remove(account);
            return;
        }
        if failures.len() >= ACCOUNTS_MAX && !failures.contains_key(account) {
            failures.retain(|_, seen| now - seen.last < FAILURES_KEPT_MS);
            if failures.len() >= ACCOUNTS_MAX {
                return; // a flood of names; the limit by address holds it
            }
        }
        let seen = failures.entry(account.to_owned()).or_insert(Failures { count: 0, last: now });
        seen.count = if now - seen.last < FAILURES_KEPT_MS { seen.count.saturating_add(1) } else { 1 };
        seen.last = now;
    }

    /// Forgets addresses that have been quiet.
    pub fn forget_quiet(&self) {
        self.sessions.retain_recent();
        self.sign_ins.retain_recent();
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, HashMap<String, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn an_account_is_delayed_after_five_failures_and_never_locked() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            assert_eq!(throttle.delay("ann", 0), Duration::ZERO);
            throttle.signed_in("ann", false, 0);
        }
        assert_eq!(throttle.delay("ann", 0), Duration::from_millis(100));
        for _ in 0..100 {
            throttle.signed_in("ann", false, 0);
        }
        assert_eq!(throttle.delay("ann", 0), DELAY_MAX);
        assert_eq!(throttle.delay("bob", 0), Duration::ZERO);
        assert_eq!(throttle.delay("ann", FAILURES_KEPT_MS), Duration::ZERO);
        throttle.signed_in("ann", true, 0);
        assert_eq!(throttle.delay("ann", 0), Duration::ZERO);
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
