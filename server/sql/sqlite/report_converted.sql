-- Visits that began in the range and have an order, at any time. From the orders: they are
-- far fewer than the visits. ?4: no order of such a visit is older.
SELECT COUNT(DISTINCT s.id) FROM orders AS o CROSS JOIN sessions AS s ON s.id = o.visit_id
WHERE o.created_at >= ?4 AND s.started_at >= ?1 AND s.started_at < ?2 AND (?3 IS NULL OR s.site = ?3)
