-- Facts in the order of their ids, which is the order of time: new rows go to the end of the tree,
-- and a resend is found by its id whatever its site.
CREATE TABLE page_views_by_id (
    id          TEXT NOT NULL,                   -- UUIDv7
    site        TEXT NOT NULL,
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
    PRIMARY KEY (id, site)
) WITHOUT ROWID;
INSERT INTO page_views_by_id (id, site, visit_id, occurred_at, received_at, url, path, referrer, title, device, engaged_ms, scroll_pct)
SELECT id, site, visit_id, occurred_at, received_at, url, path, referrer, title, device, engaged_ms, scroll_pct
FROM page_views ORDER BY id, site;
DROP TABLE page_views;
ALTER TABLE page_views_by_id RENAME TO page_views;
CREATE INDEX page_views_occurred_at ON page_views (occurred_at);

CREATE TABLE events_by_id (
    id          TEXT NOT NULL,                   -- UUIDv7
    site        TEXT NOT NULL,
    visit_id    TEXT,
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    name        TEXT NOT NULL,
    props       TEXT,                            -- JSON
    url         TEXT,
    PRIMARY KEY (id, site)
) WITHOUT ROWID;
INSERT INTO events_by_id (id, site, visit_id, occurred_at, received_at, name, props, url)
SELECT id, site, visit_id, occurred_at, received_at, name, props, url FROM events ORDER BY id, site;
DROP TABLE events;
ALTER TABLE events_by_id RENAME TO events;
CREATE INDEX events_occurred_at ON events (occurred_at);

-- When a token was rotated, got another visit or was ended last: what a Redis that was away is told.
ALTER TABLE session_tokens ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX session_tokens_changed ON session_tokens (changed_at) WHERE generation > 1;

-- Commands that the database refused: set aside, so that they hold up nobody and are not lost.
CREATE TABLE dead_letters (
    id           INTEGER PRIMARY KEY,
    set_aside_at INTEGER NOT NULL,
    reason       TEXT NOT NULL,                  -- what the database said
    command      TEXT NOT NULL                   -- JSON; holds no secret
);

CREATE INDEX visitors_visitor ON visitors (visitor_id);
