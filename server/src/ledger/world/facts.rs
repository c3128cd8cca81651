//! Facts, orders, refunds and engagements as the batch has them.

use uuid::Uuid;

use super::World;
use crate::ledger::changes::Engagement;
use crate::ledger::known::{StoredOrder, Table};

impl<'k, 'c> World<'k, 'c> {
    /// Whether a page view or an event is stored already.
    pub(in crate::ledger) fn is_stored(&mut self, table: Table, id: Uuid, site: &str) -> bool {
        let key = (table, id, site.to_owned());
        if self.facts.contains(&key) || self.known.facts.contains(&key) {
            return true;
        }
        if !self.known.has(|asked| asked.facts.contains(&key)) {
            self.wants.facts.insert(key);
        }
        false
    }

    /// Notes that the batch stores this fact.
    pub(in crate::ledger) fn note_stored(&mut self, table: Table, id: Uuid, site: &str) {
        self.facts.insert((table, id, site.to_owned()));
    }

    /// Where the batch writes an order of this key, if it does.
    pub(in crate::ledger) fn order_of_batch(&self, site: &str, id: &'c str) -> Option<usize> {
        self.orders.get(&(site.to_owned(), id)).copied()
    }

    pub(in crate::ledger) fn note_order(&mut self, site: &str, id: &'c str, index: usize) {
        self.orders.insert((site.to_owned(), id), index);
    }

    /// What is stored of an order, if it is.
    pub(in crate::ledger) fn stored_order(&mut self, site: &str, id: &str) -> Option<&'k StoredOrder> {
        let key = (site.to_owned(), id.to_owned());
        let stored = self.known.orders.get(&key);
        self.wants.orders.insert(key);
        stored
    }

    /// Whether a refund is stored, or is written by the batch.
    pub(in crate::ledger) fn is_refund_stored(&mut self, site: &str, id: &'c str) -> bool {
        let key = (site.to_owned(), id.to_owned());
        let stored = self.known.refunds.contains(&key);
        self.wants.refunds.insert(key);
        stored || self.refunds.contains(&(site.to_owned(), id))
    }

    pub(in crate::ledger) fn note_refund(&mut self, site: &str, id: &'c str) {
        self.refunds.insert((site.to_owned(), id));
    }

    /// Notes an engagement; the greatest figures of the batch stay.
    pub(in crate::ledger) fn engage(&mut self, said: Engagement) {
        let key = (said.page_view_id, said.visit_id);
        let (engaged_ms, scroll_pct) = (said.engaged_ms, said.scroll_pct);
        let noted =
            self.engagements.entry(key).or_insert(Engagement { engaged_ms: 0, scroll_pct: 0, ..said });
        noted.engaged_ms = noted.engaged_ms.max(engaged_ms);
        noted.scroll_pct = noted.scroll_pct.max(scroll_pct);
    }
}
