UPDATE sessions AS s SET last_activity = w.at
FROM (SELECT id, MAX(at) AS at FROM unnest($1::uuid[], $2::bigint[]) AS w (id, at) GROUP BY id) AS w
WHERE s.id = w.id AND s.ended_at IS NULL AND s.last_activity < w.at
