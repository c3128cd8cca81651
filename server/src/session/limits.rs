//! Time, and how long sessions live.

/// Milliseconds since the Unix epoch, UTC: the one form of time in the server, the databases and Redis.
pub type Millis = i64;

/// A UUIDv7 whose time part is `at`.
#[must_use]
pub fn uuid_v7(at: Millis) -> uuid::Uuid {
    let at = u64::try_from(at).unwrap_or(0);
    let nanos = u32::try_from(at % 1_000 * 1_000_000).unwrap_or(0);
    uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, at / 1_000, nanos))
}

/// How long sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ttl {
    /// Idle limit in ms; slides with activity. `--session-idle`, default 30 minutes.
    pub idle_ms: Millis,
    /// Absolute limit in ms since creation; nothing extends it. `--session-max`, default 24 hours.
    pub max_ms: Millis,
    /// Idle limit of a remembered session in ms. `--session-remember`, default 30 days.
    pub remember_idle_ms: Millis,
    /// Absolute limit of a remembered session in ms. `--session-remember-max`, default 90 days.
    pub remember_max_ms: Millis,
}

/// How often within an idle limit the cookie of a session is renewed that backends and proxies ask about; at most
/// once a minute.
const COOKIES_PER_IDLE_LIMIT: Millis = 4;

impl Ttl {
    /// The default of every flag.
    pub const DEFAULT: Self = Self {
        idle_ms: 30 * 60_000,
        max_ms: 24 * 3_600_000,
        remember_idle_ms: 30 * 24 * 3_600_000,
        remember_max_ms: 90 * 24 * 3_600_000,
    };

    /// Idle and absolute limit of a session.
    #[must_use]
    pub fn limits(self, remembered: bool) -> (Millis, Millis) {
        if remembered { (self.remember_idle_ms, self.remember_max_ms) } else { (self.idle_ms, self.max_ms) }
    }

    /// Whether a visit whose last activity was at `last` is over at `at`.
    #[must_use]
    pub fn ends_visit(self, last: Millis, at: Millis) -> bool {
        at - last >= self.idle_ms
    }

    /// Whether to renew the cookie at an activity at `now`, after one at `before`.
    #[must_use]
    pub fn renews_cookie(self, before: Millis, now: Millis) -> bool {
        let period = (self.idle_ms / COOKIES_PER_IDLE_LIMIT).clamp(1, 60_000);
        before.div_euclid(period) < now.div_euclid(period)
    }
}

impl Default for Ttl {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_given_anew_once_a_minute_and_well_before_it_is_over() {
        let given = |idle_ms: Millis| {
            let ttl = Ttl { idle_ms, ..Ttl::default() };
            let mut given = vec![0];
            for now in (0..600_000).step_by(1_000) {
                if ttl.renews_cookie((now - 1_000).max(0), now) {
                    given.push(now);
                }
            }
            given.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
        };
        assert_eq!(given(1_800_000), 60_000);
        assert_eq!(given(40_000), 10_000);
        assert!(given(2_000) <= 1_000);
    }
}
