UPDATE session_tokens SET secret_hash = decode(repeat('00', 32), 'hex'), generation = generation + 4294967296,
    visit_id = NULL, user_id = NULL, signed_in_at = NULL, device = NULL, created_at = $2, last_activity = $2, ended_at = $2, changed_at = $2
WHERE tag = ANY (ARRAY(SELECT tag FROM session_tokens WHERE visit_id = ANY($1) LIMIT $3))
RETURNING tag, secret_hash, generation, visit_id, user_id, signed_in_at, created_at, last_activity, ended_at, remembered, device
