//! Which names of parameters tell that the value is a secret or identifies a person.

mod lists;

use self::lists::{ALONE, ENDINGS, EXACT, QUALIFIERS, TAILS, TOPICS, WORDS};
use super::words::words;

/// How certain it is that a value with this name is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// `password`, `access_token`, `api_key`: always a secret.
    Plain,
    /// `token`, `secret`, `email` alone: may be the subject of a title, as in `Token:ERC20`.
    Topic,
    /// `session`, `ticket`: may be a word of a sentence.
    Word,
    /// `code`: the same, but digits after it are likely to be an access code.
    Code,
}

/// What the name of a parameter tells of its value; none: nothing.
pub(super) fn secret(name: &str) -> Option<Name> {
    let words = words(name);
    if words.first().is_some_and(|word| word == "utm") {
        return None;
    }
    match words.as_slice() {
        [] => None,
        [word] if is_key_or_code(word) => {
            Some(if singular(word) == "code" { Name::Code } else { Name::Word })
        }
        [word] if is_certain(word) => Some(if is_topic(word) { Name::Topic } else { Name::Plain }),
        [word] if ALONE.contains(&&**word) => Some(Name::Word),
        words if words.iter().any(|word| is_certain(word)) || is_qualified(words) => Some(Name::Plain),
        words => words.iter().any(|word| WORDS.contains(&&**word)).then_some(Name::Word),
    }
}

/// Whether the value of a property with this name is itself a secret: `reset_token` or `api_key`, but not `token_type` or
/// `password_strength`, and not `code` or `key`, which a site chose to send. A number is not, if the name counts
/// something: `tokens`.
pub(crate) fn is_of_secret_property(name: &str, is_number: bool) -> bool {
    let words = words(name);
    let mut words = words.as_slice();
    while let [before @ .., last] = words {
        let is_tail =
            TAILS.contains(&&**last) && (last != "id" || before.last().is_some_and(|key| key == "key"));
        if before.is_empty() || !is_tail {
            break;
        }
        words = before;
    }
    let Some(last) = words.last().filter(|_| !is_number || words.iter().all(|word| !is_count(word))) else {
        return false;
    };
    is_certain(last) || is_qualified(words)
}

/// Whether a number under this name is a count: `tokens` and `emails` are counted.
fn is_count(word: &str) -> bool {
    word.ends_with("mail") || singular(word) != word
}

/// Whether a word of a name makes it a secret, whatever the other words.
fn is_certain(word: &str) -> bool {
    let is_one = |word: &str| {
        let word = singular(word);
        let qualified = |of: &str| word.strip_suffix(of).is_some_and(|before| QUALIFIERS.contains(&before));
        EXACT.contains(&word)
            || ENDINGS.iter().any(|end| word.ends_with(end))
            || qualified("key")
            || qualified("code")
    };
    is_one(word) || TAILS.iter().filter_map(|tail| word.strip_suffix(tail)).any(is_one)
}

/// Whether the name is about a `key` or `code` that gives access to something.
fn is_qualified(words: &[String]) -> bool {
    let qualifies = |word: &String| QUALIFIERS.contains(&&**word);
    words.split_last().is_some_and(|(last, before)| is_key_or_code(last) && before.iter().any(qualifies))
}

fn is_key_or_code(word: &str) -> bool {
    matches!(singular(word), "key" | "code")
}

/// Whether people write about things with this name.
fn is_topic(word: &str) -> bool {
    TOPICS.contains(&singular(word))
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').filter(|word| !word.ends_with('s')).unwrap_or(word)
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
            "apiKeys",
            "x-api-key",
            "stripeSecretKey",
            "OTPCode",
            "security_code",
            "password_hash",
            "passwordhash",
            "pswd",
            "psw",
            "tok",
            "cvv",
            "iban",
            "ssn",
            "tel",
            "mobile",
            "invitation",
            "activation",
            "confirmation",
            "recovery",
            "verify",
            "t\u{43e}ken",
            "p%D0%B0ssword",
            "s\u{435}cret",
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
            "size_code",
            "style_code",
            "tracking_code",
            "airport_code",
            "store_code",
            "search_key",
            "sku_key",
            "primary_key",
            "secretary",
            "tokenizer",
            "passwordless",
            "emailing",
            "is_mobile",
            "mobile_menu",
            "\u{442}\u{43e}\u{43a}",
        ] {
            assert_eq!(secret(name), None, "{name}");
        }
    }

    #[test]
    fn a_property_is_a_secret_where_its_name_ends_as_one() {
        for name in [
            "token",
            "resetToken",
            "new_password2",
            "client-secret",
            "email",
            "email_address",
            "to%6ben",
            "apiKey",
            "api_key",
            "x-api-key",
            "secretKey",
            "stripeSecretKey",
            "private_key",
            "accessKeyId",
            "password_hash",
            "pw",
            "otp",
            "access_code",
            "Authorization",
        ] {
            assert!(is_of_secret_property(name, false), "{name}");
        }
        for name in [
            "",
            "code",
            "key",
            "session",
            "token_type",
            "token_id",
            "password_strength",
            "email_opt_in",
            "passwordless",
            "tokenizer",
            "sort_key",
            "country_code",
            "id",
        ] {
            assert!(!is_of_secret_property(name, false), "{name}");
        }
        for (name, is_secret) in
            [("password", true), ("otp", true), ("tokens", false), ("max_tokens", false), ("email", false)]
        {
            assert_eq!(is_of_secret_property(name, true), is_secret, "{name}");
        }
    }
}
