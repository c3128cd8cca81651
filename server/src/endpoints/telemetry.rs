//! `POST /api/telemetry/{page_view,event,order}`: one fact, or an array of them. 204 is sent after their commit.

pub(in crate::endpoints) mod fields;
mod properties;

use hyper::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use visitflow_protocol::{limits, problem as kind};

use super::{candidate, dropped, hit, key_of, not_a_person, set_cookies, site, visitor, wire};
use crate::address;
use crate::call::Call;
use crate::config::Orders;
use crate::http::body::{self, malformed};
use crate::http::problem::{Problem, Rejected};
use crate::http::reply::{self, Reply};
use crate::ledger::kinds::{Event, Fact, Kind, Order, PageView, Refund, Run};
use crate::lifecycle::Hit;
use crate::observe::{Drop, Stored};
use crate::session::Millis;
use crate::session::visit::VisitorId;

/// Page views.
pub async fn page_view(call: Call<'_>) -> Result<Reply, Problem> {
    accept::<wire::PageView>(call).await
}

/// Custom events.
pub async fn event(call: Call<'_>) -> Result<Reply, Problem> {
    accept::<wire::Event>(call).await
}

/// Orders, from the browser or, with an API key, from the shop's own server; refunds from the latter.
pub async fn order(call: Call<'_>) -> Result<Reply, Problem> {
    if call.key.is_none() && call.app.config.orders == Orders::Server {
        return Err(Problem::forbidden(
            "This server accepts orders only from the shop's own server; send them with an API key.",
        ));
    }
    accept::<wire::Order>(call).await
}

/// A fact as it comes over the wire.
trait Item: DeserializeOwned {
    const STORED: Stored;

    /// `navigator.webdriver`.
    fn webdriver(&self) -> bool;

    /// Checks every field.
    fn check(self, call: &Call<'_>) -> Result<Checked, Problem>;
}

struct Checked {
    fact: Fact,
    visitor: Option<VisitorId>,
    /// Whether the body names the visitor, and not the cookie alone.
    named: bool,
}

async fn accept<T: Item>(mut call: Call<'_>) -> Result<Reply, Problem> {
    let body = call.body().await?;
    if let Some(reason) = nobody::<T>(&call, false) {
        return Ok(dropped(&call, reason));
    }
    let (items, rejected) = parse::<T>(&call, &body)?;
    let mut answer =
        if items.is_empty() { reply::no_content() } else { store(&call, T::STORED, items).await? };
    if !rejected.is_empty() {
        let detail =
            "Some items were refused; the others are stored. Correct and resend those that `rejected` lists.";
        let problem =
            Problem { rejected, ..Problem::new(StatusCode::BAD_REQUEST, kind::REJECTED_ITEMS, detail) };
        let cookies = std::mem::take(answer.headers_mut());
        answer = reply::problem(&problem);
        answer.headers_mut().extend(cookies);
    }
    Ok(answer)
}

/// Whether the request is not counted. Orders and refunds with an API key always count: the shop's server may have the
/// user agent of a tool.
fn nobody<T: Item>(call: &Call<'_>, webdriver: bool) -> Option<Drop> {
    let vouched_for = call.key.is_some() && T::STORED == Stored::Order;
    if vouched_for { None } else { not_a_person(call, webdriver) }
}

/// The valid items of a body, and the errors of the others. A body that is not an array fails as a whole.
fn parse<T: Item>(call: &Call<'_>, body: &[u8]) -> Result<(Vec<Checked>, Vec<Rejected>), Problem> {
    let one = |item: T| -> Result<Option<Checked>, Problem> {
        if let Some(reason) = nobody::<T>(call, item.webdriver()) {
            call.app.metrics.dropped(reason);
            return Ok(None);
        }
        let checked = item.check(call)?;
        if checked.fact.site.as_ref().is_some_and(|site| !call.app.config.takes(site)) {
            call.app.metrics.dropped(Drop::OtherSite);
            return Ok(None);
        }
        Ok(Some(checked))
    };
    if body.trim_ascii_start().first() != Some(&b'[') {
        return Ok((one(body::json(body)?)?.into_iter().collect(), Vec::new()));
    }
    let raw: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("The body is not a JSON array: {error}.")))?;
    if raw.len() > limits::ARRAY_ITEMS {
        return Err(Problem::field(format!(
            "An array holds at most {} items; send the rest in another request.",
            limits::ARRAY_ITEMS
        )));
    }
    let (mut items, mut rejected) = (Vec::with_capacity(raw.len()), Vec::new());
    for (index, item) in raw.into_iter().enumerate() {
        match body::json(item.get().as_bytes()).and_then(one) {
            Ok(item) => items.extend(item),
            Err(problem) => rejected.push(problem.rejected_at(index)),
        }
    }
    Ok((items, rejected))
}

