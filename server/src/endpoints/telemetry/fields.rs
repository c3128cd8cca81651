//! The fields of facts: each checked by one function, which says how to mend what it refuses.

use serde_json::Value;
use url::Url;
use uuid::Uuid;
use visitflow_protocol::{id as ids, json::Json, limits, wire};

use crate::campaign::without_click_ids;
use crate::http::body::malformed;
use crate::http::problem::Problem;
use crate::session::token::Tag;
use crate::session::{Millis, uuid_v7};

/// Longest title kept, in bytes; the rest is cut off.
const TITLE_BYTES: usize = 512;

/// `document.title`.
pub(in crate::endpoints) fn title(title: Option<String>) -> Result<Option<String>, Problem> {
    let cut = |mut title: String| {
        title.truncate(title.floor_char_boundary(TITLE_BYTES));
        title
    };
    text("title", title.map(cut), TITLE_BYTES)
}

/// A fact's identifier: UUIDv7, made here if the client made none.
pub(in crate::endpoints) fn fact_id(id: Option<&str>, occurred_at: Millis) -> Result<Uuid, Problem> {
    let Some(id) = id else {
        return Ok(uuid_v7(occurred_at));
    };
    let parsed = ids::is_uuid_v7(id).then(|| id.parse().ok()).flatten();
    parsed.ok_or_else(|| Problem::field("An id of a page view or an event is a UUID of version 7, such as 0193a5e7-7c1b-7f6a-9d2e-3b4c5d6e7f80."))
}

/// A page's address, and what is read off it: it is parsed once.
#[derive(Debug)]
pub(in crate::endpoints) struct PageAddress {
    pub(in crate::endpoints) text: String,
    pub(in crate::endpoints) path: String,
    pub(in crate::endpoints) site: Option<String>,
}

impl PageAddress {
    /// The address as it may be stored: of nobody without click ids, which single out a person.
    pub(in crate::endpoints) fn stored(self, anonymous: bool) -> String {
        if anonymous { without_click_ids(&self.text).into_owned() } else { self.text }
    }
}

/// A page's address: absolute, http or https.
pub(in crate::endpoints) fn page_address(url: Option<String>) -> Result<Option<PageAddress>, Problem> {
    let Some(text) = text("url", url, limits::URL_BYTES)?.filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    let parsed =
        Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match parsed {
        Some(url) => {
            Ok(Some(PageAddress { text, path: url.path().to_owned(), site: crate::site::of_parsed(&url) }))
        }
        None => {
            Err(Problem::field("`url` is an absolute http(s) address, such as https://shop.example/shoes."))
        }
    }
}

/// `document.referrer`: any text, for other apps send addresses of their own; empty is none.
pub(in crate::endpoints) fn referrer(referrer: Option<String>) -> Result<Option<String>, Problem> {
    Ok(text("referrer", referrer, limits::URL_BYTES)?.filter(|referrer| !referrer.is_empty()))
}

pub(in crate::endpoints) fn occurred_at(now: Millis, age_ms: Option<u64>) -> Result<Millis, Problem> {
    let age_ms = age_ms.unwrap_or(0);
    if age_ms > limits::AGE_MS {
        return Err(Problem::field(format!(
            "`age_ms` is at most {}, 7 days; what is older cannot be stored.",
            limits::AGE_MS
        )));
    }
    Ok(now - Millis::try_from(age_ms).unwrap_or(0))
}

pub(in crate::endpoints) fn text(
    field: &str,
    value: Option<String>,
    max_bytes: usize,
) -> Result<Option<String>, Problem> {
    match value {
        Some(value) if value.len() > max_bytes => {
            Err(Problem::field(format!("`{field}` has at most {max_bytes} bytes.")))
        }
        Some(value) if value.contains('\0') => {
            Err(Problem::field(format!("`{field}` holds a NUL character, which no database takes.")))
        }
        value => Ok(value),
    }
}

/// A text of at most [`limits::TEXT_CHARS`] characters.
pub(in crate::endpoints) fn short_text(
    field: &str,
    value: Option<String>,
) -> Result<Option<String>, Problem> {
    if value.as_ref().is_some_and(|value| value.chars().count() > limits::TEXT_CHARS) {
        return Err(Problem::field(format!("`{field}` has at most {} characters.", limits::TEXT_CHARS)));
    }
    text(field, value, usize::MAX)
}

