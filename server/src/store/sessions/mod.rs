//! The fast copy of live tokens.

pub mod embedded;
