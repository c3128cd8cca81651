//! The words of a parameter's name, in any notation.

use unicode_normalization::UnicodeNormalization as _;

use super::reading::{Reading, is_unseen};

/// A name in plain form: without escapes and invisible characters, with the plain forms of letters of other widths, and
/// with Latin letters in place of those that only look like them.
fn plain(name: &str) -> String {
    let name: String = Reading::of(name).plain.nfkc().filter(|c| !is_unseen(*c)).collect();
    let is_mixed = !name.is_ascii() && name.bytes().any(|byte| byte.is_ascii_alphabetic());
    if is_mixed { name.chars().map(latin).collect() } else { name }
}

/// The Latin letter that a Cyrillic or Greek one looks like (UTS #39 §4).
fn latin(c: char) -> char {
    const CYRILLIC_GREEK: [(&str, char); 21] = [
        ("\u{430}\u{410}\u{3b1}\u{391}", 'a'),
        ("\u{412}\u{392}", 'b'),
        ("\u{441}\u{421}\u{3f2}", 'c'),
        ("\u{501}", 'd'),
        ("\u{435}\u{415}\u{395}", 'e'),
        ("\u{4bb}\u{41d}\u{397}", 'h'),
        ("\u{456}\u{406}\u{3b9}\u{399}", 'i'),
        ("\u{458}\u{408}\u{3f3}", 'j'),
        ("\u{43a}\u{41a}\u{3ba}\u{39a}", 'k'),
        ("\u{4cf}", 'l'),
        ("\u{43c}\u{41c}\u{39c}", 'm'),
        ("\u{39d}", 'n'),
        ("\u{43e}\u{41e}\u{3bf}\u{39f}", 'o'),
        ("\u{440}\u{420}\u{3c1}\u{3a1}", 'p'),
        ("\u{51b}", 'q'),
        ("\u{455}\u{405}", 's'),
        ("\u{442}\u{422}\u{3c4}\u{3a4}", 't'),
        ("\u{3bd}\u{475}", 'v'),
        ("\u{51d}", 'w'),
        ("\u{445}\u{425}\u{3a7}", 'x'),
        ("\u{443}\u{423}\u{3a5}", 'y'),
    ];
    CYRILLIC_GREEK.iter().find(|(alike, _)| alike.contains(c)).map_or(c, |(_, latin)| *latin)
}

/// The words of a name, in lower case: of `userEmail[0]` `user` and `email`, of `OTPCode` `otp` and `code`.
/// Digits separate words.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after = ' ';
    let name = plain(name);
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let before_lower = characters.peek().is_some_and(|next| next.is_lowercase());
        let begins =
            character.is_uppercase() && (after.is_lowercase() || (after.is_uppercase() && before_lower));
        if !character.is_alphabetic() || begins {
            words.push(String::new());
        }
        if let (true, Some(word)) = (character.is_alphabetic(), words.last_mut()) {
            word.extend(character.to_lowercase());
        }
        after = character;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_same_words_however_it_is_written() {
        for (name, expected) in [
            ("userEmail[0]", &["user", "email"][..]),
            ("x-api-key", &["x", "api", "key"]),
            ("OTPCode", &["otp", "code"]),
            ("PHPSESSID", &["phpsessid"]),
            ("new_password2", &["new", "password"]),
            ("to%6ben", &["token"]),
            ("t\u{43e}\u{200b}ken", &["token"]),
            ("\u{ff54}oken", &["token"]),
            ("\u{442}\u{43e}\u{43a}", &["\u{442}\u{43e}\u{43a}"]),
            ("", &[]),
        ] {
            assert_eq!(words(name), expected, "{name}");
        }
    }
}
