SELECT created_at, site || ' ' || id, json_object('id', id, 'site', site, 'refund_of', refund_of, 'user_id', user_id, 'amount', amount, 'currency', currency, 'created_at', created_at, 'received_at', received_at)
FROM refunds WHERE visit_id = ?1 AND (created_at, site || ' ' || id) > (?2, ?3)
ORDER BY 1, 2 LIMIT ?4
