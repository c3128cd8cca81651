//! Orders and refunds: which source counts, and which visit they belong to.

use serde_json::Value;

use super::context::Context;
use super::kinds::order::{OrderRow, Source};
use super::kinds::refund::RefundRow;
use super::kinds::{Fact, Kind, Order, Refund};
use super::known::StoredOrder;
use super::world::World;
use crate::session::visit::{Visit, VisitorId};

/// The content of an order that two sources may report differently: amount, currency, items.
type Content<'a> = (&'a str, &'a str, Option<&'a str>);

impl<'c> World<'_, 'c> {
    /// Stores an order. It starts no visit, and counts as no activity.
    ///
    /// An order of the shop itself replaces one of a browser; nothing else replaces anything. If two browsers send
    /// one number with different content, the first stays and is disputed.
    pub(super) fn order(
        &mut self,
        context: &Context,
        visitor: Option<VisitorId>,
        fact: &Fact,
        order: &'c Order,
        site: &str,
        own: Option<Visit>,
    ) -> bool {
        let source = if order.from_api { Source::Api } else { Source::Browser };
        let said: Content<'_> = (&order.amount, &order.currency, order.items.as_deref());
        let written = self.order_of_batch(site, &order.id);
        let stored = match written {
            Some(index) => {
                let row = &self.changes.orders[index];
                Some((row.source, differ(said, row.content())))
            }
            None => self
                .stored_order(site, &order.id)
                .map(|stored| (stored.source, differ(said, stored.content()))),
        };
        match (stored, source) {
            (None, _) | (Some((Source::Browser, _)), Source::Api) => {}
            (Some((Source::Browser, true)), Source::Browser) => {
                match written {
                    Some(index) => self.changes.orders[index].disputed = true,
                    None => self.changes.disputes.push((site.to_owned(), &order.id)),
                }
                return false;
            }
            (Some(_), _) => return false,
        }
        let visit = if fact.anonymous { None } else { self.visit_of_order(visitor, fact, order, site, own) };
        let visitor = visitor.filter(|_| !fact.anonymous);
        let mut row = OrderRow {
            site: site.to_owned(),
            visit_id: visit.as_ref().map(|visit| visit.id),
            visitor_id: visit.as_ref().and_then(|visit| visit.visitor_id).or(visitor),
            user_id: order.user_id.clone().or_else(|| visit.and_then(|visit| visit.user_id)),
            items: order.items.as_deref(),
            source,
            disputed: false,
            created_at: fact.occurred_at,
            received_at: context.now,
            order,
        };
        if let Some(index) = written {
            let before = &mut self.changes.orders[index];
            row.visit_id = row.visit_id.or(before.visit_id);
            row.visitor_id = row.visitor_id.or(before.visitor_id);
            row.user_id = row.user_id.or(before.user_id.take());
            row.items = row.items.or(before.items);
            *before = row;
        } else {
            self.changes.orders.push(row);
            self.note_order(site, &order.id, self.changes.orders.len() - 1);
        }
        true
    }

    /// Stores a refund that is not a duplicate. Its order need not be stored yet: the database joins the two, whichever
    /// comes first.
    pub(super) fn refund(
        &mut self,
        context: &Context,
        visitor: Option<VisitorId>,
        fact: &Fact,
        refund: &'c Refund,
        site: &str,
    ) -> bool {
        if self.is_refund_stored(site, &refund.id) {
            return false;
        }
        self.note_refund(site, &refund.id);
        self.changes.refunds.push(RefundRow {
            site: site.to_owned(),
            visitor_id: visitor.filter(|_| !fact.anonymous),
            created_at: fact.occurred_at,
            received_at: context.now,
            refund,
        });
        true
    }

    /// The site of the session that an order names.
    pub(super) fn site_of_order(&mut self, kind: &Kind) -> Option<String> {
        let Kind::Order(Order { session: Some(tag), .. }) = kind else { return None };
        let visit_id = self.token(*tag)?.visit_id?;
        self.visit(visit_id).map(|row| row.visit.site.clone())
    }

    fn visit_of_order(
        &mut self,
        visitor: Option<VisitorId>,
        fact: &Fact,
        order: &Order,
        site: &str,
        own: Option<Visit>,
    ) -> Option<Visit> {
        if own.is_some() {
            return own;
        }
        let of_session = order.session.and_then(|tag| self.token(tag)).and_then(|record| record.visit_id);
        if let Some(row) = of_session.and_then(|id| self.visit(id)) {
            return Some(row.visit.clone());
        }
        if let Some(visit) = self.visit_at(site, visitor, fact.occurred_at) {
            return Some(visit);
        }
        let visit = self.visit_of_user_at(order.user_id.as_deref()?, fact.occurred_at)?;
        visit.covers(fact.occurred_at, self.ttl).then_some(visit)
    }
}

impl OrderRow<'_> {
    fn content(&self) -> Content<'_> {
        (&self.order.amount, &self.order.currency, self.items)
    }
}

impl StoredOrder {
    fn content(&self) -> Content<'_> {
        (&self.amount, &self.currency, self.items.as_deref())
    }
}

/// Whether two versions of an order contradict each other. The spelling of a number or a list makes no difference,
/// and a version without items contradicts none.
fn differ(one: Content<'_>, other: Content<'_>) -> bool {
    number(one.0) != number(other.0) || one.1 != other.1 || items_differ(one.2, other.2)
}

/// A decimal without trailing zeros.
fn number(amount: &str) -> &str {
    if amount.contains('.') { amount.trim_end_matches('0').trim_end_matches('.') } else { amount }
}

