INSERT INTO events (site, id, visit_id, occurred_at, received_at, name, props, url)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (site, id) DO NOTHING
