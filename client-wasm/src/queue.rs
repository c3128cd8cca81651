//! Facts that wait to be sent: how many, in which order, how often they are tried, and which are
//! given up first. Pure: time and randomness are arguments.

use crate::views::cut;
use visitflow_protocol::{json::digits, limits::AGE_MS, path};

/// Most facts that wait; beyond it the oldest that is no order goes.
pub const CAP: usize = 200;

/// A page that keeps a fact sends it itself for this long, in ms; then any page may.
const CLAIM_MS: u64 = 60_000;

/// First wait after a failure, in ms; each further failure doubles it.
const BACKOFF_MS: u64 = 1_000;

/// Longest wait after a failure, in ms, unless the server asks for more.
const BACKOFF_MAX_MS: u64 = 300_000;

/// Longest wait that a server may ask for, in ms: a day.
const RETRY_AFTER_MAX_MS: u64 = 86_400_000;

/// What an answer means for the request (0 stands for no answer at all).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Taken.
    Done,
    /// Send the same again, later.
    Again,
    /// The session is gone: start one, then send again.
    Expired,
    /// Never send it again.
    Final,
}

impl Verdict {
    /// The meaning of a status code.
    #[must_use]
    pub fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Done,
            0 | 408 | 425 | 429 | 500..=599 => Self::Again,
            401 => Self::Expired,
            _ => Self::Final,
        }
    }
}

/// Exponential backoff with jitter: half of the wait is fixed, half is random, so that browsers
/// do not return all at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
    until_ms: u64,
}

impl Backoff {
    /// Notes a failure. `after_ms` is the server's `Retry-After`, or 0; `jitter` is uniform.
    pub fn failed(&mut self, now_ms: u64, after_ms: u64, jitter: u32) {
        let half = (BACKOFF_MS << self.failures.min(16)).min(BACKOFF_MAX_MS) / 2;
        let wait = half + ((half * u64::from(jitter)) >> 32);
        let asked = after_ms.min(RETRY_AFTER_MAX_MS);
        self.failures = self.failures.saturating_add(1);
        self.until_ms = now_ms + wait.max(asked);
    }

    /// No try before this time, in ms since the Unix epoch; 0 for none.
    #[must_use]
    pub fn until_ms(&self) -> u64 {
        self.until_ms
    }

    /// Whether the last try failed.
    #[must_use]
    pub fn failing(&self) -> bool {
        self.failures > 0
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A page was seen.
    View,
    /// A page was seen by somebody who has not consented: it goes out without cookies, and is not
    /// kept beyond the page.
    AnonymousView,
    /// The page reported an event.
    Event,
    /// The shop took an order.
    Order,
}

impl Kind {
    const KEPT: [Self; 3] = [Self::View, Self::Event, Self::Order];

    /// Where it is sent.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::View | Self::AnonymousView => path::PAGE_VIEW,
            Self::Event => path::EVENT,
            Self::Order => path::ORDER,
        }
    }

    /// Whether it goes out without cookies.
    #[must_use]
    pub fn is_anonymous(self) -> bool {
        self == Self::AnonymousView
    }
}

/// A fact that waits until the server has it.
#[derive(Clone, Debug)]
pub struct Item {
    /// Names it among all that any page has kept.
    pub key: String,
    /// What happened.
    pub kind: Kind,
    /// When, in ms since the Unix epoch by the browser's clock.
    pub at_ms: u64,
    /// Its body without visitor and age: a JSON object.
    pub body: String,
    /// How often it was tried.
    pub tries: u32,
    /// It is under way.
    pub flies: bool,
}

impl Item {
    /// A fact that happened at `at_ms`.
    #[must_use]
    pub fn new(key: String, kind: Kind, at_ms: u64, body: String) -> Self {
        Self { key, kind, at_ms, body, tries: 0, flies: false }
    }

    /// Appends its body as of now. `visitor_id` is of letters, digits, `_` and `-`.
    pub fn write(&self, out: &mut String, visitor_id: Option<&str>, now_ms: u64) {
        out.push_str(self.body.strip_suffix('}').unwrap_or_default());
        if let Some(visitor_id) = visitor_id {
            out.push_str(",\"visitor_id\":\"");
            out.push_str(visitor_id);
            out.push('"');
        }
        out.push_str(",\"age_ms\":");
        digits(out, now_ms.saturating_sub(self.at_ms).min(AGE_MS));
        out.push('}');
    }

