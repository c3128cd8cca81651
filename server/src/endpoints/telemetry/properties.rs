//! The properties of an event and the items of an order: JSON that the site defines.

use std::borrow::Cow;

use serde_json::{Map, Value};
use visitflow_protocol::limits;

use crate::address;

/// The properties of an event: left out if they are not an object, too many, or contain what a database refuses.
pub(super) fn props(props: Option<String>) -> Option<String> {
    let fits = |props: &String| props.len() <= limits::PROPS_BYTES;
    json("props", props, |value| value.is_object()).filter(fits)
}

/// The items of an order: left out if they are not an array of objects, or too many.
pub(super) fn order_items(items: Option<String>) -> Option<String> {
    json("items", items, |value| {
        let list = value.as_array();
        list.is_some_and(|list| list.len() <= limits::ORDER_ITEMS && list.iter().all(Value::is_object))
    })
}

/// JSON of the given shape that every database accepts, without secrets and e-mail addresses in its names and texts.
fn json(field: &str, sent: Option<String>, is_shaped: impl FnOnce(&Value) -> bool) -> Option<String> {
    let sent = sent.filter(|json| json != "null")?;
    let value: Option<Value> = serde_json::from_str(&sent).ok();
    let is_taken = |value: &Value| depth(value) <= limits::JSON_DEPTH && !has_nul(value);
    let Some(mut value) = value.filter(is_shaped).filter(is_taken) else {
        tracing::debug!(field, "left out, because it does not have the form in docs/api.md");
        return None;
    };
    // If nothing was removed, the text stays as it was written. But if a name occurs twice, only its last value was
    // checked.
    let is_whole = !tidy(&mut value) && texts_of(&value) == texts_in(&sent);
    Some(if is_whole { sent } else { value.to_string() })
}

/// How many names and texts a value has.
fn texts_of(value: &Value) -> usize {
    match value {
        Value::String(_) => 1,
        Value::Array(list) => list.iter().map(texts_of).sum(),
        Value::Object(map) => map.values().map(|value| 1 + texts_of(value)).sum(),
        _ => 0,
    }
}

/// How many names and texts the JSON text contains.
fn texts_in(json: &str) -> usize {
    let (mut quotes, mut escaped) = (0, false);
    for byte in json.bytes() {
        quotes += usize::from(byte == b'"' && !escaped);
        escaped = byte == b'\\' && !escaped;
    }
    quotes / 2
}

/// How deep a value is nested: 0 for a text or a number.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// Removes secrets and e-mail addresses from all names and texts, and the properties that are secrets. Whether there were
/// any.
fn tidy(value: &mut Value) -> bool {
    match value {
        Value::String(text) => match address::text(text) {
            Cow::Borrowed(_) => false,
            Cow::Owned(kept) => {
                *text = kept;
                true
            }
        },
        Value::Array(list) => list.iter_mut().fold(false, |changed, item| tidy(item) | changed),
        Value::Object(map) => tidy_object(map),
        _ => false,
    }
}

