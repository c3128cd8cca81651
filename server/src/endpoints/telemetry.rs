//! `POST /api/telemetry/{page_view,event,order}`: one fact, or an array of them. 204 comes after
//! the commit that holds them.

use hyper::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;
use uuid::Uuid;
use visitflow_protocol::{id as ids, limits, problem as kind, wire};

use super::{dropped, forbidden, hit, not_a_person, offer, set_cookie, site, visitor};
use crate::config::Orders;
use crate::http::body::{self, malformed};
use crate::http::problem::{Problem, Rejected};
use crate::http::reply::{self, Reply};
use crate::ingest::fact::{Fact, Kind, Order};
use crate::observe::Stored;
use crate::service::Call;
use crate::session::Millis;
use crate::session::token::Tag;
use crate::session::visit::VisitorId;
use crate::store::events::sqlite::ledger::uuid_v7;

/// Longest title kept, in bytes; the rest is cut off.
const TITLE_BYTES: usize = 512;

/// Page views.
pub async fn page_view(call: Call<'_>) -> Result<Reply, Problem> {
    accept::<wire::PageView>(call).await
}

/// Custom events.
pub async fn event(call: Call<'_>) -> Result<Reply, Problem> {
    accept::<wire::Event>(call).await
}

/// Orders, from the browser or, with an API key, from the shop's own server.
pub async fn order(call: Call<'_>) -> Result<Reply, Problem> {
    if call.key.is_none() && call.app.config.orders == Orders::Server {
        return Err(forbidden(
            "This server takes orders from the shop's own server only; send them with an API key.",
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
}

async fn accept<T: Item>(mut call: Call<'_>) -> Result<Reply, Problem> {
    if call.key.is_some_and(|key| !key.write) {
        return Err(forbidden(
            "This API key has no scope `write`; make one with `visitflow key add NAME --scope write`.",
        ));
    }
    let body = call.body().await?;
    if let Some(reason) = not_a_person(&call, false) {
        return Ok(dropped(&call, reason));
    }
    let (items, rejected) = parse::<T>(&call, &body)?;
    let mut answer = if items.is_empty() {
        reply::no_content()
    } else {
        store(&call, T::STORED, items).await?
    };
    if !rejected.is_empty() {
        let detail = "Some items were refused and the others are stored; mend and resend those that `rejected` lists.";
        let problem = Problem {
            rejected,
            ..Problem::new(StatusCode::BAD_REQUEST, kind::REJECTED_ITEMS, detail)
        };
        let cookies = std::mem::take(answer.headers_mut());
        answer = reply::problem(&problem);
        answer.headers_mut().extend(cookies);
    }
    Ok(answer)
}

/// The valid items of a body, and what is wrong with the others. A body that is no array fails as
/// a whole.
fn parse<T: Item>(call: &Call<'_>, body: &[u8]) -> Result<(Vec<Checked>, Vec<Rejected>), Problem> {
    let one = |item: T| -> Result<Option<Checked>, Problem> {
        if let Some(reason) = not_a_person(call, item.webdriver()) {
            call.app.metrics.dropped(reason);
            return Ok(None);
        }
        item.check(call).map(Some)
    };
    if body.trim_ascii_start().first() != Some(&b'[') {
        return Ok((one(body::json(body)?)?.into_iter().collect(), Vec::new()));
    }
    let raw: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("The body is no JSON array: {error}.")))?;
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

/// Commits the facts and answers with the cookie that is right then.
async fn store(call: &Call<'_>, stored: Stored, items: Vec<Checked>) -> Result<Reply, Problem> {
    let count = items.len() as u64;
    // Cookies are not even read for what is anonymous, nor for what a server sends.
    let touches_cookies = call.key.is_none() && items.iter().any(|item| !item.fact.anonymous);
    let token = if touches_cookies { call.token()? } else { None };
    let (twins, cookie) = call
        .app
        .lifecycle
        .facts(hit(call, token, None), by_visitor(items), || offer(call))
        .await?;
    call.app.metrics.stored(stored, count, u64::from(twins));
    let mut answer = reply::no_content();
    set_cookie(call, &mut answer, &cookie);
    Ok(answer)
}

/// Facts in their order, cut where the visitor changes: a browser sends one visitor's, a server's
/// batch may hold many.
fn by_visitor(items: Vec<Checked>) -> Vec<(Option<VisitorId>, Vec<Fact>)> {
    let mut runs: Vec<(Option<VisitorId>, Vec<Fact>)> = Vec::new();
    for Checked { fact, visitor } in items {
        match runs.last_mut() {
            Some((last, facts)) if *last == visitor => facts.push(fact),
            _ => runs.push((visitor, vec![fact])),
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
        let url = page_address(self.url)?
            .ok_or_else(|| Problem::field("`url` is missing; send the page's address."))?;
        let path = Url::parse(&url)
            .map(|url| url.path().to_owned())
            .unwrap_or_default();
        let occurred_at = occurred_at(call.now, self.age_ms)?;
        let kind = Kind::PageView {
            id: fact_id(self.id.as_deref(), occurred_at)?,
            path,
            referrer: referrer(self.referrer)?,
            title: text(
                "title",
                self.title.map(|title| cut(title, TITLE_BYTES)),
                TITLE_BYTES,
            )?,
            device: device(self.device)?,
            url,
        };
        checked(
            call,
            self.visitor_id.as_deref(),
            self.site.as_deref(),
            occurred_at,
            anonymous,
            kind,
        )
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
            .ok_or_else(|| Problem::field("`name` is missing; say what happened."))?;
        if name.chars().count() > limits::EVENT_NAME_CHARS {
            return Err(Problem::field(format!(
                "`name` has at most {} characters.",
                limits::EVENT_NAME_CHARS
            )));
        }
        let name = text("name", Some(name), usize::MAX)?.unwrap_or_default();
        let occurred_at = occurred_at(call.now, self.age_ms)?;
        let kind = Kind::Event {
            id: fact_id(self.id.as_deref(), occurred_at)?,
            name,
            props: props(self.props)?,
            url: page_address(self.url)?,
        };
        checked(
            call,
            self.visitor_id.as_deref(),
            self.site.as_deref(),
            occurred_at,
            anonymous,
            kind,
        )
    }
}

impl Item for wire::Order {
    const STORED: Stored = Stored::Order;

    fn webdriver(&self) -> bool {
        self.webdriver
    }

    fn check(self, call: &Call<'_>) -> Result<Checked, Problem> {
        let from_api = call.key.is_some();
        let id = text("id", self.id, usize::MAX)?
            .ok_or_else(|| Problem::field("`id` is missing; send the shop's order number."))?;
        if id.is_empty() || id.chars().count() > limits::ORDER_ID_CHARS {
            return Err(Problem::field(format!(
                "`id` has 1 to {} characters.",
                limits::ORDER_ID_CHARS
            )));
        }
        let url = page_address(self.url)?;
        let order = Order {
            id,
            amount: amount(self.amount)?,
            currency: currency(self.currency)?,
            items: order_items(self.items)?,
            from_api,
            session: if from_api {
                session_tag(self.session.as_deref())?
            } else {
                None
            },
            user_id: if from_api {
                text("user_id", self.user_id, limits::TEXT_CHARS)?
            } else {
                None
            },
        };
        let named_site = site(call, self.site.as_deref(), url.as_deref())?;
        let visitor = visitor(call, self.visitor_id.as_deref())?.filter(|_| !call.gpc());
        let fact = Fact {
            site: named_site,
            occurred_at: occurred_at(call.now, self.age_ms)?,
            anonymous: call.gpc(),
            kind: Kind::Order(order),
        };
        Ok(Checked { fact, visitor })
    }
}

fn checked(
    call: &Call<'_>,
    visitor_id: Option<&str>,
    named_site: Option<&str>,
    occurred_at: Millis,
    anonymous: bool,
    kind: Kind,
) -> Result<Checked, Problem> {
    let (url, _) = kind.addresses();
    let site = site(call, named_site, url)?;
    let visitor = visitor(call, visitor_id)?.filter(|_| !anonymous);
    Ok(Checked {
        fact: Fact {
            site,
            occurred_at,
            anonymous,
            kind,
        },
        visitor,
    })
}

/// A fact's identifier: UUIDv7, made here if the client made none.
pub(super) fn fact_id(id: Option<&str>, occurred_at: Millis) -> Result<Uuid, Problem> {
    let Some(id) = id else {
        return Ok(uuid_v7(occurred_at));
    };
    let parsed = ids::is_uuid_v7(id).then(|| id.parse().ok()).flatten();
    parsed.ok_or_else(|| Problem::field("An id of a page view or an event is a UUID of version 7, such as 0193a5e7-7c1b-7f6a-9d2e-3b4c5d6e7f80."))
}

/// A page's address: absolute, http or https.
pub(super) fn page_address(url: Option<String>) -> Result<Option<String>, Problem> {
    let Some(url) = text("url", url, limits::URL_BYTES)?.filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    let absolute = Url::parse(&url)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if absolute {
        Ok(Some(url))
    } else {
        Err(Problem::field(
            "`url` is an absolute http(s) address, such as https://shop.example/shoes.",
        ))
    }
}

/// `document.referrer`: any text, for other apps send addresses of their own; empty is none.
pub(super) fn referrer(referrer: Option<String>) -> Result<Option<String>, Problem> {
    Ok(text("referrer", referrer, limits::URL_BYTES)?.filter(|referrer| !referrer.is_empty()))
}

fn occurred_at(now: Millis, age_ms: Option<u64>) -> Result<Millis, Problem> {
    let age_ms = age_ms.unwrap_or(0);
    if age_ms > limits::AGE_MS {
        return Err(Problem::field(format!(
            "`age_ms` is at most {}, 7 days; what is older cannot be stored.",
            limits::AGE_MS
        )));
    }
    Ok(now - Millis::try_from(age_ms).unwrap_or(0))
}

fn text(field: &str, value: Option<String>, max_bytes: usize) -> Result<Option<String>, Problem> {
    match value {
        Some(value) if value.len() > max_bytes => Err(Problem::field(format!(
            "`{field}` has at most {max_bytes} bytes."
        ))),
        Some(value) if value.contains('\0') => Err(Problem::field(format!(
            "`{field}` holds a NUL character, which no database takes."
        ))),
        value => Ok(value),
    }
}

fn cut(mut text: String, max_bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(max_bytes));
    text
}

fn device(device: Option<wire::Device>) -> Result<Option<String>, Problem> {
    let Some(mut device) = device else {
        return Ok(None);
    };
    device.language = text("device.language", device.language, limits::TEXT_CHARS)?;
    device.time_zone = text("device.time_zone", device.time_zone, limits::TEXT_CHARS)?;
    Ok(Some(device.json()))
}

fn props(props: Option<visitflow_protocol::json::Json>) -> Result<Option<String>, Problem> {
    let Some(props) = props.map(|props| props.0).filter(|props| props != "null") else {
        return Ok(None);
    };
    if props.len() > limits::PROPS_BYTES {
        return Err(Problem::field(format!(
            "`props` has at most {} bytes.",
            limits::PROPS_BYTES
        )));
    }
    match storable(&props, "props")? {
        Value::Object(_) => Ok(Some(props)),
        _ => Err(Problem::field(
            "`props` is a JSON object, such as {\"plan\":\"pro\"}.",
        )),
    }
}

fn order_items(items: Option<visitflow_protocol::json::Json>) -> Result<Option<String>, Problem> {
    let Some(items) = items.map(|items| items.0).filter(|items| items != "null") else {
        return Ok(None);
    };
    match storable(&items, "items")? {
        Value::Array(list)
            if list.len() <= limits::ORDER_ITEMS && list.iter().all(Value::is_object) =>
        {
            Ok(Some(items))
        }
        _ => Err(Problem::field(format!(
            "`items` is an array of at most {} objects {{sku?, name?, quantity?, price?}}.",
            limits::ORDER_ITEMS
        ))),
    }
}

/// JSON that every database takes: parsed whole (depth, numbers, surrogates), without NUL.
fn storable(json: &str, field: &str) -> Result<Value, Problem> {
    fn has_nul(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(list) => list.iter().any(has_nul),
            Value::Object(map) => map
                .iter()
                .any(|(key, value)| key.contains('\0') || has_nul(value)),
            _ => false,
        }
    }
    let value: Value = serde_json::from_str(json)
        .map_err(|error| malformed(format!("`{field}` cannot be read: {error}.")))?;
    if has_nul(&value) {
        Err(Problem::field(format!(
            "`{field}` holds a NUL character, which no database takes."
        )))
    } else {
        Ok(value)
    }
}

/// At most 12 digits before and 4 after the point; without needless zeros in front.
fn amount(amount: Option<String>) -> Result<String, Problem> {
    let refuse = || {
        Problem::field(
            "`amount` is a decimal string such as \"49.90\": at most 12 digits before and 4 after the point, - in front of a refund.",
        )
    };
    let amount = amount.ok_or_else(refuse)?;
    let (sign, digits) = amount
        .strip_prefix('-')
        .map_or(("", amount.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let number = |text: &str, max: usize| {
        (1..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !number(whole, 12) || fraction.is_some_and(|fraction| !number(fraction, 4)) {
        return Err(refuse());
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    Ok(match fraction {
        Some(fraction) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{whole}"),
    })
}

fn currency(currency: Option<String>) -> Result<String, Problem> {
    currency
        .filter(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .map(|code| code.to_ascii_uppercase())
        .ok_or_else(|| {
            Problem::field("`currency` is a code of three letters (ISO 4217), such as EUR.")
        })
}

/// The tag of a session, never its secret.
fn session_tag(session: Option<&str>) -> Result<Option<Tag>, Problem> {
    let Some(session) = session else {
        return Ok(None);
    };
    if session.contains('.') {
        return Err(Problem::field(
            "`session` is the part of the cookie before the dot; never send the secret behind it.",
        ));
    }
    let tag = session.strip_prefix("s_").unwrap_or(session);
    Tag::parse(tag).map(Some).ok_or_else(|| {
        Problem::field(
            "`session` is s_ and 22 characters: the part of the session cookie before the dot.",
        )
    })
}

#[cfg(test)]
mod tests {
    use visitflow_protocol::json::Json;

    use super::*;

    #[test]
    fn an_amount_is_an_exact_decimal() {
        for (sent, kept) in [
            ("49.90", "49.90"),
            ("-3", "-3"),
            ("0", "0"),
            ("007.5", "7.5"),
            ("999999999999.9999", "999999999999.9999"),
        ] {
            assert_eq!(amount(Some(sent.into())).unwrap(), kept);
        }
        for bad in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "1e3",
            "1,5",
            "+1",
            " 1",
            "1.23456",
            "1234567890123",
            "٣",
            "NaN",
            "--1",
        ] {
            assert!(amount(Some(bad.into())).is_err(), "{bad}");
        }
        assert!(amount(None).is_err());
    }

    #[test]
    fn a_currency_has_one_spelling() {
        assert_eq!(currency(Some("eur".into())).unwrap(), "EUR");
        for bad in ["EU", "EURO", "€", "12$"] {
            assert!(currency(Some(bad.into())).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_session_is_named_by_its_tag_and_never_by_its_secret() {
        let token = crate::session::token::SessionToken::issue().unwrap();
        assert_eq!(
            session_tag(Some(&format!("s_{}", token.tag()))).unwrap(),
            Some(token.tag())
        );
        assert!(
            session_tag(Some(&token.cookie_value()))
                .unwrap_err()
                .detail
                .contains("never")
        );
        assert!(session_tag(Some("x")).is_err());
    }

    #[test]
    fn what_no_database_takes_is_refused() {
        let bad = |json: &str| props(Some(Json(json.into()))).is_err();
        assert!(
            bad("[1]")
                && bad(r#"{"a":"\u0000"}"#)
                && bad(r#"{"\u0000":1}"#)
                && bad(r#"{"a":"\ud800"}"#)
                && bad(r#"{"a":1e999}"#)
        );
        assert!(bad(&format!(
            "{{\"a\":{}{}}}",
            "[".repeat(500),
            "]".repeat(500)
        )));
        assert!(bad(&format!(
            "{{\"a\":\"{}\"}}",
            "x".repeat(limits::PROPS_BYTES)
        )));
        assert!(!bad(r#"{"a":"\\u0000"}"#) && !bad("{}") && !bad("null"));
    }

    #[test]
    fn an_address_is_absolute() {
        assert!(
            page_address(Some("https://shop.example/ä?b#c".into()))
                .unwrap()
                .is_some()
        );
        for bad in [
            "/a",
            "javascript:alert(1)",
            "https://",
            "file:///etc/passwd",
            "https://a/\0",
        ] {
            assert!(page_address(Some(bad.into())).is_err(), "{bad}");
        }
        assert!(
            page_address(Some(format!("https://a/{}", "x".repeat(limits::URL_BYTES)))).is_err()
        );
    }

    #[test]
    fn a_fact_is_at_most_seven_days_old() {
        assert_eq!(
            occurred_at(1_000_000_000, Some(limits::AGE_MS)).unwrap(),
            1_000_000_000 - 604_800_000
        );
        assert!(occurred_at(0, Some(limits::AGE_MS + 1)).is_err());
        assert!(occurred_at(0, Some(u64::MAX)).is_err());
    }
}
