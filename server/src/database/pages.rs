//! What a disclosure asks of either database, and the rows that it gets.

use uuid::Uuid;

use crate::contract::disclosure::{Kind, Place, VisitPlace};
use crate::session::Millis;
use crate::session::visit::VisitorId;

/// What is asked of a database: rows of a kind behind a place, so many at most.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) kind: Kind,
    pub(super) of: Owner,
    pub(super) after: Place,
    pub(super) most: i64,
}

/// Whose rows.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    /// A visit's; its facts happened between these instants.
    Visit { id: Uuid, since: Millis, until: Millis },
    /// A visitor's, but for those that belong to its visits.
    Visitor(VisitorId),
}

/// A row as a database gives it: JSON, with times in ms.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) place: Place,
    pub(super) json: String,
}

/// A visit as a database gives it.
#[derive(Debug)]
pub(super) struct VisitRow {
    pub(super) place: VisitPlace,
    /// Its last activity or its end, whichever is later.
    pub(super) until: Millis,
    pub(super) json: String,
}
