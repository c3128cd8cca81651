SELECT id, site, visitor_id, user_id, started_at, last_activity, ended_at, page_views, events
FROM sessions WHERE user_id = $1 AND started_at <= $2
ORDER BY started_at DESC LIMIT 1
