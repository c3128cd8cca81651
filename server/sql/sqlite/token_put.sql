INSERT INTO session_tokens (tag, secret_hash, generation, visit_id, user_id, signed_in_at, created_at, last_activity, ended_at, remembered, device, changed_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
ON CONFLICT (tag) DO UPDATE SET
    secret_hash = excluded.secret_hash, generation = excluded.generation, visit_id = excluded.visit_id,
    user_id = excluded.user_id, signed_in_at = excluded.signed_in_at, created_at = excluded.created_at,
    last_activity = excluded.last_activity, ended_at = excluded.ended_at,
    remembered = excluded.remembered, device = excluded.device, changed_at = excluded.changed_at
