-- Users whose sessions were ended, all at once: a sign-in that was made before, and that waits in the spool of
-- another server, ends too. The user is kept as a hash.
CREATE TABLE user_endings (
    user_hash bytea NOT NULL,                    -- SHA-256 of the user_id
    site      text COLLATE "C" NOT NULL,         -- the one site whose sessions ended; empty: all
    ended_at  bigint NOT NULL,                   -- ms; forgotten after eight days
    PRIMARY KEY (user_hash, site)
);
