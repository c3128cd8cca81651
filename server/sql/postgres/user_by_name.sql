SELECT id, password_hash, disabled_at IS NOT NULL, name FROM users WHERE name = $1
