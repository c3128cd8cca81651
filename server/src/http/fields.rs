//! Header fields, which are bytes. A field that is not text, or a list with a malformed element, is read as far as
//! possible.

use std::borrow::Cow;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

/// A field that may occur once has several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

/// The text of a field, whatever its bytes; several fields of one name are one list (RFC 9110 §5.3).
#[must_use]
pub fn text(headers: &HeaderMap, name: impl AsRef<str>) -> Option<Cow<'_, str>> {
    let mut values = headers.get_all(name.as_ref()).iter();
    let first = String::from_utf8_lossy(values.next()?.as_bytes());
    Some(values.fold(first, |text, value| text + ", " + String::from_utf8_lossy(value.as_bytes())))
}

/// The value of a field that may occur once.
///
/// # Errors
/// When it occurs more than once, with different values.
pub fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>, Ambiguous> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.all(|value| Some(value) == first) { Ok(first) } else { Err(Ambiguous) }
}

/// The elements of a list, in its order, without those that are empty (RFC 9110 §5.6.1.2).
pub fn elements<'h>(headers: &'h HeaderMap, name: &'h str) -> impl DoubleEndedIterator<Item = &'h [u8]> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(unquoted)
        .filter(|element| !element.is_empty())
}

/// An element without the space and the quotes around it.
fn unquoted(element: &[u8]) -> &[u8] {
    let element = element.trim_ascii();
    let inner = element.strip_prefix(b"\"").and_then(|element| element.strip_suffix(b"\""));
    inner.unwrap_or(element).trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let name = || HeaderName::from_static("x-list");
        values.iter().map(|value| (name(), HeaderValue::from_bytes(value).unwrap())).collect()
    }

    #[test]
    fn a_field_with_odd_bytes_is_read_as_far_as_it_goes() {
        assert_eq!(text(&headers(&[]), "x-list"), None);
        assert_eq!(text(&headers(&[b"bot/1 K\xf6ln"]), "x-list").unwrap(), "bot/1 K\u{fffd}ln");
        assert_eq!(text(&headers(&["bot/1 Köln".as_bytes(), b"a"]), "x-list").unwrap(), "bot/1 Köln, a");
    }

    #[test]
    fn a_field_that_comes_twice_with_two_values_has_none() {
        let single = |values: &[&[u8]]| {
            single(&headers(values), HeaderName::from_static("x-list")).map(|value| value.cloned())
        };
        assert_eq!(single(&[]), Ok(None));
        assert_eq!(single(&[b"a", b"a"]), Ok(Some(HeaderValue::from_static("a"))));
        assert_eq!(single(&[b"a", b"b"]), Err(Ambiguous));
    }

    #[test]
    fn empty_elements_do_not_count() {
        let headers = headers(&[b", a ,,\" b\"", b"", b"\xff,c,"]);
        assert_eq!(elements(&headers, "x-list").collect::<Vec<_>>(), [&b"a"[..], b"b", b"\xff", b"c"]);
        assert_eq!(elements(&headers, "x-list").next_back(), Some(&b"c"[..]));
    }
}
