SELECT occurred_at, id, json_object('id', id, 'occurred_at', occurred_at, 'received_at', received_at, 'site', site, 'url', url, 'path', path, 'referrer', referrer, 'title', title, 'device', json(device), 'sequence', sequence, 'engaged_ms', engaged_ms, 'scroll_pct', scroll_pct)
FROM page_views WHERE occurred_at BETWEEN ?5 AND ?6 AND visit_id = ?1 AND (occurred_at, id) > (?2, ?3)
ORDER BY occurred_at, id LIMIT ?4
