INSERT INTO session_tokens (tag, secret_hash, generation, visit_id, user_id, signed_in_at, created_at, last_activity, ended_at, changed_at)
SELECT tag, secret_hash, generation, visit_id, user_id, signed_in_at, created_at, last_activity, ended_at, $10
FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
    AS w (tag, secret_hash, generation, visit_id, user_id, signed_in_at, created_at, last_activity, ended_at)
ON CONFLICT (tag) DO UPDATE SET
    secret_hash = excluded.secret_hash, generation = excluded.generation, visit_id = excluded.visit_id,
    user_id = excluded.user_id, signed_in_at = excluded.signed_in_at,
    last_activity = excluded.last_activity, ended_at = excluded.ended_at,
    changed_at = excluded.changed_at
