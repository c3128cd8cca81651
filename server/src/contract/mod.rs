//! What the endpoints, the stores and what is between them say to each other: types, without the doing.
//!
//! | module | holds |
//! |---|---|
//! | [`accounts`] | users and API keys |
//! | [`activity`] | activity that the database does not know yet |
//! | [`disclosure`] | a page of what is stored of a visitor |
//! | [`erasure`] | an erasure, and what it did |
//! | [`reports`] | the dashboard's questions, and what is answered |
//! | [`visit_owner`] | the site and the visitor of a visit |

pub mod accounts;
pub mod activity;
pub mod disclosure;
pub mod erasure;
pub mod reports;
pub mod visit_owner;
