//! Whose a visit is.

use crate::session::visit::VisitorId;

/// Whose a visit is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whose {
    /// Its site.
    pub site: String,
    /// Its visitor, if the browser has named one.
    pub visitor_id: Option<VisitorId>,
    /// Whether both are final: the site is that of the first fact, and a visitor is never replaced.
    pub settled: bool,
}
