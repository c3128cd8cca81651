UPDATE users SET disabled_at = $2 WHERE name = $1 RETURNING id
