//! Passwords: prepared, hashed and verified with Argon2id, on a bounded pool so that sign-ins cannot
//! starve page views. [`crate::throttle`] decides the order in that pool.

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use unicode_normalization::UnicodeNormalization as _;

use crate::throttle::guesses::Guessed;
use crate::throttle::turns::Turn;

/// Longest name of a user, in bytes.
pub const NAME_BYTES: usize = 256;

/// Longest password, in bytes.
pub const PASSWORD_BYTES: usize = 1_024;

/// Shortest password of a user that is added, in characters.
pub const PASSWORD_CHARS_MIN: usize = 10;

/// A password could not be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password cannot be hashed")]
pub struct HashError;

/// Checks passwords.
#[derive(Debug)]
pub struct Passwords {
    /// The hash against which an unknown user's password is checked, so that it takes the same time.
    decoy: String,
}

impl Passwords {
    /// How many are checked at once on this machine: half of its cores, at least one.
    #[must_use]
    pub fn at_once() -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (cores / 2).max(1)
    }

    /// Hashes the decoy.
    ///
    /// # Errors
    /// When the decoy cannot be hashed.
    pub fn new() -> Result<Self, HashError> {
        Ok(Self { decoy: hash("decoy")? })
    }

    /// Whether the password is that of `hash`; without a hash, `false` after the same time. The turn ends with the work, even
    /// if the request is gone.
    pub async fn verify(&self, turn: Turn, password: String, hash: Option<String>) -> bool {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.clone());
        let judged = tokio::task::spawn_blocking(move || {
            let matches = is_of(&password, &hash);
            turn.over(if matches && known { Guessed::Right } else { Guessed::Wrong });
            matches && known
        });
        judged.await.unwrap_or(false)
    }
}

/// The hash of a new password, if the old one is that of `hash`. Both are computed within the turn, which ends with the
/// work, even if the request is gone.
///
/// # Errors
/// When the new one cannot be hashed.
pub async fn replace(
    turn: Turn,
    old: String,
    verified: String,
    new: String,
) -> Result<Option<String>, HashError> {
    let replaced = tokio::task::spawn_blocking(move || {
        let new_hash = if is_of(&old, &verified) { hash(&new).map(Some) } else { Ok(None) };
        turn.over(match new_hash {
            Ok(Some(_)) => Guessed::Right,
            Ok(None) => Guessed::Wrong,
            Err(_) => Guessed::Open,
        });
        new_hash
    });
    replaced.await.unwrap_or(Err(HashError))
}

/// Whether a password is that of a hash. Blocks.
fn is_of(password: &str, hash: &str) -> bool {
    let password = prepared(password);
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// The one spelling of a user's name (NFC): keyboards and systems write `é` in two ways.
#[must_use]
pub fn name(text: &str) -> String {
    text.nfc().collect()
}

/// The one spelling of a password, as RFC 8265 §4.2.2 (OpaqueString) makes it: every space is U+0020,
/// and the rest is in NFC.
fn prepared(text: &str) -> String {
    let is_space = |c: char| c.is_whitespace() && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().map(|c| if is_space(c) { ' ' } else { c }).nfc().collect()
}

/// Whether this may be a user's new password.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn check_new(password: &str) -> Result<(), String> {
    let chars = prepared(password).chars().count();
    if chars == 0 {
        return Err(
            "the password is empty; type one, or pass it on stdin: visitflow user add NAME < password.txt"
                .into(),
        );
    }
    if chars < PASSWORD_CHARS_MIN {
        let s = if chars == 1 { "" } else { "s" };
        return Err(format!(
            "the password has {chars} character{s}; choose one with at least {PASSWORD_CHARS_MIN}"
        ));
    }
    if password.len() > PASSWORD_BYTES {
        return Err(format!("the password is longer than {PASSWORD_BYTES} bytes; choose a shorter one"));
    }
    if password.chars().any(char::is_control) {
        return Err("the password holds a control character; choose one without".into());
    }
    let prepared = prepared(password);
    let mut letters = prepared.chars().filter(|c| *c != ' ');
    let first = letters.next();
    if letters.all(|letter| Some(letter) == first) {
        return Err("the password repeats a single character; choose one with different characters".into());
    }
    Ok(())
}

