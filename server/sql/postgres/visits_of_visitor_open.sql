SELECT id, site, visitor_id, user_id, started_at, last_activity, ended_at, page_views, events
FROM sessions WHERE visitor_id = ANY($1) AND ended_at IS NULL
