INSERT INTO retired_secrets (secret_hash, tag, retired_at)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[])
ON CONFLICT (secret_hash) DO NOTHING
