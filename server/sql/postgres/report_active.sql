SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL AND last_activity >= $1 AND ($2::text IS NULL OR site = $2)
