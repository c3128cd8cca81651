SELECT role FROM users WHERE id = $1 AND disabled_at IS NULL
