//! What opens a door or names a person: found in addresses, and in texts that may hold addresses.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use unicode_normalization::UnicodeNormalization as _;
use url::form_urlencoded;

/// What stands in the place of an e-mail address; all of it may stand in an address. First the escape
/// that may be in front of it.
const EMAIL: &str = "${1}(email)";

/// A parameter is a secret where a word of its name holds one of these.
const PARTS: [&str; 24] = [
    "token",
    "accesskey",
    "authcode",
    "authkey",
    "csrf",
    "licensekey",
    "mailaddr",
    "privatekey",
    "resetcode",
    "secretkey",
    "sessionkey",
    "usermail",
    "verificationcode",
    "passw",
    "passphrase",
    "passcode",
    "secret",
    "credential",
    "signature",
    "apikey",
    "email",
    "sessionid",
    "sessid",
    "saml",
];

/// … or where one of these is a word of it, as in `user_pwd` and `authHash`.
const WORDS: [&str; 28] = [
    "invite",
    "magic",
    "phone",
    "pw",
    "ticket",
    "username",
    "xsrf",
    "assertion",
    "auth",
    "authorization",
    "bearer",
    "hmac",
    "jwt",
    "mail",
    "nonce",
    "oauth",
    "otp",
    "pass",
    "passkey",
    "pin",
    "pwd",
    "sess",
    "session",
    "sid",
    "sig",
    "sso",
    "totp",
    "verifier",
];

/// … or where it ends with one of these words, unless [`HARMLESS`] stands before it.
const LAST_WORDS: [&str; 4] = ["code", "codes", "key", "keys"];

/// What is public before `code` or `key`: `country_code`, `sort_key`.
const HARMLESS: [&str; 29] = [
    "area",
    "bar",
    "campaign",
    "cart",
    "category",
    "color",
    "colour",
    "country",
    "coupon",
    "currency",
    "discount",
    "error",
    "filter",
    "group",
    "item",
    "lang",
    "language",
    "offer",
    "post",
    "postal",
    "product",
    "promo",
    "promotion",
    "qr",
    "sort",
    "source",
    "status",
    "voucher",
    "zip",
];

/// Harmless on its own, but part of an answer to a sign-in (RFC 6749 §4.1.2) beside one of these.
const STATE_BESIDE: [&str; 8] =
    ["access_token", "client_id", "code", "error", "id_token", "iss", "redirect_uri", "session_state"];

/// `ada@example.org`, also where `@` and other characters are escaped, even more than once.
static EMAIL_ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    let escaped = "%(?:25)*";
    let beyond_ascii = format!("{escaped}[89A-F][0-9A-F]");
    let local = format!(
        r"(?:[\p{{L}}\p{{N}}._+~!$'*^`{{|}}-]|{escaped}(?:2[1347ABDE]|5[EF]|60|7[B-E])|{beyond_ascii})+"
    );
    let at = format!("(?:@|{escaped}40)");
    let label = format!(r"(?:[\p{{L}}\p{{N}}-]|{beyond_ascii})+");
    let dot = format!(r"(?:\.|{escaped}2E)");
    let top = format!(r"(?:xn--[a-z0-9-]+|\p{{L}}{{2,}}|(?:{beyond_ascii}){{2,}})");
    // A match begins at no escape's digits.
    compiled(&format!("({escaped}[0-9A-F]{{2}})??{local}{at}(?:{label}{dot})+{top}"))
});

/// `user:password@` behind `://`, which may be escaped.
static USERINFO: LazyLock<Regex> = LazyLock::new(|| {
    let colon = "(?::|%(?:25)*3A)";
    let slash = "(?:/|%(?:25)*2F)";
    let not_slash = r"(?:[^/?#\s@%]|%(?:25)*(?:[013-9A-F][0-9A-F]|2[0-9A-E]))";
    compiled(&format!("({colon}{slash}{{2}}){not_slash}*?(?:@|%(?:25)*40)"))
});

/// A parameter within a text: what stands before it, its name, its value.
static PARAMETER: LazyLock<Regex> =
    LazyLock::new(|| compiled(r#"([?&#;/])([^\s?&#;/="'<>]{1,64})=([^\s&#;"'<>]*)"#));

fn compiled(pattern: &str) -> Regex {
    Regex::new(&format!("(?i){pattern}")).expect("a pattern of this file, which its tests compile")
}

/// A text without secrets and e-mail addresses, whether it is an address, holds one, or neither.
#[must_use]
pub fn text(sent: &str) -> Cow<'_, str> {
    let mut kept = Cow::Borrowed(sent);
    if kept.contains('=') {
        let answers_sign_in = answers_sign_in(sent);
        let shown = PARAMETER.replace_all(&kept, |found: &Captures<'_>| {
            let (whole, before, name) = (&found[0], &found[1], &found[2]);
            if opens(name, &found[3], answers_sign_in) { before.to_owned() } else { whole.to_owned() }
        });
        if shown != kept {
            kept = Cow::Owned(shown.into_owned());
        }
    }
    match without_persons(&kept) {
        Cow::Borrowed(_) => kept,
        Cow::Owned(masked) => Cow::Owned(masked),
    }
}

