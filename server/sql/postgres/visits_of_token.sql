-- The visits of these tokens, which are nearly always wanted next.
SELECT id, site, visitor_id, user_id, started_at, last_activity, ended_at, page_views, events
FROM sessions WHERE id IN (SELECT visit_id FROM session_tokens WHERE tag = ANY($1))
