-- The rows without a visit of the visitor.
SELECT created_at, site || ' ' || id, json_object('id', id, 'site', site, 'refund_of', refund_of, 'user_id', user_id, 'amount', amount, 'currency', currency, 'created_at', created_at, 'received_at', received_at)
FROM refunds AS r WHERE visitor_id = ?1 AND (created_at, site || ' ' || id) > (?2, ?3)
    AND NOT EXISTS (SELECT 1 FROM sessions WHERE id = r.visit_id AND visitor_id = ?1)
ORDER BY 1, 2 LIMIT ?4
