//! How much an address may do at once and in a minute: a token bucket for each address. A request may take more tokens
//! at first than it uses in the end.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::too_many::TooMany;
use crate::session::Millis;

/// How many addresses are kept; beyond that, the one that was not seen for longest is dropped.
const ADDRESSES_MAX: usize = 65_536;

/// One token, in a unit of which one comes back each millisecond.
const TOKEN: i64 = 60_000;

/// What addresses have used up.
#[derive(Debug)]
pub struct Budget {
    burst: i64,
    per_minute: i64,
    spent: Mutex<LruCache<IpAddr, Spent>>,
}

/// What one address has used up. More than the burst is a debt.
#[derive(Clone, Copy, Debug)]
struct Spent {
    amount: i64,
    at: Millis,
}

impl Budget {
    pub(super) fn new((burst, per_minute): (u32, u32)) -> Self {
        Self {
            burst: i64::from(burst) * TOKEN,
            per_minute: i64::from(per_minute).max(1),
            spent: Mutex::new(LruCache::unbounded()),
        }
    }

    fn take(&self, address: IpAddr, tokens: u32, now: Millis) -> Result<(), TooMany> {
        let mut addresses = self.spent();
        let mut spent = match addresses.get(&address) {
            Some(spent) => self.restored(*spent, now),
            None => Spent { amount: 0, at: now },
        };
        let amount = spent.amount + i64::from(tokens) * TOKEN;
        let over = amount - self.burst;
        if over > 0 {
            return Err(TooMany::for_ms(over / self.per_minute + 1));
        }
        spent.amount = amount;
        if addresses.len() >= ADDRESSES_MAX && !addresses.contains(&address) {
            addresses.pop_lru();
        }
        addresses.put(address, spent);
        Ok(())
    }

    /// Corrects what was taken to what was used.
    fn correct(&self, address: IpAddr, taken: u32, used: u32, now: Millis) {
        let mut addresses = self.spent();
        let Some(entry) = addresses.get_mut(&address) else { return };
        let mut spent = self.restored(*entry, now);
        spent.amount = (spent.amount + (i64::from(used) - i64::from(taken)) * TOKEN).max(0);
        *entry = spent;
        if spent.amount == 0 {
            addresses.pop(&address);
        }
    }

    fn restored(&self, spent: Spent, now: Millis) -> Spent {
        let since = (now - spent.at).max(0); // the clock may have been set back
        let amount = (spent.amount - since.saturating_mul(self.per_minute)).max(0);
        Spent { amount, at: spent.at.max(now) }
    }

    pub(super) fn forget_quiet(&self, now: Millis) {
        let mut addresses = self.spent();
        let is_quiet = |spent: &Spent| self.restored(*spent, now).amount == 0;
        let quiet: Vec<IpAddr> =
            addresses.iter().filter(|(_, spent)| is_quiet(spent)).map(|(address, _)| *address).collect();
        for address in quiet {
            addresses.pop(&address);
        }
    }

    fn spent(&self) -> MutexGuard<'_, LruCache<IpAddr, Spent>> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one request may take of its address's budget.
#[derive(Clone, Copy, Debug)]
pub struct Allowance<'a> {
    budget: Option<(&'a Budget, IpAddr)>,
    now: Millis,
}

impl<'a> Allowance<'a> {
    pub(super) fn of(budget: &'a Budget, address: Option<IpAddr>, now: Millis) -> Self {
        Self { budget: address.map(|address| (budget, address)), now }
    }

    /// No limit.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { budget: None, now: 0 }
    }

    /// Takes tokens; all of them, or none.
    ///
    /// # Errors
    /// When there are not so many left.
    pub fn take(self, tokens: u32) -> Result<Held<'a>, TooMany> {
        match self.budget {
            Some((budget, address)) if tokens > 0 => budget.take(address, tokens, self.now)?,
            _ => {}
        }
        Ok(Held { allowance: self, tokens })
    }
}

/// Tokens that were taken. If this is dropped, they stay taken.
#[derive(Debug)]
pub struct Held<'a> {
    allowance: Allowance<'a>,
    tokens: u32,
}

