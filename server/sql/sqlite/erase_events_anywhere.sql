DELETE FROM events WHERE (id, site) IN (
    SELECT id, site FROM events WHERE visit_id IN (SELECT value FROM json_each(?1)) LIMIT ?2)
