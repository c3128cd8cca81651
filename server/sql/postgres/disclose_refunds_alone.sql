-- The rows without a visit of the visitor.
SELECT created_at, site || ' ' || id, json_build_object('id', id, 'site', site, 'refund_of', refund_of, 'user_id', user_id, 'amount', amount::text, 'currency', currency, 'created_at', created_at, 'received_at', received_at)::text
FROM refunds AS r WHERE visitor_id = $1::text AND (created_at, site || ' ' || id) > ($2, $3::text COLLATE "C")
    AND NOT EXISTS (SELECT FROM sessions WHERE id = r.visit_id AND visitor_id = $1::text)
ORDER BY 1, 2 LIMIT $4
