//! Which names of parameters say that the value opens a door or names a person.

use unicode_normalization::UnicodeNormalization as _;

use super::reading::Reading;

/// How sure it is that what bears a name is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// `password`, `access_token`, `email`: never anything else.
    Plain,
    /// `code`, `key`, `session`: also words of a sentence, `code:rust`.
    Word,
}

/// A name is [`Name::Plain`] where a word of it holds one of these.
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

/// It is [`Name::Word`] where one of these is a word of it, as in `user_pwd` and `authHash`.
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

/// What the name of a parameter says of its value; none: nothing.
pub(super) fn secret(name: &str) -> Option<Name> {
    let words = words(&plain(name));
    if words.first().is_some_and(|word| word == "utm") {
        return None;
    }
    let is = |word: &str| words.iter().any(|own| own == word);
    let ends_as_secret = match words.as_slice() {
        [.., before, last] if LAST_WORDS.contains(&last.as_str()) => !HARMLESS.contains(&before.as_str()),
        [last] => LAST_WORDS.contains(&last.as_str()),
        _ => false,
    };
    if words.iter().any(|word| is_plain(word)) {
        Some(Name::Plain)
    } else {
        (ends_as_secret || WORDS.into_iter().any(is)).then_some(Name::Word)
    }
}

/// Whether what a property of this name holds is itself a secret: `reset_token`, but not `token_type` or
/// `password_strength`, and not `code` or `key`, which a site chose to send.
pub(crate) fn is_of_secret_property(name: &str) -> bool {
    words(&plain(name)).last().is_some_and(|word| is_plain(word))
}

fn is_plain(word: &str) -> bool {
    PARTS.into_iter().any(|part| word.contains(part))
}

/// A name as it reads: without escapes and characters that are not seen, and with letters of other widths as
/// the plain ones.
fn plain(name: &str) -> String {
    let unseen =
        |c: &char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    Reading::of(name).plain.nfkc().filter(|c| !unseen(c)).collect()
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
            assert!(secret(name).is_some(), "{name}");
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
            assert_eq!(secret(name), None, "{name}");
        }
    }

    #[test]
    fn a_property_is_a_secret_where_its_name_ends_as_one() {
        for name in ["token", "resetToken", "new_password2", "client-secret", "email", "to%6ben"] {
            assert!(is_of_secret_property(name), "{name}");
        }
        for name in ["", "code", "key", "session", "token_type", "password_strength", "email_opt_in"] {
            assert!(!is_of_secret_property(name), "{name}");
        }
    }
}
