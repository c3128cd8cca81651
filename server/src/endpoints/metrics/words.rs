//! The words of a query, and the suggestion for a misspelt one.

use std::collections::BTreeSet;

use iso_currency::{Currency, IntoEnumIterator as _};
use jiff::tz;

use crate::http::problem::Problem;

/// An unknown word, with the nearest known one.
pub(super) fn unknown(name: &str, word: &str, known: &[&str]) -> Problem {
    let list = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
    let meant = meant(word, known.iter().copied());
    Problem::query(format!("`{name}` cannot be `{}`{meant} It must be one of {list}.", cut(word)))
}

/// A parameter that the report does not have.
pub(super) fn unknown_parameter(name: &str, known: &[&str]) -> Problem {
    if known.is_empty() {
        return Problem::query(format!("This report has no parameter `{}`; it takes none.", cut(name)));
    }
    let list = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
    let meant = meant(name, known.iter().copied());
    Problem::query(format!("This report has no parameter `{}`{meant} It takes {list}.", cut(name)))
}

/// Whether a code is in ISO 4217.
pub(super) fn is_currency(code: &str) -> bool {
    Currency::from_code(code).is_some()
}

/// A currency without any order; `here` are those of the report.
pub(super) fn unknown_currency<'a>(code: &str, here: impl Iterator<Item = &'a str>) -> Problem {
    let iso = Currency::iter().map(|currency| currency.code());
    // Many codes differ in one letter; those of the report are more likely.
    let meant = Some(meant(code, here)).filter(|meant| meant != ".").unwrap_or_else(|| meant(code, iso));
    Problem::query(format!(
        "`currency` must be an ISO 4217 code, such as EUR; `{}` is not one{meant}",
        cut(code)
    ))
}

/// Whether the database of time zones uses this name for something other than a zone of a place:
/// the zone of the server's machine, the rules for zones given without any, no zone at all.
pub(super) fn is_no_zone(name: &str) -> bool {
    ["localtime", "posixrules", "Factory"].iter().any(|other| other.eq_ignore_ascii_case(name))
}

/// An unknown time zone.
pub(super) fn unknown_zone(zone: &str) -> Problem {
    let names: Vec<_> = tz::db().available().map(|name| name.to_string()).collect();
    // Names with digits are rules (EST5EDT), or have their signs the wrong way round (Etc/GMT+1).
    let is_meant = |name: &&String| !is_no_zone(name) && !name.bytes().any(|byte| byte.is_ascii_digit());
    // The city decides, whatever comes before it.
    let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let near = |name: &&String| (distance(&city(zone), &city(name)), distance(zone, name));
    let nearest = names.iter().filter(is_meant).min_by_key(near);
    let nearest = nearest.filter(|name| is_near(&city(zone), &city(name), CITY_LETTERS));
    Problem::query(format!(
        "`tz` must be an IANA time zone name such as Europe/Berlin; `{}` is not one{}",
        cut(zone),
        suggestion(nearest.map(String::as_str))
    ))
}

/// The end of a sentence: the word that was meant, if one is similar and no other is as similar.
fn meant<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: BTreeSet<&str> = known.filter(|known| is_near(word, known, WORD_LETTERS)).collect();
    let least = known.iter().map(|known| distance(word, known)).min();
    let mut nearest = known.iter().filter(|known| Some(distance(word, known)) == least);
    suggestion(match (nearest.next(), nearest.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    })
}

fn suggestion(word: Option<&str>) -> String {
    word.map_or(".".to_owned(), |word| format!("; did you mean `{word}`?"))
}

/// In how many letters two words differ. Upper and lower case are the same.
fn distance(word: &str, known: &str) -> usize {
    strsim::damerau_levenshtein(&cut(word).to_lowercase(), &known.to_lowercase())
}

/// In a parameter or a value one letter in so many may be wrong: `days` means `day`.
const WORD_LETTERS: usize = 3;

/// In a city one letter in so many: `PST` does not mean `EST`.
const CITY_LETTERS: usize = 4;

/// Whether a word may be a misspelt other one: at most one letter in so many of the shorter word is wrong.
fn is_near(word: &str, known: &str, letters: usize) -> bool {
    distance(word, known) * letters <= cut(word).chars().count().min(known.chars().count())
}

/// A word, shortened for the answer.
fn cut(word: &str) -> String {
    word.chars().take(64).collect()
}
