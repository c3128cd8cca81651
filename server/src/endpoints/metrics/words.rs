//! The words of a query, and which one was meant where one is misspelt.

use iso_currency::{Currency, IntoEnumIterator as _};
use jiff::tz;

use crate::http::problem::Problem;

/// A word that is none of those that are known, with the nearest of them.
pub(super) fn unknown(name: &str, word: &str, known: &[&str]) -> Problem {
    let list = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
    let meant = meant(word, known.iter().copied());
    Problem::query(format!("`{name}` cannot be `{}`{meant} It is one of {list}.", cut(word)))
}

/// A parameter that a report does not take.
pub(super) fn unknown_parameter(name: &str, known: &[&str]) -> Problem {
    if known.is_empty() {
        return Problem::query(format!("This report has no parameter `{}`; it takes none.", cut(name)));
    }
    let list = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
    let meant = meant(name, known.iter().copied());
    Problem::query(format!("This report has no parameter `{}`{meant} It takes {list}.", cut(name)))
}

/// Whether a code is of ISO 4217.
pub(super) fn is_currency(code: &str) -> bool {
    Currency::from_code(code).is_some()
}

/// A currency that nothing is in; `here` are those of the report.
pub(super) fn unknown_currency<'a>(code: &str, here: impl Iterator<Item = &'a str>) -> Problem {
    let codes = here.chain(Currency::iter().map(|currency| currency.code()));
    let meant = meant(code, codes);
    Problem::query(format!("`currency` is a code of ISO 4217, such as EUR; `{}` is none{meant}", cut(code)))
}

/// A time zone that is none.
pub(super) fn unknown_zone(zone: &str) -> Problem {
    let names: Vec<_> = tz::db().available().map(|name| name.to_string()).collect();
    // The signs of Etc/GMT+1 and the like are the wrong way round: nobody means them.
    let names = names.iter().filter(|name| !name.starts_with("Etc/"));
    let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let near = |name: &&String| distance(zone, name).min(distance(zone, &city(name)));
    let meant = names.min_by_key(near).filter(|name| is_near(zone, near(name)));
    let meant = meant.map_or(".".to_owned(), |name| format!("; did you mean `{name}`?"));
    Problem::query(format!(
        "`tz` is an IANA time zone name such as Europe/Berlin; `{}` is none{meant}",
        cut(zone)
    ))
}

/// The end of a sentence: which of the words was meant, if one is near.
fn meant<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = known.min_by_key(|known| distance(word, known));
    match nearest.filter(|known| is_near(word, distance(word, known))) {
        Some(known) => format!("; did you mean `{known}`?"),
        None => ".".to_owned(),
    }
}

fn distance(word: &str, known: &str) -> usize {
    strsim::damerau_levenshtein(&cut(word).to_lowercase(), &known.to_lowercase())
}

/// Half of the letters may be wrong.
fn is_near(word: &str, distance: usize) -> bool {
    distance * 2 <= cut(word).chars().count()
}

/// A word as an answer repeats it.
fn cut(word: &str) -> String {
    word.chars().take(64).collect()
}