    /// A line that [`Item::read`] takes. Until a while after `now_ms` no other page sends it.
    #[must_use]
    pub fn line(&self, now_ms: u64) -> String {
        let mut line = String::new();
        for number in [now_ms, self.at_ms, self.kind as u64] {
            digits(&mut line, number);
            line.push(' ');
        }
        line.push_str(&self.body);
        line
    }

    /// Reads a line of what was kept, `key line`; none if another page sees to it, or if no page
    /// of this version wrote it.
    #[must_use]
    pub fn read(line: &str, now_ms: u64) -> Option<Self> {
        let (key, rest) = cut(line, b' ');
        let (claimed_ms, rest) = cut(rest?, b' ');
        let (at_ms, rest) = cut(rest?, b' ');
        let (kind, body) = cut(rest?, b' ');
        let kind = *Kind::KEPT.iter().find(|known| **known as u64 == number(kind))?;
        let body = body.filter(|body| body.starts_with('{') && body.ends_with('}'))?;
        let free = now_ms.abs_diff(number(claimed_ms)) >= CLAIM_MS;
        free.then(|| Self::new(key.into(), kind, number(at_ms), body.into()))
    }
}

/// A number of digits; anything else makes some number.
pub(crate) fn number(digits: &str) -> u64 {
    digits.bytes().fold(0, |number, digit| number.wrapping_mul(10).wrapping_add(u64::from(digit & 15)))
}

/// The facts that the server does not have yet, oldest first.
#[derive(Debug, Default)]
pub struct Queue {
    items: Vec<Item>,
    /// Facts that were given up.
    pub dropped: u32,
    /// When the next try may be.
    pub backoff: Backoff,
}

impl Queue {
    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Those that wait, and those that are under way.
    pub fn iter(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    /// Puts a fact last; returns the one that has to go for it.
    pub fn push(&mut self, item: Item) -> Option<Item> {
        self.items.push(item);
        if self.items.len() <= CAP {
            return None;
        }
        let victim = self.items.iter().position(|item| item.kind != Kind::Order).unwrap_or(0);
        self.dropped += 1;
        Some(self.items.remove(victim))
    }

    /// Whether a fact is here.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.items.iter().any(|item| item.key == key)
    }

    /// The oldest fact, which is under way from now on; none while another is.
    pub fn launch(&mut self) -> Option<&Item> {
        if self.items.iter().any(|item| item.flies) {
            return None;
        }
        let item = self.items.first_mut()?;
        item.flies = true;
        Some(item)
    }

    /// The fact that was under way: it waits again.
    pub fn land(&mut self) -> Option<&mut Item> {
        let item = self.items.iter_mut().find(|item| item.flies)?;
        item.flies = false;
        item.tries += 1;
        Some(item)
    }

    /// Takes a fact that the server has, or never will.
    pub fn remove(&mut self, key: &str) {
        self.items.retain(|item| item.key != key);
    }

