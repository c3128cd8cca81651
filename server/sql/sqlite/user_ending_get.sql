SELECT ended_at FROM user_endings WHERE user_hash = ?1 AND site = ?2
