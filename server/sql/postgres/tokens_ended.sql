SELECT tag, secret_hash, generation, visit_id, user_id, signed_in_at, created_at, last_activity, ended_at, remembered, device
FROM session_tokens WHERE tag = ANY($1::text[]) AND ended_at IS NOT NULL