/// A canonical path or route: without `;jsessionid=…` and the like, and without e-mail addresses.
pub(super) fn without_secrets(path: &str) -> Cow<'_, str> {
    if !path.contains(['=', '@', '%']) {
        return Cow::Borrowed(path);
    }
    let answers_sign_in = answers_sign_in(path);
    let mut kept = String::with_capacity(path.len());
    for piece in path.split_inclusive(['/', ';', '&']).flat_map(ending_apart) {
        // Without `=` it may be an escaped address.
        let opens = match piece.split_once('=') {
            Some((name, value)) => opens(name, value, answers_sign_in),
            None => piece.contains('%') && holds_secret(piece),
        };
        if !opens {
            kept.push_str(piece);
        } else if kept.ends_with([';', '&']) {
            kept.pop();
        }
    }
    Cow::Owned(without_persons(&kept).into_owned())
}

/// `a;` as `a` and `;`.
fn ending_apart(piece: &str) -> impl Iterator<Item = &str> {
    let end = piece.trim_end_matches(['/', ';', '&']).len();
    let (text, mark) = piece.split_at(end);
    [text, mark].into_iter().filter(|part| !part.is_empty())
}

/// A canonical query: without the parameters that look like secrets, and without e-mail addresses.
pub(super) fn without_secrets_in_query(query: &str) -> String {
    let answers_sign_in = answers_sign_in(query);
    let drops = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        pair.is_empty() || opens(name, value, answers_sign_in)
    };
    let pairs: Vec<Cow<'_, str>> = query
        .split('&')
        .map(|pair| match pair.contains(';') {
            true => Cow::Owned(pair.split(';').filter(|part| !drops(part)).collect::<Vec<_>>().join(";")),
            false => Cow::Borrowed(pair),
        })
        .filter(|pair| !drops(pair))
        .collect();
    without_persons(&pairs.join("&")).into_owned()
}

/// Whether a parameter may not be kept.
fn opens(name: &str, value: &str, answers_sign_in: bool) -> bool {
    is_secret(name) || holds_secret(value) || (answers_sign_in && name.eq_ignore_ascii_case("state"))
}

/// Whether a parameter that an answer to a sign-in has is there.
fn answers_sign_in(text: &str) -> bool {
    let parts = text.split(['?', '&', ';', '#', '/']).filter_map(|part| part.split_once('='));
    let mut names = parts.map(|(name, _)| name.to_lowercase());
    names.any(|name| STATE_BESIDE.contains(&name.as_str()))
}

/// Whether a parameter of this name holds a secret or an e-mail address.
fn is_secret(name: &str) -> bool {
    let words = words(&plain(name));
    if words.first().is_some_and(|word| word == "utm") {
        return false;
    }
    let is = |word: &str| words.iter().any(|own| own == word);
    let ends_as_secret = match words.as_slice() {
        [.., before, last] if LAST_WORDS.contains(&last.as_str()) => !HARMLESS.contains(&before.as_str()),
        [last] => LAST_WORDS.contains(&last.as_str()),
        _ => false,
    };
    let holds = |part: &str| words.iter().any(|own| own.contains(part));
    ends_as_secret || WORDS.into_iter().any(is) || PARTS.into_iter().any(holds)
}

/// A name as it reads: unescaped, however often, without characters that are not seen, and with letters of
/// other widths as the plain ones.
fn plain(name: &str) -> String {
    let mut name = Cow::Borrowed(name);
    for _ in 0..ESCAPES_MAX {
        let decoded = percent_decoded(&name.replace('+', " "));
        if decoded == name {
            break;
        }
        name = Cow::Owned(decoded);
    }
    let unseen =
        |c: &char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    name.nfkc().filter(|c| !unseen(c)).collect()
}

