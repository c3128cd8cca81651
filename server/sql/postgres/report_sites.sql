-- Visits only, because anybody can post an anonymous page view. The index on started_at holds all of it.
SELECT site, COUNT(*) FROM sessions WHERE started_at >= $1 AND started_at < $2
GROUP BY site ORDER BY COUNT(*) DESC, site LIMIT $3
