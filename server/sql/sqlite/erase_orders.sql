DELETE FROM orders WHERE (site, id) IN (SELECT site, id FROM (
    SELECT site, id FROM orders WHERE visitor_id = ?1
    UNION ALL
    SELECT site, id FROM orders WHERE visit_id IN (SELECT value FROM json_each(?2))
    LIMIT ?3))
