//! The request bodies: their fields, as the client writes them (`client-wasm/shell`) and the server reads them.
//!
//! Every field of a body may be absent unless its doc says "required"; the server ignores fields
//! it does not know. Fields that are read by `lenient` are optional: with a wrong type they are left out, and the
//! rest is accepted.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `POST /api/session/start`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Start {
    /// `v_` + UUID.
    pub visitor_id: Option<String>,
    /// The page's address.
    #[serde(deserialize_with = "lenient")]
    pub url: Option<String>,
    /// `document.referrer`.
    #[serde(deserialize_with = "lenient")]
    pub referrer: Option<String>,
    /// The report's site; else the host of `url`.
    pub site: Option<String>,
    /// `0` says that the browser keeps no cookies.
    #[serde(deserialize_with = "rounded")]
    pub cookies: Option<u64>,
    /// `navigator.webdriver`: a browser under automation is not a person.
    #[serde(deserialize_with = "flag")]
    pub webdriver: bool,
}

/// `POST /api/telemetry/page_view`, or an array of these.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PageView {
    /// UUIDv7 made by the client; without it a resend counts twice.
    pub id: Option<String>,
    /// `v_` + UUID.
    pub visitor_id: Option<String>,
    /// Required. The page's address.
    pub url: Option<String>,
    /// `document.referrer`, or the previous route.
    #[serde(deserialize_with = "lenient")]
    pub referrer: Option<String>,
    /// `document.title`.
    #[serde(deserialize_with = "lenient")]
    pub title: Option<String>,
    /// The device on which the page was seen.
    #[serde(deserialize_with = "lenient")]
    pub device: Option<Device>,
    /// Its number within the visit, from 1, as the browser counted.
    #[serde(deserialize_with = "rounded")]
    pub sequence: Option<u32>,
    /// Milliseconds since the view happened, computed anew at each try.
    #[serde(deserialize_with = "rounded_or_refused")]
    pub age_ms: Option<u64>,
    /// Count the view and nothing else: no cookie is read or set, no visit begins.
    #[serde(deserialize_with = "false_if_null")]
    pub anonymous: bool,
    /// The report's site; else the host of `url`.
    pub site: Option<String>,
    /// `navigator.webdriver`.
    #[serde(deserialize_with = "flag")]
    pub webdriver: bool,
}

/// The device on which a page was seen. Nothing here identifies a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Device {
    /// Width of the screen in CSS pixels.
    #[serde(deserialize_with = "rounded", skip_serializing_if = "Option::is_none")]
    pub screen_width: Option<u32>,
    /// Height of the screen in CSS pixels.
    #[serde(deserialize_with = "rounded", skip_serializing_if = "Option::is_none")]
    pub screen_height: Option<u32>,
    /// Width of the viewport in CSS pixels.
    #[serde(deserialize_with = "rounded", skip_serializing_if = "Option::is_none")]
    pub viewport_width: Option<u32>,
    /// Height of the viewport in CSS pixels.
    #[serde(deserialize_with = "rounded", skip_serializing_if = "Option::is_none")]
    pub viewport_height: Option<u32>,
    /// BCP 47 language tag.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// IANA time zone name.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The operating system, such as `Windows`.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Whether the browser calls itself mobile.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub mobile: Option<bool>,
    /// The browser and its engine, such as `Chromium 130,Google Chrome 130`.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub brands: Option<String>,
}

/// `POST /api/telemetry/event`, or an array of these.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Event {
    /// UUIDv7 made by the client; without it a resend counts twice.
    pub id: Option<String>,
    /// `v_` + UUID.
    pub visitor_id: Option<String>,
    /// Required. At most [`EVENT_NAME_CHARS`](visitflow_protocol::limits::EVENT_NAME_CHARS) characters.
    pub name: Option<String>,
    /// A JSON object of at most [`PROPS_BYTES`](visitflow_protocol::limits::PROPS_BYTES) bytes, as it was written.
    #[serde(deserialize_with = "as_written")]
    pub props: Option<String>,
    /// The page's address.
    #[serde(deserialize_with = "lenient")]
    pub url: Option<String>,
    /// Milliseconds since the event happened, computed anew at each try.
    #[serde(deserialize_with = "rounded_or_refused")]
    pub age_ms: Option<u64>,
    /// Store the event without a visit.
    #[serde(deserialize_with = "false_if_null")]
    pub anonymous: bool,
    /// The report's site; else the host of `url`.
    pub site: Option<String>,
    /// `navigator.webdriver`.
    #[serde(deserialize_with = "flag")]
    pub webdriver: bool,
}

