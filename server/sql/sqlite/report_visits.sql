SELECT COUNT(*), COUNT(DISTINCT COALESCE(user_id, visitor_id)),
    SUM(page_views = 1 AND events = 0), AVG(last_activity - started_at)
FROM sessions WHERE started_at >= ?1 AND started_at < ?2 AND (?3 IS NULL OR site = ?3)
