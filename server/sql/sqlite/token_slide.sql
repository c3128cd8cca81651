UPDATE session_tokens SET last_activity = ?2 WHERE tag = ?1 AND ended_at IS NULL AND last_activity < ?2
