SELECT id, site, visitor_id, user_id, started_at, last_activity, ended_at, page_views, events
FROM sessions WHERE visitor_id = ?1 AND ended_at IS NULL ORDER BY started_at DESC LIMIT 1
