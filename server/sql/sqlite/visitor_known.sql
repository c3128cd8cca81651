-- The key of a visitor that has one, or has anything stored: no row for a new visitor.
SELECT k.key_hash
FROM (SELECT ?1 AS visitor_id) AS v LEFT JOIN visitor_keys AS k ON k.visitor_id = v.visitor_id
WHERE k.key_hash IS NOT NULL
    OR EXISTS (SELECT 1 FROM sessions WHERE visitor_id = ?1)
    OR EXISTS (SELECT 1 FROM orders WHERE visitor_id = ?1)
    OR EXISTS (SELECT 1 FROM refunds WHERE visitor_id = ?1)
