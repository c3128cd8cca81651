UPDATE sessions SET user_id = ?2 WHERE id = ?1 AND user_id IS NULL
