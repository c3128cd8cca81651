SELECT key_hash FROM visitor_keys WHERE visitor_id = ?1
