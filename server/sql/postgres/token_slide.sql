UPDATE session_tokens AS t SET last_activity = w.at
FROM unnest($1::text[], $2::bigint[]) AS w (tag, at)
WHERE t.tag = w.tag COLLATE "C" AND t.ended_at IS NULL AND t.last_activity < w.at
