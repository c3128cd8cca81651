-- Visitors whose data was erased: what comes late of them is refused. Nothing but the hash is kept.
CREATE TABLE erased_visitors (
    visitor_hash bytea PRIMARY KEY,              -- SHA-256 of the visitor_id
    erased_at    bigint NOT NULL                 -- ms; forgotten after eight days
);

-- That something was erased: when, at whose request, how many rows. Whose they were is not known.
CREATE TABLE erasures (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    erased_at bigint NOT NULL,
    asked_by  text COLLATE "C" NOT NULL CHECK (asked_by IN ('visitor', 'admin', 'key')),
    row_count bigint NOT NULL
);
