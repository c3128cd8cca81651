INSERT INTO visitors (site, visitor_id, visit_id) VALUES (?1, ?2, ?3)
ON CONFLICT (site, visitor_id) DO UPDATE SET visit_id = excluded.visit_id
