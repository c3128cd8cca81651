-- $4: where each point begins, ascending, the first at $1; a point ends where the next begins.
SELECT width_bucket(occurred_at, $4::bigint[]) - 1, COUNT(*)
FROM page_views WHERE occurred_at >= $1 AND occurred_at < $2 AND ($3::text IS NULL OR site = $3)
GROUP BY 1
