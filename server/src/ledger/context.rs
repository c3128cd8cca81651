//! The request of a command that may begin a session or a visit, and what it got.

use serde::{Deserialize, Serialize};

use crate::session::token::{Proof, SecretHash};
use crate::session::visit::VisitorId;
use crate::session::visitor_key::CandidateKey;
use crate::session::{Caller, Millis};

/// The request of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// When the request was received.
    pub now: Millis,
    /// Who sent it, as far as its session tells.
    pub caller: Caller,
    /// A token that becomes valid if the command needs a new session; none if the browser would not keep
    /// its cookie (in another site's page).
    pub candidate: Option<Proof>,
    /// The visitor it names.
    pub visitor: Option<VisitorId>,
    /// A key that becomes the visitor's if the request gets a visit and the visitor has none yet. Not spooled,
    /// because the answer to the browser depends on the database.
    #[serde(skip)]
    pub key: Option<CandidateKey>,
    /// The site if nothing else tells it: that of the host to which the request was sent; none if that site is not
    /// counted.
    pub site: Option<String>,
}

/// What a request got that may begin a session or a visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attached {
    /// The candidate token is valid now.
    pub issued: bool,
    /// The request joined a visit that was live already.
    pub joined: bool,
    /// Visits that began; while the database is away, the most that may turn out to.
    pub begun: u32,
    /// The visitor's key as it is stored now, where the request had a candidate and got a visit.
    pub key: Option<SecretHash>,
}
