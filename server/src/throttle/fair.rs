//! A queue in which addresses take turns, however many tickets each of them has.

use std::collections::VecDeque;
use std::net::IpAddr;

/// How many addresses' latest turns are kept.
const SERVED_KEPT: usize = 8;

/// Tickets that wait, by address.
///
/// Next is the address whose last turn is longest ago. One that is not among the last
/// [`SERVED_KEPT`] counts as having had none, and these go by when they came.
#[derive(Debug, Default)]
pub(super) struct FairQueue {
    waiting: Vec<(IpAddr, VecDeque<u64>)>,
    /// The latest at the end.
    served: VecDeque<IpAddr>,
}

impl FairQueue {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn push(&mut self, address: IpAddr, ticket: u64) {
        match self.waiting.iter_mut().find(|(own, _)| *own == address) {
            Some((_, tickets)) => tickets.push_back(ticket),
            None => self.waiting.push((address, VecDeque::from([ticket]))),
        }
    }

    /// Takes a ticket out.
    pub(super) fn remove(&mut self, address: IpAddr, ticket: u64) {
        let Some(at) = self.waiting.iter().position(|(own, _)| *own == address) else { return };
        self.waiting[at].1.retain(|own| *own != ticket);
        if self.waiting[at].1.is_empty() {
            self.waiting.remove(at);
        }
    }

    /// Takes a ticket out whose turn it is; its address is last from now on.
    pub(super) fn serve(&mut self, address: IpAddr, ticket: u64) {
        self.remove(address, ticket);
        if let Some(at) = self.waiting.iter().position(|(own, _)| *own == address) {
            let entry = self.waiting.remove(at);
            self.waiting.push(entry);
        }
        self.served.retain(|own| *own != address);
        self.served.push_back(address);
        if self.served.len() > SERVED_KEPT {
            self.served.pop_front();
        }
    }

    /// The addresses that wait, the next one first, each with its tickets, the oldest first.
    pub(super) fn in_order(&self) -> Vec<(IpAddr, &VecDeque<u64>)> {
        let mut order: Vec<_> = self.waiting.iter().map(|(address, tickets)| (*address, tickets)).collect();
        order.sort_by_key(|(address, _)| self.turn_of(*address)); // stable: else by when they came
        order
    }

    /// The ticket that is next.
    pub(super) fn next(&self) -> Option<u64> {
        let (_, tickets) = self.waiting.iter().min_by_key(|(address, _)| self.turn_of(*address))?;
        tickets.front().copied()
    }

    /// The turns that others and the address itself have before one more ticket of the address.
    pub(super) fn ahead_of(&self, address: IpAddr) -> usize {
        let own = self.len_of(address);
        let own_turn = self.turn_of(address);
        let place = self.waiting.iter().position(|(other, _)| *other == address);
        let place = place.unwrap_or(self.waiting.len());
        let others = self.waiting.iter().enumerate().filter(|(_, (other, _))| *other != address);
        let before = others.map(|(index, (other, tickets))| {
            let goes_first = (self.turn_of(*other), index) < (own_turn, place);
            tickets.len().min(own + usize::from(goes_first))
        });
        own + before.sum::<usize>()
    }

    pub(super) fn len_of(&self, address: IpAddr) -> usize {
        self.waiting.iter().find(|(own, _)| *own == address).map_or(0, |(_, tickets)| tickets.len())
    }

    /// The most tickets of one address, and the latest of these.
    pub(super) fn longest(&self) -> Option<(usize, u64)> {
        let (_, tickets) = self.waiting.iter().max_by_key(|(_, tickets)| tickets.len())?;
        tickets.back().map(|latest| (tickets.len(), *latest))
    }

    /// 0 without a turn lately, else the more, the later it was.
    fn turn_of(&self, address: IpAddr) -> usize {
        self.served.iter().position(|own| *own == address).map_or(0, |at| at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u8) -> IpAddr {
        [203, 0, 113, n].into()
    }

    /// Serves all that waits; whose turns they were.
    fn turns(queue: &mut FairQueue) -> Vec<(IpAddr, u64)> {
        let mut turns = Vec::new();
        while let Some(ticket) = queue.next() {
            let (address, tickets) = queue.in_order()[0];
            assert_eq!(tickets[0], ticket);
            queue.serve(address, ticket);
            turns.push((address, ticket));
        }
        turns
    }

    #[test]
    fn addresses_take_turns_and_each_keeps_its_order() {
        let mut queue = FairQueue::default();
        for ticket in 0..3 {
            queue.push(address(1), ticket);
        }
        queue.push(address(2), 10);
        queue.push(address(3), 20);
        queue.push(address(3), 21);
        let one = |n, ticket| (address(n), ticket);
        let right = [one(1, 0), one(2, 10), one(3, 20), one(1, 1), one(3, 21), one(1, 2)];
        assert_eq!(turns(&mut queue), right);
        assert!(queue.is_empty());
    }

    #[test]
    fn who_had_no_turn_lately_goes_before_those_who_had() {
        let mut queue = FairQueue::default();
        for ticket in 0..100 {
            queue.push(address(1), ticket);
        }
        queue.serve(address(1), 0);
        queue.push(address(2), 200);
        assert_eq!(queue.ahead_of(address(3)), 1, "a newcomer goes behind the other newcomer alone");
        assert_eq!(queue.ahead_of(address(1)), 100);
        assert_eq!(turns(&mut queue)[0], (address(2), 200));
        // Also if it waits only now and then.
        queue.push(address(1), 300);
        queue.push(address(3), 400);
        assert_eq!(turns(&mut queue)[0], (address(3), 400));
    }

    #[test]
    fn newcomers_do_not_starve_those_who_wait() {
        let mut queue = FairQueue::default();
        queue.push(address(1), 0);
        queue.serve(address(1), 0);
        queue.push(address(1), 1);
        let mut turns = 0;
        while queue.len_of(address(1)) == 1 {
            turns += 1;
            queue.push(address(100 + turns), 1_000 + u64::from(turns));
            let (next, tickets) = queue.in_order()[0];
            let ticket = tickets[0];
            queue.serve(next, ticket);
        }
        assert!(usize::from(turns) <= SERVED_KEPT + 1, "{turns}");
    }

    #[test]
    fn who_leaves_is_not_counted() {
        let mut queue = FairQueue::default();
        queue.push(address(1), 0);
        queue.push(address(1), 1);
        queue.push(address(2), 2);
        assert_eq!(queue.longest(), Some((2, 1)));
        queue.remove(address(1), 0);
        queue.remove(address(1), 0);
        assert_eq!(queue.len_of(address(1)), 1);
        queue.remove(address(2), 2);
        assert_eq!(turns(&mut queue), [(address(1), 1)]);
        assert_eq!(queue.longest(), None);
    }
}