pub(in crate::endpoints) fn device(device: Option<wire::Device>) -> Result<Option<String>, Problem> {
    let Some(mut device) = device else {
        return Ok(None);
    };
    device.language = short_text("device.language", device.language)?;
    device.time_zone = short_text("device.time_zone", device.time_zone)?;
    device.platform = short_text("device.platform", device.platform)?;
    device.brands = short_text("device.brands", device.brands)?;
    Ok(Some(device.json()))
}

/// The number of a page view within its visit.
pub(in crate::endpoints) fn sequence(sequence: Option<u32>) -> Result<Option<i32>, Problem> {
    let number = |number| i32::try_from(number).ok().filter(|number| *number > 0);
    let sequence = sequence.map(|sequence| number(sequence).ok_or(sequence));
    sequence.transpose().map_err(|_| Problem::field("`sequence` counts the views of a visit from 1."))
}

pub(in crate::endpoints) fn props(props: Option<Json>) -> Result<Option<String>, Problem> {
    let Some(props) = props.map(|props| props.0).filter(|props| props != "null") else {
        return Ok(None);
    };
    if props.len() > limits::PROPS_BYTES {
        return Err(Problem::field(format!("`props` has at most {} bytes.", limits::PROPS_BYTES)));
    }
    match storable(&props, "props")? {
        Value::Object(_) => Ok(Some(props)),
        _ => Err(Problem::field("`props` is a JSON object, such as {\"plan\":\"pro\"}.")),
    }
}

pub(in crate::endpoints) fn order_items(items: Option<Json>) -> Result<Option<String>, Problem> {
    let Some(items) = items.map(|items| items.0).filter(|items| items != "null") else {
        return Ok(None);
    };
    match storable(&items, "items")? {
        Value::Array(list) if list.len() <= limits::ORDER_ITEMS && list.iter().all(Value::is_object) => {
            Ok(Some(items))
        }
        _ => Err(Problem::field(format!(
            "`items` is an array of at most {} objects {{sku?, name?, quantity?, price?}}.",
            limits::ORDER_ITEMS
        ))),
    }
}

/// JSON that every database takes: parsed whole (depth, numbers, surrogates), without NUL.
pub(in crate::endpoints) fn storable(json: &str, field: &str) -> Result<Value, Problem> {
    fn has_nul(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(list) => list.iter().any(has_nul),
            Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
            _ => false,
        }
    }
    let value: Value = serde_json::from_str(json)
        .map_err(|error| malformed(format!("`{field}` cannot be read: {error}.")))?;
    if has_nul(&value) {
        Err(Problem::field(format!("`{field}` holds a NUL character, which no database takes.")))
    } else {
        Ok(value)
    }
}

/// The shop's own number of an order or a refund.
pub(in crate::endpoints) fn shop_number(field: &str, number: String) -> Result<String, Problem> {
    if number.is_empty() || number.chars().count() > limits::ORDER_ID_CHARS {
        return Err(Problem::field(format!("`{field}` has 1 to {} characters.", limits::ORDER_ID_CHARS)));
    }
    Ok(text(field, Some(number), usize::MAX)?.unwrap_or_default())
}

/// What an order was worth.
pub(in crate::endpoints) fn amount(amount: Option<String>) -> Result<String, Problem> {
    decimal(amount)?.map_err(|_| {
        Problem::field(
            "`amount` of an order is not negative. Send a refund from the shop's own server, with an API key: {id, refund_of, amount, currency}, where `refund_of` is the order's number and `amount` is positive.",
        )
    })
}

/// What was paid back.
pub(in crate::endpoints) fn refunded_amount(amount: Option<String>) -> Result<String, Problem> {
    let positive = |amount: &String| amount.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    decimal(amount)?.ok().filter(positive).ok_or_else(|| {
        Problem::field("`amount` of a refund is what was paid back: greater than zero, without a sign.")
    })
}

/// A decimal number was negative.
struct Negative;

