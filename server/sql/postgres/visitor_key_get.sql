SELECT visitor_id, key_hash FROM visitor_keys WHERE visitor_id = ANY($1)
