DELETE FROM user_endings WHERE ended_at < ?1
