-- The latest visit of each visitor on each site that began at or before an instant.
SELECT DISTINCT ON (w.visitor_id, w.at, s.site) s.id, s.site, s.visitor_id, s.user_id, s.started_at, s.last_activity, s.ended_at, s.page_views, s.events
FROM unnest($1::text[], $2::bigint[]) AS w (visitor_id, at)
JOIN sessions AS s ON s.visitor_id = w.visitor_id COLLATE "C" AND s.started_at <= w.at
ORDER BY w.visitor_id, w.at, s.site, s.started_at DESC
