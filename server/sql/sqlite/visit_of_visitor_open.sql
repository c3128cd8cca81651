-- The visitor's latest visit that has not ended, on whatever site; with ?2 only one without a fact,
-- whose site is a guess still.
SELECT id, site, visitor_id, user_id, started_at, last_activity, ended_at, page_views + events
FROM sessions WHERE visitor_id = ?1 AND ended_at IS NULL AND (NOT ?2 OR page_views + events = 0)
ORDER BY started_at DESC LIMIT 1
