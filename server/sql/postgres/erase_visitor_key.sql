DELETE FROM visitor_keys WHERE visitor_id = $1
