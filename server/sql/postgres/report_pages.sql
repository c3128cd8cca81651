SELECT path, COUNT(*), COUNT(DISTINCT visit_id)
FROM page_views WHERE occurred_at >= $1 AND occurred_at < $2 AND ($3::text IS NULL OR site = $3)
GROUP BY path ORDER BY COUNT(*) DESC, path COLLATE "C" LIMIT $4
