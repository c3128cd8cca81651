-- The last ones: a record has no more.
SELECT secret_hash, retired_at, visit_id FROM (
    SELECT secret_hash, retired_at, visit_id FROM retired_secrets WHERE tag = ?1 ORDER BY retired_at DESC LIMIT ?2
) ORDER BY retired_at
