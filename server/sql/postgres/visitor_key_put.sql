INSERT INTO visitor_keys (visitor_id, key_hash) SELECT * FROM unnest($1::text[], $2::bytea[])
