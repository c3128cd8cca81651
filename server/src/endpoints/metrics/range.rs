//! The query of a report: `?from=&to=&tz=&site=`, and how a range is cut into points.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Map, Value, json};

use super::instant::instant;
use super::words;
use crate::call::Call;
use crate::contract::reports::Selection;
use crate::http::problem::Problem;
use crate::session::Millis;

/// Points in one time series.
const POINTS_MAX: usize = 1_000;

/// A range without `interval` is cut into hours up to this length.
const HOURS_UP_TO_MS: Millis = 48 * 3_600_000;

/// The length of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interval {
    Hour,
    Day,
}

impl Interval {
    /// As `?interval=` names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// A report's query, checked.
#[derive(Debug)]
pub(super) struct Query {
    from: Timestamp,
    to: Timestamp,
    zone: TimeZone,
    site: Option<String>,
    values: HashMap<String, String>,
}

impl Query {
    /// Reads the query of a request; `names` are the parameters that this report takes.
    pub(super) fn parse(call: &Call<'_>, names: &[&str]) -> Result<Self, Problem> {
        Self::read(call.head.uri.query().unwrap_or(""), names, call.now)
    }

    fn read(query: &str, names: &[&str], now: Millis) -> Result<Self, Problem> {
        let mut values = HashMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if !names.contains(&&*name) {
                return Err(words::unknown_parameter(&name, names));
            }
            if value.is_empty() {
                return Err(Problem::query(format!("`{name}` is empty; leave it out.")));
            }
            if values.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(Problem::query(format!("`{name}` is given twice.")));
            }
        }
        let zone = match values.get("tz") {
            Some(name) => zone(name)?,
            None => TimeZone::UTC,
        };
        // The end is exclusive: one more, and what was acknowledged in this millisecond is counted.
        let until_now = Timestamp::from_millisecond(now + 1).unwrap_or(Timestamp::UNIX_EPOCH);
        let instant = |name: &str| values.get(name).map(|text| instant(name, text, &zone)).transpose();
        let to = instant("to")?.unwrap_or(until_now);
        let from =
            instant("from")?.unwrap_or_else(|| to.checked_sub(720.hours()).unwrap_or(Timestamp::UNIX_EPOCH));
        if from >= to {
            return Err(Problem::query("`from` must be before `to`, which is not part of the range."));
        }
        let site = values.get("site").map(|name| site(name)).transpose()?;
        Ok(Self { from, to, zone, site, values })
    }

    /// The selection of the report.
    pub(super) fn selection(&self) -> Selection {
        Selection { from: self.from.as_millisecond(), to: self.to.as_millisecond(), site: self.site.clone() }
    }

    /// A parameter, unchanged.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The fields that every report has.
    pub(super) fn describe(&self) -> Map<String, Value> {
        Map::from_iter([
            ("from".to_owned(), json!(self.from.to_string())),
            ("to".to_owned(), json!(self.to.to_string())),
            ("time_zone".to_owned(), json!(self.zone.iana_name().unwrap_or("UTC"))),
            ("site".to_owned(), json!(self.site)),
        ])
    }

    /// `?limit=`, from 1 to `max`.
    pub(super) fn limit(&self, default: u32, max: u32) -> Result<u32, Problem> {
        let Some(text) = self.value("limit") else {
            return Ok(default);
        };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = text.parse().ok().filter(|limit| digits && (1..=max).contains(limit));
        limit.ok_or_else(|| Problem::query(format!("`limit` must be a whole number from 1 to {max}.")))
    }

    /// `?currency=`: three letters.
    pub(super) fn currency(&self) -> Result<Option<String>, Problem> {
        let Some(code) = self.value("currency") else { return Ok(None) };
        if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Ok(Some(code.to_ascii_uppercase()));
        }
        Err(words::unknown_currency(code, std::iter::empty()))
    }

    /// `?interval=`, default by the range's length.
    pub(super) fn interval(&self) -> Result<Interval, Problem> {
        let length = self.to.as_millisecond() - self.from.as_millisecond();
        match self.value("interval") {
            Some("hour") => Ok(Interval::Hour),
            Some("day") => Ok(Interval::Day),
            Some(other) => Err(words::unknown("interval", other, &["hour", "day"])),
            None if length <= HOURS_UP_TO_MS => Ok(Interval::Hour),
            None => Ok(Interval::Day),
        }
    }

    /// The range, cut at full hours or at midnights of the time zone: `[start, end)` each. The
    /// first and the last may be shorter.
    pub(super) fn slots(&self, interval: Interval) -> Result<Vec<(Millis, Millis)>, Problem> {
        let mut slots = Vec::new();
        let mut start = self.from;
        while start < self.to {
            if slots.len() == POINTS_MAX {
                return Err(Problem::query(format!(
                    "This range has more than {POINTS_MAX} points; choose a shorter range, or interval=day."
                )));
            }
            let end = self.next_cut(start, interval).unwrap_or(self.to).min(self.to);
            slots.push((start.as_millisecond(), end.as_millisecond()));
            start = end;
        }
        Ok(slots)
    }

    fn next_cut(&self, start: Timestamp, interval: Interval) -> Option<Timestamp> {
        let local = start.to_zoned(self.zone.clone());
        let next = match interval {
            Interval::Day => local.tomorrow().ok()?.start_of_day().ok()?.timestamp(),
            Interval::Hour => {
                let into = i64::from(local.minute()) * 60_000
                    + i64::from(local.second()) * 1_000
                    + i64::from(local.millisecond());
                Timestamp::from_millisecond(start.as_millisecond() - into + 3_600_000).ok()?
            }
        };
        (next > start).then_some(next)
    }
}

