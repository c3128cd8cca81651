INSERT INTO user_endings (user_hash, site, ended_at) SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[])
ON CONFLICT (user_hash, site) DO UPDATE SET ended_at = GREATEST(user_endings.ended_at, excluded.ended_at)
