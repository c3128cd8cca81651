-- The keys of visitors that have one, or have anything stored: no row for a new visitor.
SELECT v.visitor_id, k.key_hash
FROM unnest($1::text[]) AS v (visitor_id) LEFT JOIN visitor_keys AS k ON k.visitor_id = v.visitor_id
WHERE k.key_hash IS NOT NULL
    OR EXISTS (SELECT 1 FROM sessions AS s WHERE s.visitor_id = v.visitor_id)
    OR EXISTS (SELECT 1 FROM orders AS o WHERE o.visitor_id = v.visitor_id)
    OR EXISTS (SELECT 1 FROM refunds AS r WHERE r.visitor_id = v.visitor_id)
