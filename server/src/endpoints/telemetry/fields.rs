//! The fields of facts. One function checks each of them, and its error says how to correct the field.

use uuid::fmt::Hyphenated;
use uuid::{Uuid, Variant, Version};
use visitflow_protocol::limits;

use crate::address::{self, KeepQuery, Page};
use crate::campaign::without_click_ids;
use crate::endpoints::wire;
use crate::http::problem::Problem;
use crate::session::token::Tag;
use crate::session::{Millis, uuid_v7};

/// Longest title kept, in bytes; the rest is cut off.
const TITLE_BYTES: usize = 512;

/// `document.title`.
pub(in crate::endpoints) fn title(title: Option<String>) -> Option<String> {
    title.map(|title| address::short_text(&title, TITLE_BYTES))
}

/// A fact's identifier: UUIDv7, made here if the client made none.
pub(in crate::endpoints) fn fact_id(id: Option<&str>, occurred_at: Millis) -> Result<Uuid, Problem> {
    let Some(id) = id else {
        return Ok(uuid_v7(occurred_at));
    };
    let parsed = id.parse().map(Hyphenated::into_uuid).ok();
    let is_v7 =
        |id: &Uuid| id.get_version() == Some(Version::SortRand) && id.get_variant() == Variant::RFC4122;
    parsed.filter(is_v7).ok_or_else(|| Problem::field("The `id` of a page view or an event must be a UUID of version 7, such as 0193a5e7-7c1b-7f6a-9d2e-3b4c5d6e7f80."))
}

/// The address of a page view, which is required.
pub(in crate::endpoints) fn page_address(url: Option<&str>, keep: KeepQuery) -> Result<Page, Problem> {
    let url = url
        .filter(|url| !url.is_empty())
        .ok_or_else(|| Problem::field("`url` is missing; send the page's address."))?;
    address::page(url, keep).ok_or_else(|| {
        Problem::field("`url` must be an absolute http(s) address, such as https://shop.example/shoes.")
    })
}

/// The address of the page on which another fact happened: left out if it is not an address.
pub(in crate::endpoints) fn page_beside(url: Option<&str>, keep: KeepQuery) -> Option<Page> {
    address::page(url?, keep)
}

/// An address or a referrer in the form that is stored: without click ids for an anonymous fact, because they identify a
/// person.
pub(in crate::endpoints) fn of_somebody(address: String, anonymous: bool) -> String {
    if anonymous { without_click_ids(&address).into_owned() } else { address }
}

