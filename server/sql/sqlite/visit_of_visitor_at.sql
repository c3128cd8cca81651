SELECT id, site, visitor_id, user_id, started_at, last_activity, ended_at, page_views + events
FROM sessions WHERE site = ?1 AND visitor_id = ?2 AND started_at <= ?3
ORDER BY started_at DESC LIMIT 1
