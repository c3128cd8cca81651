SELECT occurred_at, id::text, json_build_object('id', id, 'occurred_at', occurred_at, 'received_at', received_at, 'site', site, 'name', name, 'props', props::json, 'url', url)::text
FROM events WHERE occurred_at BETWEEN $5 AND $6 AND visit_id = $1::text::uuid AND (occurred_at, id) > ($2, $3::text::uuid)
ORDER BY occurred_at, id LIMIT $4