/// `POST /api/telemetry/order`, or an array of these: an order, or a refund if `refund_of` is there.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Order {
    /// Required. The shop's own order number; the same number is the same order.
    pub id: Option<String>,
    /// With an API key: makes this a refund of the order of that number; `id` is the refund's own.
    pub refund_of: Option<String>,
    /// Required. A decimal string such as `"49.90"`, not negative; of a refund, what was paid back.
    pub amount: Option<String>,
    /// Required. ISO 4217 code such as `"EUR"`.
    pub currency: Option<String>,
    /// A JSON array of `{sku?, name?, quantity?, price?}`, as it was written.
    #[serde(deserialize_with = "as_written")]
    pub items: Option<String>,
    /// `v_` + UUID.
    pub visitor_id: Option<String>,
    /// With an API key: the tag of the session to attribute the order to (`s_<tag>`, the part of
    /// the cookie before the dot).
    pub session: Option<String>,
    /// With an API key: the user to attribute the order to.
    pub user_id: Option<String>,
    /// The page's address.
    #[serde(deserialize_with = "lenient")]
    pub url: Option<String>,
    /// Milliseconds since the order was placed, computed anew at each try.
    #[serde(deserialize_with = "rounded_or_refused")]
    pub age_ms: Option<u64>,
    /// The report's site; else the host of `url`.
    pub site: Option<String>,
    /// `navigator.webdriver`.
    #[serde(deserialize_with = "flag")]
    pub webdriver: bool,
}

/// `POST /api/session/ping`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Ping {
    /// The page view that the engagement belongs to.
    pub page_view_id: Option<String>,
    /// Milliseconds that the page was visible and focused.
    #[serde(deserialize_with = "rounded")]
    pub engaged_ms: Option<u64>,
    /// Greatest scroll depth, 0 to 100.
    #[serde(deserialize_with = "rounded")]
    pub scroll_pct: Option<u64>,
    /// `navigator.webdriver`.
    #[serde(deserialize_with = "flag")]
    pub webdriver: bool,
}

/// `DELETE /api/privacy/visitor`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Erase {
    /// Required. `v_` + UUID.
    pub visitor_id: Option<String>,
}

/// `POST /api/auth/login`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Login {
    /// Required, unless there is an assertion.
    pub username: Option<String>,
    /// Required, unless there is an assertion.
    pub password: Option<String>,
    /// A JWT of the site's own identity provider, instead of name and password.
    pub assertion: Option<String>,
    /// `false` signs in without a visit, as the dashboard does.
    pub visit: Option<bool>,
    /// `true` gives the session the long limits.
    pub remember: Option<bool>,
}

/// `POST /api/auth/password`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Password {
    /// Required. The user's present password.
    pub old_password: Option<String>,
    /// Required. The new password.
    pub new_password: Option<String>,
}

/// Reads a field of any type as the text of its JSON.
fn as_written<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw: Option<Box<RawValue>> = Deserialize::deserialize(deserializer)?;
    Ok(raw.map(|raw| Box::<str>::from(raw).into()))
}

/// Reads an optional field: with a wrong type it counts as absent.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let raw: Box<RawValue> = Deserialize::deserialize(deserializer)?;
    // serde alone would take an array for a struct.
    Ok(serde_json::from_str(raw.get()).ok().filter(|_| !raw.get().starts_with('[')))
}

/// As [`lenient`], a number that a browser may give a fraction.
fn rounded<'de, D: serde::Deserializer<'de>, T: TryFrom<u64>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let number: Option<f64> = lenient(deserializer)?;
    Ok(number.filter(|number| *number >= 0.0).and_then(|number| T::try_from(number.round() as u64).ok()))
}

/// Reads a number that a browser may give a fraction, and that must be one if it is there.
fn rounded_or_refused<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let number: Option<f64> = Deserialize::deserialize(deserializer)?;
    match number.map(f64::round) {
        Some(number) if number < 0.0 => Err(serde::de::Error::custom("a number of milliseconds is negative")),
        number => Ok(number.map(|number| number as u64)),
    }
}

/// Reads a flag that must be one if it is there.
fn false_if_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let flag: Option<bool> = Deserialize::deserialize(deserializer)?;
    Ok(flag.unwrap_or(false))
}

