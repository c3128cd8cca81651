SELECT visitor_id, site, visit_id FROM visitors WHERE visitor_id = ANY($1)
