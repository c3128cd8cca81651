-- What was rotated, given another visit or ended at or after ?1.
SELECT tag, secret_hash, generation, visit_id, user_id, signed_in_at, created_at, last_activity, ended_at, remembered, device
FROM session_tokens WHERE generation > 1 AND changed_at >= ?1