/// The words of a name, in lower case: of `userEmail[0]` `user` and `email`. Digits are no letters.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for character in name.chars() {
        if !character.is_alphabetic() || (after_lower && character.is_uppercase()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (character.is_alphabetic(), words.last_mut()) {
            word.extend(character.to_lowercase());
        }
        after_lower = character.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// How often a value may be escaped for what it holds to be found.
const ESCAPES_MAX: usize = 5;

/// Whether a value is itself an address, perhaps escaped, that holds a secret.
fn holds_secret(value: &str) -> bool {
    let mut value = Cow::Borrowed(value);
    for _ in 0..ESCAPES_MAX {
        let within = value.split(['?', '&', '#', ';', '/']).filter_map(|part| part.split_once('='));
        if within.into_iter().any(|(name, _)| is_secret(name)) {
            return true;
        }
        if !value.contains('%') {
            return false;
        }
        let decoded = percent_decoded(&value);
        if decoded == value {
            return false;
        }
        value = Cow::Owned(decoded);
    }
    false
}

fn percent_decoded(text: &str) -> String {
    let escaped = text.replace('&', "%26").replace('+', "%2B").replace('=', "%3D");
    form_urlencoded::parse(escaped.as_bytes()).next().map_or_else(String::new, |(text, _)| text.into_owned())
}

/// Without e-mail addresses, and without what stands before the host of an address.
fn without_persons(text: &str) -> Cow<'_, str> {
    if !text.contains('@') && !text.contains("%40") && !text.contains("%25") {
        return Cow::Borrowed(text);
    }
    let without_userinfo = USERINFO.replace_all(text, "$1");
    match EMAIL_ADDRESS.replace_all(&without_userinfo, EMAIL) {
        Cow::Borrowed(_) => without_userinfo,
        Cow::Owned(masked) => Cow::Owned(masked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_every_spelling() {
        for name in [
            "token",
            "TOKEN",
            "access_token",
            "accessToken",
            "id_token",
            "reset-token",
            "resettoken",
            "X-Amz-Security-Token",
            "X-Amz-Signature",
            "X-Amz-Credential",
            "sig",
            "key",
            "api_key",
            "apiKey",
            "apikey",
            "privateKey",
            "password",
            "passwd",
            "user[password]",
            "new_password2",
            "pwd",
            "userPwd",
            "pass",
            "secret",
            "client_secret",
            "code",
            "auth_code",
            "verificationCode",
            "session",
            "session_id",
            "sessionId",
            "PHPSESSID",
            "jsessionid",
            "sid",
            "auth",
            "oauth_verifier",
            "signature",
            "email",
            "user_email",
            "userEmail",
            "e-mail",
            "EMail",
            "email1",
            "mail",
            "otp",
            "jwt",
            "SAMLResponse",
            "to%6ben",
            "%65mail",
            "login_key",
            "codes",
            "nonce",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "",
            "q",
            "page",
            "utm_source",
            "utm_email",
            "gclid",
            "fbclid",
            "msclkid",
            "s_cid",
            "mc_eid",
            "_kx",
            "mkt_tok",
            "click_id",
            "keyword",
            "keywords",
            "monkey",
            "country_code",
            "countryCode",
            "zip_code",
            "promo_code",
            "sort_key",
            "lang",
            "author",
            "authority",
            "side",
            "position",
            "barcode",
            "compass",
            "opinion",
            "pinned",
            "mailing_id",
            "state",
            "product_id",
            "sessions",
            "ref",
            "signup",
        ] {
            assert!(!is_secret(name), "{name}");
        }
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
            ("jörg@bücher.example", "(email)"),
            ("a%2Bb@xn--bcher-kva.example", "(email)"),
            ("a@b.xn--p1ai", "(email)"),
            ("a@b.c1om", "a@b.c1om"),
            ("react@18.2.0", "react@18.2.0"),
            ("/@scope/package", "/@scope/package"),
            ("/@52.5,13.4,15z", "/@52.5,13.4,15z"),
            ("ada@localhost", "ada@localhost"),
            ("https://ada:secret@host/x", "https://host/x"),
            ("u=https%3A%2F%2Fada%3Asecret%40host%2Fx", "u=https%3A%2F%2Fhost%2Fx"),
            ("u=https%3A%2F%2Fsocial.example%2F%40ada", "u=https%3A%2F%2Fsocial.example%2F%40ada"),
            ("100%25", "100%25"),
        ] {
            assert_eq!(without_persons(sent), kept);
        }
    }

    #[test]
    fn a_text_loses_the_secrets_of_the_addresses_in_it() {
        for (sent, kept) in [
            ("Shoes", "Shoes"),
            ("1 + 1 = 2", "1 + 1 = 2"),
            ("https://a.example/x?token=s3cret&y=1 - Shop", "https://a.example/x?&y=1 - Shop"),
            ("a.example/#access_token=s3cret", "a.example/#"),
            ("a.example/?code=s3cret&state=s3cret&a=1", "a.example/?&&a=1"),
            ("a.example/?state=bavaria", "a.example/?state=bavaria"),
            ("a.example/?next=%2Fb%3Fkey%3Ds3cret", "a.example/?"),
            ("Welcome, ada@example.org!", "Welcome, (email)!"),
            ("<a href=\"/reset?key=s3cret\">", "<a href=\"/reset?\">"),
        ] {
            assert_eq!(text(sent), kept);
        }
    }
}