/// A time zone by its name.
fn zone(name: &str) -> Result<TimeZone, Problem> {
    let zone = TimeZone::get(name).ok().filter(|zone| !zone.is_unknown() && !words::is_no_zone(name));
    zone.ok_or_else(|| words::unknown_zone(name))
}

/// One site; there are no patterns.
fn site(name: &str) -> Result<String, Problem> {
    let of_a_host =
        |site: &String| site.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte));
    crate::site::normalize(name).filter(of_a_host).ok_or_else(|| {
        Problem::query(
            "`site` must be the host name of one site, such as shop.example; leave it out for all sites.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_790_000_000_000;

    fn read(query: &str) -> Result<Query, Problem> {
        Query::read(query, &["from", "to", "tz", "site", "interval", "limit", "currency"], NOW)
    }

    #[test]
    fn the_default_is_the_last_thirty_days_and_all_that_was_acknowledged_by_now() {
        let selection = read("").unwrap().selection();
        assert!((selection.from..selection.to).contains(&NOW), "a fact of this very millisecond counts");
        assert_eq!((selection.to, selection.to - selection.from), (NOW + 1, 30 * 86_400_000));
    }

    #[test]
    fn a_date_is_midnight_in_the_time_zone() {
        let utc = read("from=2026-07-01&to=2026-07-02").unwrap().selection();
        let berlin = read("from=2026-07-01&to=2026-07-02&tz=Europe/Berlin").unwrap().selection();
        assert_eq!(utc.from - berlin.from, 2 * 3_600_000);
        assert_eq!(berlin.to - berlin.from, 86_400_000);
    }

    #[test]
    fn an_offset_may_come_unescaped() {
        let selection =
            read("from=2026-07-01T00:00:00+02:00&to=2026-07-02T00:00:00%2B02:00").unwrap().selection();
        assert_eq!(selection.to - selection.from, 86_400_000);
    }

    #[test]
    fn an_offset_is_that_of_the_zone_beside_it() {
        let from = |text: &str| read(&format!("from={text}")).map(|query| query.selection().from);
        let plain = from("2026-07-01T00:00:00%2B02:00").unwrap();
        assert_eq!(from("2026-07-01T00:00:00+02:00[Europe/Berlin]").unwrap(), plain);
        for wrong in ["2026-02-10T00:00:00+02:00[Europe/Berlin]", "2026-07-01T00:00:00Z[Mars/Olympus]"] {
            let told = from(wrong).unwrap_err().detail;
            assert!(told.ends_with("in brackets has a different offset at that time."), "{told}");
        }
    }

    #[test]
    fn only_a_day_that_a_month_lacks_is_answered_with_its_last_day() {
        for query in ["from=1969-12-31", "to=9999-12-31", "to=1969-02-28", "to=2026-02-28T25:00:00Z"] {
            let told = read(query).unwrap_err().detail;
            assert!(!told.contains("last day of that month"), "{query}: {told}");
        }
    }

    #[test]
    fn days_follow_the_clock_of_the_zone_through_a_change_to_winter_time() {
        let query = read("from=2026-10-24&to=2026-10-27&tz=Europe/Berlin").unwrap();
        let hours: Vec<_> =
            query.slots(Interval::Day).unwrap().iter().map(|(from, to)| (to - from) / 3_600_000).collect();
        assert_eq!(hours, [24, 25, 24]);
        assert_eq!(query.slots(Interval::Hour).unwrap().len(), 73);
    }

    #[test]
    fn the_points_cover_the_range_without_gap_or_overlap() {
        let query = read("from=2026-10-01T10:30:00Z&to=2026-10-01T12:15:00Z").unwrap();
        let slots = query.slots(query.interval().unwrap()).unwrap();
        let lengths: Vec<_> = slots.iter().map(|(from, to)| (to - from) / 60_000).collect();
        assert_eq!(lengths, [30, 60, 15]);
        assert!(slots.windows(2).all(|pair| pair[0].1 == pair[1].0));
    }

    #[test]
    fn bad_queries_say_what_is_right() {
        for bad in [
            "from=yesterday",
            "from=2026-13-01",
            "from=2026-07-02&to=2026-07-01",
            "from=2026-07-01&from=2026-07-02",
            "from=2026-07-01&fro%6d=2026-07-01",
            "from=",
            "from",
            "tz=Etc/Unknown",
            "tz=localtime",
            "tz=PosixRules",
            "tz=Factory",
            "tz=right/Europe/Berlin",
            "tz=..%2F..%2Fetc%2Flocaltime",
            "site=a%20b",
            "site=*.shop.example",
            "site=a.example,b.example",
            "site=a.example%00",
            "to=0000-01-01",
            "to=1969-12-31",
            "to=1969-12-31T23:59:59Z",
            "to=-2026-01-01",
            "to=%2B012026-01-01",
            "to=10000-01-01",
            "to=9999-12-31",
            "to=9999-12-31T23:59:59Z",
            "from=9999-12-30",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let told = read("from=9999-12-31").unwrap_err().detail;
        assert!(told.contains("from 1970-01-01 to 9999-12-30"), "{told}");
        for limit in ["0", "101", "x", "%2B5", "1e1", "-1", "5.0"] {
            assert!(read(&format!("limit={limit}")).unwrap().limit(10, 100).is_err(), "{limit}");
        }
        assert_eq!(read("limit=100").unwrap().limit(10, 100).unwrap(), 100);
        assert!(read("from=2000-01-01&to=2026-01-01").unwrap().slots(Interval::Day).is_err());
    }

    #[test]
    fn a_misspelt_word_is_refused_with_the_nearest_one() {
        let told = |query: &str| match read(query) {
            Err(problem) => problem.detail.into_owned(),
            Ok(query) => {
                let problem = query.interval().err().or(query.currency().err());
                problem.expect("refused").detail.into_owned()
            }
        };
        for (query, meant) in [
            ("form=2026-07-01", "`from`?"),
            ("FROM=2026-07-01", "`from`?"),
            ("sites=a.example", "`site`?"),
            ("currancy=EUR", "`currency`?"),
            ("tz=Europe/Berln", "`Europe/Berlin`?"),
            ("tz=Berlin", "`Europe/Berlin`?"),
            ("tz=America/NewYork", "`America/New_York`?"),
            ("tz=Berlim", "`Europe/Berlin`?"),
            ("tz=Germany/Berlin", "`Europe/Berlin`?"),
            ("tz=Asia/Japam", "`Japan`?"),
            ("interval=days", "`day`?"),
            ("interval=Hour", "`hour`?"),
            ("currency=euro", "`EUR`?"),
            ("from=2026-02-30", "2026-02-28."),
            ("to=2026-04-31", "2026-04-30."),
            ("to=2026-04-31T10:00:00Z", "2026-04-30."),
            ("site=*", "leave it out for all sites"),
            ("since=2026-07-01", "It takes `from`, `to`"),
        ] {
            assert!(told(query).contains(meant), "{query}: {}", told(query));
        }
    }

    #[test]
    fn a_word_that_is_far_from_all_others_is_told_without_any() {
        for zone in [
            "Mars/Olympus",
            "UTC%2B2",
            "GMT%2B1",
            "GMT2",
            "PST",
            "EDT",
            "BST",
            "CEST",
            "Europe/Munich",
            "Europe/Bern",
            "x",
            "/",
            "localtime",
        ] {
            let told = read(&format!("tz={zone}")).unwrap_err().detail;
            assert!(!told.contains("did you mean"), "{told}");
        }
        for parameter in ["q", "until", "zone", "domain", "tt", "\u{4e2d}"] {
            let told = read(&format!("{parameter}=1")).unwrap_err().detail;
            assert!(!told.contains("did you mean"), "{told}");
        }
        for interval in ["year", "week", "minute", "d"] {
            let told = read(&format!("interval={interval}")).unwrap().interval().unwrap_err().detail;
            assert!(!told.contains("did you mean"), "{told}");
        }
        for code in ["XBX", "QQQ", "E", "dollar"] {
            let told = words::unknown_currency(code, std::iter::empty()).detail;
            assert!(!told.contains("did you mean"), "{told}");
        }
        let here = words::unknown_currency("USX", ["USD", "EUR"].into_iter()).detail;
        assert!(here.contains("`USD`?"), "{here}");
    }

    #[test]
    fn the_first_and_the_last_days_are_days_in_every_zone() {
        for zone in ["UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati"] {
            let query = read(&format!("from=1970-01-01&to=1970-01-03&tz={zone}")).unwrap();
            assert_eq!(query.slots(Interval::Day).unwrap().len(), 2, "{zone}");
            let query = read(&format!("from=9999-12-28&to=9999-12-30&tz={zone}")).unwrap();
            assert_eq!(query.slots(Interval::Day).unwrap().len(), 2, "{zone}");
            assert_eq!(query.slots(Interval::Hour).unwrap().len(), 48, "{zone}");
        }
    }

    #[test]
    fn a_zone_is_told_by_its_own_name() {
        assert_eq!(read("tz=europe/berlin").unwrap().describe()["time_zone"], "Europe/Berlin");
        assert_eq!(read("").unwrap().describe()["time_zone"], "UTC");
    }
}
