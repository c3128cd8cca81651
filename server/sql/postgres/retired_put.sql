INSERT INTO retired_secrets (secret_hash, tag, retired_at, visit_id)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::uuid[])
ON CONFLICT (secret_hash) DO NOTHING
