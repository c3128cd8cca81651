DELETE FROM orders WHERE (site, id) IN (
    (SELECT site, id FROM orders WHERE visitor_id = $1
    UNION ALL
    SELECT site, id FROM orders WHERE visit_id = ANY($2))
    LIMIT $3)
