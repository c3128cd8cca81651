-- The latest visit of each visitor that has not ended.
SELECT s.id, s.site, s.visitor_id, s.user_id, s.started_at, s.last_activity, s.ended_at, s.page_views, s.events
FROM unnest($1::text[]) AS w (visitor_id)
CROSS JOIN LATERAL (
    SELECT * FROM sessions WHERE visitor_id = w.visitor_id COLLATE "C" AND ended_at IS NULL
    ORDER BY started_at DESC LIMIT 1
) AS s
