-- ?1: now - idle limit, ?2: now - absolute limit.
SELECT tag, secret_hash, generation, visit_id, user_id, created_at, last_activity, ended_at
FROM session_tokens WHERE ended_at IS NULL AND (last_activity <= ?1 OR created_at <= ?2)
