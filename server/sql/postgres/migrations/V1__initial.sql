-- Times are BIGINT milliseconds since the Unix epoch, UTC: the one form of time in the server and
-- its stores. UUIDs are uuid; texts that only serve as keys are compared by their bytes ("C").

-- The visits. Hits change them in place: a page that has room keeps the new version beside the old
-- one, and no index is touched (HOT).
CREATE TABLE sessions (
    id            uuid PRIMARY KEY,              -- UUIDv7
    site          text COLLATE "C" NOT NULL,
    visitor_id    text COLLATE "C",              -- 'v_' + UUID; null if the browser never said
    user_id       text COLLATE "C",              -- set once
    started_at    bigint NOT NULL,
    last_activity bigint NOT NULL,
    ended_at      bigint,                        -- null while a session of the visit may be live
    page_views    integer NOT NULL DEFAULT 0,
    events        integer NOT NULL DEFAULT 0,
    entry_url     text,
    referrer      text,
    referrer_host text                           -- null: direct, or from the site itself
) WITH (fillfactor = 75);
CREATE INDEX sessions_started_at ON sessions (started_at, site);
CREATE INDEX sessions_visitor ON sessions (visitor_id, site, started_at);
CREATE INDEX sessions_user ON sessions (user_id, started_at) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_anonymous ON sessions (visitor_id, started_at) WHERE user_id IS NULL AND visitor_id IS NOT NULL;
CREATE INDEX sessions_open ON sessions (visitor_id, started_at) WHERE ended_at IS NULL;

-- The security objects: one row a token, named by its tag.
CREATE TABLE session_tokens (
    tag           text COLLATE "C" PRIMARY KEY,
    secret_hash   bytea NOT NULL,                -- SHA-256; the secret itself is stored nowhere
    generation    bigint NOT NULL,
    visit_id      uuid,
    user_id       text COLLATE "C",
    signed_in_at  bigint,
    created_at    bigint NOT NULL,
    last_activity bigint NOT NULL,
    ended_at      bigint,
    remembered    boolean NOT NULL DEFAULT FALSE, -- has the long limits
    device        text,                          -- browser and system at the sign-in, in words
    changed_at    bigint NOT NULL                -- when this row was rotated, given another visit or ended last, by the writer's clock
) WITH (fillfactor = 75);
CREATE INDEX session_tokens_visit ON session_tokens (visit_id) WHERE visit_id IS NOT NULL;
CREATE INDEX session_tokens_user ON session_tokens (user_id, created_at) WHERE user_id IS NOT NULL AND ended_at IS NULL;
CREATE INDEX session_tokens_live ON session_tokens (tag) WHERE ended_at IS NULL;
CREATE INDEX session_tokens_ended ON session_tokens (ended_at) WHERE ended_at IS NOT NULL;
-- What other servers, and a Redis that was away, are told: rotations and ends.
CREATE INDEX session_tokens_changed ON session_tokens (changed_at) WHERE generation > 1;

-- Secrets that a rotation replaced within the last minute.
CREATE TABLE retired_secrets (
    secret_hash bytea PRIMARY KEY,
    tag         text COLLATE "C" NOT NULL,
    retired_at  bigint NOT NULL,
    visit_id    uuid                             -- the session's visit then
);
CREATE INDEX retired_secrets_tag ON retired_secrets (tag, retired_at);

-- The visit that a visitor's next hit joins, if it is still live.
CREATE TABLE visitors (
    site       text COLLATE "C" NOT NULL,
    visitor_id text COLLATE "C" NOT NULL,
    visit_id   uuid NOT NULL,
    PRIMARY KEY (site, visitor_id)
);
CREATE INDEX visitors_visitor ON visitors (visitor_id);

-- What proves that a browser is the visitor: one key a visitor, whatever the site.
CREATE TABLE visitor_keys (
    visitor_id text COLLATE "C" PRIMARY KEY,
    key_hash   bytea NOT NULL                    -- SHA-256; the key itself is stored nowhere
);

