//! How much one batch may do for commands that each may concern any number of rows.

/// Visits that one batch may give their user, by all its commands.
pub(super) const LINKED_OF_BATCH: usize = 2_048;

/// Earlier visits that a sign-in gives their user at once: more than nearly any visitor has.
pub(super) const LINKED_FIRST: usize = 64;

/// And each command that goes on with what it has left.
pub const LINKED_MOST: usize = 512;

/// So many such commands have room in one batch.
pub const LINKS_OF_BATCH: usize = LINKED_OF_BATCH / LINKED_MOST;

/// Sessions of users that one batch may end, by all its commands that end several.
pub const ENDED_OF_BATCH: usize = 1_024;

/// And each such command.
pub const ENDED_MOST: usize = 256;
