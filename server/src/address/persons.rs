//! Who is named: e-mail addresses, and names and passwords before the host of an address.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::reading::Reading;

/// What stands in the place of an e-mail address; all of it may stand in an address.
const EMAIL: &str = "(email)";

/// `ada@example.org`, also `"ada"@example.org`.
static EMAIL_ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    let local = r#"(?:"[^"\s]+"|[\p{L}\p{M}\p{N}._+~!$'*^`{|}%-]+)"#;
    let top = r"(?:xn--[a-z0-9-]+|\p{L}[\p{L}\p{M}]+)";
    compiled(&format!(r"{local}@(?:[\p{{L}}\p{{M}}\p{{N}}-]+\.)+{top}"))
});

/// `user:password@` behind `//`, or behind a scheme for which browsers need no `//`.
static USERINFO: LazyLock<Regex> =
    LazyLock::new(|| compiled(r#"(?:(?:https?|wss?|ftp):[/\\]*|[/\\]{2})([^/\\?#\s"'<>]+@)"#));

fn compiled(pattern: &str) -> Regex {
    Regex::new(&format!("(?i){pattern}")).expect("a pattern of this file, which its tests compile")
}

/// The parts of a text that name persons, and what is to stand there instead.
pub(super) fn persons(reading: &Reading<'_>) -> Vec<(Range<usize>, &'static str)> {
    let text = &reading.plain;
    if !text.contains('@') {
        return Vec::new();
    }
    let userinfo = USERINFO.captures_iter(text).filter_map(|found| Some((found.get(1)?.range(), "")));
    let emails = EMAIL_ADDRESS.find_iter(text).map(|found| (found.range(), EMAIL));
    userinfo.chain(emails).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_persons(sent: &str) -> String {
        let reading = Reading::of(sent);
        reading.replaced(persons(&reading)).unwrap_or_else(|| sent.to_owned())
    }

    #[test]
    fn an_email_address_is_found_however_it_is_written() {
        for (sent, kept) in [
            ("ada@example.org", "(email)"),
            ("Mail to ada.b+c@mail.example.co.uk, please", "Mail to (email), please"),
            ("/u/ada%40example.org/orders", "/u/(email)/orders"),
            ("/u/ada%2540example%252Eorg/x", "/u/(email)/x"),
            ("to=mailto%3Aada%40example.org", "to=mailto%3A(email)"),
            ("j%C3%B6rg%40b%C3%BCcher.example", "(email)"),
            ("j%F6rg@example.org", "(email)"),
            ("jörg@bücher.example", "(email)"),
            ("a%2Bb@xn--bcher-kva.example", "(email)"),
            ("a@b.xn--p1ai", "(email)"),
            ("q=%22ada%22@example.org", "q=(email)"),
            ("ada\\u0040example.org", "(email)"),
            ("a@b.c1om", "a@b.c1om"),
            ("react@18.2.0", "react@18.2.0"),
            ("/@scope/package", "/@scope/package"),
            ("/@ada.lovelace", "/@ada.lovelace"),
            ("/@52.5,13.4,15z", "/@52.5,13.4,15z"),
            ("ada@localhost", "ada@localhost"),
            ("100%25", "100%25"),
        ] {
            assert_eq!(without_persons(sent), kept);
        }
    }

    #[test]
    fn what_stands_before_a_host_is_found_however_it_is_written() {
        for (sent, kept) in [
            ("https://ada:secret@host/x", "https://host/x"),
            ("u=https%3A%2F%2Fada%3Asecret%40host%2Fx", "u=https%3A%2F%2Fhost%2Fx"),
            ("u=//ada:secret@host/", "u=//host/"),
            ("u=%252F%252Fada%253Asecret%2540host", "u=%252F%252Fhost"),
            (r"\\ada:s@cret@host\x", r"\\host\x"),
            ("https:ada:secret@host", "https:host"),
            ("u=https%3A%2F%2Fsocial.example%2F%40ada", "u=https%3A%2F%2Fsocial.example%2F%40ada"),
            ("https://shop.example is ada@home", "https://shop.example is ada@home"),
        ] {
            assert_eq!(without_persons(sent), kept);
        }
    }
}
