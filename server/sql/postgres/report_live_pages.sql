-- The page that each active visit viewed last.
SELECT path, COUNT(*) FROM (
    SELECT DISTINCT ON (s.id) p.path
    FROM sessions AS s JOIN page_views AS p ON p.visit_id = s.id
    WHERE s.ended_at IS NULL AND s.last_activity >= $1 AND ($2::text IS NULL OR s.site = $2)
        AND p.occurred_at >= $3
    ORDER BY s.id, p.occurred_at DESC, p.id DESC
) AS latest GROUP BY path ORDER BY COUNT(*) DESC, path COLLATE "C" LIMIT 20
