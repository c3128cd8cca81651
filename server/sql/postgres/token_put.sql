INSERT INTO session_tokens (tag, secret_hash, generation, visit_id, user_id, signed_in_at, created_at, last_activity, ended_at, remembered, device, changed_at)
SELECT tag, secret_hash, generation, visit_id, user_id, signed_in_at, created_at, last_activity, ended_at, remembered, device, $12
FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::boolean[], $11::text[])
    AS w (tag, secret_hash, generation, visit_id, user_id, signed_in_at, created_at, last_activity, ended_at, remembered, device)
ON CONFLICT (tag) DO UPDATE SET
    secret_hash = excluded.secret_hash, generation = excluded.generation, visit_id = excluded.visit_id,
    user_id = excluded.user_id, signed_in_at = excluded.signed_in_at, created_at = excluded.created_at,
    last_activity = excluded.last_activity, ended_at = excluded.ended_at,
    remembered = excluded.remembered, device = excluded.device, changed_at = excluded.changed_at
