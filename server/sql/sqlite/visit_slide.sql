UPDATE sessions SET last_activity = ?2 WHERE id = ?1 AND ended_at IS NULL AND last_activity < ?2
