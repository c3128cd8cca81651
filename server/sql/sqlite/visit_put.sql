-- What a batch does not tell of entry and referrer stays as it is.
INSERT INTO sessions (id, site, visitor_id, user_id, started_at, last_activity, ended_at, page_views, events,
    entry_url, referrer, referrer_host)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
ON CONFLICT (id) DO UPDATE SET
    site = excluded.site, visitor_id = excluded.visitor_id, user_id = excluded.user_id,
    last_activity = excluded.last_activity, ended_at = excluded.ended_at,
    page_views = excluded.page_views, events = excluded.events,
    entry_url = COALESCE(excluded.entry_url, sessions.entry_url),
    referrer = COALESCE(excluded.referrer, sessions.referrer),
    referrer_host = CASE WHEN excluded.referrer IS NULL THEN sessions.referrer_host ELSE excluded.referrer_host END
