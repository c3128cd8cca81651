//! Facts that wait to be sent: how many, in which order, how often they are tried, and which are
//! given up first. Pure: time and randomness are arguments.

use visitflow_protocol::{
    limits::AGE_MS,
    path,
    wire::{Event, Order, PageView},
};

/// Most facts that wait; beyond it the oldest that is no order goes.
pub const CAP: usize = 200;

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
    /// Notes a failure. `after_ms` is the server's `Retry-After`; `jitter` is uniform.
    pub fn failed(&mut self, now_ms: u64, after_ms: Option<u64>, jitter: u32) {
        let half = (BACKOFF_MS << self.failures.min(16)).min(BACKOFF_MAX_MS) / 2;
        let wait = half + ((half * u64::from(jitter)) >> 32);
        let asked = after_ms.unwrap_or(0).min(RETRY_AFTER_MAX_MS);
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

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A page was seen.
    View(PageView),
    /// The page reported an event.
    Event(Event),
    /// The shop took an order.
    Order(Order),
}

/// A fact and its history.
#[derive(Clone, Debug)]
pub struct Item {
    /// What happened.
    pub fact: Fact,
    /// When, in ms since the Unix epoch by the browser's clock.
    pub at_ms: u64,
    /// Which view of this page it is, for the engagement that is reported later; 0 for none.
    pub view: u32,
    /// How often it was tried.
    pub tries: u32,
}

impl Item {
    /// A fact that happened at `at_ms`.
    #[must_use]
    pub fn new(fact: Fact, at_ms: u64) -> Self {
        Self { fact, at_ms, view: 0, tries: 0 }
    }

    /// Whether it needs a client-made id (an order has the shop's).
    #[must_use]
    pub fn lacks_id(&self) -> bool {
        match &self.fact {
            Fact::View(view) => view.id.is_none(),
            Fact::Event(event) => event.id.is_none(),
            Fact::Order(_) => false,
        }
    }

    /// Gives it its id, once and for all tries.
    pub fn identify(&mut self, id: String) {
        match &mut self.fact {
            Fact::View(view) => view.id = Some(id),
            Fact::Event(event) => event.id = Some(id),
            Fact::Order(_) => {}
        }
    }

    /// Says who did it.
    pub fn attribute(&mut self, visitor_id: Option<&String>) {
        let visitor_id = visitor_id.cloned();
        match &mut self.fact {
            Fact::View(view) => view.visitor_id = visitor_id,
            Fact::Event(event) => event.visitor_id = visitor_id,
            Fact::Order(order) => order.visitor_id = visitor_id,
        }
    }

    /// Whether it goes out without cookies.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        matches!(&self.fact, Fact::View(view) if view.anonymous)
    }

    /// Whether it is a page view.
    #[must_use]
    pub fn is_view(&self) -> bool {
        matches!(self.fact, Fact::View(_))
    }

    /// Its endpoint and its body as of now.
    pub fn request(&mut self, now_ms: u64) -> (&'static str, String) {
        let age_ms = Some(now_ms.saturating_sub(self.at_ms).min(AGE_MS));
        match &mut self.fact {
            Fact::View(view) => {
                view.age_ms = age_ms;
                (path::PAGE_VIEW, view.json())
            }
            Fact::Event(event) => {
                event.age_ms = age_ms;
                (path::EVENT, event.json())
            }
            Fact::Order(order) => {
                order.age_ms = age_ms;
                (path::ORDER, order.json())
            }
        }
    }

    fn is_order(&self) -> bool {
        matches!(self.fact, Fact::Order(_))
    }
}

