UPDATE users AS u SET password_hash = w.password_hash
FROM unnest($1::text[], $2::text[]) AS w (id, password_hash) WHERE u.id = w.id COLLATE "C"
