DELETE FROM sessions WHERE visitor_id = $1
RETURNING id, started_at, GREATEST(last_activity, ended_at), page_views, events