/// At most 12 digits before and 4 after the point; without needless zeros in front.
fn decimal(amount: Option<String>) -> Result<Result<String, Negative>, Problem> {
    let refuse = || {
        Problem::field(
            "`amount` is a decimal string such as \"49.90\": at most 12 digits before and 4 after the point.",
        )
    };
    let amount = amount.ok_or_else(refuse)?;
    let digits = amount.strip_prefix('-').unwrap_or(&amount);
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let number = |text: &str, max: usize| {
        (1..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !number(whole, 12) || fraction.is_some_and(|fraction| !number(fraction, 4)) {
        return Err(refuse());
    }
    if digits.len() < amount.len() {
        return Ok(Err(Negative));
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    Ok(Ok(match fraction {
        Some(fraction) => format!("{whole}.{fraction}"),
        None => whole.to_owned(),
    }))
}

pub(in crate::endpoints) fn currency(currency: Option<String>) -> Result<String, Problem> {
    currency
        .filter(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .map(|code| code.to_ascii_uppercase())
        .ok_or_else(|| Problem::field("`currency` is a code of three letters (ISO 4217), such as EUR."))
}

/// The tag of a session, never its secret.
pub(in crate::endpoints) fn session_tag(session: Option<&str>) -> Result<Option<Tag>, Problem> {
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
        Problem::field("`session` is s_ and 22 characters: the part of the session cookie before the dot.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_counted_from_one() {
        assert_eq!(sequence(None).unwrap(), None);
        assert_eq!(sequence(Some(1)).unwrap(), Some(1));
        assert!(sequence(Some(0)).is_err() && sequence(Some(u32::MAX)).is_err());
    }

    #[test]
    fn an_amount_is_an_exact_decimal() {
        for (sent, kept) in
            [("49.90", "49.90"), ("0", "0"), ("007.5", "7.5"), ("999999999999.9999", "999999999999.9999")]
        {
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
            assert!(amount(Some(bad.into())).unwrap_err().detail.contains("decimal string"), "{bad}");
            assert!(refunded_amount(Some(bad.into())).is_err(), "{bad}");
        }
        assert!(amount(None).is_err() && refunded_amount(None).is_err());
    }

    #[test]
    fn an_order_is_not_negative_and_a_refund_is_positive() {
        for negative in ["-3", "-0", "-0.00", "-49.90"] {
            assert!(amount(Some(negative.into())).unwrap_err().detail.contains("refund_of"), "{negative}");
            assert!(refunded_amount(Some(negative.into())).is_err(), "{negative}");
        }
        for nothing in ["0", "0.0", "000.0000"] {
            assert!(refunded_amount(Some(nothing.into())).is_err(), "{nothing}");
        }
        assert_eq!(refunded_amount(Some("00.0001".into())).unwrap(), "0.0001");
        assert_eq!(refunded_amount(Some("10".into())).unwrap(), "10");
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
        assert_eq!(session_tag(Some(&format!("s_{}", token.tag()))).unwrap(), Some(token.tag()));
        assert!(session_tag(Some(&token.cookie_value())).unwrap_err().detail.contains("never"));
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
        assert!(bad(&format!("{{\"a\":{}{}}}", "[".repeat(500), "]".repeat(500))));
        assert!(bad(&format!("{{\"a\":\"{}\"}}", "x".repeat(limits::PROPS_BYTES))));
        assert!(!bad(r#"{"a":"\\u0000"}"#) && !bad("{}") && !bad("null"));
    }

    #[test]
    fn an_address_is_absolute() {
        assert!(page_address(Some("https://shop.example/ä?b#c".into())).unwrap().is_some());
        for bad in ["/a", "javascript:alert(1)", "https://", "file:///etc/passwd", "https://a/\0"] {
            assert!(page_address(Some(bad.into())).is_err(), "{bad}");
        }
        assert!(page_address(Some(format!("https://a/{}", "x".repeat(limits::URL_BYTES)))).is_err());
    }

    #[test]
    fn a_fact_is_at_most_seven_days_old() {
        assert_eq!(occurred_at(1_000_000_000, Some(limits::AGE_MS)).unwrap(), 1_000_000_000 - 604_800_000);
        assert!(occurred_at(0, Some(limits::AGE_MS + 1)).is_err());
        assert!(occurred_at(0, Some(u64::MAX)).is_err());
    }
}
