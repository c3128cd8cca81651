-- For each visitor, site and instant: the latest visit that began at or before it.
SELECT s.id, s.site, s.visitor_id, s.user_id, s.started_at, s.last_activity, s.ended_at, s.page_views, s.events
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w (visitor_id, site, at)
CROSS JOIN LATERAL (
    SELECT * FROM sessions
    WHERE visitor_id = w.visitor_id COLLATE "C" AND site = w.site COLLATE "C" AND started_at <= w.at
    ORDER BY started_at DESC LIMIT 1
) AS s
