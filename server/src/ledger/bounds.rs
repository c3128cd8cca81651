//! How many rows one batch may change for commands that concern any number of rows.

/// Most visits that get their user in one batch, by all its commands.
pub(super) const LINKED_OF_BATCH: usize = 2_048;

/// Most earlier visits that get their user at once at a sign-in: more than nearly any visitor has.
pub(super) const LINKED_FIRST: usize = 64;

/// Most visits that get their user by one command `Link`.
pub const LINKED_MOST: usize = 512;

/// How many such commands one batch has room for.
pub const LINKS_OF_BATCH: usize = LINKED_OF_BATCH / LINKED_MOST;

/// Most sessions that one batch ends, by all its commands that end several.
pub const ENDED_OF_BATCH: usize = 1_024;

/// Most sessions that one such command ends.
pub const ENDED_MOST: usize = 256;
