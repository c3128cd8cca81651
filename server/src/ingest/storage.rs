//! Where commands become durable.

use super::spool::Spool;
use crate::database::store::Store;

/// Where commands become durable.
#[derive(Debug)]
pub struct Storage {
    /// The database.
    pub store: Store,
    /// What takes its place while it is away.
    pub spool: Option<Spool>,
}
