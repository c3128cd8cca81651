-- Some of the visits; first those that may have live sessions.
SELECT id, started_at, GREATEST(last_activity, ended_at), page_views, events FROM (
    (SELECT * FROM sessions WHERE visitor_id = $1 AND ended_at IS NULL ORDER BY started_at DESC LIMIT $2)
    UNION ALL
    (SELECT * FROM sessions WHERE visitor_id = $1 AND ended_at IS NOT NULL ORDER BY site, started_at LIMIT $2)
) AS s LIMIT $2
