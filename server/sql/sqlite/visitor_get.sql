SELECT site, visit_id FROM visitors WHERE visitor_id = ?1
