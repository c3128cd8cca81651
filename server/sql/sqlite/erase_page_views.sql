DELETE FROM page_views WHERE occurred_at BETWEEN ?2 AND ?3 AND visit_id IN (SELECT value FROM json_each(?1))
