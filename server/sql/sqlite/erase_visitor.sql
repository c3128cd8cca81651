DELETE FROM visitors WHERE visitor_id = ?1 AND site IN (SELECT site FROM visitors WHERE visitor_id = ?1 LIMIT ?2)
