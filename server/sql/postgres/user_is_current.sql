SELECT u.id, u.password_hash FROM unnest($1::text[], $2::text[]) AS w (id, password_hash)
JOIN users AS u ON u.id = w.id COLLATE "C" AND u.password_hash = w.password_hash AND u.disabled_at IS NULL
