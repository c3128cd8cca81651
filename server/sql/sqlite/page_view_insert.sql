INSERT INTO page_views (id, site, visit_id, occurred_at, received_at, url, path, referrer, title, device, sequence)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
