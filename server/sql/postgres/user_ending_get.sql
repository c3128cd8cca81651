SELECT w.place, e.ended_at FROM unnest($1::bytea[], $2::text[]) WITH ORDINALITY AS w (user_hash, site, place)
JOIN user_endings AS e ON e.user_hash = w.user_hash AND e.site = w.site COLLATE "C"
