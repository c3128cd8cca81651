-- Every session that is live, or ended after ?1.
SELECT tag, secret_hash, generation, visit_id, user_id, signed_in_at, created_at, last_activity, ended_at, remembered, device FROM session_tokens WHERE ended_at IS NULL
UNION ALL
SELECT tag, secret_hash, generation, visit_id, user_id, signed_in_at, created_at, last_activity, ended_at, remembered, device FROM session_tokens WHERE ended_at > ?1
