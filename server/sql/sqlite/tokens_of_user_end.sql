UPDATE session_tokens SET ended_at = ?2, generation = generation + 4294967296, changed_at = ?2
WHERE user_id = ?1 AND ended_at IS NULL