fn tidy_object(map: &mut Map<String, Value>) -> bool {
    let mut changed = false;
    let mut kept = Map::new();
    for (name, mut value) in std::mem::take(map) {
        let says_something = !value.is_null() && !value.is_boolean();
        if says_something && address::is_of_secret_property(&name, value.is_number()) {
            changed = true;
            continue;
        }
        changed |= tidy(&mut value);
        let tidied = address::text(&name);
        changed |= tidied != name;
        // Two names may have become one: the first counts.
        kept.entry(tidied).or_insert(value);
    }
    *map = kept;
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_that_cannot_be_stored_are_left_out() {
        let kept = |json: &str| props(Some(json.into()));
        for bad in [
            "[1]",
            "1",
            "null",
            r#"{"a":"\u0000"}"#,
            r#"{"\u0000":1}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":1e999}"#,
        ] {
            assert_eq!(kept(bad), None, "{bad}");
        }
        assert_eq!(kept(&format!("{{\"a\":{}{}}}", "[".repeat(500), "]".repeat(500))), None);
        assert_eq!(kept(&format!("{{\"a\":\"{}\"}}", "x".repeat(limits::PROPS_BYTES))), None);
        for good in ["{}", r#"{"a":"\\u0000"}"#, r#"{ "n": 1.10, "to": "x" }"#] {
            assert_eq!(kept(good).as_deref(), Some(good));
        }
        let items = |json: &str| order_items(Some(json.into()));
        assert_eq!(items(r#"[{"sku":1}]"#).as_deref(), Some(r#"[{"sku":1}]"#));
        assert_eq!(
            (items("{}"), items("[1]"), items(&format!("[{}{{}}]", "{},".repeat(200)))),
            (None, None, None)
        );
    }

    #[test]
    fn what_is_nested_too_deep_is_left_out() {
        let nested = |depth: usize| {
            let inner = format!("{}{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
            props(Some(format!(r#"{{"d":{inner}}}"#))).is_some()
        };
        assert!(nested(limits::JSON_DEPTH));
        assert!(!nested(limits::JSON_DEPTH + 1) && !nested(120) && !nested(126));
    }

    #[test]
    fn properties_name_nobody() {
        let sent = r#"{"to":["Ada <ada@example.org>",{"at":"https://a.example/?token=SECRET&b=1"}],"n":1.5}"#;
        let kept = r#"{"to":["Ada <(email)>",{"at":"https://a.example/?token=&b=1"}],"n":1.5}"#;
        assert_eq!(props(Some(sent.into())).as_deref(), Some(kept));
    }

    #[test]
    fn no_text_of_a_property_holds_a_token() {
        let token = format!("s_{}.{}", "a".repeat(22), "b".repeat(43));
        let sent = format!(r#"{{"a":["{token}",{{"{token}":"Bearer {token}"}}]}}"#);
        let kept = r#"{"a":["(token)",{"(token)":"Bearer (token)"}]}"#;
        assert_eq!(props(Some(sent)).as_deref(), Some(kept));
    }

    #[test]
    fn no_name_of_a_property_holds_a_secret_or_bears_one() {
        let kept = |json: &str| props(Some(json.into()));
        for (sent, expected) in [
            (r#"{"token":"SECRET","a":{"user_email":["SECRET"]}}"#, r#"{"a":{}}"#),
            (
                r#"{"apiKey":"S","x-api-key":"S","accessKeyId":"S","password_hash":"S","pw":"S","otp":123456}"#,
                "{}",
            ),
            (r#"{"password":12345,"Authorization":"Bearer SEK"}"#, "{}"),
            (r#"{"ada@example.org":1,"bob@example.org":2}"#, r#"{"(email)":1}"#),
            (r#"{"/a?token=HUNTER":1,"password:HUNTER":2}"#, r#"{"/a?token=":1,"password:":2}"#),
            (r#"{"a":"token=SECRET","a":1}"#, r#"{"a":1}"#),
            (r#"{"a":"\u0000","a":"\""}"#, r#"{"a":"\""}"#),
        ] {
            assert_eq!(kept(sent).as_deref(), Some(expected), "{sent}");
        }
        for whole in [
            r#"{"code":"SUMMER10","key":"A4","token_type":"bearer","tokens":12, "a":[1.10,"x\\"]}"#,
            r#"{"passwordless":"yes","tokenizer":"bpe","token":true,"email":1,"size_code":"XL"}"#,
            r#"{"password_strength":"weak","email_opt_in":"yes","a":"\"{"}"#,
        ] {
            assert_eq!(kept(whole).as_deref(), Some(whole));
        }
        let items = order_items(Some(r#"[{"sku":"A","token":"SECRET"}]"#.into()));
        assert_eq!(items.as_deref(), Some(r#"[{"sku":"A"}]"#));
    }
}
