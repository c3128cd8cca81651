//! Page views, events and orders for the cases.

use uuid::Uuid;
use visitflow_server::ledger::kinds::{Event, Fact, Kind, Order, PageView, Refund};
use visitflow_server::session::{Millis, uuid_v7};

/// A page view of this id.
pub(crate) fn page(id: Uuid) -> Kind {
    let url = "https://shop.example/a".into();
    Kind::PageView(PageView { id, url, path: "/a".into(), ..PageView::default() })
}

/// A page view at an instant.
pub(crate) fn view(at: Millis) -> Fact {
    fact(page(uuid_v7(at)), at)
}

/// An event at an instant.
pub(crate) fn event(name: &str, at: Millis) -> Fact {
    fact(Kind::Event(Event { id: uuid_v7(at), name: name.into(), ..Event::default() }), at)
}

/// An order from a browser.
pub(crate) fn order(id: &str, amount: &str, at: Millis) -> Fact {
    fact(Kind::Order(bought(id, amount)), at)
}

/// An order from the shop's own server.
pub(crate) fn shop_order(id: &str, amount: &str, at: Millis) -> Fact {
    fact(Kind::Order(Order { from_api: true, ..bought(id, amount) }), at)
}

/// An order without an API key.
pub(crate) fn bought(id: &str, amount: &str) -> Order {
    Order { id: id.into(), amount: amount.into(), currency: "EUR".into(), ..Order::default() }
}

/// A refund from the shop's own server.
pub(crate) fn refund(id: &str, refund_of: &str, amount: &str, at: Millis) -> Fact {
    fact(Kind::Refund(paid_back(id, refund_of, amount)), at)
}

/// A refund of an order.
pub(crate) fn paid_back(id: &str, refund_of: &str, amount: &str) -> Refund {
    Refund {
        id: id.into(),
        refund_of: refund_of.into(),
        amount: amount.into(),
        currency: "EUR".into(),
        ..Refund::default()
    }
}

/// A fact that names no site.
pub(crate) fn fact(kind: Kind, at: Millis) -> Fact {
    Fact { site: None, occurred_at: at, anonymous: false, kind }
}

/// The fact, on a site that it names.
pub(crate) fn on(site: &str, fact: Fact) -> Fact {
    Fact { site: Some(site.into()), ..fact }
}

/// The fact, without a visitor.
pub(crate) fn anonymous(fact: Fact) -> Fact {
    Fact { anonymous: true, ..fact }
}