    /// Discards everything, and what is known about failures.
    pub fn purge(&mut self) {
        self.dropped += self.items.len() as u32;
        self.items.clear();
        self.backoff = Backoff::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000_000;

    fn item(key: &str, kind: Kind) -> Item {
        Item::new(key.into(), kind, NOW, String::from(r#"{"props":{"a":{}}}"#))
    }

    fn event(key: &str) -> Item {
        item(key, Kind::Event)
    }

    fn body(item: &Item, now_ms: u64) -> String {
        let mut text = String::new();
        item.write(&mut text, None, now_ms);
        text
    }

    #[test]
    fn facts_leave_in_the_order_they_came_one_at_a_time() {
        let mut queue = Queue::default();
        queue.push(event("a"));
        queue.push(event("b"));
        assert_eq!(queue.launch().unwrap().key, "a");
        assert!(queue.launch().is_none(), "one is under way");
        assert_eq!(queue.land().unwrap().key, "a");
        queue.remove("a");
        assert_eq!(queue.launch().unwrap().key, "b");
        assert_eq!(queue.len(), 1, "until the server has it");
    }

    #[test]
    fn a_full_queue_drops_the_oldest_and_orders_last() {
        let mut queue = Queue::default();
        queue.push(item("order", Kind::Order));
        for number in 1..CAP {
            assert!(queue.push(event(&number.to_string())).is_none());
        }
        assert_eq!(queue.push(event("last")).unwrap().key, "1");
        assert_eq!((queue.len(), queue.dropped), (CAP, 1));
    }

    #[test]
    fn a_queue_of_orders_drops_the_oldest_order() {
        let mut queue = Queue::default();
        for number in 0..CAP {
            queue.push(item(&number.to_string(), Kind::Order));
        }
        assert_eq!(queue.push(item("last", Kind::Order)).unwrap().key, "0");
    }

    #[test]
    fn a_fact_that_failed_is_next() {
        let mut queue = Queue::default();
        queue.push(event("a"));
        queue.push(event("b"));
        queue.launch();
        assert_eq!(queue.land().unwrap().tries, 1);
        assert_eq!(queue.launch().unwrap().key, "a");
    }

    #[test]
    fn age_is_computed_anew_and_never_exceeds_seven_days() {
        let item = event("a");
        assert_eq!(body(&item, NOW + 5), r#"{"props":{"a":{}},"age_ms":5}"#);
        assert!(body(&item, NOW + AGE_MS + 9).ends_with(r#""age_ms":604800000}"#));
        assert!(body(&item, NOW - 9).ends_with(r#""age_ms":0}"#));
    }

    #[test]
    fn who_did_it_is_said_when_it_is_sent() {
        let mut text = String::new();
        event("a").write(&mut text, Some("v_1"), NOW);
        assert_eq!(text, r#"{"props":{"a":{}},"visitor_id":"v_1","age_ms":0}"#);
    }

    #[test]
    fn what_is_kept_is_read_by_another_page_once_its_own_has_had_its_time() {
        let kept = format!("key {}", event("key").line(NOW));
        assert!(Item::read(&kept, NOW + CLAIM_MS - 1).is_none());
        let read = Item::read(&kept, NOW + CLAIM_MS).unwrap();
        assert_eq!((&*read.key, read.kind, read.at_ms, read.tries), ("key", Kind::Event, NOW, 0));
        assert_eq!(body(&read, NOW), body(&event("key"), NOW));
        assert!(Item::read(&kept, NOW - CLAIM_MS).is_some(), "the clock was set back");
    }

    #[test]
    fn what_no_page_of_this_version_kept_is_left_alone() {
        for line in
            ["", "key", "key 1 2", "key 1 2 3", "key 1 2 9 {}", "key 1 2 1 {}", "key 1 2 3 [", "key 1 2 3 {"]
        {
            assert!(Item::read(line, NOW).is_none(), "{line}");
        }
    }

    #[test]
    fn waits_double_with_jitter_up_to_five_minutes() {
        let mut backoff = Backoff::default();
        backoff.failed(NOW, 0, 0);
        assert_eq!(backoff.until_ms() - NOW, 500);
        backoff.failed(NOW, 0, u32::MAX);
        assert_eq!(backoff.until_ms() - NOW, 1_999);
        for _ in 0..40 {
            backoff.failed(NOW, 0, u32::MAX);
        }
        assert_eq!(backoff.until_ms() - NOW, BACKOFF_MAX_MS - 1);
    }

    #[test]
    fn the_servers_retry_after_is_obeyed() {
        let mut backoff = Backoff::default();
        backoff.failed(NOW, 7_000, 0);
        assert_eq!(backoff.until_ms() - NOW, 7_000);
        backoff.failed(NOW, u64::MAX, 0);
        assert_eq!(backoff.until_ms() - NOW, RETRY_AFTER_MAX_MS);
    }

    #[test]
    fn network_errors_and_overload_mean_again_and_other_refusals_are_final() {
        for status in [0, 408, 425, 429, 500, 502, 503, 504] {
            assert_eq!(Verdict::of(status), Verdict::Again, "{status}");
        }
        for status in [400, 403, 404, 405, 409, 413, 415, 302] {
            assert_eq!(Verdict::of(status), Verdict::Final, "{status}");
        }
        assert_eq!(Verdict::of(204), Verdict::Done);
        assert_eq!(Verdict::of(401), Verdict::Expired);
    }

    #[test]
    fn a_purge_leaves_nothing() {
        let mut queue = Queue::default();
        queue.push(event("a"));
        queue.backoff.failed(NOW, 0, 0);
        queue.purge();
        assert!(queue.is_empty() && !queue.backoff.failing());
    }
}
