SELECT occurred_at, id, json_object('id', id, 'occurred_at', occurred_at, 'received_at', received_at, 'site', site, 'name', name, 'props', json(props), 'url', url)
FROM events WHERE occurred_at BETWEEN ?5 AND ?6 AND visit_id = ?1 AND (occurred_at, id) > (?2, ?3)
ORDER BY occurred_at, id LIMIT ?4
