UPDATE users SET disabled_at = NULL WHERE name = ?1
