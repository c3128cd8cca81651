-- $4: where each point begins, ascending, the first at $1; a point ends where the next begins.
SELECT width_bucket(started_at, $4::bigint[]) - 1, COUNT(*), COUNT(DISTINCT COALESCE(user_id, visitor_id))
FROM sessions WHERE started_at >= $1 AND started_at < $2 AND ($3::text IS NULL OR site = $3)
GROUP BY 1