impl Held<'_> {
    /// Gives back what was not used. If more was used than taken, that is a debt: the address gets nothing until it is paid
    /// by time.
    pub fn used(self, tokens: u32) {
        if let (Some((budget, address)), true) = (self.allowance.budget, tokens != self.tokens) {
            budget.correct(address, self.tokens, tokens, self.allowance.now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1));

    fn take(budget: &Budget, tokens: u32, now: Millis) -> Result<Held<'_>, TooMany> {
        Allowance::of(budget, Some(HERE), now).take(tokens)
    }

    #[test]
    fn a_minute_brings_back_a_minute_s_tokens() {
        let budget = Budget::new((10, 6));
        let _ = take(&budget, 10, 0).unwrap();
        assert_eq!(take(&budget, 1, 0).unwrap_err().retry_after_s, 11);
        assert!(take(&budget, 1, 9_999).is_err());
        assert!(take(&budget, 1, 10_000).is_ok());
        assert!(take(&budget, 1, 10_000).is_err());
        assert!(take(&budget, 10, 10_000 + 100_000).is_ok(), "and never more than the burst");
        assert!(take(&budget, 1, 0).is_err(), "a clock that was set back brings nothing");
    }

    #[test]
    fn what_was_not_used_comes_back_and_what_was_dropped_does_not() {
        let budget = Budget::new((10, 6));
        take(&budget, 10, 0).unwrap().used(3);
        assert!(take(&budget, 8, 0).is_err());
        let _ = take(&budget, 7, 0).unwrap();
        assert!(take(&budget, 1, 0).is_err());
    }

    #[test]
    fn requests_at_once_do_not_pass_together() {
        let budget = Budget::new((10, 6));
        let held: Vec<_> = (0..100).filter_map(|_| take(&budget, 4, 0).ok()).collect();
        assert_eq!(held.len(), 2);
        held.into_iter().for_each(|held| held.used(4));
        assert!(take(&budget, 3, 0).is_err());
    }

    #[test]
    fn a_debt_is_paid_before_anything_else() {
        let budget = Budget::new((10, 6));
        take(&budget, 1, 0).unwrap().used(12);
        assert!(take(&budget, 1, 29_999).is_err());
        assert!(take(&budget, 1, 30_000).is_ok());
    }

    #[test]
    fn addresses_count_apart_are_bounded_and_are_forgotten_when_quiet() {
        let budget = Budget::new((10, 6));
        let other = |n: u32| Some(IpAddr::from(std::net::Ipv6Addr::from_bits(u128::from(n) << 64)));
        let _ = take(&budget, 10, 0).unwrap();
        let _ = Allowance::of(&budget, other(1), 0).take(10).unwrap();
        budget.forget_quiet(99_999);
        assert_eq!(budget.spent().len(), 2);
        budget.forget_quiet(100_000);
        assert_eq!(budget.spent().len(), 0);
        for n in 0..=65_536 {
            let _ = Allowance::of(&budget, other(n), 0).take(10).unwrap();
        }
        assert_eq!(budget.spent().len(), ADDRESSES_MAX);
        assert!(Allowance::of(&budget, other(65_536), 0).take(1).is_err());
    }

    #[test]
    fn an_office_of_a_thousand_people_stays_below_the_limit_of_visits() {
        let budget = Budget::new(super::super::VISITS);
        // All of them open five sites in the same second, each view in flight with a token taken.
        let views: Vec<_> = (0..5_000).map(|_| take(&budget, 1, 0).unwrap()).collect();
        views.into_iter().for_each(|view| view.used(1));
        // Then each begins two visits a minute, for an hour.
        for minute in 1..=60 {
            for _ in 0..2_000 {
                take(&budget, 1, minute * 60_000).unwrap().used(1);
            }
        }
        let flood = (0..10_000).filter(|_| take(&budget, 1, 3_600_000).is_ok()).count();
        assert!(flood <= 5_000, "{flood}");
        assert!(Allowance::unlimited().take(u32::MAX).is_ok());
    }
}
