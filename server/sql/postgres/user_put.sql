INSERT INTO users (id, name, password_hash, role, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash, role = excluded.role, disabled_at = NULL
RETURNING id
