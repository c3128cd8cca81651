//! The dashboard's questions, and their answers.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use visitflow_protocol::limits;

use crate::session::Millis;

/// Longest report.
pub const LIMIT: Duration = Duration::from_secs(30);

/// What a report is about: the time `[from, to)`, of one site or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Start, inclusive.
    pub from: Millis,
    /// End, exclusive.
    pub to: Millis,
    /// The site, or all.
    pub site: Option<String>,
}

impl Selection {
    /// No order of a visit that began in this time is older: an order says how long ago it was placed,
    /// and the visit was there when it came.
    pub(crate) fn orders_since(&self) -> Millis {
        self.from.saturating_sub_unsigned(limits::AGE_MS)
    }
}

/// Visits of a selection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visits {
    /// How many.
    pub total: u64,
    /// Distinct users, or visitors where no user is known.
    pub unique_visitors: u64,
    /// Visits with one page view and no event.
    pub bounces: u64,
    /// Mean of last activity minus start.
    pub average_ms: Option<f64>,
}

/// Orders and refunds of a selection in one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Money {
    /// ISO 4217.
    pub currency: String,
    /// How many orders.
    pub orders: u64,
    /// Sum of the orders' amounts.
    pub revenue: f64,
    /// Mean of the orders' amounts.
    pub average: Option<f64>,
    /// How many refunds.
    pub refunds: u64,
    /// Sum of the refunds' amounts.
    pub refunded: f64,
    /// Revenue minus refunds.
    pub net_revenue: f64,
}

/// How many rows a currency has, and the exact sum of their amounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) currency: String,
    pub(crate) count: u64,
    pub(crate) ten_thousandths: i128,
}

impl Sum {
    /// From the two sums that a database computes: `whole`, and ten-thousandths.
    pub(crate) fn new(currency: String, count: u64, whole: i64, ten_thousandths: i64) -> Self {
        let ten_thousandths = i128::from(whole) * 10_000 + i128::from(ten_thousandths);
        Self { currency, count, ten_thousandths }
    }
}

impl Money {
    /// Puts orders and refunds together, the currency with the most orders first, then the one with
    /// the most refunds.
    pub(crate) fn of(orders: Vec<Sum>, refunds: Vec<Sum>) -> Vec<Self> {
        let mut sums: BTreeMap<String, (Sum, Sum)> = BTreeMap::new();
        for sum in orders {
            let one = sums.entry(sum.currency.clone()).or_default();
            one.0 = sum;
        }
        for sum in refunds {
            let one = sums.entry(sum.currency.clone()).or_default();
            one.1 = sum;
        }
        let mut money: Vec<Self> = sums
            .into_iter()
            .map(|(currency, (orders, refunds))| Self::new(currency, &orders, &refunds))
            .collect();
        money.sort_by_key(|money| Reverse((money.orders, money.refunds))); // stable: then by name
        money
    }

    /// Each figure is rounded once, at the end.
    #[expect(clippy::cast_precision_loss, reason = "the one rounding; below 2^53 there is none before it")]
    fn new(currency: String, orders: &Sum, refunds: &Sum) -> Self {
        let amount = |ten_thousandths: i128| ten_thousandths as f64 / 10_000.0;
        let average = orders.ten_thousandths as f64 / (orders.count as f64 * 10_000.0);
        Self {
            currency,
            orders: orders.count,
            revenue: amount(orders.ten_thousandths),
            average: (orders.count > 0).then_some(average),
            refunds: refunds.count,
            refunded: amount(refunds.ten_thousandths),
            net_revenue: amount(orders.ten_thousandths - refunds.ten_thousandths),
        }
    }
}

/// A label and its counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted<L> {
    /// The label.
    pub label: L,
    /// The main count.
    pub count: u64,
    /// Distinct visits, where the report has them.
    pub visits: u64,
}

/// The headline figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// Visits.
    pub visits: Visits,
    /// Page views.
    pub page_views: u64,
    /// Orders and refunds, the most frequent currency first.
    pub money: Vec<Money>,
    /// Orders that two browsers have sent with different content.
    pub disputed: u64,
    /// Visits with an order, at any time.
    pub converted: u64,
    /// Visits that are active now.
    pub active: u64,
}

/// A point of a time series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// Visits that began.
    pub visits: u64,
    /// Distinct users, or visitors where no user is known.
    pub unique_visitors: u64,
    /// Page views.
    pub page_views: u64,
    /// Orders by currency.
    pub orders: BTreeMap<String, u64>,
}

/// What happens at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Visits that are active.
    pub active: u64,
    /// The page that each of them viewed last.
    pub pages: Vec<Counted<String>>,
    /// Page views per minute: (minute from the start on, count), in order, empty minutes left out.
    pub per_minute: Vec<(usize, u64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(orders: (u64, i64, i64), refunds: (u64, i64, i64)) -> Money {
        let sum = |(count, whole, fraction)| Sum::new("EUR".into(), count, whole, fraction);
        Money::of(vec![sum(orders)], vec![sum(refunds)]).remove(0)
    }

    #[test]
    fn money_is_rounded_once() {
        let third = money((3, 100, 0), (0, 0, 0));
        assert_eq!((third.revenue, third.average), (100.0, Some(100.0 / 3.0)));
        let cents = money((10, 0, 10_000), (3, 0, 3_000));
        assert_eq!((cents.revenue, cents.average), (1.0, Some(0.1)));
        assert_eq!((cents.refunded, cents.net_revenue), (0.3, 0.7));
    }

    #[test]
    fn refunds_without_orders_have_no_average_and_come_after_what_was_sold() {
        let sum = |currency: &str, count| Sum::new(currency.into(), count, 5, 0);
        let orders = vec![sum("USD", 1), sum("EUR", 2), sum("CHF", 1)];
        let refunds = vec![sum("SEK", 2), sum("JPY", 3), sum("USD", 1), sum("AUD", 3)];
        let money = Money::of(orders, refunds);
        let order: Vec<&str> = money.iter().map(|money| &*money.currency).collect();
        assert_eq!(order, ["EUR", "USD", "CHF", "AUD", "JPY", "SEK"]);
        let yen = &money[4];
        assert_eq!((yen.orders, yen.average, yen.refunds), (0, None, 3));
        assert_eq!((yen.revenue, yen.refunded, yen.net_revenue), (0.0, 5.0, -5.0));
    }
}
