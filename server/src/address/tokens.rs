//! Credentials that are recognized by their form: the session token and the API key of visitflow itself, JWTs, and what
//! follows `Bearer`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::reading::Reading;

/// What replaces a credential; all its characters may occur in an address.
const TOKEN: &str = "(token)";

/// `s_<tag>.<secret>` (`session/token.rs`), `vf_<id>.<secret>` (`keys.rs`), and a signed JWT, whose header and
/// claims begin with `{"` in base64url (RFC 7515 §7.1).
static BY_FORM: LazyLock<Regex> = LazyLock::new(|| {
    let base64url = "[A-Za-z0-9_-]";
    let own = format!(r"(?:s_{base64url}{{22}}|vf_{base64url}{{16}})\.{base64url}{{43,}}");
    let jwt = format!(r"eyJ{base64url}{{5,}}\.eyJ{base64url}{{5,}}\.{base64url}*");
    compiled(&format!("{own}|{jwt}"))
});

/// The header field `Authorization: Bearer …` (RFC 9110 §11.6.2); in a query `+` is a space.
static AUTHORIZATION: LazyLock<Regex> = LazyLock::new(|| {
    compiled(r#"(?i)authorization["'\\]*[\s+]*[:=][\s+"'\\]*(?:bearer|basic|token)[\s+]+([a-z0-9._~+/=-]+)"#)
});

/// What may follow these words, and is a credential if it looks random.
static AFTER_WORD: LazyLock<Regex> = LazyLock::new(|| {
    let behind_bearer = r"\bbearer[\s+]+([a-z0-9._~+/=-]{16,})";
    let in_path = r"/(?:token|reset-password|password-reset|verify)/([a-z0-9._~=-]{16,})";
    compiled(&format!("(?i){behind_bearer}|{in_path}"))
});

fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of this file, which its tests compile")
}

/// Whether an unescaped text can contain such a credential: a quick check.
pub(super) fn may_be_in(text: &str) -> bool {
    static HINT: LazyLock<Regex> =
        LazyLock::new(|| compiled("s_|vf_|eyJ|(?i:authorization|bearer|/token/|/reset-|-reset/|/verify/)"));
    HINT.is_match(text)
}

/// The credentials in a text, and their replacements.
pub(super) fn tokens(reading: &Reading<'_>) -> Vec<(Range<usize>, &'static str)> {
    let text = &reading.plain;
    if !may_be_in(text) {
        return Vec::new();
    }
    let by_form = BY_FORM.find_iter(text).map(|found| found.range());
    let behind = |pattern: &'static Regex| {
        pattern.captures_iter(text).filter_map(|found| Some(found.get(1).or_else(|| found.get(2))?.range()))
    };
    let random = behind(&AFTER_WORD).filter(|part| looks_random(&text[part.clone()]));
    by_form.chain(behind(&AUTHORIZATION)).chain(random).map(|part| (part, TOKEN)).collect()
}

/// Whether a text looks random: somewhere in it letters and digits alternate, as in `x7Fq2m0a`, or continue for 20
/// characters. Words, names and dates do neither: `VIP2024`, `rust-2021-edition`.
pub(super) fn looks_random(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| {
        let bytes = run.as_bytes();
        let turns =
            bytes.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
        (bytes.len() >= 8 && turns >= 3) || (bytes.len() >= 20 && turns >= 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::token::SessionToken;

    fn without_tokens(sent: &str) -> String {
        let reading = Reading::of(sent);
        reading.replaced(tokens(&reading)).unwrap_or_else(|| sent.to_owned())
    }

    #[test]
    fn every_session_token_and_api_key_is_known_by_its_form() {
        for _ in 0..100 {
            let token = SessionToken::issue().unwrap().cookie_value();
            let (_, key, _) = crate::keys::issue().unwrap();
            for credential in [token, key] {
                let escaped: String = credential.bytes().map(|byte| format!("%{byte:02X}")).collect();
                let written = [credential.clone(), credential.replace('.', "%252E"), escaped];
                for credential in written {
                    assert_eq!(without_tokens(&format!("/a/{credential}/x")), "/a/(token)/x");
                    assert_eq!(without_tokens(&format!("x{credential}")), "x(token)");
                    assert_eq!(without_tokens(&format!("Bearer {credential}")), "Bearer (token)");
                }
            }
        }
    }

    #[test]
    fn a_credential_is_known_by_its_form_or_by_what_stands_before_it() {
        for (sent, kept) in [
            ("t=eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.&a", "t=(token)&a"),
            ("see eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.x-_7 there", "see (token) there"),
            ("Authorization: Bearer SEK", "Authorization: Bearer (token)"),
            ("h=authorization:+basic+dTpw==&a", "h=authorization:+basic+(token)&a"),
            ("\\\"Authorization\\\": \\\"Bearer SEK\\\"", "\\\"Authorization\\\": \\\"Bearer (token)\\\""),
            ("bearer x7Fq2m0aPP31kd8s", "bearer (token)"),
            ("/token/x7Fq2m0aPP31kd8s/b", "/token/(token)/b"),
            ("/reset-password/8f14e45fceea167a5a36dedd4bea2543", "/reset-password/(token)"),
            ("/verify/0193a5e7-7c1b-7f6a-9d2e-3b4c5d6e7f80?a", "/verify/(token)?a"),
        ] {
            assert_eq!(without_tokens(sent), kept);
            assert_eq!(without_tokens(kept), kept, "again");
        }
    }

    #[test]
    fn what_only_resembles_a_credential_stays() {
        for sent in [
            "s_page.html",
            "vf_index.css",
            "eyJump.eyJ.x",
            "Bearer of bad news and misunderstandings",
            "Authorization: how it works",
            "/token/economics-explained-in-2024",
            "/verify/your-e-mail-address-now",
            "/verify/2024-11-29-announcement",
        ] {
            assert_eq!(without_tokens(sent), sent);
        }
    }

    #[test]
    fn words_and_dates_do_not_look_random() {
        for word in
            ["VIP2024", "Keynote2024", "20241203", "rust-2021-edition", "iPhone15Pro", "S01E04", "ERC20"]
        {
            assert!(!looks_random(word), "{word}");
        }
        for random in ["x7Fq2m0a", "0193a5e7-7c1b", "SECRETSECRETSECRETSECRET1"] {
            assert!(looks_random(random), "{random}");
        }
    }
}
