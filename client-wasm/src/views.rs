//! What counts as a page of its own, and how long it held its reader. Pure.

/// How the address changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// `pushState`, or back and forward.
    Moved,
    /// `replaceState`: a view only if the path is another.
    Replaced,
    /// The page came back from the back/forward cache: a view in any case.
    Restored,
}

/// Whether going to an address is a page view: to another one, or to another path.
#[must_use]
pub fn is_view(change: Change, other: bool, other_path: bool) -> bool {
    match change {
        Change::Restored => true,
        Change::Moved => other,
        Change::Replaced => other_path,
    }
}

/// More engagement than this, in ms, the server does not believe: a day.
const MOST_MS: u64 = 86_400_000;

/// Less engagement than this, in ms, is not worth a request.
const NEWS_MS: u64 = 1_000;

/// How long a page was visible and focused, and how far it was read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Engagement {
    since_ms: Option<u64>,
    total_ms: u64,
    scroll_pct: u8,
    reported_ms: u64,
}

impl Engagement {
    /// A page that is looked at, or not, from now on.
    pub fn look(&mut self, looking: bool, now_ms: u64) {
        if let Some(since_ms) = self.since_ms.take() {
            self.total_ms = (self.total_ms + now_ms.saturating_sub(since_ms)).min(MOST_MS);
        }
        self.since_ms = looking.then_some(now_ms);
    }

    /// Notes a scroll depth in per cent; the greatest counts.
    pub fn scrolled(&mut self, pct: u8) {
        self.scroll_pct = self.scroll_pct.max(pct.min(100));
    }

    /// Milliseconds looked at so far, and the greatest depth; none if that is less than
    /// a second more than the last report said.
    pub fn report(&mut self, now_ms: u64) -> Option<(u64, u8)> {
        self.look(self.since_ms.is_some(), now_ms);
        let news = self.total_ms - self.reported_ms >= NEWS_MS;
        if news {
            self.reported_ms = self.total_ms;
        }
        news.then_some((self.total_ms, self.scroll_pct))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_to_the_same_address_is_no_view_and_neither_is_a_replace_that_keeps_the_path() {
        use Change::{Moved, Replaced, Restored};
        assert!(!is_view(Moved, false, false) && is_view(Moved, true, false));
        assert!(!is_view(Replaced, true, false) && is_view(Replaced, true, true));
        assert!(is_view(Restored, false, false));
    }

    #[test]
    fn engagement_counts_while_looked_at() {
        let mut page = Engagement::default();
        page.look(true, 1_000);
        page.look(false, 3_000);
        page.scrolled(40);
        page.scrolled(30);
        assert_eq!(page.report(9_000), Some((2_000, 40)));
        assert_eq!(page.report(9_500), None);
        page.look(true, 10_000);
        assert_eq!(page.report(10_500), None);
        assert_eq!(page.report(11_000), Some((3_000, 40)));
        assert_eq!(page.report(11_000 + 2 * MOST_MS), Some((MOST_MS, 40)));
    }
}
