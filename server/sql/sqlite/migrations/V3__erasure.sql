-- Visitors whose data was erased: what comes late of them is refused. Nothing but the hash is kept.
CREATE TABLE erased_visitors (
    visitor_hash BLOB PRIMARY KEY,               -- SHA-256 of the visitor_id
    erased_at    INTEGER NOT NULL                -- ms; forgotten after eight days
) WITHOUT ROWID;

-- That something was erased: when, at whose request, how many rows. Whose they were is not known.
CREATE TABLE erasures (
    id        INTEGER PRIMARY KEY,
    erased_at INTEGER NOT NULL,
    asked_by  TEXT NOT NULL CHECK (asked_by IN ('visitor', 'admin', 'key')),
    row_count INTEGER NOT NULL
);
