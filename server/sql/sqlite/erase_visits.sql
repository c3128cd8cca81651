DELETE FROM sessions WHERE visitor_id = ?1
RETURNING id, started_at, MAX(last_activity, COALESCE(ended_at, 0)), page_views, events
