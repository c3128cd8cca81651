-- Times are INTEGER milliseconds since the Unix epoch, UTC. Identifiers are TEXT.

-- The visits.
CREATE TABLE sessions (
    id            TEXT PRIMARY KEY,              -- UUIDv7
    site          TEXT NOT NULL,
    visitor_id    TEXT,                          -- 'v_' + UUID; null if the browser never said
    user_id       TEXT,                          -- set once
    started_at    INTEGER NOT NULL,
    last_activity INTEGER NOT NULL,
    ended_at      INTEGER,                       -- null while a session of the visit may be live
    page_views    INTEGER NOT NULL DEFAULT 0,
    events        INTEGER NOT NULL DEFAULT 0,
    entry_url     TEXT,
    referrer      TEXT,
    referrer_host TEXT                           -- null: direct, or from the site itself
) WITHOUT ROWID;
CREATE INDEX sessions_started_at ON sessions (started_at, site);
CREATE INDEX sessions_visitor ON sessions (visitor_id, site, started_at);
CREATE INDEX sessions_user ON sessions (user_id, started_at) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_anonymous ON sessions (visitor_id, started_at) WHERE user_id IS NULL AND visitor_id IS NOT NULL;
CREATE INDEX sessions_open ON sessions (visitor_id, started_at) WHERE ended_at IS NULL;

-- The security objects: one row a token, named by its tag.
CREATE TABLE session_tokens (
    tag           TEXT PRIMARY KEY,
    secret_hash   BLOB NOT NULL,                 -- SHA-256; the secret itself is stored nowhere
    generation    INTEGER NOT NULL,
    visit_id      TEXT,
    user_id       TEXT,
    signed_in_at  INTEGER,
    created_at    INTEGER NOT NULL,
    last_activity INTEGER NOT NULL,
    ended_at      INTEGER,
    remembered    INTEGER NOT NULL DEFAULT FALSE, -- has the long limits
    device        TEXT                           -- browser and system at the sign-in, in words
) WITHOUT ROWID;
CREATE INDEX session_tokens_visit ON session_tokens (visit_id) WHERE visit_id IS NOT NULL;
CREATE INDEX session_tokens_user ON session_tokens (user_id, created_at) WHERE user_id IS NOT NULL AND ended_at IS NULL;
CREATE INDEX session_tokens_live ON session_tokens (remembered, created_at) WHERE ended_at IS NULL;
CREATE INDEX session_tokens_ended ON session_tokens (ended_at) WHERE ended_at IS NOT NULL;

-- Secrets that a rotation replaced within the last minute.
CREATE TABLE retired_secrets (
    secret_hash BLOB PRIMARY KEY,
    tag         TEXT NOT NULL,
    retired_at  INTEGER NOT NULL,
    visit_id    TEXT                             -- the session's visit then
) WITHOUT ROWID;
CREATE INDEX retired_secrets_tag ON retired_secrets (tag, retired_at);

-- The visit that a visitor's next hit joins, if it is still live.
CREATE TABLE visitors (
    site       TEXT NOT NULL,
    visitor_id TEXT NOT NULL,
    visit_id   TEXT NOT NULL,
    PRIMARY KEY (site, visitor_id)
) WITHOUT ROWID;

-- What proves that a browser is the visitor: one key a visitor, whatever the site.
CREATE TABLE visitor_keys (
    visitor_id TEXT PRIMARY KEY,
    key_hash   BLOB NOT NULL                     -- SHA-256; the key itself is stored nowhere
) WITHOUT ROWID;

CREATE TABLE page_views (
    site        TEXT NOT NULL,
    id          TEXT NOT NULL,                   -- UUIDv7
    visit_id    TEXT,                            -- null: anonymous
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    url         TEXT NOT NULL,
    path        TEXT NOT NULL,
    referrer    TEXT,
    title       TEXT,
    device      TEXT,                            -- JSON
    engaged_ms  INTEGER,
    scroll_pct  INTEGER,
    PRIMARY KEY (site, id)
) WITHOUT ROWID;
CREATE INDEX page_views_occurred_at ON page_views (occurred_at);

CREATE TABLE events (
    site        TEXT NOT NULL,
    id          TEXT NOT NULL,                   -- UUIDv7
    visit_id    TEXT,
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    name        TEXT NOT NULL,
    props       TEXT,                            -- JSON
    url         TEXT,
    PRIMARY KEY (site, id)
) WITHOUT ROWID;
CREATE INDEX events_occurred_at ON events (occurred_at);

CREATE TABLE orders (
    site        TEXT NOT NULL,
    id          TEXT NOT NULL,                   -- the shop's
    visit_id    TEXT,
    visitor_id  TEXT,
    user_id     TEXT,
    amount      TEXT NOT NULL,                   -- exact decimal; AVG and SUM read it as a number
    currency    TEXT NOT NULL,                   -- ISO 4217
    items       TEXT,                            -- JSON
    source      TEXT NOT NULL CHECK (source IN ('browser', 'api')),
    disputed    INTEGER NOT NULL DEFAULT FALSE,  -- a browser has claimed this number with other words
    created_at  INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) WITHOUT ROWID;
CREATE INDEX orders_created_at ON orders (created_at);
CREATE INDEX orders_visitor ON orders (visitor_id) WHERE visitor_id IS NOT NULL;
CREATE INDEX orders_visit ON orders (visit_id) WHERE visit_id IS NOT NULL;

-- Money that was paid back. A refund may come before its order.
CREATE TABLE refunds (
    site        TEXT NOT NULL,
    id          TEXT NOT NULL,                   -- the shop's
    refund_of   TEXT NOT NULL,                   -- the order's id, on the same site
    visit_id    TEXT,                            -- of the order, as soon as that is known; so for the next two
    visitor_id  TEXT,
    user_id     TEXT,
    amount      TEXT NOT NULL,                   -- exact decimal, positive
    currency    TEXT NOT NULL,                   -- ISO 4217
    created_at  INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) WITHOUT ROWID;
CREATE INDEX refunds_order ON refunds (site, refund_of);
CREATE INDEX refunds_created_at ON refunds (created_at);
CREATE INDEX refunds_visitor ON refunds (visitor_id) WHERE visitor_id IS NOT NULL;
CREATE INDEX refunds_visit ON refunds (visit_id) WHERE visit_id IS NOT NULL;

CREATE TABLE users (
    id            TEXT PRIMARY KEY,              -- 'u_' + UUIDv7
    name          TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,                 -- Argon2id, PHC string
    role          TEXT NOT NULL CHECK (role IN ('user', 'admin')),
    created_at    INTEGER NOT NULL,
    disabled_at   INTEGER
) WITHOUT ROWID;

CREATE TABLE api_keys (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    secret_hash BLOB NOT NULL,                   -- SHA-256
    scopes      TEXT NOT NULL,                   -- separated by commas
    site        TEXT,                            -- null: all sites
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER
) WITHOUT ROWID;
