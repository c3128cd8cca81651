-- The page that each active visit viewed last.
SELECT path, COUNT(*) FROM (
    SELECT p.path, ROW_NUMBER() OVER (PARTITION BY s.id ORDER BY p.occurred_at DESC, p.id DESC) AS nth
    FROM sessions AS s JOIN page_views AS p ON p.visit_id = s.id
    WHERE s.ended_at IS NULL AND s.last_activity >= ?1 AND (?2 IS NULL OR s.site = ?2)
        AND p.occurred_at >= ?3
) WHERE nth = 1 GROUP BY path ORDER BY COUNT(*) DESC, path LIMIT 20