-- Facts are partitioned by id_time, the time within their UUIDv7: a resend has the same id, so it
-- meets the stored row in the same partition. Browsers' clocks may be wrong by years; what fits no
-- partition goes to the default one.
CREATE TABLE page_views (
    id_time     bigint NOT NULL,
    site        text COLLATE "C" NOT NULL,
    id          uuid NOT NULL,                   -- UUIDv7
    visit_id    uuid,                            -- null: anonymous
    occurred_at bigint NOT NULL,
    received_at bigint NOT NULL,
    url         text NOT NULL,
    path        text NOT NULL,
    referrer    text,
    title       text,
    device      text,                            -- JSON
    engaged_ms  bigint,
    scroll_pct  bigint,
    PRIMARY KEY (id_time, site, id)
) PARTITION BY RANGE (id_time);
CREATE TABLE page_views_default PARTITION OF page_views DEFAULT;
CREATE INDEX page_views_occurred_at ON page_views (occurred_at);

CREATE TABLE events (
    id_time     bigint NOT NULL,
    site        text COLLATE "C" NOT NULL,
    id          uuid NOT NULL,                   -- UUIDv7
    visit_id    uuid,
    occurred_at bigint NOT NULL,
    received_at bigint NOT NULL,
    name        text NOT NULL,
    props       text,                            -- JSON
    url         text,
    PRIMARY KEY (id_time, site, id)
) PARTITION BY RANGE (id_time);
CREATE TABLE events_default PARTITION OF events DEFAULT;
CREATE INDEX events_occurred_at ON events (occurred_at);

CREATE TABLE orders (
    site        text COLLATE "C" NOT NULL,
    id          text COLLATE "C" NOT NULL,       -- the shop's
    visit_id    uuid,
    visitor_id  text COLLATE "C",
    user_id     text COLLATE "C",
    amount      numeric(16, 4) NOT NULL,         -- exact
    currency    text COLLATE "C" NOT NULL,       -- ISO 4217
    items       text,                            -- JSON
    source      text COLLATE "C" NOT NULL CHECK (source IN ('browser', 'api')),
    disputed    boolean NOT NULL DEFAULT FALSE,  -- a browser has claimed this number with other words
    created_at  bigint NOT NULL,
    received_at bigint NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE INDEX orders_created_at ON orders (created_at);
CREATE INDEX orders_visitor ON orders (visitor_id) WHERE visitor_id IS NOT NULL;
CREATE INDEX orders_visit ON orders (visit_id) WHERE visit_id IS NOT NULL;

-- Money that was paid back. A refund may come before its order.
CREATE TABLE refunds (
    site        text COLLATE "C" NOT NULL,
    id          text COLLATE "C" NOT NULL,       -- the shop's
    refund_of   text COLLATE "C" NOT NULL,       -- the order's id, on the same site
    visit_id    uuid,                            -- of the order, as soon as that is known; so for the next two
    visitor_id  text COLLATE "C",
    user_id     text COLLATE "C",
    amount      numeric(16, 4) NOT NULL,         -- exact, positive
    currency    text COLLATE "C" NOT NULL,       -- ISO 4217
    created_at  bigint NOT NULL,
    received_at bigint NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE INDEX refunds_order ON refunds (site, refund_of);
CREATE INDEX refunds_created_at ON refunds (created_at);
CREATE INDEX refunds_visitor ON refunds (visitor_id) WHERE visitor_id IS NOT NULL;
CREATE INDEX refunds_visit ON refunds (visit_id) WHERE visit_id IS NOT NULL;

CREATE TABLE users (
    id            text COLLATE "C" PRIMARY KEY,  -- 'u_' + UUIDv7
    name          text COLLATE "C" NOT NULL UNIQUE,
    password_hash text NOT NULL,                 -- Argon2id as a PHC string
    role          text COLLATE "C" NOT NULL CHECK (role IN ('user', 'admin')),
    created_at    bigint NOT NULL,
    disabled_at   bigint
);

CREATE TABLE api_keys (
    id          text COLLATE "C" PRIMARY KEY,
    name        text COLLATE "C" NOT NULL UNIQUE,
    secret_hash bytea NOT NULL,                  -- SHA-256
    scopes      text COLLATE "C" NOT NULL,       -- separated by commas
    site        text COLLATE "C",                -- null: all sites
    created_at  bigint NOT NULL,
    expires_at  bigint
);

-- Commands that the database refused: set aside, so that they hold up nobody and are not lost.
CREATE TABLE dead_letters (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    set_aside_at bigint NOT NULL,
    reason      text NOT NULL,                   -- what the database said
    command     text NOT NULL                    -- JSON; holds no secret
);
