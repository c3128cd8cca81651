INSERT INTO events (id, site, visit_id, occurred_at, received_at, name, props, url)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
