DELETE FROM visitors WHERE visitor_id = ?1
