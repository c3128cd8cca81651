//! Facts that wait to be sent: how many, in which order, how often they are tried, and which are
//! given up first. Pure: time and randomness are arguments.

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
    /// The meaning of a status code. Success is only believed if the answer `is_ours`: a host's fallback page, a
    /// blocker or a service worker may answer in the server's place.
    #[must_use]
    pub fn of(status: u16, is_ours: bool) -> Self {
        match status {
            200..=299 if is_ours => Self::Done,
            200..=299 => Self::Again,
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
    from_ms: u64,
    until_ms: u64,
}

impl Backoff {
    /// Notes a failure. `after_ms` is the server's `Retry-After`, or 0; `jitter` is uniform.
    pub fn failed(&mut self, now_ms: u64, after_ms: u64, jitter: u32) {
        let half = (BACKOFF_MS << self.failures.min(16)).min(BACKOFF_MAX_MS) / 2;
        let wait = half + ((half * u64::from(jitter)) >> 32);
        let asked = after_ms.min(RETRY_AFTER_MAX_MS);
        self.failures = self.failures.saturating_add(1);
        self.from_ms = now_ms;
        self.until_ms = now_ms + wait.max(asked);
    }

    /// No try before this time, in ms since the Unix epoch; 0 for none.
    #[must_use]
    pub fn until_ms(&self) -> u64 {
        self.until_ms
    }

    /// Whether the next try may be now. A clock that was set back ends the wait.
    #[must_use]
    pub fn is_over(&self, now_ms: u64) -> bool {
        now_ms >= self.until_ms || now_ms < self.from_ms
    }

    /// Whether the last try failed.
    #[must_use]
    pub fn failing(&self) -> bool {
        self.failures > 0
    }

    /// How many tries in a row have failed.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// What matters here of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The shop took an order: the last to be given up.
    Order,
    /// A page view or an event.
    Other,
    /// A page view of somebody who has not consented: it goes out without cookies, and is not kept
    /// beyond the page.
    Anonymous,
}

/// A fact that waits until the server has it.
#[derive(Clone, Debug)]
pub struct Item<F> {
    /// What happened.
    pub fact: F,
    /// What matters of it.
    pub kind: Kind,
    tries: u32,
    flies: bool,
}

impl<F> Item<F> {
    /// A fact that was not tried yet.
    #[must_use]
    pub fn new(fact: F, kind: Kind) -> Self {
        Self { fact, kind, tries: 0, flies: false }
    }

    /// Whether it is under way.
    #[must_use]
    pub fn flies(&self) -> bool {
        self.flies
    }
}

/// The facts that the server does not have yet, oldest first.
#[derive(Debug)]
pub struct Queue<F> {
    items: Vec<Item<F>>,
    /// Facts that were given up.
    pub dropped: u32,
    /// Facts that are here no more, for whatever reason.
    pub left: u32,
    /// When the next try may be.
    pub backoff: Backoff,
}

impl<F> Default for Queue<F> {
    fn default() -> Self {
        Self { items: Vec::new(), dropped: 0, left: 0, backoff: Backoff::default() }
    }
}

impl<F> Queue<F> {
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

    /// Those that wait, and the one that is under way.
    pub fn iter(&self) -> impl Iterator<Item = &Item<F>> {
        self.items.iter()
    }

    /// Puts a fact last; returns the one that has to go for it.
    pub fn push(&mut self, item: Item<F>) -> Option<Item<F>> {
        self.items.push(item);
        if self.items.len() <= CAP {
            return None;
        }
        // Not the one under way: its answer is to come.
        let waits = |item: &Item<F>| !item.flies;
        let victim = self.items.iter().position(|item| waits(item) && item.kind != Kind::Order);
        let victim = victim.or_else(|| self.items.iter().position(waits))?;
        self.dropped += 1;
        self.left += 1;
        Some(self.items.remove(victim))
    }

    /// The oldest fact, which is under way from now on; none while another is.
    pub fn launch(&mut self) -> Option<&Item<F>> {
        if self.items.iter().any(Item::flies) {
            return None;
        }
        let item = self.items.first_mut()?;
        item.flies = true;
        item.tries += 1;
        Some(item)
    }

    /// How often the fact under way was tried, this time included.
    #[must_use]
    pub fn tries(&self) -> u32 {
        self.items.iter().find(|item| item.flies).map_or(0, |item| item.tries)
    }

    /// The fact that was under way waits again.
    pub fn land(&mut self) {
        self.items.iter_mut().for_each(|item| item.flies = false);
    }

    /// Takes the fact that was under way: the server has it, or never will.
    pub fn take(&mut self) -> Option<Item<F>> {
        let at = self.items.iter().position(Item::flies)?;
        self.left += 1;
        Some(self.items.remove(at))
    }

    /// Discards everything, and what is known about failures.
    pub fn purge(&mut self) {
        self.dropped += self.items.len() as u32;
        self.left += self.items.len() as u32;
        self.items.clear();
        self.backoff = Backoff::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000_000;

    fn event(name: &str) -> Item<&str> {
        Item::new(name, Kind::Other)
    }

    fn order(name: &str) -> Item<&str> {
        Item::new(name, Kind::Order)
    }

    #[test]
    fn a_clock_that_is_set_back_ends_the_wait() {
        let mut backoff = Backoff::default();
        backoff.failed(NOW, 60_000, 0);
        assert!(!backoff.is_over(NOW + 59_999) && backoff.is_over(NOW + 60_000));
        assert!(backoff.is_over(NOW - 1));
    }

    #[test]
    fn facts_leave_in_the_order_they_came_one_at_a_time() {
        let mut queue = Queue::default();
        queue.push(event("a"));
        queue.push(event("b"));
        assert_eq!(queue.launch().unwrap().fact, "a");
        assert!(queue.launch().is_none(), "one is under way");
        assert_eq!(queue.take().unwrap().fact, "a");
        assert_eq!(queue.launch().unwrap().fact, "b");
        assert_eq!(queue.len(), 1, "until the server has it");
    }

    #[test]
    fn a_full_queue_drops_the_oldest_and_orders_last() {
        let mut queue = Queue::default();
        queue.push(order("order"));
        queue.push(event("first"));
        for _ in 2..CAP {
            assert!(queue.push(event("x")).is_none());
        }
        assert_eq!(queue.push(event("last")).unwrap().fact, "first");
        assert_eq!((queue.len(), queue.dropped), (CAP, 1));
    }

    #[test]
    fn a_queue_of_orders_drops_the_oldest_order() {
        let mut queue = Queue::default();
        queue.push(order("first"));
        for _ in 1..CAP {
            queue.push(order("x"));
        }
        assert_eq!(queue.push(order("last")).unwrap().fact, "first");
    }

    #[test]
    fn the_fact_under_way_is_not_given_up() {
        let mut queue = Queue::default();
        queue.push(event("under way"));
        queue.launch();
        queue.push(event("first"));
        for _ in 2..CAP {
            queue.push(event("x"));
        }
        assert_eq!(queue.push(event("last")).unwrap().fact, "first");
        assert_eq!(queue.take().unwrap().fact, "under way");
    }

    #[test]
    fn a_fact_that_failed_is_next() {
        let mut queue = Queue::default();
        queue.push(event("a"));
        queue.push(event("b"));
        queue.launch();
        queue.land();
        assert_eq!(queue.launch().unwrap().fact, "a");
        assert_eq!(queue.tries(), 2);
    }

    #[test]
    fn what_is_given_up_while_it_is_under_way_does_not_come_back() {
        let mut queue = Queue::default();
        queue.push(event("a"));
        queue.launch();
        queue.purge();
        queue.land();
        assert!(queue.take().is_none());
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
            assert_eq!(Verdict::of(status, false), Verdict::Again, "{status}");
        }
        for status in [400, 403, 404, 405, 409, 413, 415, 302] {
            assert_eq!(Verdict::of(status, false), Verdict::Final, "{status}");
        }
        assert_eq!(Verdict::of(401, false), Verdict::Expired);
    }

    #[test]
    fn a_success_that_is_not_the_servers_own_is_none() {
        assert_eq!(Verdict::of(204, true), Verdict::Done);
        for status in [200, 204] {
            assert_eq!(Verdict::of(status, false), Verdict::Again);
        }
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
