-- The visitor's latest visit that has not ended and has no fact yet, so that its site is a guess
-- still; other than ?2, for which table visitors knows the visit.
SELECT id, site, visitor_id, user_id, started_at, last_activity, ended_at, page_views + events
FROM sessions WHERE visitor_id = ?1 AND site <> ?2 AND ended_at IS NULL AND page_views + events = 0
ORDER BY started_at DESC LIMIT 1
