SELECT s.id, s.site, s.visitor_id, s.user_id, s.started_at, s.last_activity, s.ended_at, s.page_views + s.events
FROM visitors AS v JOIN sessions AS s ON s.id = v.visit_id
WHERE v.site = ?1 AND v.visitor_id = ?2
