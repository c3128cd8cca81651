-- Some of the visits; first those that may have live sessions.
SELECT * FROM (
    SELECT id, started_at, last_activity, page_views, events
    FROM sessions WHERE visitor_id = ?1 AND ended_at IS NULL ORDER BY started_at DESC LIMIT ?2)
UNION ALL
SELECT * FROM (
    SELECT id, started_at, MAX(last_activity, ended_at), page_views, events
    FROM sessions WHERE visitor_id = ?1 AND ended_at IS NOT NULL ORDER BY site, started_at LIMIT ?2)
LIMIT ?2
