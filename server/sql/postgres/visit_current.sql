-- The visits that these visitors' next hits on these sites join, if they are live.
SELECT s.id, s.site, s.visitor_id, s.user_id, s.started_at, s.last_activity, s.ended_at, s.page_views, s.events, v.visitor_id, v.site
FROM unnest($1::text[], $2::text[]) AS w (visitor_id, site)
JOIN visitors AS v ON v.visitor_id = w.visitor_id COLLATE "C" AND v.site = w.site COLLATE "C"
JOIN sessions AS s ON s.id = v.visit_id
