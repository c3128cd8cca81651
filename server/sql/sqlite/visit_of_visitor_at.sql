-- The visitor's latest visit on a site that began at or before an instant.
SELECT id, site, visitor_id, user_id, started_at, last_activity, ended_at, page_views, events
FROM sessions WHERE visitor_id = ?1 AND site = ?2 AND started_at <= ?3 ORDER BY started_at DESC LIMIT 1
