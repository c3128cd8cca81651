//! Who owns a visit: its site and its visitor.

use crate::session::visit::VisitorId;

/// The site and the visitor of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitOwner {
    /// Its site.
    pub site: String,
    /// Its visitor, if the browser has named one.
    pub visitor_id: Option<VisitorId>,
    /// Whether both are final: the site is that of the first fact, and a visitor is never replaced.
    pub settled: bool,
}
