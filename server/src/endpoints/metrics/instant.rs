//! `from` and `to` of a report: a date in its time zone, or a moment in RFC 3339.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::http::problem::Problem;

/// The moment that the parameter `name` gives.
pub(super) fn instant(name: &str, text: &str, zone: &TimeZone) -> Result<Timestamp, Problem> {
    let date = || text.parse::<Date>().ok().filter(|date| text.len() == 10 && date.year() >= 1970);
    let midnight = |date: Date| {
        date.to_datetime(Time::midnight()).to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
    };
    // In a query, the + of an offset arrives as a space unless it was escaped.
    let written = text.replace(' ', "+");
    let at: Option<Timestamp> = written.parse().ok().filter(|at| *at >= Timestamp::UNIX_EPOCH);
    let contradicts = at.is_some() && contradicts_its_zone(&written);
    date().and_then(midnight).or(at.filter(|_| !contradicts)).ok_or_else(|| {
        let meant = match last_day(text) {
            Some(day) => format!(" The last day of that month is {day}."),
            None if contradicts => " The time zone in brackets has a different offset at that time.".to_owned(),
            None => String::new(),
        };
        Problem::query(format!(
            "`{name}` must be a date such as 2026-10-01, or RFC 3339 such as 2026-10-01T08:00:00Z, from 1970-01-01 to 9999-12-30.{meant}"
        ))
    })
}

/// Whether a moment names a time zone which has another offset then, as in
/// `2026-11-10T00:00:00+02:00[Europe/Berlin]`, or which is none (RFC 9557 §3.4).
fn contradicts_its_zone(text: &str) -> bool {
    text.contains('[') && text.parse::<Zoned>().is_err()
}

/// The last day of the month, if a day does not exist: for 2026-02-30, 2026-02-28.
fn last_day(text: &str) -> Option<Date> {
    let (month, day) = text.get(..10)?.rsplit_once('-')?;
    let first: Date = format!("{month}-01").parse().ok()?;
    let asked: i8 = day.parse().ok()?;
    (first.days_in_month() < asked && asked <= 31).then(|| first.last_of_month())
}
