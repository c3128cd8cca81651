-- The rows without a visit of the visitor.
SELECT created_at, site || ' ' || id, json_build_object('id', id, 'site', site, 'user_id', user_id, 'amount', amount::text, 'currency', currency, 'items', items::json, 'source', source, 'disputed', disputed, 'created_at', created_at, 'received_at', received_at)::text
FROM orders AS r WHERE visitor_id = $1::text AND (created_at, site || ' ' || id) > ($2, $3::text COLLATE "C")
    AND NOT EXISTS (SELECT FROM sessions WHERE id = r.visit_id AND visitor_id = $1::text)
ORDER BY 1, 2 LIMIT $4
