//! The request bodies. The client fills and writes them ([`PageView::json`] and its like, one
//! list of fields each); with the feature `serde` the server reads the same structs.
//!
//! Every field of a body may be absent unless its doc says "required"; the server ignores fields
//! it does not know.

use crate::json::{Json, Object};

/// `POST /api/session/start`.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
pub struct Start {
    /// `v_` + UUID.
    pub visitor_id: Option<String>,
    /// The page's address.
    pub url: Option<String>,
    /// `document.referrer`.
    pub referrer: Option<String>,
    /// The report's site; else the host of `url`.
    pub site: Option<String>,
    /// `navigator.webdriver`: a browser under automation is not a person.
    pub webdriver: bool,
}

/// `POST /api/telemetry/page_view`, or an array of these.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
pub struct PageView {
    /// UUIDv7 made by the client; without it a resend counts twice.
    pub id: Option<String>,
    /// `v_` + UUID.
    pub visitor_id: Option<String>,
    /// Required. The page's address.
    pub url: Option<String>,
    /// `document.referrer`, or the previous route.
    pub referrer: Option<String>,
    /// `document.title`.
    pub title: Option<String>,
    /// What the page was seen on.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "object"))]
    pub device: Option<Device>,
    /// Milliseconds since the view happened, computed anew at each try.
    pub age_ms: Option<u64>,
    /// Count the view and nothing else: no cookie is read or set, no visit is made.
    pub anonymous: bool,
    /// The report's site; else the host of `url`.
    pub site: Option<String>,
    /// `navigator.webdriver`.
    pub webdriver: bool,
}

/// What a page was seen on. Nothing here identifies a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
pub struct Device {
    /// Width of the screen in CSS pixels.
    pub screen_width: Option<u32>,
    /// Height of the screen in CSS pixels.
    pub screen_height: Option<u32>,
    /// Width of the viewport in CSS pixels.
    pub viewport_width: Option<u32>,
    /// Height of the viewport in CSS pixels.
    pub viewport_height: Option<u32>,
    /// BCP 47 language tag.
    pub language: Option<String>,
    /// IANA time zone name.
    pub time_zone: Option<String>,
}

/// `POST /api/telemetry/event`, or an array of these.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
pub struct Event {
    /// UUIDv7 made by the client; without it a resend counts twice.
    pub id: Option<String>,
    /// `v_` + UUID.
    pub visitor_id: Option<String>,
    /// Required. At most [`EVENT_NAME_CHARS`](crate::limits::EVENT_NAME_CHARS) characters.
    pub name: Option<String>,
    /// A JSON object of at most [`PROPS_BYTES`](crate::limits::PROPS_BYTES) bytes.
    pub props: Option<Json>,
    /// The page's address.
    pub url: Option<String>,
    /// Milliseconds since the event happened, computed anew at each try.
    pub age_ms: Option<u64>,
    /// Store the event without a visit.
    pub anonymous: bool,
    /// The report's site; else the host of `url`.
    pub site: Option<String>,
    /// `navigator.webdriver`.
    pub webdriver: bool,
}

/// `POST /api/telemetry/order`, or an array of these.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
pub struct Order {
    /// Required. The shop's own order number; the same number is the same order.
    pub id: Option<String>,
    /// Required. A decimal string such as `"49.90"`; negative for a refund.
    pub amount: Option<String>,
    /// Required. ISO 4217 code such as `"EUR"`.
    pub currency: Option<String>,
    /// A JSON array of `{sku?, name?, quantity?, price?}`.
    pub items: Option<Json>,
    /// `v_` + UUID.
    pub visitor_id: Option<String>,
    /// With an API key: the tag of the session to attribute the order to (`s_<tag>`, the part of
    /// the cookie before the dot).
    pub session: Option<String>,
    /// With an API key: the user to attribute the order to.
    pub user_id: Option<String>,
    /// The page's address.
    pub url: Option<String>,
    /// Milliseconds since the order was placed, computed anew at each try.
    pub age_ms: Option<u64>,
    /// The report's site; else the host of `url`.
    pub site: Option<String>,
    /// `navigator.webdriver`.
    pub webdriver: bool,
}

/// `POST /api/session/ping`.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
pub struct Ping {
    /// The page view that the engagement belongs to.
    pub page_view_id: Option<String>,
    /// Milliseconds that the page was visible and focused.
    pub engaged_ms: Option<u64>,
    /// Greatest scroll depth, 0 to 100.
    pub scroll_pct: Option<u64>,
    /// `navigator.webdriver`.
    pub webdriver: bool,
}

/// `POST /api/auth/login`.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
pub struct Login {
    /// Required, unless there is an assertion.
    pub username: Option<String>,
    /// Required, unless there is an assertion.
    pub password: Option<String>,
    /// A JWT of the site's own identity provider, instead of name and password.
    pub assertion: Option<String>,
    /// `false` signs in without a visit, as the dashboard does: the session is a security object
    /// alone and nothing is linked.
    pub visit: Option<bool>,
}

/// Reads an object or null: serde alone would take an array for a struct.
#[cfg(feature = "serde")]
fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let value: Option<Json> = serde::Deserialize::deserialize(deserializer)?;
    match value {
        Some(Json(text)) if text.starts_with('{') => {
            serde_json::from_str(&text).map(Some).map_err(serde::de::Error::custom)
        }
        Some(_) => Err(serde::de::Error::custom("expected an object")),
        None => Ok(None),
    }
}

