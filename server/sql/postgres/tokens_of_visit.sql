SELECT t.tag, t.secret_hash, t.generation, t.visit_id, t.user_id, t.signed_in_at, t.created_at, t.last_activity, t.ended_at, t.remembered, t.device
FROM unnest($1::uuid[]) AS w (visit_id)
CROSS JOIN LATERAL (
    SELECT * FROM session_tokens WHERE visit_id = w.visit_id AND ended_at IS NULL LIMIT $2
) AS t
