SELECT 1 FROM users WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL
