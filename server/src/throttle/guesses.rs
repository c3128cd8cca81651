//! Which password guess is checked next. Time is an argument, in milliseconds since any instant;
//! nothing here waits. The rules are in the doc of [`super`].

mod account;

use std::collections::HashMap;
use std::net::IpAddr;

use lru::LruCache;

use self::account::Account;
pub use self::account::PATIENCE_MS;
use super::fair::FairQueue;
use super::pace::Pace;
use super::too_many::TooMany;
use crate::session::Millis;

/// How many accounts' guesses are kept. Beyond that, the account without a guess for longest is dropped: an attacker
/// needs guesses on this many other accounts to get five more without a pause.
const ACCOUNTS_MAX: usize = 10_000;

/// Most guesses that wait: fewer than [`ACCOUNTS_MAX`], so that there is always an account to drop.
const WAITING_MAX: usize = 2_048;

/// How long checking a guess takes, until it has been measured.
const COST_MS: Millis = 50;

/// The outcome of a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guessed {
    /// It was the password.
    Right,
    /// It was not, or the request hung up.
    Wrong,
    /// It was not checked: the database failed.
    Open,
}

/// The guesses of a server: those that wait and those that are being checked.
#[derive(Debug)]
pub struct Guesses {
    /// How many may be judged at once, and how many more may be now.
    slots: usize,
    free: usize,
    /// What judging one takes, about.
    cost_ms: Millis,
    tickets: u64,
    waiting: HashMap<u64, Guess>,
    queue: FairQueue,
    accounts: LruCache<String, Account>,
}

#[derive(Debug)]
struct Guess {
    account: String,
    address: IpAddr,
}

impl Guesses {
    /// No guesses; `slots` passwords may be checked at once.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let slots = slots.max(1);
        Self {
            slots,
            free: slots,
            cost_ms: COST_MS,
            tickets: 0,
            waiting: HashMap::new(),
            queue: FairQueue::default(),
            accounts: LruCache::unbounded(),
        }
    }

    /// Lets a guess wait. Returns its ticket, and that of a guess that has to leave for it.
    ///
    /// # Errors
    /// When it would wait too long.
    pub fn arrive(
        &mut self,
        account: &str,
        address: IpAddr,
        now: Millis,
    ) -> Result<(u64, Option<u64>), TooMany> {
        if self.accounts.peek(account).is_some_and(|own| own.is_idle() && own.pace.is_forgotten(now)) {
            self.accounts.pop(account);
        }
        let ahead = self.queue.ahead_of(address) + (self.slots - self.free);
        let for_slot = i64::try_from(ahead / self.slots).unwrap_or(i64::MAX).saturating_mul(self.cost_ms);
        let for_account =
            self.accounts.peek(account).map_or(0, |account| account.wait_of(address, self.cost_ms, now));
        let wait = for_slot.max(for_account);
        if wait > PATIENCE_MS {
            return Err(TooMany::for_ms(wait - PATIENCE_MS));
        }
        let mut left = None;
        if self.waiting.len() >= WAITING_MAX
            && let Some((most, latest)) = self.queue.longest()
        {
            if self.queue.len_of(address) + 1 >= most {
                return Err(TooMany::for_ms(self.cost_ms));
            }
            self.leave(latest);
            left = Some(latest);
        }
        self.tickets += 1;
        let ticket = self.tickets;
        self.account(account).queue.push(address, ticket);
        self.queue.push(address, ticket);
        self.waiting.insert(ticket, Guess { account: account.to_owned(), address });
        Ok((ticket, left))
    }

    /// Takes a guess out that does not wait any longer. One whose turn has come is not concerned.
    pub fn leave(&mut self, ticket: u64) {
        let Some(Guess { account, address }) = self.waiting.remove(&ticket) else { return };
        self.queue.remove(address, ticket);
        self.account(&account).queue.remove(address, ticket);
        self.forget_if_idle(&account);
    }

    /// The ticket of a guess that is to be judged now, and its account.
    pub fn next(&mut self, now: Millis) -> Option<(u64, String)> {
        if self.free == 0 {
            return None;
        }
        // An address whose own guess is not the next one on its account lends its turn to that one:
        // otherwise it would wait for everything that the other address has in the queue.
        let due = |ticket: &u64| {
            let account = self.accounts.peek(&self.waiting.get(ticket)?.account)?;
            if account.is_open(now) { account.queue.next() } else { None }
        };
        let order = self.queue.in_order();
        let ticket = order.into_iter().find_map(|(_, tickets)| tickets.iter().find_map(&due))?;
        let Guess { account, address } = self.waiting.remove(&ticket)?;
        self.queue.serve(address, ticket);
        self.free -= 1;
        let own = self.account(&account);
        own.queue.serve(address, ticket);
        own.is_judging = true;
        Some((ticket, account))
    }

    /// When [`Self::next`] is to be asked again, if nothing happens before.
    #[must_use]
    pub fn due(&self) -> Option<Millis> {
        let accounts = self.waiting.values().filter_map(|guess| self.accounts.peek(&guess.account));
        let paused = accounts.filter(|account| !account.is_judging).map(|account| account.pace.due());
        paused.min().filter(|_| self.free > 0)
    }

    /// Notes that a guess whose turn had come is over; judging it took so long.
    pub fn over(&mut self, account: &str, guessed: Guessed, took_ms: Millis, now: Millis) {
        self.free += 1;
        let own = self.account(account);
        own.is_judging = false;
        match guessed {
            Guessed::Right => own.pace = Pace::default(),
            Guessed::Wrong => own.pace.wrong(now),
            Guessed::Open => {}
        }
        if guessed != Guessed::Open {
            self.cost_ms = ((7 * self.cost_ms + took_ms.max(1)) / 8).max(1);
        }
        self.forget_if_idle(account);
    }

    /// Drops accounts without a guess for long, and with them the addresses that guessed.
    pub fn forget_quiet(&mut self, now: Millis) {
        let is_quiet = |account: &Account| account.is_idle() && account.pace.is_forgotten(now);
        let quiet: Vec<String> =
            self.accounts.iter().filter(|(_, own)| is_quiet(own)).map(|(name, _)| name.clone()).collect();
        for name in quiet {
            self.accounts.pop(&name);
        }
    }

    fn account(&mut self, name: &str) -> &mut Account {
        while self.accounts.len() >= ACCOUNTS_MAX && !self.accounts.contains(name) {
            let Some((other, account)) = self.accounts.pop_lru() else { break };
            if !account.is_idle() {
                self.accounts.put(other, account);
            }
        }
        self.accounts.get_or_insert_mut(name.to_owned(), Account::default)
    }

    fn forget_if_idle(&mut self, name: &str) {
        if self.accounts.peek(name).is_some_and(|account| account.is_idle() && account.pace.guesses == 0) {
            self.accounts.pop(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::throttle::pace::{KEPT_MS, PAUSE_MAX_MS};

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    /// Lets guesses be judged, each in no time, from `now` to `until`; when, and whose tickets.
    fn run(guesses: &mut Guesses, mut now: Millis, until: Millis) -> Vec<(Millis, u64)> {
        let mut judged = Vec::new();
        loop {
            while let Some((ticket, account)) = guesses.next(now) {
                judged.push((now, ticket));
                guesses.over(&account, Guessed::Wrong, 1, now);
            }
            match guesses.due() {
                Some(due) if due <= until => now = now.max(due),
                _ => return judged,
            }
        }
    }

    #[test]
    fn guesses_at_once_are_judged_one_after_the_other_at_the_pace_of_the_delay() {
        let mut guesses = Guesses::new(8);
        let mut refused = 0;
        for n in 0..100 {
            // However many addresses they come from.
            refused += u32::from(guesses.arrive("ann", address(n), 0).is_err());
        }
        let (first, account) = guesses.next(0).unwrap();
        assert_eq!((first, account.as_str()), (1, "ann"));
        assert_eq!(guesses.next(0), None, "seven slots are free, and the account is being judged");
        guesses.over("ann", Guessed::Wrong, 1, 0);
        let times: Vec<_> = run(&mut guesses, 0, 1_000_000).into_iter().map(|(at, _)| at).collect();
        let right = [0, 0, 0, 0, 100, 300, 700, 1_500, 3_100, 6_300, 11_300, 16_300, 21_300, 26_300];
        assert_eq!(times[..right.len()], right);
        // The estimate counts with 50 ms for each, so perhaps one fewer than patience allows.
        assert!((right.len()..=right.len() + 1).contains(&times.len()), "{times:?}");
        assert_eq!(times.len() + 1 + refused as usize, 100, "the others were told at once");
    }

    #[test]
    fn an_account_is_never_locked_and_a_success_or_a_quarter_of_an_hour_ends_the_delay() {
        let mut guesses = Guesses::new(1);
        let mut now = 0;
        for _ in 0..50 {
            guesses.arrive("ann", address(1), now).unwrap();
            now = run(&mut guesses, now, Millis::MAX).last().unwrap().0;
        }
        guesses.arrive("ann", address(1), now).unwrap();
        assert_eq!(guesses.next(now + 4_999), None);
        let (_, account) = guesses.next(now + 5_000).unwrap();
        guesses.over(&account, Guessed::Right, 1, now + 5_000);
        assert!(guesses.accounts.is_empty());
        for _ in 0..10 {
            guesses.arrive("bob", address(1), now).unwrap();
        }
        now = run(&mut guesses, now, Millis::MAX).last().unwrap().0 + KEPT_MS;
        guesses.forget_quiet(now - 1);
        assert_eq!(guesses.accounts.len(), 1);
        guesses.arrive("bob", address(1), now).unwrap();
        for _ in 0..4 {
            guesses.arrive("bob", address(1), now).unwrap();
        }
        assert_eq!(run(&mut guesses, now, now).len(), 5);
        guesses.forget_quiet(now + KEPT_MS);
        assert!(guesses.accounts.is_empty());
    }

    #[test]
    fn a_flood_from_one_address_delays_the_owner_by_one_guess() {
        let mut guesses = Guesses::new(1);
        for _ in 0..40 {
            guesses.arrive("ann", address(1), 0).ok();
        }
        let mut now = run(&mut guesses, 0, 10_000).last().unwrap().0;
        // The flood goes on: whoever is judged comes again at once.
        guesses.arrive("ann", address(1), now).ok();
        let came = now + 1;
        let (owner, _) = guesses.arrive("ann", address(2), came).unwrap();
        let mut turns = Vec::new();
        while !turns.contains(&owner) {
            now = now.max(guesses.due().unwrap());
            let (ticket, account) = guesses.next(now).unwrap();
            guesses.over(&account, Guessed::Wrong, 1, now);
            guesses.arrive("ann", address(1), now).ok();
            turns.push(ticket);
        }
        assert_eq!(turns.len(), 1);
        assert!(now - came < PAUSE_MAX_MS);
        // So it is at the owner's second try.
        let (again, _) = guesses.arrive("ann", address(2), now).unwrap();
        let judged = run(&mut guesses, now, now + 10_000);
        assert_eq!(judged.iter().position(|(_, ticket)| *ticket == again), Some(1));
    }

    #[test]
    fn a_flood_from_one_address_over_all_accounts_keeps_nobody_out() {
        let mut guesses = Guesses::new(1);
        for n in 0..WAITING_MAX {
            guesses.cost_ms = 1;
            guesses.arrive(&format!("user{n}"), address(1), 0).unwrap();
        }
        // The flood holds the one slot, and waits for ann too.
        let (_, judged) = guesses.next(0).unwrap();
        let (ann, left) = guesses.arrive("user2000", address(2), 0).unwrap();
        assert_eq!(left, None, "one place was free");
        let (bob, left) = guesses.arrive("bob", address(3), 0).unwrap();
        assert!(left.is_some(), "the flood gives up its latest guess");
        assert!(guesses.arrive("carol", address(1), 0).is_err(), "and gets no more places");
        guesses.over(&judged, Guessed::Wrong, 1, 1);
        let order: Vec<_> = run(&mut guesses, 1, 1).into_iter().map(|(_, ticket)| ticket).collect();
        let same_account = 2_001; // came before her
        assert_eq!(order[..3], [same_account, ann, bob]);
        assert_eq!(order.len(), WAITING_MAX);
    }

    #[test]
    fn an_office_of_a_thousand_people_signs_in_at_once() {
        let mut guesses = Guesses::new(1);
        guesses.cost_ms = 25;
        for n in 0..1_000 {
            guesses.arrive(&format!("user{n}"), address(1), 0).unwrap();
        }
        assert_eq!(run(&mut guesses, 0, 0).len(), 1_000);
    }

    #[test]
    fn who_would_wait_too_long_is_told_at_once_when_to_come_back() {
        let mut guesses = Guesses::new(2);
        guesses.cost_ms = 1_000;
        let waiting = (0..1_000).take_while(|n| guesses.arrive(&n.to_string(), address(1), 0).is_ok());
        assert_eq!(waiting.count(), 62, "30 s for 60 before it, and two at once");
        assert_eq!(guesses.arrive("x", address(1), 0).unwrap_err().retry_after_s, 1);
        assert!(guesses.arrive("x", address(2), 0).is_ok(), "which is no concern of others");
    }

    #[test]
    fn who_leaves_makes_room() {
        let mut guesses = Guesses::new(1);
        let (first, _) = guesses.arrive("ann", address(1), 0).unwrap();
        let (second, _) = guesses.arrive("ann", address(1), 0).unwrap();
        guesses.leave(first);
        guesses.leave(first);
        assert_eq!(guesses.next(0).unwrap().0, second);
        guesses.leave(second);
        guesses.over("ann", Guessed::Open, 9_999, 0);
        assert!(guesses.waiting.is_empty() && guesses.queue.is_empty() && guesses.accounts.is_empty());
        assert_eq!((guesses.free, guesses.cost_ms), (1, COST_MS));
    }

    #[test]
    fn as_many_are_judged_at_once_as_there_are_slots() {
        let mut guesses = Guesses::new(2);
        for name in ["ann", "bob", "carol"] {
            guesses.arrive(name, address(1), 0).unwrap();
        }
        assert!(guesses.next(0).is_some() && guesses.next(0).is_some());
        assert_eq!((guesses.next(0), guesses.due()), (None, None));
        guesses.over("ann", Guessed::Wrong, 1, 0);
        assert_eq!(guesses.next(0).unwrap().1, "carol");
    }

    #[test]
    fn accounts_are_bounded_and_those_in_use_are_kept() {
        let mut guesses = Guesses::new(1);
        for _ in 0..6 {
            guesses.arrive("ann", address(1), 0).unwrap();
        }
        assert_eq!(run(&mut guesses, 0, 0).len(), 5);
        for n in 0..2 * ACCOUNTS_MAX {
            guesses.account(&n.to_string()).pace.wrong(0);
        }
        assert_eq!(guesses.accounts.len(), ACCOUNTS_MAX);
        assert_eq!(guesses.accounts.peek("ann").unwrap().pace.guesses, 5);
    }
}
