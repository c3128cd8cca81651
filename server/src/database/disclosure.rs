//! Disclosure: everything that is stored about a visitor (GDPR Art. 15 and 20).
//!
//! It comes in pages, visit by visit. A page has a bounded number of rows and says where the next one begins. A larger
//! visit continues on the next page, under the same id.
//!
//! Invariant: the pages together have each row that an erasure would delete, except hashes of secrets and dead
//! letters.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::erasure::AROUND_MS;
use super::pages::{Ask, Owner, Row, VisitRow};
use super::postgres::pool::Pool;
use super::sqlite::readers::Readers;
use super::store::soon;
use super::{postgres, sqlite};
use crate::clock;
use crate::contract::disclosure::{
    Cursor, Kind, Objects, Page, Place, ROWS_OF_PAGE, VISITS_OF_PAGE, VisitPlace, first_place,
};
use crate::database::error::{Result, StoreError};
use crate::session::Ttl;
use crate::session::token::SecretHash;
use crate::session::visit::VisitorId;

/// A page ends early after this time, because a visit's facts are looked for among all facts of its time.
const PAGE_PATIENCE: Duration = Duration::from_secs(5);

/// Reads what is stored about visitors, from either database.
#[derive(Clone, Debug)]
pub enum Disclosures {
    /// From the file.
    Sqlite(Readers),
    /// From Postgres itself, because a replica may be behind.
    Postgres(Pool),
}

impl Disclosures {
    /// The stored key of a visitor.
    ///
    /// # Errors
    /// When the database is away; so for all below.
    pub async fn key(&self, visitor: VisitorId) -> Result<Option<SecretHash>> {
        match self {
            Self::Sqlite(readers) => readers.read(move |db| sqlite::load::key(db, visitor)).await,
            Self::Postgres(pool) => soon(postgres::disclosure::key(pool, visitor)).await,
        }
    }

    /// A page of what is stored about a visitor.
    ///
    /// # Errors
    /// As above, and when there is too much to look through.
    pub async fn page(&self, visitor: VisitorId, from: Option<Cursor>, ttl: Ttl) -> Result<Page> {
        let mut page = Telling::new(visitor);
        let from = from.unwrap_or(Cursor { visit: Some(VisitPlace::first()), rest: None });
        let mut rest = from.rest;
        if let Some(mut place) = from.visit {
            let visits = self.visits(visitor, &place, rest.is_some()).await?;
            let are_all = visits.len() < VISITS_OF_PAGE;
            for visit in visits {
                place = visit.place.clone();
                let cut = self.visit(&mut page, visit, rest.take(), ttl).await?;
                if cut.is_some() || page.is_full() {
                    return Ok(page.until(Cursor { visit: Some(place), rest: cut }));
                }
            }
            if !are_all {
                return Ok(page.until(Cursor { visit: Some(place), rest: None }));
            }
        }
        let of = Owner::Visitor(visitor);
        for (kind, after) in kinds(&Kind::OF_VISITOR, rest) {
            let (rows, cut) = self.some(&mut page, kind, &of, after).await?;
            match kind {
                Kind::Orders => page.page.orders = rows,
                _ => page.page.refunds = rows,
            }
            if let Some(place) = cut {
                return Ok(page.until(Cursor { visit: None, rest: Some((kind, place)) }));
            }
        }
        Ok(page.page)
    }

    /// Adds a visit with what belongs to it. Returns where to continue, if the page is full before the end.
    async fn visit(
        &self,
        page: &mut Telling,
        visit: VisitRow,
        rest: Option<(Kind, Place)>,
        ttl: Ttl,
    ) -> Result<Option<(Kind, Place)>> {
        // Facts join a visit within the idle limit of it.
        let around = AROUND_MS.max(ttl.idle_ms);
        let VisitPlace { id, started_at, .. } = visit.place;
        let since = started_at.saturating_sub(around);
        let of = Owner::Visit { id, since, until: visit.until.saturating_add(around) };
        let mut object = object(&visit.json)?;
        let mut cut = None;
        for (kind, after) in kinds(&Kind::OF_VISIT, rest) {
            let (rows, place) = self.some(page, kind, &of, after).await?;
            object.insert(kind.name().to_owned(), rows.into());
            cut = place.map(|place| (kind, place));
            if cut.is_some() {
                break;
            }
        }
        page.page.visits.push(object);
        page.left = page.left.saturating_sub(1);
        Ok(cut)
    }

