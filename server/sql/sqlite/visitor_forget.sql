DELETE FROM visitors WHERE site = ?1 AND visitor_id = ?2 AND visit_id = ?3
