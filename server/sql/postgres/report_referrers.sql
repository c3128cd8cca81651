SELECT referrer_host, COUNT(*)
FROM sessions WHERE started_at >= $1 AND started_at < $2 AND ($3::text IS NULL OR site = $3)
GROUP BY referrer_host ORDER BY COUNT(*) DESC, referrer_host COLLATE "C" NULLS FIRST LIMIT $4
