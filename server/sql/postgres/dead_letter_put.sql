INSERT INTO dead_letters (set_aside_at, reason, command) VALUES ($1, $2, $3)
