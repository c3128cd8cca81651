//! The types that endpoints, databases and the code between them exchange.
//!
//! | module | holds |
//! |---|---|
//! | [`accounts`] | users and API keys |
//! | [`activity`] | activity that the database does not have yet |
//! | [`disclosure`] | a page of what is stored about a visitor |
//! | [`erasure`] | an erasure, and what it did |
//! | [`reports`] | the dashboard's questions and their answers |
//! | [`visit_owner`] | the site and the visitor of a visit |

pub mod accounts;
pub mod activity;
pub mod disclosure;
pub mod erasure;
pub mod reports;
pub mod visit_owner;