fn items_differ(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    let list = |items| serde_json::from_str::<Value>(items).ok();
    one != other
        && match (list(one), list(other)) {
            (Some(one), Some(other)) => !is_same(&one, &other),
            _ => true,
        }
}

/// Whether two JSON values are equal: 1 and 1.0 are one number.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let is_in_other = |(name, value)| other.get(name).is_some_and(|other| is_same(value, other));
            one.len() == other.len() && one.iter().all(is_in_other)
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ledger::commands::{Command, Facts, SignIn, Start};
    use crate::ledger::kinds::{Event, Run};
    use crate::ledger::{Changes, Known, plan};
    use crate::session::record::SignedIn;
    use crate::session::token::SessionToken;
    use crate::session::{Caller, Millis, Ttl};

    const NOW: Millis = 1_790_000_000_000;

    /// What a batch changes where nothing is stored.
    fn planned(commands: &[Command]) -> Changes<'_> {
        let mut known = Known::default();
        loop {
            match plan(commands, &[], &known, Ttl::DEFAULT) {
                Ok(plan) => return plan.changes,
                Err(wants) => known.asked(*wants),
            }
        }
    }

    fn context() -> Context {
        Context { now: NOW, caller: Caller::Nothing, candidate: None, visitor: None, key: None, site: None }
    }

    fn visitor(n: usize) -> VisitorId {
        format!("v_018f3a5e-7c1b-4f6a-9d2e-{n:012x}").parse().unwrap()
    }

    fn fact(occurred_at: Millis, kind: Kind) -> Fact {
        Fact { site: Some("shop.example".into()), occurred_at, anonymous: false, kind }
    }

    /// Late events of so many visitors: each begins a visit.
    fn events(many: usize) -> Command {
        let event = || Kind::Event(Event { id: Uuid::now_v7(), name: "seen".into(), ..Event::default() });
        let late = NOW - Ttl::DEFAULT.idle_ms;
        let run = |n| Run { visitor: Some(visitor(n)), facts: vec![fact(late, event())] };
        Facts { context: context(), runs: (0..many).map(run).collect() }.into()
    }

    /// A visitor signs in, and then the shop tells so many orders of that user, one each millisecond.
    fn orders(many: usize) -> [Command; 3] {
        let (presented, candidate) =
            (SessionToken::issue().unwrap().proof(), SessionToken::issue().unwrap().proof());
        let ann = Some(visitor(usize::from(u16::MAX) * 16));
        let user = SignedIn { user_id: "u_1".into(), device: None, remember: false };
        let order = |n: usize| {
            let (id, amount, currency) = (n.to_string(), "1".into(), "EUR".into());
            let user_id = Some("u_1".into());
            let order = Order { id, amount, currency, items: None, from_api: true, session: None, user_id };
            fact(NOW + n as Millis, Kind::Order(order))
        };
        [
            Start {
                context: Context { candidate: Some(presented), visitor: ann, ..context() },
                site: Some("shop.example".into()),
                url: None,
                referrer: None,
            }
            .into(),
            SignIn { now: NOW, presented: Some(presented), candidate, user, verified: None, visit: true }
                .into(),
            Facts {
                context: context(),
                runs: vec![Run { visitor: None, facts: (0..many).map(order).collect() }],
            }
            .into(),
        ]
    }

    /// Of so many visits that a scan for each order would take a minute.
    #[test]
    fn an_order_finds_the_visit_that_its_batch_has_given_the_user() {
        const MANY: usize = 20_000;
        let all: Vec<Command> = [events(MANY)].into_iter().chain(orders(MANY)).collect();
        let changes = planned(&all);
        assert_eq!(changes.visits.len(), MANY + 1);
        let visit = changes.visits.iter().find(|put| put.row.visit.user_id.is_some());
        let visit_id = visit.map(|put| put.row.visit.id);
        assert!(visit_id.is_some() && changes.orders.len() == MANY);
        assert!(changes.orders.iter().all(|order| order.visit_id == visit_id));
    }

    #[test]
    fn two_versions_of_an_order_differ_in_content_and_not_in_spelling() {
        let said = ("49.90", "EUR", Some(r#"[{"sku":"a","price":1,"sizes":[38]}]"#));
        let spelt = Some(r#"[ {"price": 1.0, "sizes": [38.00], "sku": "a"} ]"#);
        for same in [("49.9000", "EUR", said.2), ("49.9", "EUR", spelt), ("49.90", "EUR", None)] {
            assert!(!differ(said, same) && !differ(same, said), "{same:?}");
        }
        let items = [
            r#"[{"sku":"a","price":1.01,"sizes":[38]}]"#,
            r#"[{"sku":"a","price":"1","sizes":[38]}]"#,
            r#"[{"sku":"a","price":1,"sizes":[38],"gift":true}]"#,
            r#"[{"sku":"a","price":1,"size":[38]}]"#,
            r#"[{"sku":"a","price":1,"sizes":[38,39]}]"#,
            "[]",
        ];
        let others = items.map(|items| ("49.90", "EUR", Some(items)));
        for other in others.into_iter().chain([("49.91", "EUR", said.2), ("49.90", "USD", said.2)]) {
            assert!(differ(said, other) && differ(other, said), "{other:?}");
        }
        assert!(!differ(("100", "EUR", None), ("100.0000", "EUR", None)));
        assert!(differ(("100", "EUR", None), ("1", "EUR", None)));
    }
}