/// Whether a user may have this name.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a user needs a name: visitflow user add NAME".into());
    }
    check_label(name)
}

/// Whether people can read a name, and type it again: nothing in it is invisible.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn check_label(name: &str) -> Result<(), String> {
    if name.len() > NAME_BYTES {
        return Err(format!("the name is longer than {NAME_BYTES} bytes; choose a shorter one"));
    }
    if name.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err("the name holds a control character or an invisible one; choose one without".into());
    }
    if name.trim() != name {
        return Err("the name begins or ends with a space; write it without".into());
    }
    Ok(())
}

/// Format characters that show nothing, or turn the text around (Unicode: general category Cf).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0001}'..='\u{e007f}')
}

/// Hashes a password with Argon2id and a fresh salt (19 MiB, 2 passes: the crate's defaults, which
/// follow the OWASP password storage cheat sheet). Blocks.
///
/// # Errors
/// When the hash cannot be made.
pub fn hash(password: &str) -> Result<String, HashError> {
    let salt = SaltString::generate(&mut OsRng);
    Argon2::default()
        .hash_password(prepared(password).as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|_| HashError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::throttle::turns::Turns;

    async fn verify(password: &str, hash: Option<&str>) -> bool {
        let turn = Turns::new(1).take("ann", [203, 0, 113, 1].into()).await.unwrap();
        Passwords::new().unwrap().verify(turn, password.into(), hash.map(str::to_owned)).await
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_passes() {
        let hash = hash("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify("correct horse", Some(&hash)).await);
        assert!(!verify("wrong", Some(&hash)).await);
        assert!(!verify("decoy", None).await);
    }

    #[tokio::test]
    async fn both_spellings_of_a_password_pass() {
        let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301}\u{a0}au\u{3000}lait");
        for (stored, typed) in [(composed, decomposed), (decomposed, composed)] {
            let hash = hash(stored).unwrap();
            assert!(verify(typed, Some(&hash)).await, "{typed:?}");
            assert!(!verify("cafe au lait", Some(&hash)).await);
        }
        assert_eq!(name("Zoe\u{308}"), "Zo\u{eb}");
    }

    #[test]
    fn a_new_password_has_ten_characters_once_it_is_normalized() {
        let longest = "xy".repeat(PASSWORD_BYTES / 2);
        for good in ["0123456789", "éèéèéèéèéè", "🐴🐴🐴🐴🐴🐮🐴🐴🐴🐴", "a b c d e f", &longest]
        {
            assert_eq!(check_new(good), Ok(()), "{good}");
        }
        let too_long = "xy".repeat(PASSWORD_BYTES / 2 + 1);
        let decomposed = "e\u{301}".repeat(9);
        for bad in ["", "x", "123456789", &decomposed, "0123456789\0", "0123456789\t", &too_long] {
            assert!(check_new(bad).is_err(), "{bad:?}");
        }
        assert!(check_new(&decomposed).unwrap_err().contains("has 9 characters"));
    }

    #[test]
    fn one_character_again_and_again_is_no_password() {
        let nothing =
            ["          ", "\u{a0}\u{3000}        ", "aaaaaaaaaa", "a a a a a a a", " 🐴🐴🐴🐴🐴🐴🐴🐴🐴🐴"];
        for bad in nothing.map(str::to_owned).into_iter().chain(["e\u{301}".repeat(10)]) {
            assert!(check_new(&bad).unwrap_err().contains("a single character"), "{bad:?}");
        }
        assert_eq!(check_new("aaaaaaaaab"), Ok(()));
    }

    #[test]
    fn a_name_can_be_read_and_typed() {
        for good in [
            "ada",
            "Zoë K.",
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
            "root@shop.example",
        ] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            " ",
            " root",
            "root ",
            "\u{a0}root",
            "a\0",
            "a\n",
            "ro\u{200b}ot",
            "\u{202e}toor",
            "\u{feff}root",
            &"é".repeat(129),
        ] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
        assert!(check_name(" root").unwrap_err().contains("begins or ends with a space"));
    }
}
