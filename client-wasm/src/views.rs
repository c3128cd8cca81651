//! What counts as a page of its own, and how long it held its reader. Pure.

use visitflow_protocol::limits::URL_BYTES;

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

/// The address as it is reported: without the fragment unless it routes (`#/…`, `#!…`), and
/// without the query where it is longer than the server takes.
#[must_use]
pub fn reported(href: &str) -> &str {
    let bare = match cut(href, b'#') {
        (bare, Some(fragment)) if !routes(fragment) => bare,
        _ => href,
    };
    if bare.len() <= URL_BYTES {
        return bare;
    }
    cut(cut(bare, b'#').0, b'?').0
}

/// Whether going from one reported address to another is a page view.
#[must_use]
pub fn is_view(from: &str, to: &str, change: Change) -> bool {
    match change {
        Change::Restored => true,
        Change::Moved => from != to,
        Change::Replaced => path(from) != path(to),
    }
}

fn routes(fragment: &str) -> bool {
    matches!(fragment.as_bytes().first(), Some(b'/' | b'!'))
}

/// The address without its queries.
fn path(url: &str) -> (&str, Option<&str>) {
    let (before, fragment) = cut(url, b'#');
    (cut(before, b'?').0, fragment.map(|fragment| cut(fragment, b'?').0))
}

/// What is before the first such character of ASCII, and what is behind it.
pub(crate) fn cut(text: &str, at: u8) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == at) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

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
            self.total_ms += now_ms.saturating_sub(since_ms);
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
    fn fragments_are_left_out_unless_they_route() {
        assert_eq!(reported("https://a.example/b?c#d"), "https://a.example/b?c");
        assert_eq!(reported("https://a.example/#/b"), "https://a.example/#/b");
        assert_eq!(reported("https://a.example/#!b"), "https://a.example/#!b");
    }

    #[test]
    fn an_address_too_long_loses_its_query() {
        let mut long = String::from("https://a.example/b?");
        long.extend(std::iter::repeat_n('x', URL_BYTES));
        assert_eq!(reported(&long), "https://a.example/b");
    }

    #[test]
    fn the_same_address_again_is_no_view() {
        assert!(!is_view("https://a/b", "https://a/b", Change::Moved));
        assert!(is_view("https://a/b", "https://a/b?p=2", Change::Moved));
        assert!(is_view("https://a/b", "https://a/b", Change::Restored));
    }

    #[test]
    fn a_replace_that_keeps_the_path_is_no_view() {
        assert!(!is_view("https://a/b", "https://a/b?sort=up", Change::Replaced));
        assert!(!is_view("https://a/#/b", "https://a/#/b?x", Change::Replaced));
        assert!(is_view("https://a/b", "https://a/c", Change::Replaced));
        assert!(is_view("https://a/#/b", "https://a/#/c", Change::Replaced));
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
    }
}
