-- The latest visit on each site; the bare columns are of the row that has the maximum.
SELECT id, site, visitor_id, user_id, MAX(started_at), last_activity, ended_at, page_views, events
FROM sessions WHERE visitor_id = ?1 AND started_at <= ?2 GROUP BY site
