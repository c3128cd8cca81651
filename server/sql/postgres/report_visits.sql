SELECT COUNT(*), COUNT(DISTINCT COALESCE(user_id, visitor_id)),
    COUNT(*) FILTER (WHERE page_views = 1 AND events = 0),
    SUM(last_activity - started_at)::float8 / COUNT(*)::float8
FROM sessions WHERE started_at >= $1 AND started_at < $2 AND ($3::text IS NULL OR site = $3)
