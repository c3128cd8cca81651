-- The visit that the visitor's next hit on the site joins, if it is live.
SELECT s.id, s.site, s.visitor_id, s.user_id, s.started_at, s.last_activity, s.ended_at, s.page_views, s.events
FROM visitors AS v JOIN sessions AS s ON s.id = v.visit_id WHERE v.visitor_id = ?1 AND v.site = ?2
