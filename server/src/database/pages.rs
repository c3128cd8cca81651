//! The queries of a disclosure, for either database, and their rows.

use uuid::Uuid;

use crate::contract::disclosure::{Kind, Place, VisitPlace};
use crate::session::Millis;
use crate::session::visit::VisitorId;

/// A query: rows of a kind after a place, so many at most.
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
    /// Those of a visit; its facts happened between these instants.
    Visit { id: Uuid, since: Millis, until: Millis },
    /// Those of a visitor, except those that belong to its visits.
    Visitor(VisitorId),
}

/// A row from a database: JSON, with times in ms.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) place: Place,
    pub(super) json: String,
}

/// A visit from a database.
#[derive(Debug)]
pub(super) struct VisitRow {
    pub(super) place: VisitPlace,
    /// Its last activity or its end, whichever is later.
    pub(super) until: Millis,
    pub(super) json: String,
}
