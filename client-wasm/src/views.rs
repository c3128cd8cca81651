//! How long a page held its reader. Pure. (What counts as a page of its own is decided in `shell/routes.js`,
//! which counts routes before the WebAssembly is there, too.)

/// More engagement than this, in ms, the server does not believe: a day.
const MOST_MS: u64 = 86_400_000;

/// Longer than this, in ms, nobody looks at a page without doing anything: the machine has slept, or its clock was
/// set.
const LONGEST_LOOK_MS: u64 = 300_000;

/// Less engagement than this, in ms, is not worth a request.
pub const NEWS_MS: u64 = 1_000;

/// A view is looked at before the WebAssembly is there, which may be put off for some seconds (`core.js` of the
/// package); more than these, in ms, nobody knows of.
pub const HEAD_START_MS: u64 = 5_000;

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
            let looked_ms = now_ms.saturating_sub(since_ms).min(LONGEST_LOOK_MS);
            self.total_ms = (self.total_ms + looked_ms).min(MOST_MS);
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
    }

    #[test]
    fn a_night_of_sleep_and_a_clock_that_is_set_are_no_engagement() {
        let mut page = Engagement::default();
        page.look(true, 1_000);
        assert_eq!(page.report(1_000 + 8 * 3_600_000), Some((LONGEST_LOOK_MS, 0)));
        page.look(true, 50_000_000);
        assert_eq!(
            page.report(40_000_000).map(|(ms, _)| ms),
            Some(2 * LONGEST_LOOK_MS),
            "set back, nothing is added"
        );
    }

    #[test]
    fn no_view_holds_its_reader_for_longer_than_a_day() {
        let mut page = Engagement::default();
        let mut told = None;
        for minute in 0..2 * 24 * 60 {
            page.look(true, minute * 60_000);
            told = page.report(minute * 60_000).or(told);
        }
        assert_eq!(told, Some((MOST_MS, 0)));
    }
}