/// The waiting facts, oldest first.
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

    /// Puts a new fact last.
    pub fn push(&mut self, item: Item) {
        self.items.push(item);
        self.trim();
    }

    /// Puts a fact that failed back where it was: first.
    pub fn give_back(&mut self, mut item: Item) {
        item.tries += 1;
        self.items.insert(0, item);
        self.trim();
    }

    /// Takes the oldest page view.
    pub fn take_view(&mut self) -> Option<Item> {
        let at = self.items.iter().position(Item::is_view)?;
        Some(self.items.remove(at))
    }

    /// Takes the oldest fact.
    pub fn take(&mut self) -> Option<Item> {
        if self.items.is_empty() {
            return None;
        }
        Some(self.items.remove(0))
    }

    /// Discards everything, and what is known about failures.
    pub fn purge(&mut self) {
        self.dropped += self.items.len() as u32;
        self.items.clear();
        self.backoff = Backoff::default();
    }

    fn trim(&mut self) {
        while self.items.len() > CAP {
            let victim = self.items.iter().position(|item| !item.is_order());
            self.items.remove(victim.unwrap_or(0));
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000_000;

    fn event(name: &str) -> Item {
        Item::new(Fact::Event(Event { name: Some(name.into()), ..Event::default() }), NOW)
    }

    fn order(id: &str) -> Item {
        Item::new(Fact::Order(Order { id: Some(id.into()), ..Order::default() }), NOW)
    }

    fn view() -> Item {
        Item::new(Fact::View(PageView::default()), NOW)
    }

    fn body(mut item: Item) -> String {
        item.request(NOW).1
    }

    #[test]
    fn facts_leave_in_the_order_they_came() {
        let mut queue = Queue::default();
        queue.push(event("a"));
        queue.push(event("b"));
        assert!(body(queue.take().unwrap()).contains("\"a\""));
        assert!(body(queue.take().unwrap()).contains("\"b\""));
        assert!(queue.take().is_none());
    }

    #[test]
    fn a_full_queue_drops_the_oldest_and_orders_last() {
        let mut queue = Queue::default();
        queue.push(order("1"));
        for _ in 0..CAP {
            queue.push(event("x"));
        }
        assert_eq!((queue.len(), queue.dropped), (CAP, 1));
        assert!(queue.take().unwrap().is_order());
    }

    #[test]
    fn a_queue_of_orders_drops_the_oldest_order() {
        let mut queue = Queue::default();
        for number in 0..=CAP {
            queue.push(order(&number.to_string()));
        }
        assert!(body(queue.take().unwrap()).contains("\"id\":\"1\""));
    }

    #[test]
    fn a_fact_given_back_is_next_and_keeps_its_id() {
        let mut queue = Queue::default();
        queue.push(event("a"));
        queue.push(event("b"));
        let mut item = queue.take().unwrap();
        item.identify("0193a5e7-7c1b-7f6a-9d2e-3b4c5d6e7f80".into());
        queue.give_back(item);
        let item = queue.take().unwrap();
        assert!(!item.lacks_id());
        assert_eq!(item.tries, 1);
        assert!(body(item).contains("0193a5e7"));
    }

    #[test]
    fn age_is_computed_anew_and_never_exceeds_seven_days() {
        let mut item = event("a");
        assert!(
            item.request(NOW + 5).1.contains("\"age_ms\":5,")
                || item.request(NOW + 5).1.contains("\"age_ms\":5}")
        );
        assert!(item.request(NOW + AGE_MS + 9).1.contains("604800000"));
        assert!(item.request(NOW - 9).1.contains("\"age_ms\":0"));
    }

    #[test]
    fn page_views_may_overtake_events() {
        let mut queue = Queue::default();
        queue.push(event("a"));
        queue.push(view());
        assert!(queue.take_view().unwrap().is_view());
        assert!(queue.take_view().is_none());
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn waits_double_with_jitter_up_to_five_minutes() {
        let mut backoff = Backoff::default();
        backoff.failed(NOW, None, 0);
        assert_eq!(backoff.until_ms() - NOW, 500);
        backoff.failed(NOW, None, u32::MAX);
        assert_eq!(backoff.until_ms() - NOW, 1_999);
        for _ in 0..40 {
            backoff.failed(NOW, None, u32::MAX);
        }
        assert_eq!(backoff.until_ms() - NOW, BACKOFF_MAX_MS - 1);
    }

    #[test]
    fn the_servers_retry_after_is_obeyed() {
        let mut backoff = Backoff::default();
        backoff.failed(NOW, Some(7_000), 0);
        assert_eq!(backoff.until_ms() - NOW, 7_000);
        backoff.failed(NOW, Some(u64::MAX), 0);
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
        queue.push(order("1"));
        queue.backoff.failed(NOW, None, 0);
        queue.purge();
        assert!(queue.is_empty() && !queue.backoff.failing());
    }
}