/// Reads a flag that is set by `true` alone.
fn flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    lenient(deserializer).map(|flag| flag == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the client's `shell/views.js` writes it.
    const VIEW: &str = r#"{"id":"0193a5e7-7c1b-7f6a-9d2e-3b4c5d6e7f80","visitor_id":"v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80","url":"https://shop.example/a?b=\"c\"\u0007é😀","referrer":"https://search.example/","title":"Shoes\n","device":{"screen_width":1920,"viewport_width":800,"language":"de","time_zone":"Europe/Berlin","platform":"Windows","mobile":false,"brands":"Chromium 130,Google Chrome 130"},"sequence":3,"age_ms":18446744073709551615}"#;

    #[test]
    fn what_the_client_writes_the_server_reads() {
        let view: PageView = serde_json::from_str(VIEW).unwrap();
        assert_eq!(view.url.as_deref(), Some("https://shop.example/a?b=\"c\"\u{7}é\u{1f600}"));
        assert_eq!((view.age_ms, view.sequence), (Some(u64::MAX), Some(3)));
        let device = view.device.unwrap();
        assert_eq!((device.screen_width, device.screen_height), (Some(1920), None));
        assert_eq!(
            serde_json::to_string(&device).unwrap(),
            r#"{"screen_width":1920,"viewport_width":800,"language":"de","time_zone":"Europe/Berlin","platform":"Windows","mobile":false,"brands":"Chromium 130,Google Chrome 130"}"#
        );
        let event: Event =
            serde_json::from_str(r#"{"name":"play","props":{"a":[1,2.5,null]},"age_ms":0,"unknown":1}"#)
                .unwrap();
        assert_eq!(event.props, Some(r#"{"a":[1,2.5,null]}"#.into()));
        assert_eq!(serde_json::from_str::<Start>("{}").unwrap(), Start::default());
    }

    #[test]
    fn an_accessory_field_of_a_wrong_type_is_absent() {
        for value in ["5", "[]", "{}", "true", "null", "\"\\ud800\"", "1e999"] {
            let body = format!(
                r#"{{"url":"https://a/","title":{value},"referrer":{value},"device":{{"language":{value},"mobile":false}}}}"#
            );
            let view: PageView = serde_json::from_str(&body).unwrap();
            assert_eq!((view.title, view.referrer), (None, None), "{value}");
            assert_eq!(view.device, Some(Device { mobile: Some(false), ..Device::default() }), "{value}");
        }
        let read = |text: &str| serde_json::from_str::<PageView>(text).unwrap();
        assert_eq!(read(r#"{"device":[1,2]}"#).device, None);
        assert_eq!(read(r#"{"device":"x","sequence":"1","webdriver":"no"}"#), PageView::default());
        assert_eq!(
            read(r#"{"device":{"screen_width":1536.5}}"#).device.and_then(|d| d.screen_width),
            Some(1537)
        );
        assert_eq!(read(r#"{"sequence":-1}"#).sequence, None);
        assert!(serde_json::from_str::<PageView>(r#"{"url":5}"#).is_err());
    }

    #[test]
    fn null_is_absent_in_every_field() {
        fn all_null<T: serde::de::DeserializeOwned + Default + PartialEq + std::fmt::Debug>(fields: &str) {
            let body =
                fields.split(' ').map(|field| format!("\"{field}\":null")).collect::<Vec<_>>().join(",");
            assert_eq!(serde_json::from_str::<T>(&format!("{{{body}}}")).unwrap(), T::default());
        }
        all_null::<Start>("visitor_id url referrer site cookies webdriver");
        all_null::<PageView>(
            "id visitor_id url referrer title device sequence age_ms anonymous site webdriver",
        );
        all_null::<Device>(
            "screen_width screen_height viewport_width viewport_height language time_zone platform mobile brands",
        );
        all_null::<Event>("id visitor_id name props url age_ms anonymous site webdriver");
        all_null::<Order>(
            "id refund_of amount currency items visitor_id session user_id url age_ms site webdriver",
        );
        all_null::<Ping>("page_view_id engaged_ms scroll_pct webdriver");
        all_null::<Erase>("visitor_id");
        let login: Login = serde_json::from_str(
            r#"{"username":null,"password":null,"assertion":null,"visit":null,"remember":null}"#,
        )
        .unwrap();
        assert!(login == Login::default());
    }

    #[test]
    fn numbers_are_rounded() {
        let age = |value: &str| {
            serde_json::from_str::<Event>(&format!("{{\"age_ms\":{value}}}")).map(|event| event.age_ms).ok()
        };
        for (sent, kept) in [("12.5", 13), ("0.4", 0), ("-0.4", 0), ("1e3", 1_000), ("1e99", u64::MAX)] {
            assert_eq!(age(sent), Some(Some(kept)), "{sent}");
        }
        for bad in ["-1", "-0.5", "\"1\"", "[]", "true", "1e999"] {
            assert_eq!(age(bad), None, "{bad}");
        }
        let ping: Ping = serde_json::from_str(r#"{"engaged_ms":1200.7,"scroll_pct":49.5}"#).unwrap();
        assert_eq!((ping.engaged_ms, ping.scroll_pct), (Some(1_201), Some(50)));
        let read = |text: &str| serde_json::from_str::<PageView>(text).unwrap();
        assert_eq!(read(r#"{"sequence":2.0}"#).sequence, Some(2));
    }
}
