UPDATE sessions SET ended_at = MAX(?2, last_activity) WHERE id = ?1 AND ended_at IS NULL
