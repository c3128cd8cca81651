DELETE FROM orders WHERE visitor_id = ?1 OR visit_id IN (SELECT value FROM json_each(?2))
