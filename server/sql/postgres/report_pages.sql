-- Sorted by bytes, as in SQLite, which is faster than the order of a language.
SELECT path COLLATE "C" AS path, COUNT(*), COUNT(DISTINCT visit_id)
FROM page_views WHERE occurred_at >= $1 AND occurred_at < $2 AND ($3::text IS NULL OR site = $3)
GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT $4
