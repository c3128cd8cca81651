SELECT tag, secret_hash, generation, visit_id, user_id, created_at, last_activity, ended_at
FROM session_tokens WHERE tag = ANY($1)
