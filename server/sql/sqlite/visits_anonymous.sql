-- The newest visits without a user that a visitor began at or before an instant.
SELECT id, site, visitor_id, user_id, started_at, last_activity, ended_at, page_views, events
FROM sessions WHERE visitor_id = ?1 AND user_id IS NULL AND started_at <= ?2 ORDER BY started_at DESC LIMIT ?3
