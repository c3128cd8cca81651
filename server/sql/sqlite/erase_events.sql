DELETE FROM events WHERE (id, site) IN (
    SELECT id, site FROM events
    WHERE occurred_at BETWEEN ?2 AND ?3 AND visit_id IN (SELECT value FROM json_each(?1)) LIMIT ?4)
