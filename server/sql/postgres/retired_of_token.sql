-- The last ones of each token: a record has no more.
SELECT r.tag, r.secret_hash, r.retired_at, r.visit_id
FROM unnest($1::text[]) AS w (tag)
CROSS JOIN LATERAL (
    SELECT * FROM retired_secrets WHERE tag = w.tag COLLATE "C" ORDER BY retired_at DESC LIMIT $2
) AS r
ORDER BY r.retired_at
