-- By bytes, as the other keys are: it is the order of SQLite, and sorts faster than a language's.
SELECT path COLLATE "C" AS path, COUNT(*), COUNT(DISTINCT visit_id)
FROM page_views WHERE occurred_at >= $1 AND occurred_at < $2 AND ($3::text IS NULL OR site = $3)
GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT $4
