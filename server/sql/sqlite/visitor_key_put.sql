INSERT INTO visitor_keys (visitor_id, key_hash) VALUES (?1, ?2)
