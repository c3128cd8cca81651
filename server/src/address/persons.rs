//! What identifies persons: e-mail addresses, and names and passwords before the host of an address.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::reading::{Reading, is_unseen};

/// What replaces an e-mail address; all its characters may occur in an address.
const EMAIL: &str = "(email)";

/// `ada@example.org`, also `"ada l"@example.org`, with signs of other widths, and with characters that are not
/// seen (`Cf`). What of it is an address [`domain_length`] tells.
static EMAIL_ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    let local = r#"(?:"[^"\r\n]{1,64}"|[\p{L}\p{M}\p{N}\p{Cf}._+~!$'*^`{|}%-]+)"#;
    let label = r"[\p{L}\p{M}\p{N}\p{Cf}-]+";
    compiled(&format!("{local}[{AT}]({label}(?:[{DOT}]{label})+)"))
});

/// `@`, and its forms of other widths.
const AT: &str = "@\u{ff20}\u{fe6b}";

/// What browsers take for the dot in a host name (UTS #46 §4).
const DOT: &str = ".\u{3002}\u{ff0e}\u{ff61}";

/// Extensions of files, which are not ends of host names: `logo@2x.png`.
const EXTENSIONS: [&str; 39] = [
    "avif", "bin", "bmp", "bundle", "cjs", "css", "csv", "eot", "esm", "exe", "gif", "gz", "htm", "html",
    "ico", "jpeg", "jpg", "js", "json", "jsx", "map", "min", "mjs", "pdf", "php", "png", "svg", "tar", "tgz",
    "ts", "tsx", "ttf", "txt", "wasm", "webp", "woff", "xml", "yml", "zip",
];

/// `user:password@` after `//`, or after a scheme for which browsers need no `//`.
static USERINFO: LazyLock<Regex> =
    LazyLock::new(|| compiled(r#"(?:(?:https?|wss?|ftp):[/\\]*|[/\\]{2})([^/\\?#\s"'<>]+@)"#));

fn compiled(pattern: &str) -> Regex {
    Regex::new(&format!("(?i){pattern}")).expect("a pattern of this file, which its tests compile")
}

/// The parts of a text that identify persons, and their replacements.
pub(super) fn persons(reading: &Reading<'_>) -> Vec<(Range<usize>, &'static str)> {
    let text = &reading.plain;
    if !may_name_a_person(text) {
        return Vec::new();
    }
    let userinfo = USERINFO.captures_iter(text).filter_map(|found| Some((found.get(1)?.range(), "")));
    userinfo.chain(emails(text).into_iter().map(|part| (part, EMAIL))).collect()
}

/// Whether a text without escapes can contain an e-mail address: a quick check.
pub(super) fn may_name_a_person(text: &str) -> bool {
    text.contains(|c: char| AT.contains(c))
}

fn emails(text: &str) -> Vec<Range<usize>> {
    let (mut emails, mut from) = (Vec::new(), 0);
    while let Some(found) = EMAIL_ADDRESS.captures_at(text, from) {
        let (Some(whole), Some(domain)) = (found.get(0), found.get(1)) else { break };
        from = match domain_length(domain.as_str()) {
            Some(length) => {
                let end = domain.start() + length;
                emails.push(whole.start()..end);
                end
            }
            None => domain.start(),
        };
    }
    emails
}

/// How much of a dotted text is the host of a mailbox: up to its last label of at least two letters, or of
/// `xn--…`, that is no end of a file's name. None if no such label has another one before it.
fn domain_length(domain: &str) -> Option<usize> {
    let mut rest = domain;
    while let Some((before, dot)) = rest.char_indices().rev().find(|(_, c)| DOT.contains(*c)) {
        let start = before + dot.len_utf8();
        if let Some(length) = top_length(&rest[start..]) {
            return Some(start + length);
        }
        rest = &rest[..before];
    }
    None
}

/// How much of a label is the last one of a host's name; after that only `-` may follow.
fn top_length(label: &str) -> Option<usize> {
    let plain: String = label.chars().filter(|c| !is_unseen(*c)).collect::<String>().to_lowercase();
    if plain.starts_with("xn--") {
        return Some(label.len());
    }
    let letters = plain.split('-').next().unwrap_or_default();
    let is_top = letters.chars().count() >= 2
        && letters.chars().all(|c| !c.is_numeric())
        && letters.starts_with(char::is_alphabetic)
        && !EXTENSIONS.contains(&letters);
    is_top.then(|| label.find('-').unwrap_or(label.len()))
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
            ("ada%E2%80%8B@x.example", "(email)"),
            ("ada@\u{200b}x.ex\u{ad}ample!", "(email)!"),
            ("\"ada x\"@x.example", "(email)"),
            ("ada%EF%BC%A0x.example", "(email)"),
            ("ada\u{ff20}x\u{ff0e}example", "(email)"),
            ("/u/ada@example.org.json", "/u/(email).json"),
            ("ada@example.org-2", "(email)-2"),
            ("ada@x.example.woff2", "(email).woff2"),
            ("logo@2x.png@x.example", "logo@(email)"),
            ("ada@163.com", "(email)"),
            ("/assets/logo@2x.png", "/assets/logo@2x.png"),
            ("/fonts/a@2x.woff2", "/fonts/a@2x.woff2"),
            ("/npm/vue@next.html", "/npm/vue@next.html"),
            ("/npm/jquery@3.7.1.min.js", "/npm/jquery@3.7.1.min.js"),
            ("/p/@scope/pkg@latest.tgz", "/p/@scope/pkg@latest.tgz"),
            ("vue@3.0.0-beta.1", "vue@3.0.0-beta.1"),
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
