-- The page that each active visit looked at last.
SELECT path, COUNT(*) FROM (
    SELECT p.path, MAX(p.occurred_at)
    FROM sessions AS s JOIN page_views AS p ON p.visit_id = s.id
    WHERE s.ended_at IS NULL AND s.last_activity >= ?1 AND (?2 IS NULL OR s.site = ?2)
        AND p.occurred_at >= ?3
    GROUP BY s.id
) GROUP BY path ORDER BY COUNT(*) DESC, path LIMIT 20
