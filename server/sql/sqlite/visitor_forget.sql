DELETE FROM visitors WHERE site = ?1 AND visitor_id = ?2
