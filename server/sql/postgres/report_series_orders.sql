-- $4: where each point begins, ascending, the first at $1; a point ends where the next begins.
SELECT width_bucket(created_at, $4::bigint[]) - 1, currency, COUNT(*)
FROM orders WHERE created_at >= $1 AND created_at < $2 AND ($3::text IS NULL OR site = $3)
GROUP BY 1, 2
