use http::HeaderMap;
use http::header::COOKIE;

/// There are different tokens in a request, of which none is known to be right.
pub(crate) struct Several;

/// The token of a request. Other applications' cookies of the same name are passed over.
pub(crate) fn token<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Several> {
    let values = headers.get_all(COOKIE).into_iter();
    // A cookie of another application may hold any bytes; those of a token are ASCII.
    let pairs = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let mut tokens = pairs.filter_map(|pair| {
        let (key, value) = str::from_utf8(pair).ok()?.split_once('=')?;
        Some(value.trim()).filter(|value| key.trim() == name && is_token(value))
    });
    let first = tokens.next();
    if tokens.all(|other| Some(other) == first) { Ok(first) } else { Err(Several) }
}

/// Whether a text has the form of what the server issues: a tag of 128 bits and a secret of 256, base64url.
fn is_token(text: &str) -> bool {
    let is_base64url =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let parts = text.strip_prefix("s_").and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(tag, secret)| {
        tag.len() == 22 && secret.len() == 43 && is_base64url(tag) && is_base64url(secret)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn token_of(headers: &[&[u8]]) -> Option<String> {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(COOKIE, HeaderValue::from_bytes(header).unwrap());
        }
        token(&map, "session_id").ok().flatten().map(str::to_owned)
    }

    fn issued(fill: &str) -> String {
        format!("s_{}.{}", fill.repeat(22), fill.repeat(43))
    }

    #[test]
    fn a_token_is_found_among_other_cookies() {
        let ours = issued("a");
        let header = format!("theme=dark; session_id={ours};last=1");
        assert_eq!(token_of(&[header.as_bytes()]), Some(ours.clone()));
        assert_eq!(
            token_of(&[b"a=b", format!("session_id={ours}").as_bytes()]),
            Some(ours),
            "HTTP/2 splits cookies"
        );
        assert_eq!(token_of(&[]), None);
    }

    #[test]
    fn a_cookie_of_another_application_is_passed_over() {
        let ours = issued("b");
        for foreign in
            ["session_id=PHP5f2", "session_id=", "city=K\u{f6}ln", "session_id", "session_id=s_a.b"]
        {
            let header = format!("{foreign}; session_id={ours}");
            assert_eq!(token_of(&[header.as_bytes()]), Some(ours.clone()), "{foreign}");
            assert_eq!(token_of(&[foreign.as_bytes()]), None, "{foreign}");
        }
        assert_eq!(token_of(&[b"x=\xff; y=\xfe"]), None);
        assert_eq!(token_of(&[format!("my_session_id={ours}").as_bytes()]), None);
    }

    #[test]
    fn of_two_tokens_neither_counts() {
        let (one, other) = (issued("c"), issued("d"));
        assert_eq!(token_of(&[format!("session_id={one}; session_id={other}").as_bytes()]), None);
        assert_eq!(token_of(&[format!("session_id={one}; session_id={one}").as_bytes()]), Some(one));
    }
}