/// Commits the facts and answers, with the cookie that is right after the commit.
async fn store(call: &Call<'_>, stored: Stored, items: Vec<Checked>) -> Result<Reply, Problem> {
    let is_refund = |item: &&Checked| matches!(item.fact.kind, Kind::Refund(_));
    let (count, refunds) = (items.len() as u64, items.iter().filter(is_refund).count() as u64);
    // Cookies are not even read for anonymous facts, nor with an API key.
    let touches_cookies = call.key.is_none() && items.iter().any(|item| !item.fact.anonymous);
    let token = if touches_cookies { call.token()? } else { None };
    let named = items.iter().all(|item| item.named);
    let runs = by_visitor(items);
    let named = runs.first().and_then(|run| run.visitor).filter(|_| named && runs.len() == 1);
    let hit = Hit { key_of: key_of(call, named), ..hit(call, token, None) };
    let (outcome, cookies) =
        call.app.lifecycle.facts(hit, runs, call.allowance(), || candidate(call)).await?;
    let kept = count - u64::from(outcome.refused.erased + outcome.refused.of_other_sites);
    call.app.metrics.stored(stored, kept.saturating_sub(refunds), u64::from(outcome.duplicates));
    call.app.metrics.stored(Stored::Refund, refunds.min(kept), 0);
    let mut answer = reply::no_content();
    set_cookies(call, &mut answer, &cookies);
    Ok(answer)
}

/// Facts in their order, cut where the visitor changes.
fn by_visitor(items: Vec<Checked>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for Checked { fact, visitor, .. } in items {
        match runs.last_mut() {
            Some(run) if run.visitor == visitor => run.facts.push(fact),
            _ => runs.push(Run { visitor, facts: vec![fact] }),
        }
    }
    runs
}

impl Item for wire::PageView {
    const STORED: Stored = Stored::PageView;

    fn webdriver(&self) -> bool {
        self.webdriver
    }

    fn check(self, call: &Call<'_>) -> Result<Checked, Problem> {
        let anonymous = self.anonymous || call.gpc();
        let keep = call.app.config.keep_query;
        let page = fields::page_address(self.url.as_deref(), keep)?;
        let occurred_at = fields::occurred_at(call.now, self.age_ms)?;
        let site = site(call, self.site.as_deref(), Some(&page))?;
        let referrer = self.referrer.and_then(|referrer| address::referrer(&referrer, keep));
        let kind = Kind::PageView(PageView {
            id: fields::fact_id(self.id.as_deref(), occurred_at)?,
            path: page.path,
            referrer: referrer.map(|referrer| fields::of_somebody(referrer, anonymous)),
            title: fields::title(self.title),
            device: fields::device(self.device).filter(|_| !anonymous),
            sequence: fields::sequence(self.sequence).filter(|_| !anonymous),
            url: fields::of_somebody(page.url, anonymous),
        });
        checked(call, self.visitor_id.as_deref(), site, occurred_at, anonymous, kind)
    }
}

impl Item for wire::Event {
    const STORED: Stored = Stored::Event;

    fn webdriver(&self) -> bool {
        self.webdriver
    }

