//! Waiting for what a browser brings about: it sends when it likes.

use crate::Server;
use crate::machine::PATIENCE;
use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Waits until what somebody looks at is as expected.
///
/// # Panics
///
/// That takes too long.
pub async fn comes<T: PartialEq + Debug>(what: &str, expected: T, mut look: impl AsyncFnMut() -> T) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = look().await;
        if found == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{what}: {found:?}, and not {expected:?} in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until something is so.
///
/// # Panics
///
/// That takes too long.
pub async fn until(what: &str, is_so: impl AsyncFnMut() -> bool) {
    comes(what, true, is_so).await;
}

/// How long a server may take to know of what another, or a command, has changed.
pub const TRUE_WITHIN: Duration = Duration::from_secs(1);

/// Waits until what somebody looks at is as expected.
///
/// # Panics
///
/// A look that began more than [`TRUE_WITHIN`] after the call finds something else. A slow look that began
/// earlier may.
pub async fn soon<T: PartialEq + Debug>(what: &str, expected: T, mut look: impl AsyncFnMut() -> T) {
    let since = Instant::now();
    loop {
        let began = since.elapsed();
        let found = look().await;
        if found == expected {
            return;
        }
        assert!(began < TRUE_WITHIN, "{what}: {found:?}, and not {expected:?} after {began:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until a query gives this number.
///
/// # Panics
///
/// That takes too long.
pub async fn counts(server: &Server, sql: &str, expected: i64) {
    comes(sql, expected, async || server.number(sql)).await;
}

/// Waits until so many page views are stored.
///
/// # Panics
///
/// That takes too long.
pub async fn page_views_are(server: &Server, expected: i64) {
    counts(server, "SELECT COUNT(*) FROM page_views", expected).await;
}
