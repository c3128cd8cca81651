//! What is kept of an address or a text: everything except secrets and what identifies persons.

use std::borrow::Cow;
use std::ops::Range;

use super::names;
use super::parameters::{Room, answers_sign_in, is_state, secrets};
use super::persons::{may_name_a_person, persons};
use super::reading::Reading;
use super::tokens::{may_be_in, tokens};

/// How often a text is searched for secrets. A text that still changes after that was made to do so, and is not kept.
pub(super) const PASSES: usize = 10;

/// A text without secrets and e-mail addresses, whether it is an address, contains one, or neither. An unchanged text is
/// borrowed.
#[must_use]
pub fn text(sent: &str) -> Cow<'_, str> {
    let mut kept = Cow::Borrowed(sent);
    for _ in 0..PASSES {
        match without(&kept, Room::Prose) {
            Some(next) => kept = Cow::Owned(next),
            None => return kept,
        }
    }
    Cow::Owned(String::new())
}

/// A canonical path or route: without `;jsessionid=…`, without the values of other secrets, and without
/// e-mail addresses.
pub(super) fn path(path: String) -> String {
    without(&path, Room::Path).unwrap_or(path)
}

/// A canonical query: without parameters that are secrets or contain one, and without e-mail addresses.
pub(super) fn query(query: &str) -> String {
    let answers_sign_in = answers_sign_in(&Reading::of(query).plain);
    let kept = |pair: &str| parameter(pair, answers_sign_in);
    let pairs = query.split('&').filter_map(|pair| match pair.contains(';') {
        true => Some(pair.split(';').filter_map(kept).collect::<Vec<_>>().join(";"))
            .filter(|pair| !pair.is_empty()),
        false => kept(pair),
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// A parameter as it is kept, if it is.
fn parameter(pair: &str, answers_sign_in: bool) -> Option<String> {
    let name = pair.split_once('=').map_or(pair, |(name, _)| name);
    if pair.is_empty() || names::secret(name).is_some() || is_state(name, answers_sign_in) {
        return None;
    }
    let reading = Reading::of(pair);
    let holds_secret = !secrets(&reading, Room::Query, answers_sign_in).is_empty();
    let replaced = || reading.replaced([persons(&reading), tokens(&reading)].concat());
    (!holds_secret).then(|| replaced().unwrap_or_else(|| pair.to_owned()))
}

/// A text without the secrets that one search finds; none if there are none.
fn without(text: &str, room: Room) -> Option<String> {
    if !text.contains(['=', ':', '%', '\\']) && !may_name_a_person(text) && !may_be_in(text) {
        return None;
    }
    let reading = Reading::of(text);
    let plain = &reading.plain;
    let mut found = [persons(&reading), tokens(&reading)].concat();
    for secret in secrets(&reading, room, answers_sign_in(plain)) {
        // Parameters of a path are removed with their names.
        let named = room == Room::Path && plain[..secret.name].ends_with([';', '&']);
        let part: Range<usize> = if named { secret.name - 1..secret.value.end } else { secret.value };
        found.push((part, ""));
    }
    reading.replaced(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_loses_the_secrets_in_it() {
        for (sent, kept) in [
            ("https://a.example/x?token=s3cret&y=1 - Shop", "https://a.example/x?token=&y=1 - Shop"),
            ("a.example/#access_token=s3cret", "a.example/#access_token="),
            ("a.example/?code=s3cret&state=s3cret&a=1", "a.example/?code=&state=&a=1"),
            ("a.example/?next=%2Fb%3Fkey%3Ds3cret", "a.example/?next=%2Fb%3Fkey%3D"),
            ("%3Ftoken%3DSECRET", "%3Ftoken%3D"),
            ("%25253Ftoken%25253DSECRET%252526a", "%25253Ftoken%25253D%252526a"),
            ("Welcome, ada@example.org!", "Welcome, (email)!"),
            ("<a href=\"/reset?key=s3cret\">", "<a href=\"/reset?key=\">"),
            ("token=SECRET", "token="),
            ("Page https://a.example/?q=token:SECRET", "Page https://a.example/?q=token:"),
            ("(token=SECRET next)", "(token= next)"),
            ("reset|password:hunter|x", "reset|password:"),
            ("Your code:123456 is here", "Your code: is here"),
            (r#"{"token":"SECRET","a":1}"#, r#"{"token":"","a":1}"#),
            (r#"{"token" : ["SE]CRET", {"a":"SECRET"}],"a":1}"#, r#"{"token" : ,"a":1}"#),
            (r#"{"code":"rust","pin":1234,"a":1}"#, r#"{"code":"","pin":,"a":1}"#),
            (r#"{\"token\":\"SE\\\"CRET\",\"a\":1}"#, r#"{\"token\":\"\",\"a\":1}"#),
            ("{'token':'SECRET words'}", "{'token':''}"),
            (r#"{"\u0074oken":"SECRET"}"#, r#"{"\u0074oken":""}"#),
            (r#"{"token":"SECRET"#, r#"{"token":""#),
            ("token==SECRET", "token="),
            (r#"<a token="SECRET" title="x">"#, r#"<a token="" title="x">"#),
            ("tokenSECRET", "tokenSECRET"),
            ("session:x7Fq2m0aPP31", "session:"),
            ("token:8f14e45fceea167a", "token:"),
            ("api_key:hunter", "api_key:"),
            ("t\u{43e}ken=SECRET", "t\u{43e}ken="),
            (r#"{"password":12345,"passwordless":"yes"}"#, r#"{"password":,"passwordless":"yes"}"#),
        ] {
            assert_eq!(text(sent), kept);
            assert_eq!(text(kept), kept, "again");
        }
        let long = format!("{}_token", "x".repeat(70));
        assert_eq!(text(&format!("a.example/?{long}=SECRET")), format!("a.example/?{long}="));
    }

    #[test]
    fn words_of_a_sentence_stay() {
        for sent in [
            "Shoes",
            "1 + 1 = 2",
            "code: the hidden language",
            "Code:Rust",
            "key=value pairs",
            "Session: 10:30",
            "Tokens: how they work",
            "keyboard=qwertz",
            "monkey:1234",
            "Passwords & secrets",
            "https://token.example:8080/x",
            "a.example/?state=bavaria",
            "a.example/?country_code=DE123",
            "Session:2024 keynote",
            "Session:Keynote2024",
            "token:ERC20 list",
            "Ticket:VIP2024",
            "PASS:FAIL",
            "Secret:S01E04",
            "Email:marketing tips",
            "Error code:4040",
            "code:rust-2021-edition",
            "key:\u{9690}\u{85cf}\u{7684}\u{8bed}\u{8a00}\u{9690}\u{85cf}\u{7684}\u{8bed}\u{8a00}",
        ] {
            assert!(matches!(text(sent), Cow::Borrowed(kept) if kept == sent), "{sent}: {}", text(sent));
        }
    }

    #[test]
    fn a_path_keeps_its_segments() {
        for (sent, kept) in [
            ("/x,token=1/b", "/x,token=/b"),
            ("/x:token=1/b", "/x:token=/b"),
            ("/x/token:SECRET/b", "/x/token:/b"),
            ("/a;jsessionid=SECRET/b", "/a/b"),
            ("/go/https%3A%2F%2Fx%2F%3Ftoken%3DSE%2FCRET/b", "/go/https%3A%2F%2Fx%2F%3Ftoken%3D/b"),
            ("/v1/books:batch", "/v1/books:batch"),
            ("/search/code:rust-2021-edition", "/search/code:rust-2021-edition"),
            ("/wiki/Session:2024", "/wiki/Session:2024"),
            ("/x/key:8f14e45fceea167a", "/x/key:8f14e45fceea167a"),
            ("/x/api_key:SECRET/b", "/x/api_key:/b"),
            ("/x/code=SECRET/b", "/x/code=/b"),
            ("/assets/logo@2x.png", "/assets/logo@2x.png"),
            ("/npm/vue@next.html", "/npm/vue@next.html"),
            ("/state=bavaria", "/state=bavaria"),
            ("/u/ada%40example.org/a", "/u/(email)/a"),
        ] {
            assert_eq!(path(sent.to_owned()), kept);
        }
    }

    #[test]
    fn a_query_loses_the_parameters_that_hold_a_secret() {
        for (sent, kept) in [
            ("a=1&token=SECRET&b", "a=1&b"),
            ("a=1;sid=SECRET;b=2", "a=1;b=2"),
            (r"data=%7B%22token%22:%22SECRET%22%7D&a", "a"),
            (r"data=%257B%2522user%2522%253A%257B%2522pin%2522%253A1234%257D%257D&a", "a"),
            ("q=token:SECRET&a", "a"),
            ("q=code:123456&q=code:rust-2021&size_code=XL", "q=code:rust-2021&size_code=XL"),
            ("t%D0%BEken=SECRET&a", "a"),
            (
                "q=rust+code:+the+hidden+language+of+computers",
                "q=rust+code:+the+hidden+language+of+computers",
            ),
            ("q=lang:rust", "q=lang:rust"),
            ("u=//user:SECRET@x/", "u=//x/"),
            ("u=//x&mail%5F=1&b=a@b.example", "u=//x&b=(email)"),
            ("next=%2Fcb%3Ferror%3Dx%26state%3DSECRET&a", "a"),
        ] {
            assert_eq!(query(sent), kept);
        }
    }
}