    fn check(self, call: &Call<'_>) -> Result<Checked, Problem> {
        let anonymous = self.anonymous || call.gpc();
        let name = self
            .name
            .filter(|name| !name.is_empty())
            .ok_or_else(|| Problem::field("`name` is missing; name the event."))?;
        if name.chars().count() > limits::EVENT_NAME_CHARS {
            return Err(Problem::field(format!(
                "`name` must have at most {} characters.",
                limits::EVENT_NAME_CHARS
            )));
        }
        let name = fields::text("name", Some(name), usize::MAX)?.unwrap_or_default();
        let occurred_at = fields::occurred_at(call.now, self.age_ms)?;
        let page = fields::page_beside(self.url.as_deref(), call.app.config.keep_query);
        let site = site(call, self.site.as_deref(), page.as_ref())?;
        require_site(call, site.as_ref(), self.visitor_id.is_some())?;
        let kind = Kind::Event(Event {
            id: fields::fact_id(self.id.as_deref(), occurred_at)?,
            name: address::text(&name).into_owned(),
            props: properties::props(self.props),
            url: page.map(|page| fields::of_somebody(page.url, anonymous)),
        });
        checked(call, self.visitor_id.as_deref(), site, occurred_at, anonymous, kind)
    }
}

impl Item for wire::Order {
    const STORED: Stored = Stored::Order;

    fn webdriver(&self) -> bool {
        self.webdriver
    }

    fn check(self, call: &Call<'_>) -> Result<Checked, Problem> {
        let from_api = call.key.is_some();
        if self.refund_of.is_some() && !from_api {
            return Err(Problem::forbidden(
                "Refunds are accepted only from the shop's own server; send an API key that has the scope `write`.",
            ));
        }
        let id = self.id.ok_or_else(|| Problem::field("`id` is missing; send the shop's own number."))?;
        let id = fields::shop_number("id", id)?;
        let page = fields::page_beside(self.url.as_deref(), call.app.config.keep_query);
        let currency = fields::currency(self.currency)?;
        let user_id = if from_api { fields::short_text("user_id", self.user_id)? } else { None };
        let kind = match self.refund_of {
            Some(refund_of) => Kind::Refund(Refund {
                id,
                refund_of: fields::shop_number("refund_of", refund_of)?,
                amount: fields::refunded_amount(self.amount)?,
                currency,
                user_id,
            }),
            None => Kind::Order(Order {
                id,
                amount: fields::amount(self.amount)?,
                currency,
                items: properties::order_items(self.items),
                from_api,
                session: if from_api { fields::session_tag(self.session.as_deref())? } else { None },
                user_id,
            }),
        };
        let named_site = site(call, self.site.as_deref(), page.as_ref())?;
        let named = self.visitor_id.is_some();
        let visitor = visitor(call, self.visitor_id.as_deref())?.filter(|_| !call.gpc());
        // A refund usually comes long after the visit, so its site is not taken from a visit.
        let of_visit = match &kind {
            Kind::Order(order) => order.session.is_some() || visitor.is_some(),
            _ => false,
        };
        require_site(call, named_site.as_ref(), of_visit)?;
        let fact = Fact {
            site: named_site,
            occurred_at: fields::occurred_at(call.now, self.age_ms)?,
            anonymous: call.gpc(),
            kind,
        };
        Ok(Checked { fact, visitor, named })
    }
}

/// Refuses facts of a server that name neither a site nor a session or visitor: a server has no page, and may call
/// visitflow by any host.
fn require_site(call: &Call<'_>, site: Option<&String>, of_visit: bool) -> Result<(), Problem> {
    if call.key.is_none() || site.is_some() || of_visit {
        return Ok(());
    }
    Err(Problem::field(
        "`site` is missing. A request with an API key has no page, so name the site, such as shop.example.",
    ))
}

fn checked(
    call: &Call<'_>,
    visitor_id: Option<&str>,
    site: Option<String>,
    occurred_at: Millis,
    anonymous: bool,
    kind: Kind,
) -> Result<Checked, Problem> {
    let visitor = visitor(call, visitor_id)?.filter(|_| !anonymous);
    let named = visitor_id.is_some();
    Ok(Checked { fact: Fact { site, occurred_at, anonymous, kind }, visitor, named })
}