pub(in crate::endpoints) fn occurred_at(now: Millis, age_ms: Option<u64>) -> Result<Millis, Problem> {
    let age_ms = age_ms.unwrap_or(0);
    if age_ms > limits::AGE_MS {
        return Err(Problem::field(format!(
            "`age_ms` must be at most {} (7 days); older facts cannot be stored.",
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
            Err(Problem::field(format!("`{field}` must have at most {max_bytes} bytes.")))
        }
        Some(value) if value.contains('\0') => {
            Err(Problem::field(format!("`{field}` must not contain a NUL character.")))
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
        return Err(Problem::field(format!(
            "`{field}` must have at most {} characters.",
            limits::TEXT_CHARS
        )));
    }
    text(field, value, usize::MAX)
}

/// The device on which a page was seen, as JSON; long texts are cut.
pub(in crate::endpoints) fn device(device: Option<wire::Device>) -> Option<String> {
    let mut device = device?;
    let texts =
        [&mut device.language, &mut device.time_zone, &mut device.platform, &mut device.brands].into_iter();
    for text in texts.flatten() {
        *text = address::short_text(text, usize::MAX).chars().take(limits::TEXT_CHARS).collect();
    }
    serde_json::to_string(&device).ok()
}

/// The number of a page view within its visit, from 1.
pub(in crate::endpoints) fn sequence(sequence: Option<u32>) -> Option<i32> {
    sequence.and_then(|number| i32::try_from(number).ok()).filter(|number| *number > 0)
}

/// The shop's own number of an order or a refund.
pub(in crate::endpoints) fn shop_number(field: &str, number: String) -> Result<String, Problem> {
    if number.is_empty() || number.chars().count() > limits::ORDER_ID_CHARS {
        return Err(Problem::field(format!(
            "`{field}` must have 1 to {} characters.",
            limits::ORDER_ID_CHARS
        )));
    }
    Ok(text(field, Some(number), usize::MAX)?.unwrap_or_default())
}

/// The amount of an order.
pub(in crate::endpoints) fn amount(amount: Option<String>) -> Result<String, Problem> {
    decimal(amount)?.map_err(|_| {
        Problem::field(
            "`amount` of an order must not be negative. To report a refund, send it from the shop's own server, with an API key: {id, refund_of, amount, currency}, where `refund_of` is the order's number and `amount` is positive.",
        )
    })
}

/// The amount of a refund.
pub(in crate::endpoints) fn refunded_amount(amount: Option<String>) -> Result<String, Problem> {
    let positive = |amount: &String| amount.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    decimal(amount)?.ok().filter(positive).ok_or_else(|| {
        Problem::field("`amount` of a refund is the amount that was paid back; it must be greater than zero and have no sign.")
    })
}

/// A decimal number is negative.
struct Negative;

/// At most 12 digits before and 4 after the point, without leading zeros.
fn decimal(amount: Option<String>) -> Result<Result<String, Negative>, Problem> {
    let refuse = || {
        Problem::field(
            "`amount` must be a decimal string such as \"49.90\": at most 12 digits before and 4 after the point.",
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
        .ok_or_else(|| Problem::field("`currency` must be a code of three letters (ISO 4217), such as EUR."))
}

/// The tag of a session, never its secret.
pub(in crate::endpoints) fn session_tag(session: Option<&str>) -> Result<Option<Tag>, Problem> {
    let Some(session) = session else {
        return Ok(None);
    };
    if session.contains('.') {
        return Err(Problem::field(
            "`session` must be only the part of the session cookie before the dot; never send the secret after it.",
        ));
    }
    let tag = session.strip_prefix("s_").unwrap_or(session);
    Tag::parse(tag).map(Some).ok_or_else(|| {
        Problem::field(
            "`session` must be the part of the session cookie before the dot: s_ followed by 22 characters.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_id_is_a_uuid_of_version_7() {
        let given = "0193a5e7-7c1b-7f6a-9d2e-3b4c5d6e7f80";
        assert_eq!(fact_id(Some(given), 0).unwrap().to_string(), given);
        assert_eq!(fact_id(Some(&given.to_uppercase()), 0).unwrap().to_string(), given);
        for bad in [
            "0193a5e7-7c1b-4f6a-9d2e-3b4c5d6e7f80",
            "0193a5e7-7c1b-7f6a-cd2e-3b4c5d6e7f80",
            "0193a5e77c1b7f6a9d2e3b4c5d6e7f80",
            "x",
            "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}-\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            assert!(fact_id(Some(bad), 0).is_err(), "{bad}");
        }
    }

    #[test]
    fn views_are_counted_from_one() {
        assert_eq!(sequence(None), None);
        assert_eq!(sequence(Some(1)), Some(1));
        assert_eq!((sequence(Some(0)), sequence(Some(u32::MAX))), (None, None));
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
    fn a_page_view_needs_an_address_and_nothing_else_does() {
        let (safe, page) = (KeepQuery::Safe, "https://shop.example/\u{e4}?b#c");
        assert!(page_address(Some(page), safe).is_ok() && page_beside(Some(page), safe).is_some());
        for bad in ["", "/a", "javascript:alert(1)", "https://", "file:///etc/passwd"] {
            assert!(page_address(Some(bad), safe).is_err(), "{bad}");
            assert_eq!(page_beside(Some(bad), safe), None, "{bad}");
        }
        assert!(page_address(None, safe).is_err());
    }

    #[test]
    fn long_texts_of_a_device_are_cut() {
        let sent = wire::Device { platform: Some("\u{e4}".repeat(500)), ..wire::Device::default() };
        let kept = format!("{{\"platform\":\"{}\"}}", "\u{e4}".repeat(limits::TEXT_CHARS));
        assert_eq!(device(Some(sent)), Some(kept));
    }

    #[test]
    fn a_fact_is_at_most_seven_days_old() {
        assert_eq!(occurred_at(1_000_000_000, Some(limits::AGE_MS)).unwrap(), 1_000_000_000 - 604_800_000);
        assert!(occurred_at(0, Some(limits::AGE_MS + 1)).is_err());
        assert!(occurred_at(0, Some(u64::MAX)).is_err());
    }
}
