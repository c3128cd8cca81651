SELECT id, password_hash, disabled_at IS NOT NULL FROM users WHERE name = $1
