-- $4: the idle limit. A visit that was over before is not prolonged.
UPDATE sessions AS s SET last_activity = w.last
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS w (id, first, last)
WHERE s.id = w.id AND s.ended_at IS NULL AND s.last_activity < w.last AND s.last_activity > w.first - $4