    /// As many rows of a kind as the page has room for. Returns the place after which there are more, if there are.
    async fn some(
        &self,
        page: &mut Telling,
        kind: Kind,
        of: &Owner,
        after: Place,
    ) -> Result<(Objects, Option<Place>)> {
        let most = i64::try_from(page.left + 1).unwrap_or(i64::MAX);
        let ask = Ask { kind, of: of.clone(), after: after.clone(), most };
        let mut rows = self.rows(ask).await?;
        let are_all = rows.len() <= page.left;
        rows.truncate(page.left);
        page.left -= rows.len();
        let last = rows.last().map_or(after, |row| row.place.clone());
        let objects = rows.iter().map(|row| object(&row.json)).collect::<Result<_>>()?;
        Ok((objects, (!are_all).then_some(last)))
    }

    async fn visits(&self, visitor: VisitorId, from: &VisitPlace, inclusive: bool) -> Result<Vec<VisitRow>> {
        let from = from.clone();
        match self {
            Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::disclosure::visits(db, visitor, &from, inclusive)).await
            }
            Self::Postgres(pool) => postgres::disclosure::visits(pool, visitor, &from, inclusive).await,
        }
    }

    async fn rows(&self, ask: Ask) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(readers) => readers.read(move |db| sqlite::disclosure::rows(db, &ask)).await,
            Self::Postgres(pool) => postgres::disclosure::rows(pool, &ask).await,
        }
    }
}

/// A page that is being filled.
struct Telling {
    page: Page,
    /// How many rows it has room for.
    left: usize,
    began: Instant,
}

impl Telling {
    fn new(visitor: VisitorId) -> Self {
        let page = Page {
            visitor_id: visitor.to_string(),
            visits: Vec::new(),
            orders: Vec::new(),
            refunds: Vec::new(),
            next: None,
        };
        Self { page, left: ROWS_OF_PAGE, began: Instant::now() }
    }

    fn is_full(&self) -> bool {
        self.left == 0 || self.began.elapsed() > PAGE_PATIENCE
    }

    fn until(self, next: Cursor) -> Page {
        Page { next: Some(next), ..self.page }
    }
}

/// The kinds that are still to come, and the place after which they begin.
fn kinds(all: &[Kind], rest: Option<(Kind, Place)>) -> impl Iterator<Item = (Kind, Place)> {
    let (first, mut place) = rest.unzip();
    let all = all.iter().skip_while(move |kind| first.is_some_and(|first| first != **kind));
    all.map(move |kind| (*kind, place.take().unwrap_or_else(first_place)))
}

/// A row as in the answer: times as text, decimals without trailing zeros.
fn object(json: &str) -> Result<Map<String, Value>> {
    let mut object: Map<String, Value> =
        serde_json::from_str(json).map_err(|_| StoreError::Malformed("row"))?;
    for (name, value) in &mut object {
        let is_time = name.ends_with("_at") || name == "last_activity";
        match value {
            Value::Number(at) if is_time => *value = clock::rfc3339(at.as_i64().unwrap_or_default()).into(),
            Value::String(amount) if name == "amount" => *value = decimal(amount).into(),
            _ => {}
        }
    }
    Ok(object)
}

/// `20.0000` is `20`: one database keeps the zeros that were sent, and the other its own.
fn decimal(text: &str) -> &str {
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_of_a_visit_is_not_told_again() {
        let rest = (Kind::Orders, (9, "a".to_owned()));
        let left: Vec<_> = kinds(&Kind::OF_VISIT, Some(rest.clone())).collect();
        assert_eq!(left, [rest, (Kind::Refunds, first_place()), (Kind::Sessions, first_place())]);
        assert_eq!(kinds(&Kind::OF_VISITOR, None).count(), 2);
    }

    #[test]
    fn times_are_texts_and_decimals_have_no_zeros_behind() {
        let json = r#"{"created_at": 1790000000000, "ended_at": null, "last_activity": 0, "amount": "20.0000",
            "props": {"created_at": 7, "amount": "1.0"}, "engaged_ms": 7}"#;
        let told = Value::Object(object(json).unwrap());
        let expected = serde_json::json!({
            "created_at": "2026-09-21T14:13:20Z", "ended_at": null, "last_activity": "1970-01-01T00:00:00Z",
            "amount": "20", "props": {"created_at": 7, "amount": "1.0"}, "engaged_ms": 7,
        });
        assert_eq!(told, expected);
        assert_eq!(["9.90", "100", "0.0001", "0.000"].map(decimal), ["9.9", "100", "0.0001", "0"]);
    }
}