impl Start {
    /// The request's body.
    #[must_use]
    pub fn json(&self) -> String {
        Object::new()
            .text("visitor_id", self.visitor_id.as_deref())
            .text("url", self.url.as_deref())
            .text("referrer", self.referrer.as_deref())
            .text("site", self.site.as_deref())
            .flag("webdriver", self.webdriver)
            .end()
    }
}

impl PageView {
    /// The request's body.
    #[must_use]
    pub fn json(&self) -> String {
        Object::new()
            .text("id", self.id.as_deref())
            .text("visitor_id", self.visitor_id.as_deref())
            .text("url", self.url.as_deref())
            .text("referrer", self.referrer.as_deref())
            .text("title", self.title.as_deref())
            .json("device", self.device.as_ref().map(Device::json).as_deref())
            .number("age_ms", self.age_ms)
            .flag("anonymous", self.anonymous)
            .text("site", self.site.as_deref())
            .flag("webdriver", self.webdriver)
            .end()
    }
}

impl Device {
    /// The value of a page view's `device`.
    #[must_use]
    pub fn json(&self) -> String {
        Object::new()
            .number("screen_width", self.screen_width.map(u64::from))
            .number("screen_height", self.screen_height.map(u64::from))
            .number("viewport_width", self.viewport_width.map(u64::from))
            .number("viewport_height", self.viewport_height.map(u64::from))
            .text("language", self.language.as_deref())
            .text("time_zone", self.time_zone.as_deref())
            .end()
    }
}

impl Event {
    /// The request's body.
    #[must_use]
    pub fn json(&self) -> String {
        Object::new()
            .text("id", self.id.as_deref())
            .text("visitor_id", self.visitor_id.as_deref())
            .text("name", self.name.as_deref())
            .json("props", self.props.as_ref().map(|props| props.0.as_str()))
            .text("url", self.url.as_deref())
            .number("age_ms", self.age_ms)
            .flag("anonymous", self.anonymous)
            .text("site", self.site.as_deref())
            .flag("webdriver", self.webdriver)
            .end()
    }
}

impl Order {
    /// The request's body.
    #[must_use]
    pub fn json(&self) -> String {
        Object::new()
            .text("id", self.id.as_deref())
            .text("amount", self.amount.as_deref())
            .text("currency", self.currency.as_deref())
            .json("items", self.items.as_ref().map(|items| items.0.as_str()))
            .text("visitor_id", self.visitor_id.as_deref())
            .text("session", self.session.as_deref())
            .text("user_id", self.user_id.as_deref())
            .text("url", self.url.as_deref())
            .number("age_ms", self.age_ms)
            .text("site", self.site.as_deref())
            .flag("webdriver", self.webdriver)
            .end()
    }
}

impl Ping {
    /// The request's body.
    #[must_use]
    pub fn json(&self) -> String {
        Object::new()
            .text("page_view_id", self.page_view_id.as_deref())
            .number("engaged_ms", self.engaged_ms)
            .number("scroll_pct", self.scroll_pct)
            .flag("webdriver", self.webdriver)
            .end()
    }
}

impl Login {
    /// The request's body.
    #[must_use]
    pub fn json(&self) -> String {
        Object::new()
            .text("username", self.username.as_deref())
            .text("password", self.password.as_deref())
            .text("assertion", self.assertion.as_deref())
            .json("visit", self.visit.map(|visit| if visit { "true" } else { "false" }))
            .end()
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_writes_the_server_reads() {
        let view = PageView {
            id: Some("0193a5e7-7c1b-7f6a-9d2e-3b4c5d6e7f80".into()),
            visitor_id: Some("v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80".into()),
            url: Some("https://shop.example/a?b=\"c\"\\\u{7}é\u{1f600}".into()),
            referrer: Some(String::new()),
            title: Some("Shoes\n".into()),
            device: Some(Device {
                screen_width: Some(1920),
                language: Some("de".into()),
                ..Device::default()
            }),
            age_ms: Some(u64::MAX),
            anonymous: true,
            site: None,
            webdriver: false,
        };
        assert_eq!(serde_json::from_str::<PageView>(&view.json()).unwrap(), view);
        let event = Event {
            name: Some("play".into()),
            props: Some(Json(r#"{"a":[1,2.5,null]}"#.into())),
            age_ms: Some(0),
            ..Event::default()
        };
        assert_eq!(serde_json::from_str::<Event>(&event.json()).unwrap(), event);
        let order = Order {
            id: Some("#1".into()),
            amount: Some("-3.5".into()),
            currency: Some("EUR".into()),
            items: Some(Json("[]".into())),
            ..Order::default()
        };
        assert_eq!(serde_json::from_str::<Order>(&order.json()).unwrap(), order);
        let ping = Ping {
            page_view_id: Some("x".into()),
            engaged_ms: Some(10),
            scroll_pct: Some(100),
            webdriver: true,
        };
        assert_eq!(serde_json::from_str::<Ping>(&ping.json()).unwrap(), ping);
        let start = Start { url: Some("u".into()), ..Start::default() };
        assert_eq!(serde_json::from_str::<Start>(&start.json()).unwrap(), start);
        let login = Login { assertion: Some("a.b.c".into()), visit: Some(false), ..Login::default() };
        assert!(serde_json::from_str::<Login>(&login.json()).unwrap() == login);
        assert_eq!(Start::default().json(), "{}");
    }
}
